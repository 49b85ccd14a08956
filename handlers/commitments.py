"""The texts that applicants sign: 容缺受理承诺书 and 告知承诺书, in versions that never change once somebody may have signed them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from handlers.catalogue import Words
from handlers.publication import Hit
from handlers.publication_rules import Rule as Finding

Kind = Literal["tolerated", "commitment"]
EditionName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]

_SOURCE = "国办发〔2020〕42号"


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """One wording, in force from a day on."""

    edition: EditionName
    from_on: dt.date
    text: Annotated[str, msgspec.Meta(min_length=20, max_length=4000)]


class CommitmentTable(msgspec.Struct, frozen=True, kw_only=True):
    """A file of config/commitments: what kind of promise, and its wordings, the newest last."""

    kind: Kind
    title: Words
    basis: Words
    texts: tuple[Edition, ...]


class CommitmentText(msgspec.Struct, frozen=True):
    """A text as people read and sign it; `digest` (SHA-256 of the text, hex) goes into the record of the case."""

    kind: Kind
    version: str
    title: str
    text: str
    basis: str
    from_on: dt.date
    digest: str


class Commitments:
    """Every text by its version. Old ones stay: what was signed can always be read."""

    def __init__(self, tables: Iterable[CommitmentTable] = ()) -> None:
        texts = [_text(table, one) for table in tables for one in table.texts]
        self.texts: Mapping[str, CommitmentText] = MappingProxyType({one.version: one for one in texts})

    def current(self, kind: Kind, today: dt.date) -> CommitmentText | None:
        """The text to sign today, None where the town has none: then nothing of this kind can be promised."""
        in_force = [one for one in self.texts.values() if one.kind == kind and one.from_on <= today]
        return max(in_force, key=lambda one: one.from_on, default=None)

    def all_current(self, today: dt.date) -> list[CommitmentText]:
        """The texts to sign today, one of a kind."""
        found = (self.current(kind, today) for kind in KINDS)
        return [one for one in found if one is not None]


KINDS: tuple[Kind, ...] = ("tolerated", "commitment")

COMMITMENT_RULES: dict[str, Finding] = {
    "no-commitment-text": Finding(
        "warning", _SOURCE, "没有“{kind}”的承诺书，群众无法签署", "照程序自带的 commitments 文件夹放一份。",
        "there is no text for `{kind}`: nobody can sign one", "Put in a copy of the commitments folder that comes along.",
    ),
    "commitment-twice": Finding(
        "error", "本系统", "承诺书版本“{version}”用了两次", "每个版本用自己的编号。",
        "the text `{version}` is there twice", "Give each wording a version of its own.",
    ),
    "commitment-order": Finding(
        "error", "本系统", "承诺书版本“{version}”没有按 from_on 先后排列", "新版放在后面，from_on 要晚于前一版。",
        "the text `{version}` is not in the order of `from_on`", "Put the newer wording last.",
    ),
}  # fmt: skip


def check_commitments(table: CommitmentTable, taken: Sequence[str] = ()) -> Iterator[Hit]:
    """What is wrong with a file of texts; `taken`: versions of the files read before."""
    seen, last = set(taken), dt.date.min
    for place, one in enumerate(table.texts):
        if one.edition in seen:
            yield Hit("commitment-twice", ("texts", place, "edition"), {"version": one.edition})
        if one.from_on <= last:
            yield Hit("commitment-order", ("texts", place, "from_on"), {"version": one.edition})
        seen.add(one.edition)
        last = one.from_on


def _text(table: CommitmentTable, one: Edition) -> CommitmentText:
    text = one.text.strip()
    digest = hashlib.sha256(text.encode()).hexdigest()
    return CommitmentText(table.kind, one.edition, table.title, text, table.basis, one.from_on, digest)
