"""How a department's mapping is written down: config/mappings/<CODE>.toml as Structs. No code and no expressions, only these words."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from handlers.publication import Key

EVERY_ITEM = "*"
"""The item of a form that every item of the department fills in."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Count = Annotated[int, msgspec.Meta(ge=1, le=2000)]
Step = Literal["accept", "review", "decide"]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a code table: our value and the department's; `true` and `false` stand for a ticked and an empty box."""

    ours: Name
    theirs: Name


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """A text cut at a separator; `take` names one part, counted from 1, without it all parts are taken as a list."""

    by: Name
    take: Count | None = None


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """The characters `first` to `last` of a text, both counted from 1 and included."""

    first: Count
    last: Count


class FieldRule(msgspec.Struct, frozen=True, kw_only=True):
    """One field: where it goes (`target`) and what it is made of, exactly one of `source`, `sources` and `constant`.

    Applied in this order: cut, split, values, date, join, type, max_length. `default` (already in the receiver's words) stands
    in where there is nothing or a code table has no line. Dots in names lead into nested groups.
    """

    target: Name
    source: str = ""
    sources: tuple[Name, ...] = ()
    constant: str | None = None
    required: bool = False
    default: str | None = None
    cut: Cut | None = None
    split: Split | None = None
    values: tuple[Pair, ...] = ()
    date: str = ""
    join: str | None = None
    type: Literal["text", "number"] | None = None
    max_length: Count | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that this field is made of."""
        return self.sources or ((self.source,) if self.source else ())


class FormRule(msgspec.Struct, frozen=True, kw_only=True):
    """A department's form for one item, or for every item ("*"); `steps` () = at every step. Of two equal targets the later counts."""

    item: Name
    steps: tuple[Step, ...] = ()
    fields: tuple[FieldRule, ...]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the department's record has one of these values."""

    field: Name
    among: tuple[Name, ...]


class AnswerRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a record of the department's system becomes a message of ours; the first rule whose conditions all hold counts."""

    kind: Name
    when: tuple[Condition, ...] = ()
    fields: tuple[FieldRule, ...] = ()


class MappingTable(msgspec.Struct, frozen=True, kw_only=True):
    """One department's file. `code` is the department's, `system` the name of its own system, for people.

    `answer_fields` are those that every answer has; an answer's own field of the same target counts instead.
    """

    code: Name
    system: Name
    forms: tuple[FormRule, ...] = ()
    answer_fields: tuple[FieldRule, ...] = ()
    answers: tuple[AnswerRule, ...] = ()

    def of_form(self, place: int) -> dict[str, tuple[Key, FieldRule]]:
        """The fields of a form by target, each with its key in the file."""
        return _keyed(("forms", place, "fields"), self.forms[place].fields)

    def of_answer(self, place: int) -> dict[str, tuple[Key, FieldRule]]:
        """The fields of an answer by target, those of every answer included, each with its key in the file."""
        return _keyed(("answer_fields",), self.answer_fields) | _keyed(("answers", place, "fields"), self.answers[place].fields)


def _keyed(key: Key, fields: tuple[FieldRule, ...]) -> dict[str, tuple[Key, FieldRule]]:
    return {rule.target: ((*key, place), rule) for place, rule in enumerate(fields)}
