"""What messages say: the `data` of every type that passes between this town and its departments (contract, version 1)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Short = Annotated[str, Meta(min_length=1, max_length=200)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class ToDepartment(Struct, frozen=True, kw_only=True):
    """What every message to a department names: the case by number and id, and the task it is about."""

    case: Id
    case_id: Id
    task: Id


class Item(Struct, frozen=True):
    """The service item and the version that holds for this case; `certificate_type`: the kind of certificate that a grant brings."""

    code: str
    name: str
    version: int
    certificate_type: str | None = None


class File(Struct, frozen=True):
    """A file by claim check: fetched with its grant, verified by its digest before the message is confirmed."""

    upload: str
    sha256: Sha256
    size: int
    media_type: str
    grant: str | None = None


class Material(Struct, frozen=True):
    """One application material and where it comes from: upload, certificate, form or commitment."""

    material: str
    name: str
    source: str
    files: list[File] = []


class Opinion(Struct, frozen=True):
    """What another department answered in the parallel review."""

    department: str
    result: str | None
    opinion: str | None = None


class TaskRequested(ToDepartment, frozen=True, kw_only=True):
    """A department is asked to do its part: `step` accept and decide go to the lead department, review to the others."""

    step: Literal["accept", "review", "decide"]
    action: str
    item: Item
    due_on: dt.date | None = None
    applicant: dict[str, Any] = {}
    form: dict[str, Any] = {}
    materials: list[Material] = []
    opinions: list[Opinion] = []
    form_mapped: dict[str, Any] | None = None


class TaskMaterialAdded(TaskRequested, frozen=True, kw_only=True):
    """The resident has corrected the application: the whole of it as it stands now."""


class TaskWithdrawn(ToDepartment, frozen=True, kw_only=True):
    """The resident has taken the application back: nothing more is to be done."""

    reason: str | None = None


class TaskUrged(ToDepartment, frozen=True, kw_only=True):
    """A task is near or past its due date, or the date has moved: the one given here holds."""

    due_on: dt.date | None = None
    text: str | None = None


class FromDepartment(Struct, frozen=True, kw_only=True):
    """What every answer names: the case number and the task."""

    case: Id
    task: Id


class TaskAccepted(FromDepartment, frozen=True, kw_only=True):
    """The lead department accepts the application, or another department has begun."""


class TaskProgressed(FromDepartment, frozen=True, kw_only=True):
    """How far the department is, in words for the resident."""

    text: Text


class FieldNote(Struct, frozen=True):
    """What is to be corrected in one field of the form."""

    name: Short
    message: Text


class MaterialNote(Struct, frozen=True):
    """What is to be corrected in one material."""

    material: Short
    message: Text


class TaskCorrectionRequested(FromDepartment, frozen=True, kw_only=True):
    """The application must be corrected; everything at once (行政许可法 art. 32)."""

    reason: Text
    fields: list[FieldNote] = []
    materials: list[MaterialNote] = []


class TaskSuspended(FromDepartment, frozen=True, kw_only=True):
    """A special procedure (hearing, inspection, expert review) stops the clock (行政许可法 art. 45)."""

    procedure: Short
    reason: Text
    until_on: dt.date | None = None


class TaskResumed(FromDepartment, frozen=True, kw_only=True):
    """The special procedure is over."""


class TaskDecided(FromDepartment, frozen=True, kw_only=True):
    """The department's result: an opinion in a review, the decision in the last step, or non-acceptance in the first."""

    result: Literal["agreed", "disagreed", "granted", "refused", "not_accepted"]
    opinion: Text | None = None


class TaskAnswered(Struct, frozen=True, kw_only=True):
    """An answer in the department's own words: a record of its system, which config/mappings turns into one of the other answers."""

    case: Id
    record: dict[str, Any]


class CertificateIssued(FromDepartment, frozen=True, kw_only=True):
    """The department has issued a certificate that belongs to the case."""

    certificate_type: Short
    number: Short
    issued_on: dt.date
    valid_to_on: dt.date | None = None
