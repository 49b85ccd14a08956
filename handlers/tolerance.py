"""Which papers may follow later at all (容缺受理, 绿色通道): never core material, never what concerns safety or the environment."""

from __future__ import annotations

import re

from handlers.catalogue import MaterialRule

_SAFETY = re.compile("安全|消防|检测|环境|环保|鉴定|健康证明")
_IDENTITY = frozenset({"ID_CARD"})


def is_core(rule: MaterialRule) -> bool:
    """Whether the case stands or falls with it: marked so, the form itself, or who the applicant is (化州 2025: 非核心材料)."""
    return rule.core or rule.source == "form" or rule.certificate_type in _IDENTITY


def is_safety(rule: MaterialRule) -> bool:
    """Whether it concerns safety or the environment (化州 2025: never tolerated)."""
    return _SAFETY.search(rule.name) is not None


def is_asked(rule: MaterialRule) -> bool:
    """Whether everybody hands it in; one with a condition is judged at acceptance, since only the office can tell."""
    return rule.required and not rule.condition and rule.source == "upload"


def may_follow(rule: MaterialRule) -> bool:
    """Whether it may be missing at the application, against a signed commitment."""
    return rule.tolerable and not is_core(rule) and not is_safety(rule)


def may_be_owed(rule: MaterialRule) -> bool:
    """Whether it may follow urgent aid: aid is given first, but never to nobody knows whom (救急难: 先行救助后补手续)."""
    return not is_core(rule) and not is_safety(rule)
