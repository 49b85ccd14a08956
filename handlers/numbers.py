"""Numbers that people copy and mistype: case numbers, ID numbers, credit codes, telephones; how to check, read and mask them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from handlers.invisible import visible

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CASE_NUMBER_LENGTH = 23
LAST_SEQUENCE = 99999

_CASE_NUMBER = re.compile(r"(\d{9})(\d{8})(\d{5})[0-9A-Z]", re.ASCII)
_ID_NUMBER = re.compile(r"\d{17}[0-9X]", re.ASCII)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
# Provinces, regions and municipalities of GB/T 2260; 83 and 91 stand on residence permits and foreigners' cards.
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_OLDEST_BIRTH = dt.date(1880, 1, 1)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE = re.compile(rf"[{_CREDIT_ALPHABET}]{{2}}\d{{6}}[{_CREDIT_ALPHABET}]{{10}}", re.ASCII)
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})", re.ASCII)
_LANDLINE = re.compile(r"0\d{2,3}-?\d{7,8}", re.ASCII)
_BLANKS = re.compile(r"[\s\-_\u2010-\u2015]+")
_TWO_CHARACTER_SURNAMES = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空"
    "闾丘子车亓官司寇巫马公西颛孙壤驷公良漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里呼延东郭南门羊舌微生梁丘左丘东门西门第五"
)
_COMPOUND_SURNAMES = frozenset(re.findall("..", _TWO_CHARACTER_SURNAMES))


@dataclass(frozen=True, slots=True)
class CaseNumber:
    """A case number taken apart: division code (9 digits), local day of submission, sequence of that day."""

    division: str
    day: dt.date
    sequence: int


def clean(text: str) -> str:
    """What was meant by a number as typed or scanned: full-width forms, blanks, hyphens, what nobody sees and lower case do not matter."""
    return _BLANKS.sub("", visible(unicodedata.normalize("NFKC", text))).upper()


def check_character(text: str) -> str:
    """The check character of ISO 7064 MOD 37,36: finds every single wrong character and nearly every swap of neighbours."""
    rest = 36
    for character in text:
        rest = (rest + ALPHABET.index(character)) % 36 or 36
        rest = rest * 2 % 37
    return ALPHABET[(37 - rest) % 36]


def case_number(division: str, day: dt.date, sequence: int) -> str:
    """A case number: 9-digit division + yyyyMMdd + 5-digit sequence + check character; raises ValueError beyond 99,999 a day."""
    if not 1 <= sequence <= LAST_SEQUENCE:
        raise ValueError(f"A day has the numbers 1 to {LAST_SEQUENCE}.")
    body = f"{division}{day:%Y%m%d}{sequence:05d}"
    number = body + check_character(body)
    if not _CASE_NUMBER.fullmatch(number):
        raise ValueError("A division code has nine digits (GB/T 2260 and GB/T 10114).")
    return number


def umbrella_number(division: str, day: dt.date, sequence: int) -> str:
    """The number of a bundle (统一受理码): U and the layout of a case number, so that nobody takes one for the other."""
    body = "U" + case_number(division, day, sequence)[:-1]
    return body + check_character(body)


def parse_case_number(text: str) -> CaseNumber:
    """Read a case number as a person typed it; raises ValueError if it is none or a character is wrong."""
    number = clean(text)
    found = _CASE_NUMBER.fullmatch(number)
    if found is None or check_character(number[:-1]) != number[-1]:
        raise ValueError("This is no case number: compare every character.")
    return CaseNumber(found[1], dt.datetime.strptime(found[2], "%Y%m%d").replace(tzinfo=dt.UTC).date(), int(found[3]))


def id_number_problem(text: str, today: dt.date | None = None) -> str | None:
    """What is wrong with a citizen's ID number (GB 11643), in Chinese, or None. `today` refuses births to come."""
    number = clean(text)
    if not _ID_NUMBER.fullmatch(number):
        return "身份证号应为 18 位：17 位数字加 1 位数字或 X。"
    if not _PROVINCE.fullmatch(number[:2]):
        return "身份证号前两位不是有效的地区代码，请核对。"
    born = _date(number[6:14])
    if born is None or born < _OLDEST_BIRTH or (today is not None and born > today):
        return "身份证号第 7 至 14 位不是有效的出生日期，请核对。"
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return None if _ID_CHECKS[total % 11] == number[-1] else "身份证号校验位不符，请逐位核对。"


def credit_code_problem(text: str) -> str | None:
    """What is wrong with a unified social credit code (GB 32100), in Chinese, or None."""
    code = clean(text)
    if not _CREDIT_CODE.fullmatch(code):
        return "统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z），第 3 至 8 位为数字。"
    total = sum(pow(3, place, 31) * _CREDIT_ALPHABET.index(character) for place, character in enumerate(code[:-1]))
    return None if _CREDIT_ALPHABET[-total % 31] == code[-1] else "统一社会信用代码校验位不符，请逐位核对。"


def phone_problem(text: str) -> str | None:
    """What is wrong with a telephone number, in Chinese, or None; mobile numbers and landlines with area code are taken."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if _MOBILE.fullmatch(clean(plain)) or _LANDLINE.fullmatch(plain.replace(" ", "")):
        return None
    return "请填写 11 位手机号，或带区号的固定电话，如 0315-1234567。"


def mask_name(name: str) -> str:
    """A name with its surname alone: 张**, 欧阳*. At most two stars, so that the length is not told."""
    bare = name.strip()
    family = 2 if bare[:2] in _COMPOUND_SURNAMES and len(bare) > 2 else 1  # noqa: PLR2004 - two characters
    return bare[:family] + "*" * min(2, max(1, len(bare) - family)) if bare else ""


def mask_id_number(number: str) -> str:
    """An ID number with the first six and the last four characters; shorter ones are hidden whole."""
    return _masked(clean(number), 6, 4)


def mask_phone(phone: str) -> str:
    """A telephone number with the first three and the last four digits: 138****1234."""
    found = _MOBILE.fullmatch(clean(phone))
    return _masked(found[1] if found else clean(phone), 3, 4)


def _masked(text: str, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    return text[:head] + "*" * hidden + text[-tail:] if hidden > 0 else "*" * len(text)


def _date(digits: str) -> dt.date | None:
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
