"""Made-up papers pass the checks of the real office, or the demo would prove nothing."""

from __future__ import annotations

import datetime as dt
import io
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from handlers.catalogue import ServiceItem
from handlers.forms import check_form
from handlers.numbers import credit_code_problem, id_number_problem
from sandbox.papers import credit_code, fill_form, id_number, photograph

SERVICES = sorted((Path(__file__).parents[2] / "config" / "services").glob("*.toml"))


@given(seed=st.text(max_size=20))
def test_numbers_have_their_check_characters(seed: str) -> None:
    assert id_number_problem(id_number(seed), dt.date(2026, 11, 24)) is None
    assert credit_code_problem(credit_code(seed)) is None


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.stem)
def test_every_item_takes_a_made_up_form(file: Path) -> None:
    item = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), ServiceItem)
    fields = msgspec.to_builtins(item.form.fields)
    kept, errors = check_form(item, fill_form(fields, "zhang"), dt.datetime.now(dt.UTC).date())
    assert errors == []
    assert len(kept) == len(item.form.fields)


def test_no_two_photographs_are_the_same_file() -> None:
    first, second = photograph("MZ-01"), photograph("MZ-01")
    assert first != second
    assert Image.open(io.BytesIO(first)).format == "JPEG"
