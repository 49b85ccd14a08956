"""What must hold of a department's address before anything is sent there; the name itself is looked up at every connection anew."""

from __future__ import annotations

from collections.abc import Iterator

from backoffice.addresses import BadAddress, Reach, checked_url, reach_of
from handlers.catalogue import Catalogue, Department
from handlers.publication import Hit
from handlers.publication_rules import Rule

_OWASP = "OWASP API7:2023（SSRF）"

ADDRESS_RULES: dict[str, Rule] = {
    "webhook-address": Rule(
        "error",
        _OWASP,
        "“address”不能用：{reason}",
        "写部门系统的完整网址，如 https://系统域名/路径；消息不出内网的（border = false）可以用内网地址。",
        "`address` cannot be used: {reason_en}",
        "Write the whole address, e.g. https://name/path; private ones are for departments with border = false.",
    ),
    "webhook-at-home": Rule(
        "warning",
        _OWASP,
        "“address”指向本机，只能用于试用；正式运行时不会投递",
        "正式运行前改成部门系统的 https 网址。",
        "`address` is this machine, which is for trials only: in production nothing is delivered",
        "Put in the https address of the department before going live.",
    ),
}


def check_address(department: Department, _catalogue: Catalogue) -> Iterator[Hit]:
    """What is to be said about a webhook's address."""
    if department.link != "webhook":
        return
    refused = _refusal(department.address, reach_of(department))
    if refused is None:
        return
    if _refusal(department.address, reach_of(department, is_development=True)) is None:
        yield Hit("webhook-at-home", ("address",))
    else:
        yield Hit("webhook-address", ("address",), {"reason": refused.reason, "reason_en": refused.reason_en})


def _refusal(address: str, reach: Reach) -> BadAddress | None:
    try:
        checked_url(address, reach)
    except BadAddress as refused:
        return refused
    return None
