"""A pretend department behind a gatekeeper: takes the town's batches and writes its own, by the published format and JOSE of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import KeySet, OKPKey

from sandbox.department_book import Book
from sandbox.department_ways import Ways
from sandbox.file_book import FileBook

logger = logging.getLogger("sandbox.files")

_SIGN, _WRAP, _ENCRYPT = "Ed25519", "ECDH-ES+A256KW", "A256GCM"
_MOST_ROWS = 200
_BATCH = re.compile(r"(.+)-out-([0-9]{8})\.batch")


class Unreadable(Exception):
    """Not whole, not from the town, or not for us."""


class _Roomy(JWERegistry):
    max_ciphertext_length = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Our keys, and the town's public ones as /.well-known/jwks.json gives them."""

    town: KeySet
    signing: OKPKey
    opening: OKPKey | None = None

    def sign(self, message: bytes) -> str:
        """A JWS of our own."""
        return jws.serialize_compact({"alg": _SIGN, "kid": self.signing.thumbprint()}, message, self.signing, algorithms=[_SIGN])

    def verify(self, token: bytes) -> bytes:
        """What the town signed; raises Unreadable."""
        try:
            return jws.deserialize_compact(token, self.town, algorithms=[_SIGN]).payload
        except (JoseError, ValueError) as error:
            raise Unreadable(f"signature: {error}") from error

    def encrypt(self, message: bytes) -> bytes:
        """Signed by us, readable for the town only."""
        to = next(key for key in self.town.keys if key.get("use") == "enc")
        header = {"alg": _WRAP, "enc": _ENCRYPT, "kid": to.kid, "cty": "jose"}
        return jwe.encrypt_compact(header, self.sign(message).encode(), to, registry=_Roomy(algorithms=[_WRAP, _ENCRYPT])).encode()

    def decrypt(self, token: bytes) -> bytes:
        """What the town encrypted for us; raises Unreadable."""
        if self.opening is None:
            raise Unreadable("encrypted, but we have no key")
        try:
            return self.verify(jwe.decrypt_compact(token, self.opening, registry=_Roomy(algorithms=[_WRAP, _ENCRYPT])).plaintext or b"")
        except (JoseError, ValueError) as error:
            raise Unreadable(f"encryption: {error}") from error


