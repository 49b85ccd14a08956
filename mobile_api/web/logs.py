"""Log lines as JSON, one object a line; requests by their route, never by path or query, where codes and tokens live."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TextIO

import msgspec

from mobile_api.web.trace import current_trace
from storage import trace

_ENCODER = msgspec.json.Encoder(enc_hook=str)
_LOGGER = logging.getLogger("mobile_api.requests")


class RequestLine(msgspec.Struct, gc=False):
    """What is logged of an answered request: nothing that came from the caller but the id and the method."""

    time: str
    level: str
    request_id: str
    trace_id: str
    method: str
    route: str
    status: int
    ms: float
    account: str


class JsonLines(logging.Handler):
    """Writes records as JSON lines. Inside the event loop the lines of one turn go out in one write; warnings go at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[bytes] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        try:
            self._lines.append(_ENCODER.encode(self._object(record)))
            if len(self._lines) == 1:
                self._flush_soon(record)
            elif record.levelno >= logging.WARNING:
                self.flush()
        except Exception:  # noqa: BLE001 - a log line must never break the work it tells of
            self.handleError(record)

    def flush(self) -> None:
        """Write what waits."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            if lines and not self._stream.closed:
                self._stream.write(b"\n".join([*lines, b""]).decode())
                self._stream.flush()
        finally:
            self.release()

    def write_requests(self, lines: Iterable[RequestLine]) -> None:
        """Write lines of answered requests."""
        self._lines += map(_ENCODER.encode, lines)
        self.flush()

    def _flush_soon(self, record: logging.LogRecord) -> None:
        try:
            loop = None if record.levelno >= logging.WARNING else asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None:
            self.flush()
        else:
            loop.call_soon(self.flush)

    def _object(self, record: logging.LogRecord) -> dict[str, Any]:
        line: dict[str, Any] = {
            "time": moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request := current_trace()) is not None:
            line["request_id"] = request.id
        if (at_work := trace.current()) is not None:
            line["trace_id"] = at_work.trace_id
        if record.exc_info and record.exc_info[0] is not None:
            line["traceback"] = logging.Formatter().formatException(record.exc_info)
        return line


_sinks: list[JsonLines] = []


def log_to(stream: TextIO, level: str = "INFO") -> JsonLines:
    """Send every log line of this process to a stream, until `stop_log` takes the handler away."""
    handler = JsonLines(stream)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    _sinks.append(handler)
    return handler


def stop_log(handler: JsonLines) -> None:
    """Undo `log_to`."""
    handler.flush()
    logging.getLogger().removeHandler(handler)
    _sinks.remove(handler)


def log_requests(lines: list[RequestLine]) -> None:
    """Write lines of answered requests; straight to the handlers, for a record of `logging` costs more than some requests do."""
    if _LOGGER.isEnabledFor(logging.INFO):
        for sink in _sinks:
            sink.write_requests(lines)


def moment(unix_seconds: float) -> str:
    """A time as log lines carry it, e.g. 2026-11-24T01:02:03.456Z."""
    whole = int(unix_seconds)
    return f"{_second(whole)}.{int((unix_seconds - whole) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(unix_seconds: int) -> str:
    return dt.datetime.fromtimestamp(unix_seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
