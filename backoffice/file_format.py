"""Batches and acknowledgements as they lie in files, whoever writes them: lines of JSON, the last one a signature.

A batch: one header line; its rows, one a line, or where the receiver has a key for it one line that is all of them encrypted; one
line that is the header signed (JWS). The header holds the digest of the rows and of the header before it, so the signature covers
both. `op` is what front-end exchange databases (前置库) between networks use: I inserts a row, U updates it, D takes it back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from backoffice.border import BorderKey, NotProtected, PublicJwk, open_protected, protect

LARGEST = 4 * 1024 * 1024
"""Bytes that the rows of a batch may have."""
LARGEST_FILE = 2 * LARGEST + 64 * 1024
"""Bytes of a batch file: the rows signed and encrypted in base64, the header and its signature."""
LARGEST_ACK = 1024 * 1024
MOST_ROWS = 1000

_HEADER_BYTES = 4096
_OPS: Mapping[str, Literal["I", "U", "D"]] = {"task.requested": "I", "task.withdrawn": "D"}
_NAME = re.compile(r"([0-9A-Z_-]{1,16})-(out|in|ack)-([0-9]{8})\.(batch|json)")

Op = Literal["I", "U", "D"]
Digest = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")]
Number = Annotated[int, msgspec.Meta(ge=1, le=99_999_999)]
Position = Annotated[int, msgspec.Meta(ge=1, le=2**62)]


class Unreadable(Exception):
    """This is no batch, or no acknowledgement, of the department: why, in words for its programmer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line. `sha256` is of the rows as they are before encryption, `previous` of the header line of the batch before.

    `first` and `last` are the positions that the batch covers; between them some may be missing, as they were settled otherwise.
    """

    format: Literal["township-batch/1"] = "township-batch/1"
    town: Annotated[str, msgspec.Meta(max_length=32)]
    department: Annotated[str, msgspec.Meta(max_length=16)]
    direction: Literal["out", "in"]
    number: Number
    entries: Annotated[int, msgspec.Meta(ge=0, le=MOST_ROWS)]
    first: Position
    last: Position
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    previous: Digest
    made_at: Annotated[str, msgspec.Meta(max_length=40)]


class BatchRow(msgspec.Struct, frozen=True):
    """One message under its position; `envelope` keeps its exact bytes."""

    op: Op
    position: Position
    envelope: msgspec.Raw


class Confirmed(msgspec.Struct, frozen=True):
    """Everything of a case up to `sequence` has taken effect."""

    case_id: str
    sequence: int


class Ack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a batch, and what is known besides: numbers that are missing, case lines that have moved on.

    `digest` is the digest of the batch that was taken under this number, of the damaged file where it was refused.
    """

    number: Annotated[int, msgspec.Meta(ge=0, le=99_999_999)]
    digest: Digest
    state: Literal["taken", "refused"]
    department: Annotated[str, msgspec.Meta(max_length=16)]
    town: Annotated[str, msgspec.Meta(max_length=32)]
    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    missing: Annotated[list[Number], msgspec.Meta(max_length=1000)] = []
    confirmations: Annotated[list[Confirmed], msgspec.Meta(max_length=10_000)] = []


class _SignedAck(Ack, frozen=True, kw_only=True, omit_defaults=True):
    signature: str


class Name(NamedTuple):
    """What a file name says."""

    department: str
    kind: Literal["out", "in", "ack"]
    number: int


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys on both sides: ours to sign and open, the department's to encrypt for and to verify."""

    signing: BorderKey
    recipient: PublicJwk | None
    known: Sequence[PublicJwk]
    own: Mapping[str, BorderKey]


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch that was verified: its header, that line's digest, and the exact bytes of each envelope."""

    header: Header
    digest: str
    envelopes: list[bytes]


def file_name(department: str, kind: Literal["out", "in", "ack"], number: int) -> str:
    """`MZ-out-00000042.batch`, `MZ-ack-00000042.json`."""
    return f"{department}-{kind}-{number:08}.{'json' if kind == 'ack' else 'batch'}"


def read_name(text: str) -> Name | None:
    """What a name says, or None if it is none of ours."""
    match = _NAME.fullmatch(text)
    if match is None or (match[2] == "ack") != (match[4] == "json"):
        return None
    return Name(match[1], match[2], int(match[3]))  # type: ignore[arg-type]  # the pattern knows no other kind


def op_of(envelope: bytes) -> Op:
    """The letter for a message of ours: a request is a new row, a withdrawal takes it back, anything else changes it."""
    kind = str(msgspec.json.decode(envelope)["type"]).split(".", 3)[-1].rpartition(".v")[0]
    return _OPS.get(kind, "U")


