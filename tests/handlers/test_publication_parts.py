"""The rules for parts of a review and for the one form of a bundle, each broken once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from handlers.catalogue import HandedOn, Later, Part, Shared
from handlers.publication import Hit
from handlers.publication_parts import PART_RULES, check_one_form, check_parts
from tests.support.offers import a_bundle, a_catalogue, an_item

CATALOGUE = a_catalogue(an_item("AA-01"), an_item("AA-02"))


def a_part(department: str, **values: Any) -> Part:
    return Part(department=department, action="审查", days=2, **values)


def rules(hits: Iterable[Hit]) -> list[str]:
    return [hit.rule for hit in hits]


def test_an_ordinary_item_and_bundle_break_no_rule():
    assert rules(check_parts(an_item("AA-01", parts=(a_part("BB"),)))) == []
    assert rules(check_one_form(a_bundle(), CATALOGUE)) == []


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ((a_part("BB", after=("ZZ",)),), ["part-after-unknown"]),
        ((a_part("BB", after=("BB",)),), ["part-after-unknown"]),
        ((a_part("BB", after=("CC",)), a_part("CC", after=("BB",))), ["part-after-circle", "part-after-circle"]),
        ((a_part("BB", silent="agreed"),), ["silent-needs-basis"]),
        ((a_part("BB", silent_basis="办法第八条"),), ["basis-without-silent"]),
        ((a_part("BB", silent="agreed", silent_basis="办法第八条"),), []),
    ],
)
def test_parts_that_wait_wrongly_or_are_silent_without_a_rule(parts: tuple[Part, ...], found: list[str]):
    assert rules(check_parts(an_item("AA-01", parts=parts))) == found


def test_a_join_rule_needs_parts_to_join():
    assert rules(check_parts(an_item("AA-01", join="any"))) == ["join-without-parts"]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"asks": (Shared(name="phone", fills=("AA-01.ghost",)),)}, ["fills-unknown"]),
        ({"asks": (Shared(name="one", fills=("AA-01.phone", "AA-02.applicant_name")),)}, ["fills-differ"]),
        ({"asks": (Shared(name="one", fills=("AA-01.phone",)), Shared(name="one", fills=("AA-02.phone",)))}, ["shared-twice"]),
        ({"papers": (Shared(name="one", fills=("ZZ-01.id_card",)),)}, ["fills-unknown"]),
        ({"handed_on": (HandedOn(of="AA-01", fills=("AA-02.phone",)),)}, []),
        ({"handed_on": (HandedOn(of="AA-02", fills=("AA-01.phone",)),)}, ["needs-order"]),
        ({"later": (Later(item="AA-02", fields=("ghost",), why="还没有"),)}, ["fills-unknown"]),
        ({"needs": {"AA-01": ("AA-02",)}}, ["needs-order"]),
        ({"needs": {"AA-02": ("AA-01",)}}, []),
    ],
)
def test_a_one_form_whose_names_lead_nowhere_or_twice(changes: dict[str, Any], found: list[str]):
    assert rules(check_one_form(a_bundle(**changes), CATALOGUE)) == found


def test_what_is_said_of_an_item_whose_own_file_is_broken_is_said_once():
    bundle = a_bundle(items=("AA-01", "AA-02", "AA-03"), asks=(Shared(name="one", fills=("AA-03.phone",)),))

    assert rules(check_one_form(bundle, CATALOGUE)) == []


def test_every_rule_is_said_in_both_languages_with_the_same_gaps():
    for rule in PART_RULES.values():
        assert rule.text
        assert rule.remedy
        assert rule.text_en
        assert rule.remedy_en
