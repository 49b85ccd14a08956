"""The envelope on the wire, CloudEvents 1.0 in JSON: written here, within the transaction of the act; read in backoffice/envelope.py."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

AREA = "town"
"""The `<area>` of every message type: `cn.gov.<area>.<what happened>.v1`."""

_TYPE = f"cn.gov.{AREA}."


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. `sequence` counts from 1 without gap in each direction of a case line (a case and a department).

    `partitionkey` is the case's id, `subject` `case/<number>`. `sequence` is a JSON number here: the CloudEvents
    type Integer; the strings that the sequence extension describes are understood as well when reading.
    """

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: dt.datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    partitionkey: str
    sequence: int
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    dataref: str | None = None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What the office wants to tell a department about a case; `storage.outbox.append` numbers and keeps it.

    `kind` is the middle of the type, e.g. "task.requested"; `number` the case number; `division` this town's code;
    `partitions` how many streams the department has. `correlation_id` is the task's id as a rule, `causation_id`
    the id of the message that this one answers; `version` the major version of the message that the department reads.
    """

    case_id: str
    department: str
    kind: str
    number: str
    division: str
    data: Mapping[str, Any]
    partitions: int = 1
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    dataref: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a department says about a case, checked against its message type; `data` has every optional field filled.

    `kind` is the middle of the type, e.g. "task.decided"; `id` the message's own id, for the record and for `causation_id`.
    """

    id: str
    kind: str
    department: str
    case_id: str
    number: str
    sequence: int
    said_at: dt.datetime | None
    data: dict[str, Any]
    traceparent: str | None = None


def type_of(kind: str, version: int = 1) -> str:
    """The CloudEvents type of a message: "task.requested" -> "cn.gov.town.task.requested.v1"."""
    return f"{_TYPE}{kind}.v{version}"


def schema_of(kind: str, version: int = 1) -> str:
    """The `dataschema` of a message, a name that the AsyncAPI file repeats."""
    return f"urn:cn-gov-{AREA}:{kind}:v{version}"


_encoder = msgspec.json.Encoder()


def encode(message: Outgoing, *, id: str, sequence: int, now: dt.datetime) -> bytes:  # noqa: A002 - CloudEvents' own word
    """The exact bytes that go to the department, now and at every later resending."""
    return _encoder.encode(
        Envelope(
            specversion="1.0",
            id=id,
            source=f"/town/{message.division}",
            type=type_of(message.kind, message.version),
            subject=f"case/{message.number}",
            time=now.astimezone(dt.UTC),
            datacontenttype="application/json",
            dataschema=schema_of(message.kind, message.version),
            partitionkey=message.case_id,
            sequence=sequence,
            correlationid=message.correlation_id,
            causationid=message.causation_id,
            traceparent=message.traceparent,
            dataref=message.dataref,
            data=dict(message.data),
        )
    )
