"""What the how-to shows a department's programmer works as it stands there."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from backoffice import webhook
from backoffice.links import Patience
from backoffice.signatures import signed_headers
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "how-to" / "connect-by-webhook.md").read_text(encoding="utf-8")
SECRET = b"s" * 32


def test_the_check_of_a_signature_lets_the_towns_message_in_once_and_no_other():
    found = re.search(r"```python verify\n(.*?)```", PAGE, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found.group(1), names)  # noqa: S102 - the page is ours, and showing that it runs is the point
    check, used = names["is_from_the_town"], set[str]()
    headers = signed_headers(SECRET, "key-1", "POST", "/in?a=1", b"{}", dt.datetime.now(dt.UTC))
    assert check(SECRET, "POST", "/in?a=1", headers, b"{}", used)
    assert not check(SECRET, "POST", "/in?a=1", headers, b"{}", used)
    for method, target, body, secret in (
        ("PUT", "/in?a=1", b"{}", SECRET),
        ("POST", "/in", b"{}", SECRET),
        ("POST", "/in?a=1", b"[]", SECRET),
        ("POST", "/in?a=1", b"{}", bytes(32)),
    ):
        assert not check(secret, method, target, headers, body, set())
    old = signed_headers(SECRET, "key-1", "POST", "/in", b"{}", dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6))
    assert not check(SECRET, "POST", "/in", old, b"{}", set())


def test_the_figures_on_the_page_are_those_of_the_program():
    pace, patience = webhook.Pace(), Patience()
    waits = ", ".join(_said(seconds) for seconds in pace.retries)
    flowing = " ".join(PAGE.split())
    assert f"tried {len(pace.retries)} times within about a day, after {waits} (each" in flowing
    assert f"Up to {pace.width} cases" in flowing
    assert f"After {patience.failures} failures in a row" in flowing
    assert f"at last {patience.longest_rest / 60:g} minutes" in flowing
    assert f"After {patience.give_up_hours:g} hours without any success" in flowing
    assert 20 <= sum(pace.retries) / 2 / 3600 <= 28  # a random part is half on average: about a day


def _said(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"
