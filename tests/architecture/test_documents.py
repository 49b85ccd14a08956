"""What a document tells a person to type is understood by the program."""

from __future__ import annotations

import re
import shlex

import pytest

from mobile_api.__main__ import COMMANDS, parser
from sandbox import demo
from tests.support.tree import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
_TYPED = re.compile(r"(?:^ *|`)(?:\./run|mobile-api) ([^`#\n]+?) *(?:`|#.*|$)", re.MULTILINE)
_GAP = re.compile(r"\bPOSITION\b")
_NOT_FOR_TYPING = re.compile(r"\.\.\.|\||[一-龥]|^docs from")


def shown() -> list[tuple[str, str]]:
    """(page, what stands behind ./run or mobile-api) for each command that this program knows."""
    found = {(page.name, words) for page in PAGES for words in _TYPED.findall(page.read_text(encoding="utf-8"))}
    return sorted((page, words) for page, words in found if not _NOT_FOR_TYPING.search(words) and words.split()[0] in {*COMMANDS, "demo"})


def test_there_is_something_to_try():
    assert len(shown()) > 30


@pytest.mark.parametrize(("page", "words"), shown(), ids=lambda value: str(value)[:60])
def test_a_command_that_a_document_shows_is_understood(page: str, words: str, capsys: pytest.CaptureFixture[str]):
    command, *arguments = shlex.split(_GAP.sub("1", re.sub(r"\bT$", "2026-11-28", words)))
    try:
        demo._parser().parse_args(arguments) if command == "demo" else parser().parse_args([command, *arguments])
    except SystemExit:
        said = capsys.readouterr().err.splitlines()[-1]
        assert "the following arguments are required" in said, f"{page}: ./run {words}: {said}"  # named in a sentence, not to be typed