def rows_of(messages: Sequence[tuple[int, bytes]]) -> bytes:
    """The lines of messages, (position, envelope) each: the same bytes for the same messages, whenever they are asked for."""
    rows = [BatchRow(op_of(envelope), position, msgspec.Raw(envelope)) for position, envelope in messages]
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def header_line(header: Header) -> bytes:
    """The header as it is signed and digested."""
    return msgspec.json.encode(header)


def digest_of(line: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(line).hexdigest()


def compose(header: Header, rows: bytes, keys: Keys) -> bytes:
    """The whole file."""
    line = header_line(header)
    body = protect(rows, keys.signing, keys.recipient) + b"\n" if keys.recipient and rows else rows
    return line + b"\n" + body + protect(line, keys.signing) + b"\n"


def open_batch(file: bytes, keys: Keys, *, town: str, name: Name) -> Opened:
    """The batch in a department's file; raises Unreadable and nothing else."""
    if len(file) > LARGEST_FILE:
        raise Unreadable(f"文件太大：最多 {LARGEST_FILE} 字节")
    line, body, signature = _parts(file)
    try:
        if open_protected(signature, keys.known, {}, largest=_HEADER_BYTES) != line:
            raise Unreadable("签名不是对首行（批次头）的签名")
        header = msgspec.json.decode(line, type=Header)
        rows = _rows(body, keys)
    except NotProtected as refused:
        raise Unreadable(refused.reason) from refused
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"首行（批次头）不符合格式：{error}") from error
    if (header.town, header.department, header.direction, header.number) != (town, *name):
        raise Unreadable("批次头中的行政区划代码、部门、方向或编号与文件名不一致")
    if digest_of(rows) != header.sha256:
        raise Unreadable("内容的摘要与批次头不符：文件不完整或被改动过")
    return Opened(header, digest_of(line), _envelopes(rows, header))


def _parts(file: bytes) -> tuple[bytes, bytes, bytes]:
    """Header line, body with its line ends, signature line."""
    line, end, rest = file.partition(b"\n")
    body, middle, signature = rest.removesuffix(b"\n").rpartition(b"\n")
    if not end or not rest.endswith(b"\n") or len(line) > _HEADER_BYTES or not signature:
        raise Unreadable("文件不完整：应有批次头、内容和签名，每行以换行结束")
    return line, body + middle, signature


def _rows(body: bytes, keys: Keys) -> bytes:
    """The rows as they were before encryption."""
    if not body:
        return body
    if body.startswith(b"{"):
        if keys.recipient:
            raise Unreadable("内容没有加密：本部门登记了加密要求，请用本镇的公钥加密")
        return body
    return open_protected(body.removesuffix(b"\n"), keys.known, keys.own, is_encrypted=keys.recipient is not None, largest=LARGEST)


def _envelopes(rows: bytes, header: Header) -> list[bytes]:
    lines = rows.splitlines()
    try:
        found = [msgspec.json.decode(line, type=BatchRow) for line in lines]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"有一行不符合格式：{error}") from error
    positions = [row.position for row in found]
    if len(found) != header.entries or positions != sorted(set(positions)):
        raise Unreadable("行数与批次头不符，或位置没有递增")
    if positions and (positions[0] < header.first or positions[-1] > header.last):
        raise Unreadable("有的行不在批次头所说的位置范围内")
    return [bytes(row.envelope) for row in found]


def compose_ack(ack: Ack, key: BorderKey) -> bytes:
    """The file of an acknowledgement: readable JSON, with all of it once more in its `signature`."""
    fields: dict[str, Any] = msgspec.to_builtins(ack)
    fields["signature"] = protect(msgspec.json.encode(ack), key).decode()
    return msgspec.json.format(msgspec.json.encode(fields)) + b"\n"


def open_ack(file: bytes, keys: Keys, *, town: str, name: Name) -> Ack:
    """The acknowledgement that a department signed; raises Unreadable and nothing else."""
    try:
        token = msgspec.json.decode(file, type=_SignedAck).signature.encode()
        ack = msgspec.json.decode(open_protected(token, keys.known, {}, largest=LARGEST_ACK), type=Ack)
    except NotProtected as refused:
        raise Unreadable(refused.reason) from refused
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Unreadable(f"回执不符合格式：{error}") from error
    if (ack.town, ack.department, ack.number) != (town, name.department, name.number):
        raise Unreadable("回执中的行政区划代码、部门或编号与文件名不一致")
    return ack
