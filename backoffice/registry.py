"""Every type of message in one table: what validation, the AsyncAPI file and the reference pages are made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from backoffice import messages
from backoffice.envelope import BadEnvelope, case_number
from handlers.invisible import visible_in
from storage.envelopes import AREA, Answer, Envelope, Outgoing, schema_of, type_of

Direction = Literal["to_department", "from_department"]


@dataclass(frozen=True, slots=True)
class MessageType:
    """One type: its name (the middle of the CloudEvents type), who sends it, the shape of its `data`, and its version.

    Versions stand side by side. `upgrade` makes of this version's data the next version's, so that effects know the newest only.
    """

    name: str
    direction: Direction
    data: type[msgspec.Struct]
    version: int = 1
    upgrade: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    @property
    def key(self) -> str:
        """Its name among all versions of all types, in the AsyncAPI file."""
        return self.name if self.version == 1 else f"{self.name}.v{self.version}"

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return type_of(self.name, self.version)

    @property
    def summary(self) -> str:
        """What it says, in one line."""
        return (self.data.__doc__ or "").splitlines()[0]


REGISTRY: tuple[MessageType, ...] = (
    MessageType("task.requested", "to_department", messages.TaskRequested),
    MessageType("task.material-added", "to_department", messages.TaskMaterialAdded),
    MessageType("task.withdrawn", "to_department", messages.TaskWithdrawn),
    MessageType("task.urged", "to_department", messages.TaskUrged),
    MessageType("task.accepted", "from_department", messages.TaskAccepted),
    MessageType("task.progressed", "from_department", messages.TaskProgressed),
    MessageType("task.correction-requested", "from_department", messages.TaskCorrectionRequested),
    MessageType("task.suspended", "from_department", messages.TaskSuspended),
    MessageType("task.resumed", "from_department", messages.TaskResumed),
    MessageType("task.decided", "from_department", messages.TaskDecided),
    MessageType("task.answered", "from_department", messages.TaskAnswered),
    MessageType("certificate.issued", "from_department", messages.CertificateIssued),
)

ByType = Mapping[tuple[Direction, str], MessageType]
"""A registry for looking up: (direction, CloudEvents type) -> type."""


def by_type(registry: Iterable[MessageType]) -> ByType:
    """The registry for looking up; raises ValueError where two types share a name, a direction and a version."""
    found: dict[tuple[Direction, str], MessageType] = {}
    for entry in registry:
        if found.setdefault((entry.direction, entry.type), entry) is not entry:
            raise ValueError(f"{entry.type} is registered twice")
    return found


_BY_TYPE = by_type(REGISTRY)


def check(envelope: Envelope, direction: Direction, types: ByType = _BY_TYPE) -> tuple[str, dict[str, Any]]:
    """The name and the data of a message with every optional field filled and unknown ones left out; raises BadEnvelope.

    A department's texts come without what nobody sees, by whatever way they came: they go on to the resident's phone. Unknown fields are no
    error: within a version, fields may be added. An older version's data comes as the newest version's.
    """
    known = types.get((direction, envelope.type))
    if known is None:
        raise _bad(envelope, f"type：没有“{envelope.type}”这种消息，或不应由此方发送")
    try:
        said = visible_in(envelope.data) if direction == "from_department" else envelope.data
        sound = msgspec.convert(said, known.data)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _bad(envelope, f"data 不符合 {known.name} 的格式：{error}") from error
    data: dict[str, Any] = msgspec.to_builtins(sound)
    if data["case"] != case_number(envelope):
        raise _bad(envelope, "data.case 与 subject 中的办件编号不一致")
    return known.name, _upgraded(known, data, types)


def _upgraded(known: MessageType, data: dict[str, Any], types: ByType) -> dict[str, Any]:
    """Data in the form of the newest version, one step after the other."""
    while known.upgrade is not None:
        data = known.upgrade(data)
        known = types[known.direction, type_of(known.name, known.version + 1)]
    return data


class BrokenContract(Exception):
    """A message of our own that departments would not understand: a mistake in this program or its tables."""


def vouch(message: Outgoing, types: ByType = _BY_TYPE) -> None:
    """Hold a message to its type before it is kept for its department; raises BrokenContract."""
    known = types.get(("to_department", type_of(message.kind, message.version)))
    if known is None:
        raise BrokenContract(f"{message.kind} v{message.version} is no message to a department")
    try:
        msgspec.convert(message.data, known.data)
    except msgspec.ValidationError as error:
        raise BrokenContract(f"{message.kind} for case {message.number}: {error}") from error
    if (message.data["case"], message.data["case_id"]) != (message.number, message.case_id):
        raise BrokenContract(f"{message.kind} for case {message.number} speaks of another case")


def answer(envelope: Envelope, department: str) -> Answer:
    """What a department says, checked; raises BadEnvelope."""
    kind, data = check(envelope, "from_department")
    return Answer(
        id=envelope.id,
        kind=kind,
        department=department,
        case_id=envelope.partitionkey,
        number=case_number(envelope),
        sequence=envelope.sequence,
        said_at=envelope.time,
        data=data,
        traceparent=envelope.traceparent,
    )


def _bad(envelope: Envelope, reason: str) -> BadEnvelope:
    return BadEnvelope(reason, {"id": envelope.id, "partitionkey": envelope.partitionkey})


_REF = "#/components/schemas/{name}"


def asyncapi(division: str, registry: Sequence[MessageType] = REGISTRY) -> dict[str, Any]:
    """The contract with departments as an AsyncAPI 3.0 document, for the town with this division code."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Exchange with departments", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "redis": {"host": "redis.example", "protocol": "redis", "description": "Each department gets a user limited to its own keys."}
        },
        "channels": {name: _channel(name, registry) for name in _CHANNELS},
        "operations": {name: _operation(name) for name in _CHANNELS},
        "components": {"messages": {entry.key: _message(entry, division) for entry in registry}, "schemas": _schemas(registry)},
    }


