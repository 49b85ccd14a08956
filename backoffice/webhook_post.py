"""One delivery to a webhook: signed, bounded in time and size, never redirected; and what the answer means for message and link."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal, Self

import aiohttp
import msgspec
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from yarl import URL

from backoffice import border
from backoffice.addresses import BadAddress, Reach, checked_url, pinned_connector
from backoffice.border import BorderKey, PublicJwk
from backoffice.signatures import signed_headers
from storage.clock import Clock
from storage.trace import Trace

POSITION, MESSAGE = "X-Exchange-Position", "X-Exchange-Message"
PLAIN = "application/cloudevents+json"
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read; what it says does not matter to us, its status does."""

_TIMES = aiohttp.ClientTimeout(total=15, connect=5, sock_connect=5)
_SHOWN = 200
_LONGEST_WISH = 3600.0
_THIS_MESSAGE = frozenset({400, 409, 413, 415, 422})
_BUSY = frozenset({429, 503})
_GONE = 410

Kind = Literal["taken", "refused", "failed", "gone"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a delivery.

    "taken": it is the department's now. "refused": this message is at fault. "failed": the link is, or the moment; `wait` is the
    department's wish in seconds. "gone": nobody is there any more (410). `detail` is for an officer.
    """

    kind: Kind
    detail: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a department's deliveries are made with: its shared secret, and for one beyond the border our key and perhaps its own."""

    key_id: str
    secret: bytes
    signing: BorderKey | None = None
    recipient: PublicJwk | None = None


class Poster:
    """The connections to one department's webhook, `async with`; at most `width` at once, none shared with another department."""

    def __init__(
        self,
        address: str,
        reach: Reach,
        clock: Clock,
        *,
        width: int,
        times: aiohttp.ClientTimeout = _TIMES,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._address = address
        self._reach = reach
        self._clock = clock
        self._session = aiohttp.ClientSession(
            connector=pinned_connector(reach, limit=width, tls=tls, resolver=resolver),
            timeout=times,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # an answer is a status to us; a small one must not become a large one
            headers={hdrs.USER_AGENT: "township-exchange/1", hdrs.ACCEPT_ENCODING: "identity"},
        )

    async def __aenter__(self) -> Self:
        """Ready."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def post(self, message: bytes, facts: Mapping[str, str], credentials: Credentials) -> Outcome:
        """Deliver the bytes of an envelope, with `facts` as headers; never raises for what the network or the department does."""
        try:
            url = checked_url(self._address, self._reach)
            return await self._post(url, message, facts, credentials)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Outcome("failed", in_words(error))

    async def _post(self, url: URL, message: bytes, facts: Mapping[str, str], credentials: Credentials) -> Outcome:
        signing = credentials.signing
        body = border.protect(message, signing, credentials.recipient) if signing else message
        headers = {
            **facts,
            **signed_headers(credentials.secret, credentials.key_id, "POST", url.raw_path_qs, body, self._clock.now()),
            hdrs.CONTENT_TYPE: border.CONTENT_TYPE if signing else PLAIN,
        }
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return _meaning(answer, await _read(answer), self._clock.now())


class _Traced(msgspec.Struct):
    traceparent: str | None = None


def trace_of(message: bytes) -> Trace:
    """The trace that an envelope of ours carries: the delivery is a part of it."""
    return Trace(msgspec.json.decode(message, type=_Traced).traceparent)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The beginning of the body; the status has been said by now, so a body that breaks off changes nothing."""
    body = b""
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async for chunk in answer.content.iter_chunked(8192):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                answer.close()
                break
    return body[:LARGEST_ANSWER]


def _meaning(answer: aiohttp.ClientResponse, body: bytes, now: dt.datetime) -> Outcome:
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        return Outcome("taken")
    said = f"HTTP {status}{_excerpt(answer, body)}"
    if status == _GONE:
        return Outcome("gone", said)
    if status in _THIS_MESSAGE:
        return Outcome("refused", said)
    if 300 <= status < 400:  # noqa: PLR2004 - RFC 9110, section 15.4
        return Outcome("failed", f"HTTP {status}：对方要求转到别的地址，本系统不跟随；请核对登记的网址")
    return Outcome("failed", said, _wish(answer.headers.get(hdrs.RETRY_AFTER), now) if status in _BUSY else None)


def _excerpt(answer: aiohttp.ClientResponse, body: bytes) -> str:
    """What the department says of it, as far as a person can read it."""
    if hdrs.CONTENT_ENCODING in answer.headers:
        return ""
    try:
        problem = msgspec.json.decode(body)
        text = str(problem.get("detail") or problem.get("title") or "")
    except (msgspec.DecodeError, AttributeError, UnicodeDecodeError, RecursionError):
        text = body[: 4 * _SHOWN].decode("utf-8", "replace") if answer.content_type == "text/plain" else ""
    text = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return f"：{text[:_SHOWN]}" if text else ""


def _wish(text: str | None, now: dt.datetime) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, section 10.2.3), an hour at most; None if there is none to understand."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WISH)
    try:
        at = parsedate_to_datetime(text)
        seconds = (at.replace(tzinfo=at.tzinfo or dt.UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), _LONGEST_WISH)


def in_words(error: BaseException) -> str:
    """Why nothing could be delivered, for an officer."""
    refused = _refusal_in(error)
    if refused is not None:
        return f"网址不能用：{refused.reason}"
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return f"{words}（{type(error).__name__}）"
    return f"连接出错（{type(error).__name__}）"


def _refusal_in(error: BaseException | None) -> BadAddress | None:
    while error is not None and not isinstance(error, BadAddress):
        error = getattr(error, "os_error", None) or error.__cause__
    return error


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "对方的证书不可信或与域名不符"),
    (aiohttp.ClientConnectorSSLError, "无法建立加密连接"),
    (aiohttp.ClientConnectorDNSError, "域名无法解析"),
    (TimeoutError, "没有在规定时间内应答"),
    (aiohttp.ClientConnectorError, "无法连接"),
    (aiohttp.ServerDisconnectedError, "对方中断了连接"),
    (aiohttp.ClientOSError, "连接中断"),
    (aiohttp.ClientResponseError, "应答不符合 HTTP"),
)
