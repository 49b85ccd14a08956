"""Nobody sees it, nobody keeps it: marks of direction and other invisible characters in texts."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.invisible import is_visible, visible, visible_in

TURNING = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("code", [*TURNING, 0x00AD, 0x200B, 0x2060, 0xFEFF, 0xE0041])
def test_what_nobody_sees_is_taken_out(code: int):
    assert visible(f"同意{chr(code)}办理") == "同意办理"
    assert not is_visible(f"同意{chr(code)}")


@pytest.mark.parametrize(
    "text", ["同意，请于 3 日内领取。\n\t谢谢", "阿卜杜·热合曼", "👨\u200d👩\u200d👧", "می\u200cخواهم", "ᠠ\u180eᠠ", "①②③"]
)
def test_what_is_seen_or_needed_stays(text: str):
    assert visible(text) == text
    assert is_visible(text)


@given(st.text())
def test_nothing_is_left_that_could_turn_a_text_around_and_nothing_else_is_missing(text: str):
    kept = visible(text)
    assert not any(unicodedata.bidirectional(letter) in BIDI or ord(letter) in TURNING for letter in kept)
    assert visible(kept) == kept
    assert [letter for letter in text if unicodedata.category(letter) != "Cf"] == [
        letter for letter in kept if unicodedata.category(letter) != "Cf"
    ]  # fmt: skip


class Words(msgspec.Struct, frozen=True):
    """What somebody says."""

    text: str
    parts: list[str]
    password: str = ""
    raw: msgspec.Raw = msgspec.Raw(b"{}")


def test_texts_are_found_wherever_they_stand_but_a_password_and_exact_bytes_stay():
    said = Words("a\u202eb", ["\u200fc"], "p\u200bw", msgspec.Raw('"\u202e"'.encode()))
    found = visible_in({"words": said, "n": 7, "none": None})
    assert found == {"words": Words("ab", ["c"], "p\u200bw", said.raw), "n": 7, "none": None}
    assert bytes(found["words"].raw) == bytes(said.raw)