_DESCRIPTION = """\
Every message takes effect exactly once and in order within its case line (one case, one department), whatever is delivered
twice, late or out of order, and whatever Redis loses. `sequence` counts from 1 without gap in each direction of a line.
A receiver keeps the last number per case: at or below it, skip and confirm again; the next one, take it in; beyond, wait -
the sender sends again what stays unconfirmed and is no longer in the stream. Streams carry one field `e` with the JSON bytes
and one consumer group `g`; the receiver acknowledges (XACK) and deletes (XDEL) after its own commit. Never trim a stream.
"""

_CHANNELS: dict[str, tuple[str, Direction | None, str]] = {
    "commands": ("q:{lane}", "to_department", "From the town to a department; the department reads."),
    "answers": (
        "a:{lane}",
        "from_department",
        "From a department to the town; the department writes, to the partition its command came from.",
    ),
    "confirmations": ("ack:{department}", None, "The department confirms, cumulative per case, what it has taken in from `q:`."),
    "taken": ("taken:{department}", None, "The town confirms, cumulative per case, what it has taken in from `a:`; the department reads."),
}
_PARAMETERS = {
    "lane": {"description": "Department and partition as a Redis hash tag, braces included.", "examples": ["{MZ.0}"]},
    "department": {"description": "Department code as a Redis hash tag, braces included.", "examples": ["{MZ}"]},
}


def _channel(name: str, registry: Sequence[MessageType]) -> dict[str, Any]:
    address, direction, description = _CHANNELS[name]
    carried = [entry.key for entry in registry if entry.direction == direction]
    inside = {"confirmation": _confirmation()} if direction is None else {key: {"$ref": f"#/components/messages/{key}"} for key in carried}
    parameters = {key: value for key, value in _PARAMETERS.items() if f"{{{key}}}" in address}
    return {"address": address, "description": description, "parameters": parameters, "messages": inside}


def _operation(name: str) -> dict[str, Any]:
    sends = name in {"commands", "taken"}
    return {"action": "send" if sends else "receive", "channel": {"$ref": f"#/channels/{name}"}, "summary": _CHANNELS[name][2]}


def _confirmation() -> dict[str, Any]:
    return {"contentType": "application/json", "payload": {"$ref": _REF.format(name="Confirmation")}}


def _message(entry: MessageType, division: str) -> dict[str, Any]:
    source = f"/town/{division}" if entry.direction == "to_department" else "/departments/<code>"
    fixed = {"type": {"const": entry.type}, "dataschema": {"const": schema_of(entry.name, entry.version)}}
    payload = {"properties": {**fixed, "data": {"$ref": _REF.format(name=entry.data.__name__)}}, "required": ["data"]}
    return {
        "name": entry.type,
        "summary": entry.summary,
        "contentType": "application/cloudevents+json",
        "description": f"source: {source}",
        "payload": {"allOf": [{"$ref": _REF.format(name="Envelope")}, payload]},
    }


def _schemas(registry: Sequence[MessageType]) -> dict[str, Any]:
    shapes = [entry.data for entry in registry]
    _, schemas = msgspec.json.schema_components(shapes, ref_template=_REF)
    return {**schemas, **_own_schemas()}


def _string(pattern: str | None = None, **more: object) -> dict[str, object]:
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more}


def _own_schemas() -> dict[str, Any]:
    attributes = {
        "specversion": {"const": "1.0"},
        "id": _string(minLength=1, maxLength=64, description="Unique per source; UUID version 7 from this town."),
        "source": _string(description="`/town/<division>` or `/departments/<code>`."),
        "type": _string(rf"^cn\.gov\.{re.escape(AREA)}\.[a-z.-]+\.v[0-9]+$"),
        "subject": _string("^case/[0-9A-Za-z-]{1,24}$"),
        "time": _string(format="date-time"),
        "datacontenttype": _string(),
        "dataschema": _string(format="uri"),
        "partitionkey": _string(minLength=1, maxLength=36, description="The id of the case; the same in both directions."),
        "sequence": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1, "description": "A string of digits is understood as well."},
        "correlationid": _string(description="The task."),
        "causationid": _string(description="The id of the message that this one answers."),
        "traceparent": _string(description="W3C Trace Context; an answer goes on with the trace of the command it answers."),
        "dataref": _string(format="uri-reference", description="Where files too large for a message lie."),
        "data": {"type": "object"},
    }
    required = ["specversion", "id", "source", "type", "subject", "partitionkey", "sequence", "data"]
    confirmation = {"case_id": _string(), "sequence": {"type": "integer", "minimum": 0}}
    return {
        "Envelope": {"type": "object", "title": "CloudEvents 1.0, structured JSON", "properties": attributes, "required": required},
        "Confirmation": {"type": "object", "properties": confirmation, "required": ["case_id", "sequence"]},
    }
