"""From a bundle's rules and the parts somebody chose to the plan of his application (一件事)."""

from __future__ import annotations

from collections.abc import Mapping

from handlers import oneform
from handlers.catalogue import Bundle, Catalogue
from handlers.errors import Refused
from handlers.stages import Plan, PlannedPart


def chosen_parts(bundle: Bundle, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The codes of everything applied for: what belongs to the bundle, and the optional items wanted."""
    if set(wanted) - set(bundle.optional):
        raise Refused("part_unknown")
    return (*bundle.items, *(code for code in bundle.optional if code in wanted))


def plan(bundle: Bundle, catalogue: Catalogue, case_ids: Mapping[str, str]) -> Plan:
    """The plan for these parts (code -> case id)."""
    papers = oneform.produced(bundle, catalogue, case_ids)
    fields = oneform.handed_on(bundle, case_ids)
    stages = _stages(bundle, catalogue, papers, case_ids)
    parts = (
        PlannedPart(
            code,
            case_ids[code],
            stages[code],
            _needs(bundle, catalogue, code, papers.get(code, {}), fields.get(code, {}), stages),
            fields.get(code, {}),
            papers.get(code, {}),
        )
        for code in case_ids
    )
    return Plan(tuple(sorted(parts, key=lambda part: part.stage)))


def _needs(
    bundle: Bundle, catalogue: Catalogue, code: str, papers: Mapping[str, str], fields: Mapping[str, str], stages: Mapping[str, int]
) -> tuple[str, ...]:
    """Who issues a required paper or a number this part asks for, and whom the bundle names; earlier stages only."""
    required = {rule.code for rule in catalogue.items[code].materials if rule.required}
    issuers = [issuer for paper, issuer in papers.items() if paper in required]
    wanted = (*issuers, *fields.values(), *bundle.needs.get(code, ()))
    return tuple(dict.fromkeys(one for one in wanted if one in stages and stages[one] < stages[code]))


def _stages(bundle: Bundle, catalogue: Catalogue, papers: Mapping[str, Mapping[str, str]], case_ids: Mapping[str, str]) -> dict[str, int]:
    """The stages of the order; an item without a place comes right behind those whose certificates it requires."""
    ordered = oneform.stages_of(bundle)
    stages = {code: ordered[code] for code in case_ids if code in ordered}
    for code in case_ids:
        if code not in ordered:
            required = {rule.code for rule in catalogue.items[code].materials if rule.required}
            issuers = [ordered.get(issuer, 1) for paper, issuer in papers.get(code, {}).items() if paper in required]
            stages[code] = 1 + max(issuers, default=0)
    return stages
