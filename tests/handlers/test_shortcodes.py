from __future__ import annotations

import datetime as dt
import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import shortcodes
from handlers.keys import Keys
from handlers.numbers import case_number
from handlers.shortcodes import Receipt, Scanned, read_receipt, receipt_code, recognise
from storage.sealing import KEY_SIZE, Sealer

NUMBER = case_number("130208108", dt.date(2026, 2, 13), 1)


def keys_with(*letters: str) -> Keys:
    sealer = Sealer({1: secrets.token_bytes(KEY_SIZE)}, 1)
    return Keys(sealer, {"a": b"t" * 32}, "a", {letter: secrets.token_bytes(32) for letter in letters}, letters[-1])


KEYS = keys_with("A")
CODE = receipt_code(KEYS, NUMBER, 1)


@given(st.integers(1, 99999), st.integers(1, shortcodes.LAST_RECEIPT_VERSION))
def test_a_receipt_code_reads_back_to_its_number_and_version(sequence: int, version: int):
    number = case_number("130208108", dt.date(2026, 2, 13), sequence)
    assert read_receipt(KEYS, receipt_code(KEYS, number, version)) == Receipt(number, version)


def test_a_receipt_code_fits_the_alphanumeric_mode_of_qr_codes():
    assert len(CODE) == shortcodes.RECEIPT_LENGTH == 37
    assert re.fullmatch(r"[0-9A-Z]{37}", CODE)


@given(st.integers(0, 36), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_no_character_of_a_receipt_code_can_be_changed(place: int, other: str):
    changed = CODE[:place] + other + CODE[place + 1 :]
    same = place >= 24 and CODE[place] == {"O": "0", "I": "1", "L": "1"}.get(other, other)
    assert (read_receipt(KEYS, changed) is not None) == (changed == CODE or same)


def test_the_code_of_one_case_says_nothing_about_the_next():
    following = case_number("130208108", dt.date(2026, 2, 13), 2)
    assert read_receipt(KEYS, CODE[0] + following + CODE[24:]) is None


def test_after_a_rotation_old_paper_still_reads_and_new_paper_bears_the_new_letter():
    rotated = keys_with("A", "B")
    rotated.receipt["A"] = KEYS.receipt["A"]
    assert read_receipt(rotated, CODE) == Receipt(NUMBER, 1)
    assert receipt_code(rotated, NUMBER, 1)[0] == "B"
    assert read_receipt(KEYS, receipt_code(rotated, NUMBER, 1)) is None


@pytest.mark.parametrize("version", [0, shortcodes.LAST_RECEIPT_VERSION + 1])
def test_a_version_that_could_never_be_read_is_never_printed(version: int):
    with pytest.raises(ValueError, match="1 to 16"):
        receipt_code(KEYS, NUMBER, version)


def test_a_receipt_code_forgives_how_it_is_typed():
    spaced = " ".join(CODE[n : n + 4] for n in range(0, 37, 4)).lower()
    assert read_receipt(KEYS, spaced) == Receipt(NUMBER, 1)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_or_the_scan_field(text: str):
    assert read_receipt(KEYS, text) is None
    assert recognise(text).kind in {"token", "short", "receipt", "number", "none"}


@pytest.mark.parametrize(
    "text", [CODE, CODE.lower(), f"https://zwfw.example.gov.cn/r/{CODE}", f"HTTP://A/R/{CODE}?x=1", f"  {CODE}\n"], ids=range(5)
)
def test_a_scan_field_knows_a_receipt_by_address_or_code(text: str):
    assert recognise(text) == Scanned("receipt", CODE)


def test_a_scan_field_tells_look_up_codes_digits_and_case_numbers_apart():
    token = shortcodes.new_token()
    assert recognise(token.lower()) == Scanned("token", token)
    assert recognise("1234 5678") == recognise("１２３４－５６７８") == Scanned("short", "12345678")
    assert recognise(f"{NUMBER[:9]} {NUMBER[9:]}") == Scanned("number", NUMBER)
    for text in ("", "1234567", NUMBER[:-1] + "?", "https://example.com/", "x" * 5000):
        assert recognise(text) == Scanned("none", "")


def test_look_up_codes_are_128_random_bits_and_never_repeat():
    tokens = {shortcodes.new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(token) == 26 and set(token) <= set(shortcodes.ALPHABET) for token in tokens)
    assert shortcodes.encode(2**128 - 1, 26) == "7" + "Z" * 25
    assert re.fullmatch(r"\d{4} \d{4}", shortcodes.grouped(shortcodes.new_short()))
