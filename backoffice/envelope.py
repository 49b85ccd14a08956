"""Reading envelopes that strangers wrote: either a sound one, or one reason that an officer can read."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NoReturn

import msgspec

from storage.envelopes import Envelope

LARGEST = 64 * 1024
"""Bytes an envelope may have; files travel by claim check (`dataref`), never inside."""

_LAST_SEQUENCE = 2**31 - 1  # CloudEvents' Integer and the column's
_ID = re.compile(r"[!-~]{1,64}")  # CloudEvents wants a non-empty string; ours must also fit a log line and a column
_SUBJECT = re.compile(r"case/([0-9A-Za-z-]{1,24})")
_DIGITS = re.compile(r"[0-9]{1,10}")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # PostgreSQL keeps no text that holds it
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context, section 3.2


class BadEnvelope(Exception):
    """This cannot be a message: `reason` says why, in Chinese; `id` and `case_id` are what could be read all the same."""

    def __init__(self, reason: str, attributes: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        known = attributes or {}
        self.id = _if_sound(known.get("id"))
        self.case_id = _if_sound(known.get("partitionkey"))


class Confirmation(msgspec.Struct, frozen=True):
    """Everything of a case up to `sequence` has been taken in; the same form in both directions."""

    case_id: str
    sequence: int


def decode(body: bytes | None, source: str) -> Envelope:
    """The envelope in `body`, which must come from `source` (e.g. "/departments/MZ"); raises BadEnvelope and nothing else."""
    attributes = _parsed(body)
    _check_fixed(attributes, source)
    return Envelope(
        specversion="1.0",
        id=_text(attributes, "id"),
        source=source,
        type=_text(attributes, "type"),
        subject=_subject(attributes),
        time=_time(attributes),
        datacontenttype="application/json",
        dataschema=_optional(attributes, "dataschema"),
        partitionkey=_text(attributes, "partitionkey", 36),
        sequence=_sequence(attributes),
        correlationid=_optional(attributes, "correlationid"),
        causationid=_optional(attributes, "causationid"),
        traceparent=_traceparent(attributes),
        dataref=_optional(attributes, "dataref"),
        data=_data(attributes),
    )


def case_number(envelope: Envelope) -> str:
    """The case number in the subject `case/<number>`."""
    return envelope.subject.removeprefix("case/")


_confirmations = msgspec.json.Decoder(Confirmation)


def confirmation(body: bytes | None) -> Confirmation:
    """The confirmation in `body`; raises BadEnvelope and nothing else."""
    try:
        found = _confirmations.decode(body or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadEnvelope('确认不是 {"case_id": …, "sequence": …} 的形式') from error
    if not _ID.fullmatch(found.case_id) or not 0 <= found.sequence <= _LAST_SEQUENCE:
        raise BadEnvelope("确认中的 case_id 或 sequence 超出范围")
    return found


def _parsed(body: bytes | None) -> dict[str, Any]:
    if not body:
        raise BadEnvelope("条目里没有字段 e，或字段 e 是空的")
    if len(body) > LARGEST:
        raise BadEnvelope(f"信封有 {len(body)} 字节，超过 {LARGEST} 字节；附件请用 dataref 传送")
    try:
        attributes = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadEnvelope(f"不是 JSON：{error}") from error
    if not isinstance(attributes, dict):
        raise BadEnvelope("不是 JSON 对象")
    if b"\\u0000" in body and _NUL.search(body):
        raise BadEnvelope("含有空字符（\\u0000），无法保存", attributes)
    return attributes


def _check_fixed(attributes: dict[str, Any], source: str) -> None:
    if attributes.get("specversion") != "1.0":
        _bad(attributes, "specversion", '应为 "1.0"')
    if attributes.get("source") != source:
        _bad(attributes, "source", f"应为 {source}：部门只能以自己的名义发送")
    media = attributes.get("datacontenttype", "application/json")
    if not isinstance(media, str) or media.partition(";")[0].strip().lower() != "application/json":
        _bad(attributes, "datacontenttype", "应为 application/json")
    if "data_base64" in attributes:
        _bad(attributes, "data_base64", "不能使用，请把内容放在 data 中")


def _bad(attributes: dict[str, Any], name: str, rule: str) -> NoReturn:
    missing = "" if name in attributes else "（缺少）"
    raise BadEnvelope(f"{name}{missing}：{rule}", attributes)


def _text(attributes: dict[str, Any], name: str, longest: int = 64) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value) or len(value) > longest:
        _bad(attributes, name, f"应为 1 至 {longest} 个可见的英文字符")
    return value


def _optional(attributes: dict[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is not None and (not isinstance(value, str) or not value.isprintable()):
        _bad(attributes, name, "应为文字")
    return value


def _subject(attributes: dict[str, Any]) -> str:
    value = attributes.get("subject")
    if not isinstance(value, str) or not _SUBJECT.fullmatch(value):
        _bad(attributes, "subject", "应为 case/<办件编号>")
    return value


def _sequence(attributes: dict[str, Any]) -> int:
    value = attributes.get("sequence")
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _LAST_SEQUENCE:
        _bad(attributes, "sequence", f"应为 1 至 {_LAST_SEQUENCE} 的整数")
    return value


def _time(attributes: dict[str, Any]) -> dt.datetime | None:
    value = attributes.get("time")
    if value is None:
        return None
    try:
        moment = msgspec.convert(value, dt.datetime)
    except msgspec.ValidationError:
        moment = None
    if moment is None or moment.tzinfo is None:
        _bad(attributes, "time", "应为带时区的时间，如 2026-11-24T09:30:00+08:00")
    return moment


def _traceparent(attributes: dict[str, Any]) -> str | None:
    value = attributes.get("traceparent")  # a broken one is left out, as W3C Trace Context asks: it is no reason to refuse a message
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None


def _data(attributes: dict[str, Any]) -> dict[str, Any]:
    value = attributes.get("data")
    if not isinstance(value, dict):
        _bad(attributes, "data", "应为 JSON 对象")
    return value


def _if_sound(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
