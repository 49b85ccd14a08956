from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import numbers
from handlers.numbers import ALPHABET, CaseNumber, case_number, parse_case_number

DIVISION = "130208108"
facts = st.builds(CaseNumber, st.from_regex(r"\A[0-9]{9}\Z"), st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)), st.integers(1, 99999))


def number_of(fact: CaseNumber) -> str:
    return case_number(fact.division, fact.day, fact.sequence)


def test_the_check_character_is_that_of_iso_7064():
    """The example of the Global Release Identifier, which uses MOD 37,36: A1-2425G-ABC1234002-M."""
    assert numbers.check_character("A12425GABC1234002") == "M"


@given(facts)
def test_a_case_number_has_23_characters_and_reads_back(fact: CaseNumber):
    assert len(number_of(fact)) == numbers.CASE_NUMBER_LENGTH
    assert parse_case_number(number_of(fact)) == fact


@given(facts, st.integers(0, 22), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_noticed(fact: CaseNumber, place: int, other: str):
    number = number_of(fact)
    if number[place] == other:
        return
    with pytest.raises(ValueError, match="compare every character"):
        parse_case_number(number[:place] + other + number[place + 1 :])


def test_nearly_every_swap_of_neighbours_is_noticed():
    number = case_number(DIVISION, dt.date(2026, 2, 13), 4711)
    swapped = [number[:n] + number[n + 1] + number[n] + number[n + 2 :] for n in range(22) if number[n] != number[n + 1]]
    unnoticed = [text for text in swapped if numbers.check_character(text[:-1]) == text[-1]]
    assert unnoticed == []


@pytest.mark.parametrize("form", ["{0:}", " {0:} ", "{1:}-{2:}-{3:}", "{1:} {2:} {3:}", "full width", "lower"])
def test_blanks_hyphens_full_width_and_lower_case_do_not_matter(form: str):
    number = case_number(DIVISION, dt.date(2026, 2, 13), 7)
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    typed = {"full width": wide, "lower": number.lower()}.get(form) or form.format(number, number[:9], number[9:17], number[17:])
    assert parse_case_number(typed) == CaseNumber(DIVISION, dt.date(2026, 2, 13), 7)


@pytest.mark.parametrize("text", ["", "1302081", "１" * 30, "13020810820261340000011", "٠" * 23, "\ud800" * 23, "A" * 100_000])
def test_what_is_no_case_number_is_refused_whatever_it_is(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_case_number(text)


def test_a_day_that_does_not_exist_is_refused_even_with_a_right_check_character():
    body = f"{DIVISION}2026023000001"
    with pytest.raises(ValueError, match=r"."):
        parse_case_number(body + numbers.check_character(body))


@pytest.mark.parametrize(
    ("division", "sequence"), [(DIVISION, 0), (DIVISION, 100_000), ("13020810", 1), ("1302081089", 1), ("13020810X", 1)]
)
def test_a_number_outside_its_form_is_never_made(division: str, sequence: int):
    with pytest.raises(ValueError, match=r"."):
        case_number(division, dt.date(2026, 2, 13), sequence)


@pytest.mark.parametrize(
    "number", ["11010519491231002X", "11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", "110105 19491231 002X"]
)
def test_a_right_id_number_has_no_problem(number: str):
    assert numbers.id_number_problem(number) is None


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("110105194912310021", "校验位"),
        ("11010519491231002", "18 位"),
        ("990105194912310028", "地区"),
        ("110105194913310025", "出生日期"),
        ("110105179912310025", "出生日期"),
        ("", "18 位"),
        ("张三", "18 位"),
    ],
)
def test_a_wrong_id_number_is_told_what_is_wrong(number: str, said: str):
    assert said in (numbers.id_number_problem(number) or "")


def test_nobody_is_born_tomorrow():
    assert numbers.id_number_problem("11010519491231002X", today=dt.date(1949, 12, 30)) is not None
    assert numbers.id_number_problem("11010519491231002X", today=dt.date(1949, 12, 31)) is None


@given(st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_digit_of_an_id_number_is_always_noticed(place: int, other: str):
    right = "11010519491231002X"
    wrong = right[:place] + other + right[place + 1 :]
    assert (numbers.id_number_problem(wrong) is None) == (wrong == right)


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_of_a_credit_code_is_always_noticed(place: int, other: str):
    right = "91350100M000100Y43"
    wrong = right[:place] + other + right[place + 1 :]
    assert (numbers.credit_code_problem(wrong) is None) == (wrong == right)


@pytest.mark.parametrize("code", ["91350100M000100Y4", "9135010OM000100Y43", "91350100I000100Y43", "", "91350100M000100Y43 1"])
def test_what_is_no_credit_code_is_told_so(code: str):
    assert "18 位" in (numbers.credit_code_problem(code) or "")


@pytest.mark.parametrize("phone", ["13812345678", "+86 138 1234 5678", "138-1234-5678", "0315-1234567", "010-62345678", "03153234567"])
def test_telephone_numbers_are_taken_as_people_write_them(phone: str):
    assert numbers.phone_problem(phone) is None


@pytest.mark.parametrize("phone", ["", "12345", "23812345678", "138123456789", "abc", "1381234567"])
def test_other_texts_are_no_telephone_numbers(phone: str):
    assert "手机号" in (numbers.phone_problem(phone) or "")


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("欧阳锋", "欧阳*"),
        ("欧阳", "欧*"),
        ("司马相如", "司马**"),
        ("阿卜杜拉·买买提", "阿**"),
        ("张", "张*"),
        ("", ""),
    ],
)
def test_of_a_name_only_the_surname_shows(name: str, masked: str):
    assert numbers.mask_name(name) == masked


def test_masks_of_id_numbers_and_telephones():
    assert numbers.mask_id_number("11010519491231002X") == "110105********002X"
    assert numbers.mask_phone("13812341234") == "138****1234"
    assert numbers.mask_phone("+86 138 1234 1234") == "138****1234"
    assert numbers.mask_id_number("123") == numbers.mask_phone("123") == "***"


@given(st.text(max_size=40))
def test_no_check_or_mask_ever_breaks(text: str):
    for check in (numbers.id_number_problem, numbers.credit_code_problem, numbers.phone_problem):
        assert check(text) is None or isinstance(check(text), str)
    assert len(text) < 12 or numbers.mask_phone(text) != text
    numbers.mask_name(text)
    numbers.mask_id_number(text)


def test_the_number_of_a_bundle_is_no_case_number_and_a_wrong_character_shows():
    number = numbers.umbrella_number(DIVISION, dt.date(2026, 2, 13), 7)

    assert (number[0], len(number)) == ("U", numbers.CASE_NUMBER_LENGTH + 1)
    assert numbers.check_character(number[:-1]) == number[-1]
    assert numbers.check_character(number[:5] + "9" + number[6:-1]) != number[-1]
    with pytest.raises(ValueError, match="no case number"):
        parse_case_number(number)
