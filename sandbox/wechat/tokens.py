"""Access tokens of both kinds, with the platform's rules of life and death (pages getAccessToken and getStableAccessToken)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.wechat.answers import Refusal

LIFE = 7200.0
OVERLAP = 300.0
FORCE_APART = 30.0
FORCE_PER_DAY = 20


@dataclass
class Tokens:
    """The tokens in force; the two kinds do not touch each other."""

    now: Callable[[], float]
    ends: dict[str, float] = field(default_factory=dict)
    plain: str = ""
    stable: str = ""
    forced: list[float] = field(default_factory=list)

    def give_plain(self) -> tuple[str, int]:
        """cgi-bin/token: each call makes a new one, the one before dies within five minutes."""
        if self.plain in self.ends:
            self.ends[self.plain] = min(self.ends[self.plain], self.now() + OVERLAP)
        self.plain = self._new()
        return self.plain, int(LIFE)

    def give_stable(self, *, force: bool) -> tuple[str, int]:
        """stable_token: the same one with the seconds it has left; near its end, or by force, a new one."""
        if force:
            self._count_force()
            self.ends.pop(self.stable, None)
        if self.ends.get(self.stable, 0.0) - self.now() < OVERLAP:
            self.stable = self._new()
        return self.stable, int(self.ends[self.stable] - self.now())

    def check(self, token: str) -> None:
        """Raises Refusal 41001, 40001 or 42001 unless the token is in force."""
        if not token:
            raise Refusal(41001, "access_token missing")
        end = self.ends.get(token)
        if end is None:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
        if end < self.now():
            raise Refusal(42001, "access_token expired")

    def expire_all(self) -> None:
        """Every token dies at once, as after a change of the secret."""
        self.ends.clear()

    def _new(self) -> str:
        token = secrets.token_urlsafe(100)
        self.ends[token] = self.now() + LIFE
        return token

    def _count_force(self) -> None:
        now = self.now()
        self.forced = [at for at in self.forced if now - at < 86400]  # noqa: PLR2004 - a day
        if self.forced and now - self.forced[-1] < FORCE_APART:
            raise Refusal(45011, "api minute-quota reach limit, must slower, retry next minute")
        if len(self.forced) >= FORCE_PER_DAY:
            raise Refusal(45009, "reach max api daily quota limit")
        self.forced.append(now)
