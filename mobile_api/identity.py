"""Access tokens: signed for ten minutes, checked against the living log-in at most a second old (decision 10)."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import jwt
import msgspec

from handlers import sessions
from handlers.errors import Refused
from handlers.office import Office
from handlers.sessions import Opened
from mobile_api.web.caller import Caller

LIFETIME = dt.timedelta(minutes=10)
ISSUER = "township-mobile-api"
_ALGORITHM = "HS256"
_FRESH_SECONDS = 1.0
_MOST_REMEMBERED = 20_000
_CLAIMS = ["iss", "aud", "sub", "sid", "iat", "exp", "typ"]


class Tokens(msgspec.Struct, frozen=True):
    """What a log-in answers."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class Identity:
    """Issues access tokens and says who is calling; remembers verified tokens so that a request costs a look-up, not a signature."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._keys = office.keys.token_keys
        self._current = office.keys.token_current
        self._verified: dict[str, tuple[float, str]] = {}
        self._callers: dict[str, tuple[float, Caller]] = {}

    def issue(self, opened: Opened) -> Tokens:
        """Tokens for a log-in just opened or renewed."""
        now = self._office.clock.now()
        claims = {
            "iss": ISSUER, "aud": opened.kind, "sub": opened.account_id, "sid": opened.session_id, "typ": "access",
            "iat": now, "exp": now + LIFETIME,
        }  # fmt: skip
        token = jwt.encode(claims, self._keys[self._current], algorithm=_ALGORITHM, headers={"kid": self._current})
        return Tokens(token, "Bearer", int(LIFETIME.total_seconds()), opened.refresh_token)

    async def authenticate(self, token: str) -> Caller:
        """The caller behind a token; raises Refused("not_logged_in")."""
        expires, session_id = self._verified.get(token) or self._verify(token)
        if expires <= self._office.clock.now().timestamp():
            self._verified.pop(token, None)
            raise Refused("not_logged_in")
        checked, caller = self._callers.get(session_id, (0.0, None))
        if caller is not None and time.monotonic() - checked < _FRESH_SECONDS:
            return caller
        return await self._look_up(session_id)

    async def still(self, token: str, *, afresh: bool = False) -> bool:
        """Whether a token that was good is good yet, for answers that wait; `afresh` asks the database whatever is remembered."""
        if afresh and token in self._verified:
            self.forget(self._verified[token][1])
        try:
            await self.authenticate(token)
        except Refused:
            return False
        return True

    def forget(self, session_id: str) -> None:
        """A log-in ended: the next request asks the database."""
        self._callers.pop(session_id, None)

    async def _look_up(self, session_id: str) -> Caller:
        self.forget(session_id)
        standing = await sessions.standing(self._office, session_id)
        if standing is None:
            raise Refused("not_logged_in")
        caller = Caller(
            kind=standing.kind,
            account_id=standing.account_id,
            session_id=session_id,
            name=standing.name,
            role=standing.role,
            department=standing.department,
            hall=standing.hall,
            area=standing.area,
        )
        if len(self._callers) >= _MOST_REMEMBERED:
            self._callers.clear()
        self._callers[session_id] = (time.monotonic(), caller)
        return caller

    def _verify(self, token: str) -> tuple[float, str]:
        claims = self._claims(token)
        if len(self._verified) >= _MOST_REMEMBERED:
            self._verified.clear()
        self._verified[token] = known = (float(claims["exp"]), str(claims["sid"]))
        return known

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=[_ALGORITHM], audience=["resident", "staff"], issuer=ISSUER,
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
            )  # fmt: skip
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):  # ValueError: bytes that are no text
            raise Refused("not_logged_in") from None
        if claims["typ"] != "access" or not isinstance(claims["exp"], int | float):
            raise Refused("not_logged_in")
        return claims
