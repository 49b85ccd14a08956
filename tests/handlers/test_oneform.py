"""The one form of a bundle: every question once, every item's own form complete, the strictest rule kept."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import msgspec
import pytest

from config.settings import HERE
from handlers import oneform
from handlers.bundleplans import chosen_parts, plan
from handlers.catalogue import Bundle, Catalogue
from handlers.errors import Refused
from handlers.forms import check_form
from mobile_api.journey.sample import fill_form
from mobile_api.tables import load_catalogue

TODAY = dt.date(2026, 2, 13)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(HERE)


def filled(form: oneform.OneForm) -> dict[str, Any]:
    return fill_form(msgspec.to_builtins([one.field for one in form.fields]), TODAY)


def choices(bundle: Bundle) -> list[tuple[str, ...]]:
    """Nothing optional, each optional item alone, and all of them."""
    return [(), *((code,) for code in bundle.optional), bundle.optional]


def test_what_satisfies_the_one_form_satisfies_every_item_but_for_what_comes_later(catalogue: Catalogue):
    for bundle in catalogue.bundles.values():
        for wanted in choices(bundle):
            codes = chosen_parts(bundle, wanted)
            form = oneform.one_form(bundle, catalogue, codes)
            answers, errors = check_form(form.as_item(catalogue.item(codes[0])), filled(form), TODAY)
            assert errors == []
            later = {f"{one.item}.{name}" for one in bundle.later for name in one.fields}
            later |= {f"{code}.{name}" for code, names in oneform.handed_on(bundle, codes).items() for name in names}
            for code in codes:
                wrong = check_form(catalogue.item(code), form.form_of(code, answers), TODAY)[1]
                assert {f"{code}.{error.pointer.removeprefix('/form/')}" for error in wrong} <= later


def test_no_name_stands_for_two_questions_or_two_papers(catalogue: Catalogue):
    for bundle in catalogue.bundles.values():
        form = oneform.one_form(bundle, catalogue, (*bundle.items, *bundle.optional))
        fields, papers = [one.field.name for one in form.fields], [one.code for one in form.papers]
        assert (len(fields), len(papers)) == (len(set(fields)), len(set(papers)))


def test_a_question_keeps_its_name_whatever_else_is_chosen(catalogue: Catalogue):
    for bundle in catalogue.bundles.values():
        names = [
            {(code, own.name): one.field.name for one in form.fields for code, owns in one.fills.items() for own in owns}
            for form in (oneform.one_form(bundle, catalogue, chosen_parts(bundle, wanted)) for wanted in choices(bundle))
        ]
        for some, others in itertools.combinations(names, 2):
            assert all(others[key] == name for key, name in some.items() if key in others)


def test_no_paper_is_asked_for_that_another_part_issues(catalogue: Catalogue):
    bundle = catalogue.bundle("YJS-02")
    form = oneform.one_form(bundle, catalogue, bundle.items)

    assert "biz_license" not in {one.code for one in form.papers}
    assert oneform.produced(bundle, catalogue, bundle.items)["CG-01"] == {"biz_license": "SJ-01"}


def test_an_optional_item_without_a_place_waits_for_the_certificate_it_requires(catalogue: Catalogue):
    bundle = catalogue.bundle("YJS-02")
    codes = chosen_parts(bundle, ("YC-01",))
    stages = {part.code: (part.stage, part.needs) for part in plan(bundle, catalogue, {code: code for code in codes}).parts}

    assert stages["YC-01"] == (2, ("SJ-01",))
    assert stages["SJ-01"] == (1, ())


def test_an_item_that_the_bundle_does_not_offer_is_refused(catalogue: Catalogue):
    with pytest.raises(Refused) as refused:
        chosen_parts(catalogue.bundle("YJS-01"), ("YC-01",))

    assert refused.value.code == "part_unknown"
