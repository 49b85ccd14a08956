"""What a document tells a person to type is understood by the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

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


_LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)")
_WALKED = re.compile(r"\b((?:mobile_api|handlers|storage|backoffice|notifications)(?:/\w+)+)\.(\w+)")


def _anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_within_the_documents_leads_somewhere(page: Path):
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        assert not anchor or anchor in _anchors(linked), f"{target}#{anchor}"


def test_what_the_page_of_the_architecture_walks_through_is_there():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(_WALKED.findall(text))
    assert len(named) > 6
    for path, name in named:
        file = (ROOT / path).with_suffix(".py")
        assert (ROOT / f"{path}.{name}").exists() or re.search(
            rf"^(async )?(def|class) {name}\b", file.read_text(encoding="utf-8"), re.MULTILINE
        ), f"{path}.{name}"
    assert len(text.splitlines()) < 200


def test_both_readmes_lead_to_the_same_pages():
    """Each to the page in its own language where there are two."""
    english, chinese = (
        {target for target, _ in _LINK.findall((ROOT / name).read_text(encoding="utf-8"))} for name in ("README.md", "README.zh-CN.md")
    )
    of_one_kind = {target: target.replace("docs/zh/how-to-", "docs/how-to/") for target in english | chinese}
    assert {of_one_kind[target] for target in english} - {"README.zh-CN.md", "docs/zh/"} == {of_one_kind[target] for target in chinese} - {
        "README.md"
    }
