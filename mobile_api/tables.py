"""From the town's TOML files to the catalogue and the calendar: everything wrong is found at once; serving needs no error left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from backoffice.address_checks import ADDRESS_RULES, check_address
from backoffice.mapping import DepartmentMapping
from backoffice.mapping_checks import check_mapping
from backoffice.mapping_rules import MAPPING_RULES
from backoffice.mapping_table import MappingTable
from config.tables import NOT_UTF8, Table, UnreadableTable, read_folder
from config.tables import read_table as read_table_file
from handlers.catalogue import Bundle, Catalogue, CertificateType, Department, LifeEvent, ServiceItem
from handlers.commitments import COMMITMENT_RULES, KINDS, Commitments, CommitmentTable, check_commitments
from handlers.publication import CHECKS, Hit, Key
from handlers.publication_parts import PART_RULES, check_one_form, check_parts
from handlers.publication_proxies import PROXY_RULES, check_proxies
from handlers.publication_rules import RULES, Level
from handlers.supervision_rules import SUPERVISION_RULES, Rulebook, check_rulebook
from handlers.workdays import CalendarError, YearTable, read_table, with_year
from mobile_api.decoding import decode, rows
from storage.errors import Mendable

# Folder, what it holds, and the name of the list where a file holds several.
_KINDS: tuple[tuple[str, type[msgspec.Struct], str], ...] = (
    ("departments", Department, ""),
    ("certificates", CertificateType, "certificates"),
    ("services", ServiceItem, ""),
    ("bundles", Bundle, ""),
    ("events", LifeEvent, "events"),
    ("mappings", MappingTable, ""),
)


def _check_department(department: Department, catalogue: Catalogue) -> Iterator[Hit]:
    yield from CHECKS[Department](department, catalogue)
    yield from check_address(department, catalogue)


def _check_item(item: ServiceItem, catalogue: Catalogue) -> Iterator[Hit]:
    yield from CHECKS[ServiceItem](item, catalogue)
    yield from check_parts(item)
    yield from check_proxies(item)


def _check_bundle(bundle: Bundle, catalogue: Catalogue) -> Iterator[Hit]:
    yield from CHECKS[Bundle](bundle, catalogue)
    yield from check_one_form(bundle, catalogue)


_CHECKS: dict[type, Callable[[Any, Catalogue], Iterable[Hit]]] = {
    **CHECKS,
    ServiceItem: _check_item,
    Bundle: _check_bundle,
    Department: _check_department,
    MappingTable: check_mapping,
}
_RULES = {**RULES, **PART_RULES, **PROXY_RULES, **MAPPING_RULES, **ADDRESS_RULES, **SUPERVISION_RULES, **COMMITMENT_RULES}
# What is said of a name that no file gives.
_UNKNOWN: dict[type[msgspec.Struct], str] = {
    Department: "department-unknown",
    CertificateType: "certificate-unknown",
    ServiceItem: "item-unknown",
    LifeEvent: "event-unknown",
}


class Finding(msgspec.Struct, frozen=True, order=True):
    """One thing to say about a file: where, which rule of RULES or MAPPING_RULES, and its text and remedy in both languages."""

    path: Path
    line: int
    rule: str
    level: Level
    source: str
    message: str
    remedy: str
    message_en: str
    remedy_en: str


class TablesError(Mendable):
    """The town's tables cannot be used; the text lists every error with file, line and remedy."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        lines = [f"{one.path}:{one.line}: [{one.rule}] {one.message} → {one.remedy}" for one in findings]
        super().__init__("\n".join(["The town's tables have errors (mobile-api check):", *lines]))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A decoded thing and where it stands."""

    thing: Any
    table: Table
    key: Key


class Inspection:
    """All tables of a folder, read and checked; `findings` are in order of files and lines."""

    def __init__(self, directory: Path) -> None:
        self._noted: list[tuple[Table, Hit]] = []
        self._found: list[Finding] = []
        self._broken: set[str] = set()
        self._muted: set[str] = set()
        placed = {kind: self._kept(self._read(directory / folder, kind, rows_name)) for folder, kind, rows_name in _KINDS}
        self.catalogue = Catalogue(
            items=[one.thing for one in placed[ServiceItem]],
            departments=[one.thing for one in placed[Department]],
            certificates=[one.thing for one in placed[CertificateType]],
            bundles=[one.thing for one in placed[Bundle]],
            events=[one.thing for one in placed[LifeEvent]],
        )
        for one in (one for kind in placed.values() for one in kind):
            self._check(one)
        self.mappings = {one.thing.code: DepartmentMapping(one.thing, one.table.path, one.table.line) for one in placed[MappingTable]}
        self.years, found = _years(directory / "calendar")
        self._found.extend(found)
        self.rulebook, found = _rulebook(directory)
        self._found.extend(found)
        self.commitments, found = _commitments(directory / "commitments")
        self._found.extend(found)

    @property
    def findings(self) -> list[Finding]:
        """Everything found, errors and warnings."""
        return sorted([*self._found, *(_finding(table.path, table.line(hit.key), hit) for table, hit in self._noted)])

    @property
    def errors(self) -> list[Finding]:
        """What must be mended before anything is published; hints are not even worded, for every start of the server asks this."""
        noted = [_finding(table.path, table.line(hit.key), hit) for table, hit in self._noted if _RULES[hit.rule].level == "error"]
        return sorted([*noted, *(one for one in self._found if one.level == "error")])

    def _read(self, folder: Path, kind: type[msgspec.Struct], rows_name: str) -> Iterator[_Placed]:
        tables, unreadable = read_folder(folder)
        for error in unreadable:
            self._broken.add(error.path.stem)
            self._muted |= {_UNKNOWN[kind]} if rows_name else set()
            self._found.append(_unreadable(error))
        for table in tables:
            if not rows_name:
                yield from self._decoded(kind, table, table.values, ())
                continue
            found, hits = rows(table.values, rows_name)
            self._note(table, hits)
            for place, values in enumerate(found):
                yield from self._decoded(kind, table, values, (rows_name, place))

    def _decoded(self, kind: type[msgspec.Struct], table: Table, values: Any, key: Key) -> Iterator[_Placed]:
        thing, hits = decode(kind, values, key)
        self._note(table, hits)
        if thing is not None:
            yield _Placed(thing, table, key)
        elif isinstance(values, dict):
            self._broken.add(str(values.get("code", values.get("name", table.path.stem))))

    def _kept(self, placed: Iterator[_Placed]) -> list[_Placed]:
        """Things with a code of their own; a second one with the same code is only reported."""
        kept: dict[str, _Placed] = {}
        for one in placed:
            name = "name" if isinstance(one.thing, LifeEvent) else "code"
            code = str(getattr(one.thing, name))
            if not one.key and code != one.table.path.stem:
                self._note(one.table, [Hit("file-name", (name,), {"code": code})])
            if code in kept:
                self._note(one.table, [Hit("code-twice", (*one.key, name), {"code": code, "other": kept[code].table.path.name})])
            kept.setdefault(code, one)
        return list(kept.values())

    def _check(self, one: _Placed) -> None:
        check = _CHECKS.get(type(one.thing))
        hits = check(one.thing, self.catalogue) if check else ()
        self._note(one.table, (Hit(hit.rule, (*one.key, *hit.key), hit.values) for hit in hits if not self._follows(hit)))

    def _follows(self, hit: Hit) -> bool:
        """Whether a name is unknown only because its own file is broken, which has been said already."""
        named = hit.values.get("code") or hit.values.get("name")
        return hit.rule in self._muted or (hit.rule in _UNKNOWN.values() and named in self._broken)

    def _note(self, table: Table, hits: Iterable[Hit]) -> None:
        self._noted.extend((table, hit) for hit in hits)


def load_tables(directory: Path) -> Inspection:
    """Everything in a folder, nothing published yet; raises TablesError when anything in it is wrong."""
    inspection = Inspection(directory)
    if errors := inspection.errors:
        raise TablesError(errors)
    return inspection


def load_catalogue(directory: Path) -> Catalogue:
    """The catalogue of a folder, not published yet; raises TablesError when anything in it is wrong."""
    return load_tables(directory).catalogue


def load_calendar(directory: Path) -> list[YearTable]:
    """The years whose holiday notice is known; raises TablesError when one of them is wrong."""
    years, found = _years(directory / "calendar")
    if found:
        raise TablesError(found)
    return years


def load_rulebook(directory: Path) -> Rulebook:
    """The rules of supervision; raises TablesError when one of them is wrong. Without their file nothing is supervised."""
    rulebook, found = _rulebook(directory)
    if errors := [one for one in found if one.level == "error"]:
        raise TablesError(errors)
    return rulebook


def load_commitments(directory: Path) -> Commitments:
    """The texts that applicants sign; raises TablesError when one of them is wrong. Without them nobody can promise anything."""
    commitments, found = _commitments(directory / "commitments")
    if errors := [one for one in found if one.level == "error"]:
        raise TablesError(errors)
    return commitments


def _commitments(folder: Path) -> tuple[Commitments, list[Finding]]:
    tables, unreadable = read_folder(folder)
    found = [_unreadable(error) for error in unreadable]
    made: list[CommitmentTable] = []
    for table in tables:
        one, hits = decode(CommitmentTable, table.values)
        if one is not None:
            hits = list(check_commitments(one, [text.edition for former in made for text in former.texts]))
            made.append(one)
        found += [_finding(table.path, table.line(hit.key), hit) for hit in hits]
    missing = [kind for kind in KINDS if not any(one.kind == kind for one in made)]
    found += [_finding(folder, 1, Hit("no-commitment-text", (), {"kind": kind})) for kind in missing]
    return Commitments(made), found


def _rulebook(directory: Path) -> tuple[Rulebook, list[Finding]]:
    path = directory / "supervision" / "rules.toml"
    if not path.exists():
        return Rulebook(), [_finding(path, 1, Hit("no-supervision"))]
    try:
        table = read_table_file(path)
    except UnreadableTable as error:
        return Rulebook(), [_unreadable(error)]
    book, hits = decode(Rulebook, table.values)
    hits += check_rulebook(book) if book is not None else ()
    return book or Rulebook(), [_finding(path, table.line(hit.key), hit) for hit in hits]


def _years(folder: Path) -> tuple[list[YearTable], list[Finding]]:
    tables, unreadable = read_folder(folder)
    found = [_unreadable(error) for error in unreadable]
    years: list[YearTable] = []
    for table in tables:
        try:
            years = with_year(years, read_table(table.values))
        except CalendarError as error:
            found.append(_finding(table.path, table.line(error.key), Hit("calendar", (), {"problem": str(error)})))
    return years, found


def _unreadable(error: UnreadableTable) -> Finding:
    rule = "not-utf8" if error.reason == NOT_UTF8 else "not-toml"
    return _finding(error.path, error.line, Hit(rule, (), {"reason": error.reason}))


def _finding(path: Path, line: int, hit: Hit) -> Finding:
    rule = _RULES[hit.rule]
    texts = (text.format(**hit.values) for text in (rule.text, rule.remedy, rule.text_en, rule.remedy_en))
    return Finding(path, line, hit.rule, rule.level, rule.source, *texts)
