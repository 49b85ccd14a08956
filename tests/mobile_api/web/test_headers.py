from __future__ import annotations

from multidict import CIMultiDict

from mobile_api.web.headers import DATA_POLICY, PAGE_POLICY, complete


def dressed(content_type: str, **kind: bool) -> CIMultiDict[str]:
    headers = CIMultiDict({"Content-Type": content_type})
    complete(headers, **kind)
    return headers


def test_a_page_may_run_its_own_scripts_and_data_nothing():
    assert dressed("text/html; charset=utf-8")["Content-Security-Policy"] == PAGE_POLICY
    assert dressed("application/json")["Content-Security-Policy"] == DATA_POLICY


def test_an_unchanged_page_keeps_the_policy_it_was_stored_with():
    assert "Content-Security-Policy" not in dressed("", unchanged=True)


def test_nothing_is_stored_unless_the_view_says_so():
    assert dressed("application/json")["Cache-Control"] == "no-store"
    assert "Cache-Control" not in dressed("text/css", cached=True)
