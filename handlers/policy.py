"""Who may do what: one table of role and action, default deny (decision 17). The test matrix is generated from it."""

from __future__ import annotations

from typing import Literal

Scope = Literal["none", "department", "area"]

# A clerk serves the whole hall; an officer works for his department; who prepares does not approve.
POLICY: dict[str, dict[str, Scope]] = {
    "clerk": {
        "see_case": "area",
        "scan_code": "area",
        "accept": "area",
        "not_accept": "area",
        "request_correction": "area",
        "deliver": "area",
        "complete": "area",
        "set_priority": "area",
        "see_proxy": "area",
        "settle_proxy": "area",
        "claim": "area",
        "write_note": "area",
        "search_cases": "area",
    },
    "officer": {
        "see_case": "department",
        "accept": "department",
        "request_correction": "department",
        "give_opinion": "department",
        "suspend": "department",
        "resume": "department",
        "extend": "department",
        "forward": "department",
        "deliver": "department",
        "complete": "department",
        "check_promise": "department",
        "set_priority": "department",
        "settle_message": "department",
        "see_card": "department",
        "answer_card": "department",
        "claim": "department",
        "write_note": "department",
        "write_template": "department",
        "search_cases": "department",
    },
    "approver": {
        "see_case": "department",
        "not_accept": "department",
        "decide": "department",
        "decide_first": "department",
        "waive_paper": "department",
        "revoke": "department",
        "suspend": "department",
        "resume": "department",
        "extend": "department",
        "settle_extension": "department",
        "deliver": "department",
        "complete": "department",
        "see_card": "department",
        "answer_card": "department",
        "see_report": "department",
        "claim": "department",
        "take_over": "department",
        "assign": "department",
        "write_note": "department",
        "write_template": "department",
        "search_cases": "department",
    },
    "supervisor": {
        "see_case": "area",
        "watch_exchange": "area",
        "see_report": "area",
        "see_card": "area",
        "settle_card": "area",
        "search_cases": "area",
    },
    "administrator": {"administer": "area", "settle_message": "area", "watch_exchange": "area"},
}

ACTIONS = sorted({action for row in POLICY.values() for action in row})


def scope_of(role: str, action: str) -> Scope:
    """How far a role may go with an action."""
    return POLICY.get(role, {}).get(action, "none")
