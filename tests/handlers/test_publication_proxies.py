"""The rules for who may act for an applicant, each broken once."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.catalogue import Form, FormField
from handlers.publication_proxies import PROXY_RULES, check_proxies
from tests.support.offers import an_item

NOBODY = Form(fields=(FormField(name="applicant_name", label="姓名", type="text"),))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, []),
        ({"proxy_allowed": True}, []),
        ({"proxy_allowed": True, "proxy_kinds": ("guardian", "mandate")}, []),
        ({"proxy_kinds": ("mandate",)}, ["proxy-kinds-without-flag"]),
        ({"proxy_allowed": True, "proxy_kinds": ("mandate", "company")}, ["proxy-kind-does-not-fit"]),
        ({"proxy_allowed": True, "proxy_kinds": ("mandate", "mandate")}, ["proxy-kind-twice"]),
        ({"proxy_allowed": True, "form": NOBODY}, ["proxy-for-nobody"]),
    ],
)
def test_who_may_act_is_possible(values: dict[str, Any], found: list[str]):
    hits = list(check_proxies(an_item("AA-01", **values)))

    assert [hit.rule for hit in hits] == found
    for hit in hits:
        PROXY_RULES[hit.rule].text.format(**hit.values)
        PROXY_RULES[hit.rule].text_en.format(**hit.values)
