"""People of the stand-in: who a code belongs to, openids, session keys and telephone numbers."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Callable

from sandbox.wechat.answers import Refusal
from sandbox.wechat.store import Store

LIFE = 300.0
"""Codes live five minutes and are good once."""

_UNISSUED = {"login": re.compile(r"sandbox-(.{1,60})-([^-]{1,64})"), "phone": re.compile(r"sandboxphone-(.{1,60})-([^-]{1,64})")}


class People:
    """The people of one mini-program."""

    def __init__(self, store: Store, appid: str, now: Callable[[], float]) -> None:
        self._store = store
        self._appid = appid
        self._now = now

    def openid(self, user: str) -> str:
        """The openid of a test user with this mini-program: always the same."""
        digest = hashlib.sha256(f"{self._appid}|{user}".encode()).digest()
        openid = "o" + base64.urlsafe_b64encode(digest).decode()[:27]
        if self._store.user_of(openid) is None:
            self._store.put_person(openid, self._appid, user, _session_key())
        return openid

    def issue(self, kind: str, user: str) -> str:
        """A new code, as wx.login ("login") or the telephone button ("phone") would give it."""
        code = secrets.token_urlsafe(24)
        self._store.put_code(code, kind, user, self._now() + LIFE)
        return code

    def redeem(self, kind: str, code: str) -> str:
        """The user behind a code, once; raises Refusal 40029 (unknown, expired, other kind) or 40163 (used)."""
        match = _UNISSUED[kind].fullmatch(code)
        if match and self._store.code(code, kind) is None:
            self._store.put_code(code, kind, match[1], self._now() + LIFE)
        found = self._store.code(code, kind)
        if found is None:
            raise Refusal(40029, "invalid code")
        user, expires, used = found
        if used:
            raise Refusal(40163, "code been used")
        if expires < self._now():
            raise Refusal(40029, "invalid code")
        self._store.use_code(code)
        return user

    def log_in(self, user: str) -> tuple[str, str]:
        """Openid and a fresh session key; the key before is no longer valid."""
        openid, session_key = self.openid(user), _session_key()
        self._store.put_person(openid, self._appid, user, session_key)
        return openid, session_key

    def phone(self, user: str) -> str:
        """The telephone number of a test user: always the same, from a range for fiction."""
        digits = int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big") % 100_000_000
        return f"199{digits:08d}"


def _session_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()
