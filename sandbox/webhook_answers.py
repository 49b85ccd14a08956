"""The answers of a pretend department without Redis: written down under their numbers, then posted to the town until it confirms them."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import logging
import os
import random
import time
import uuid
from typing import Any

import aiohttp

from sandbox.department_book import Book
from sandbox.webhook_border import Border

logger = logging.getLogger("sandbox.webhook")

_TARGET = "/exchange/v1/messages"
_AT_ONCE = 50


class Answers:
    """Posts what is due; `resend` is the seconds after which an unconfirmed answer is posted again."""

    def __init__(
        self, code: str, town: str, key_id: str, secret: bytes, book: Book, *, resend: float = 5.0, border: Border | None = None
    ) -> None:
        self._code = code
        self._town = town.rstrip("/")
        self._key_id = key_id
        self._secret = secret
        self._book = book
        self._resend = resend
        self._border = border

    async def run(self) -> None:
        """Post for ever; a town that is away is asked again."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            while True:
                try:
                    await self.step(session)
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    logger.info("%s: the town is away (%s)", self._code, error)
                    await asyncio.sleep(random.uniform(0.1, 1.0))
                await asyncio.sleep(0.1)

    async def step(self, session: aiohttp.ClientSession) -> None:
        """Number what is due, post what was not posted or not confirmed, hear the confirmations."""
        self._number()
        rows = [*self._book.unconfirmed(self._code, time.time() - self._resend), *self._book.unsent(self._code, time.time())]
        for row in rows[:_AT_ONCE]:
            self._book.mark_sent(row["n"], "posted", time.time())
        if rows:
            await self._post(session, [row["body"] for row in rows[:_AT_ONCE]])

    async def _post(self, session: aiohttp.ClientSession, bodies: list[bytes]) -> None:
        body = b'{"messages":[' + b",".join(bodies) + b"]}"
        kind = "application/json"
        if self._border:
            kind, body = "application/jose", self._border.protect(body)
        headers = {"Content-Type": kind, **self.signed(body)}
        async with session.post(self._town + _TARGET, data=body, headers=headers) as answer:
            if answer.status != 200:  # noqa: PLR2004 - RFC 9110, section 15.3.1
                logger.info("%s: the town says %d: %s", self._code, answer.status, await answer.text())
                return
            for taken in (await answer.json())["confirmations"]:
                self._book.confirm(self._code, taken["case_id"], taken["sequence"])

    def signed(self, body: bytes) -> dict[str, str]:
        """The four headers of a request that is made now."""
        date, nonce = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), os.urandom(16).hex()
        text = "\n".join(("POST", _TARGET, date, nonce, hashlib.sha256(body).hexdigest()))
        signature = hmac.new(self._secret, text.encode(), "sha256").hexdigest()
        return {"X-Exchange-Key": self._key_id, "X-Exchange-Date": date, "X-Exchange-Nonce": nonce, "X-Exchange-Signature": signature}

    def _number(self) -> None:
        """Write out what is due: from here on it is said, under this number."""
        self._book.begin()
        for row in self._book.due(self._code, time.time()):
            sequence = self._book.take_number(self._code, row["case_id"])
            self._book.number(row["n"], sequence, self._envelope(row, sequence), 0.0)
        self._book.commit()

    def _envelope(self, row: Any, sequence: int) -> bytes:
        envelope = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": f"/departments/{self._code}",
            "type": f"cn.gov.town.{row['kind']}.v1",
            "subject": f"case/{row['number']}",
            "time": dt.datetime.now(dt.UTC).isoformat(),
            "datacontenttype": "application/json",
            "partitionkey": row["case_id"],
            "sequence": sequence,
            "correlationid": row["task"],
            "causationid": row["cause"],
            **self._book.trace(self._code, row["case_id"], row["cause"]),
            "data": json.loads(row["data"]),
        }
        return json.dumps(envelope, ensure_ascii=False).encode()
