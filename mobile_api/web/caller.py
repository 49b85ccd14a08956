"""Who is calling: the one typed identity that views and the frame pass on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Caller:
    """The account behind a request; `session_id` names the log-in, the last four are filled for staff only."""

    kind: Literal["anyone", "resident", "staff"]
    account_id: str = ""
    session_id: str = ""
    name: str = ""
    role: str = ""
    department: str = ""
    hall: str = ""
    area: str = ""


ANONYMOUS = Caller("anyone")


class Authenticator(Protocol):
    """Turns an access token into the caller it stands for."""

    async def authenticate(self, token: str) -> Caller:
        """The caller; raises Refused("not_logged_in") for a token that is wrong, too old or revoked."""
        ...


AUTHENTICATOR: web.AppKey[Authenticator] = web.AppKey("authenticator", Authenticator)