class FileDepartment:
    """One department and its folder; `resend` is the seconds after which an unacknowledged batch is written again."""

    def __init__(
        self,
        code: str,
        town: str,
        folder: Path,
        book: Book,
        batches: FileBook,
        ways: Ways,
        keys: FileKeys,
        *,
        resend: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.code = code
        self.files: dict[str, bytes] = {}
        self.arrivals: list[tuple[str, int, str]] = []
        self._town = town
        self._in, self._out = folder / "in", folder / "out"
        self._book = book
        self._batches = batches
        self._ways = ways
        self._keys = keys
        self._resend = resend
        self._clock = clock
        for path in (self._in / "files", self._out / "files"):
            path.mkdir(parents=True, exist_ok=True)

    async def run(self) -> None:
        """Work for ever."""
        while True:
            self.step()
            await asyncio.sleep(0.1)

    def step(self) -> None:
        """Read what has come, then write what is due."""
        for path in sorted(self._in.glob("*-ack-*.json")):
            self._read_ack(path)
        self._read_batches()
        self._number()
        self._write_answers()
        for batch in self._batches.due(self._clock() - self._resend):
            self._write(batch["number"], batch["rows"], batch["many"], batch["made_at"])

    def _read_ack(self, path: Path) -> None:
        content = path.read_bytes()
        path.unlink()
        try:
            ack = json.loads(self._keys.verify(json.loads(content)["signature"].encode()))
        except (Unreadable, ValueError, KeyError) as bad:
            logger.info("%s: no acknowledgement: %s", self.code, bad)
            return
        if ack["state"] == "taken" and ack["number"]:
            self._batches.done(ack["number"], ack["digest"])
        elif ack["state"] == "refused":
            logger.info("%s: the town refuses batch %d: %s", self.code, ack["number"], ack.get("reason"))
            self._batches.write_soon(ack["number"])
        for number in ack.get("missing", []):
            self._batches.write_soon(number)
        for line in ack.get("confirmations", []):
            self._book.confirm(self.code, line["case_id"], line["sequence"])

    def _read_batches(self) -> None:
        found = {int(match[2]): path for path in self._in.glob("*.batch") if (match := _BATCH.fullmatch(path.name))}
        for number, path in sorted(found.items()):
            last = self._batches.last_taken()
            if number > last + 1:
                self._acknowledge(last, self._batches.digest_taken(last), missing=sorted(set(range(last + 1, number)) - found.keys()))
                return
            if number <= last:
                self._acknowledge(number, self._batches.digest_taken(number))
                path.unlink()
            elif not self._read_batch(number, path):
                return

    def _read_batch(self, number: int, path: Path) -> bool:
        """Take the batch whose turn it is; False if it has to wait for its attachments or be sent again."""
        try:
            digest, envelopes = self._open(number, path.read_bytes())
        except Unreadable as bad:
            logger.info("%s: batch %d: %s", self.code, number, bad)
            path.unlink()
            self._acknowledge(number, "", state="refused", reason=str(bad)[:200])
            return False
        if [name for name in _attachments(envelopes) if not self._has_file(name)]:
            return False
        self._take(envelopes)
        self._batches.take(number, digest)
        self._acknowledge(number, digest)
        path.unlink()
        return True

    def _open(self, number: int, file: bytes) -> tuple[str, list[dict[str, Any]]]:
        line, _, rest = file.partition(b"\n")
        body, _, signature = rest.removesuffix(b"\n").rpartition(b"\n")
        if not rest.endswith(b"\n") or self._keys.verify(signature) != line:
            raise Unreadable("not whole")
        header = json.loads(line)
        rows = self._keys.decrypt(body) if body and not body.startswith(b"{") else body and body + b"\n"
        if hashlib.sha256(rows).hexdigest() != header["sha256"] or (header["number"], header["direction"]) != (number, "out"):
            raise Unreadable("not what its header says")
        if header["previous"] != self._batches.digest_taken(number - 1):
            raise Unreadable("not the one that follows")
        return hashlib.sha256(line).hexdigest(), [json.loads(row)["envelope"] for row in rows.splitlines()]

    def _has_file(self, digest: str) -> bool:
        """Fetch an attachment from `in/files/`; a broken one is as good as none, and comes again with its batch."""
        if digest in self.files:
            return True
        for path in (self._in / "files" / f"{digest}{end}" for end in ("", ".jose", ".gone")):
            if path.exists():
                content = path.read_bytes()
                path.unlink()
                if path.suffix == ".jose":
                    content = self._opened(content)
                if path.suffix == ".gone" or hashlib.sha256(content).hexdigest() == digest:
                    self.files[digest] = content
                    return True
        return False

    def _opened(self, token: bytes) -> bytes:
        try:
            return self._keys.decrypt(token)
        except Unreadable:
            return b""

    def _take(self, envelopes: list[dict[str, Any]]) -> None:
        self._book.begin()
        for command in envelopes:
            self.arrivals.append((command["partitionkey"], command["sequence"], command["id"]))
            self._book.keep(self.code, "files", command)
        for case_id in dict.fromkeys(command["partitionkey"] for command in envelopes):
            self._work(case_id)
        self._book.commit()

    def _work(self, case_id: str) -> None:
        while command := self._book.next_command(self.code, case_id):
            if command["type"].endswith("task.withdrawn.v1"):
                self._book.drop(self.code, case_id, command["data"]["task"])
            answers = self._ways.answers(command, lambda what: self._book.once(self.code, case_id, what))
            self._book.plan(self.code, "files", command, answers, self._clock())

    def _acknowledge(self, number: int, digest: str, state: str = "taken", **more: Any) -> None:
        ack = {"number": number, "digest": digest, "state": state, "department": self.code, "town": self._town, **more}
        signature = self._keys.sign(json.dumps(ack, ensure_ascii=False).encode())
        self._put(f"{self.code}-ack-{number:08}.json", json.dumps({**ack, "signature": signature}, ensure_ascii=False).encode())

    def _number(self) -> None:
        """Write out what is due: from here on it is said, under this number."""
        self._book.begin()
        for row in self._book.due(self.code, self._clock()):
            sequence = self._book.take_number(self.code, row["case_id"])
            self._book.number(row["n"], sequence, self._envelope(row, sequence), 0.0)
        self._book.commit()

    def _write_answers(self) -> None:
        """A batch of what was never sent, and of what the town did not confirm for very long."""
        now = self._clock()
        rows = [*self._book.unsent(self.code, now), *self._book.unconfirmed(self.code, now - 20 * self._resend)][:_MOST_ROWS]
        if rows:
            lines = [b'{"op":"I","position":%d,"envelope":%s}\n' % (place, row["body"]) for place, row in enumerate(rows, start=1)]
            number = self._batches.make(b"".join(lines), len(lines), dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
            for row in rows:
                self._book.mark_sent(row["n"], f"batch {number}", now)

    def _write(self, number: int, rows: bytes, many: int, made_at: str) -> None:
        header = {
            "format": "township-batch/1", "town": self._town, "department": self.code, "direction": "in", "number": number,
            "entries": many, "first": 1, "last": max(many, 1), "sha256": hashlib.sha256(rows).hexdigest(),
            "previous": self._batches.digest_sent(number - 1), "made_at": made_at,
        }  # fmt: skip
        line = json.dumps(header).encode()
        body = self._keys.encrypt(rows) + b"\n" if self._keys.opening else rows
        self._batches.wrote(number, hashlib.sha256(line).hexdigest(), self._clock())
        self._put(f"{self.code}-in-{number:08}.batch", line + b"\n" + body + self._keys.sign(line).encode() + b"\n")

    def _put(self, name: str, content: bytes) -> None:
        draft = self._out / f".{name}.{os.urandom(4).hex()}"
        draft.write_bytes(content)
        draft.rename(self._out / name)

    def _envelope(self, row: Any, sequence: int) -> bytes:
        envelope = {
            "specversion": "1.0", "id": str(uuid.uuid4()), "source": f"/departments/{self.code}", "type": f"cn.gov.town.{row['kind']}.v1",
            "subject": f"case/{row['number']}", "time": dt.datetime.now(dt.UTC).isoformat(), "datacontenttype": "application/json",
            "partitionkey": row["case_id"], "sequence": sequence, "correlationid": row["task"], "causationid": row["cause"],
            "data": json.loads(row["data"]),
        }  # fmt: skip
        return json.dumps(envelope, ensure_ascii=False).encode()


def _attachments(envelopes: Iterable[dict[str, Any]]) -> list[str]:
    """Digests of the files that messages name and we may have."""
    materials = [material for one in envelopes for material in one["data"].get("materials", [])]
    return [file["sha256"] for material in materials for file in material.get("files", []) if file.get("grant")]
