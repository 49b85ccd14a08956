"""What the WeChat platform's error codes mean to us; numbers from the pages of each call."""

from __future__ import annotations

import re

from notifications.channels import NotSent, NotWanted, OutOfReach, TryLater, Undeliverable

_RID = re.compile(r"\brid: ([0-9a-f-]{1,64})")
_FIELD = re.compile(r"data\.(\w{1,40})\.value")


class WechatError(NotSent):
    """The platform refused a call: its number, and the request id that its support asks for. Never its free text."""

    def __init__(self, errcode: int, errmsg: str = "") -> None:
        self.errcode = errcode
        rid, field = _RID.search(errmsg), _FIELD.search(errmsg)
        self.rid = rid[1] if rid else ""
        self.field = field[1] if field else ""
        super().__init__(" ".join(filter(None, [f"errcode {errcode}", self.field, self.rid and f"rid {self.rid}"])))


class Busy(WechatError, TryLater):
    """Busy, or a quota is used up."""

    def __init__(self, errcode: int, errmsg: str = "") -> None:
        super().__init__(errcode, errmsg)
        self.after = WAITS.get(errcode, 1.0)
        self.for_all = errcode in {DAY_QUOTA, MINUTE_QUOTA}


class TokenStale(WechatError, OutOfReach):
    """The access token is no longer valid."""


class Configuration(WechatError, OutOfReach):
    """Our account, secret or server address is not accepted: somebody must correct the configuration."""


class LoginCodeInvalid(WechatError):
    """The code from the phone is unknown, expired or used: the phone must ask for a new one."""


class UserBlocked(WechatError):
    """The platform blocks this person's log-in as risky."""


class RefusedByUser(WechatError, NotWanted):
    """No subscription, all credits used, or turned off."""


class UnknownUser(WechatError, Undeliverable):
    """No such openid with this account."""


class TemplateFault(WechatError, Undeliverable):
    """The template is unknown, banned, or points to a page that is not published."""


class ContentFault(WechatError, Undeliverable):
    """A field breaks its rule, or a word is not allowed."""


class Unreachable(OutOfReach):
    """No connection, no answer in time, or an answer that makes no sense; the text names call and kind only."""


BUSY, DAY_QUOTA, MINUTE_QUOTA, ONE_AT_A_TIME, PAGE_UNKNOWN = -1, 45009, 45011, 43108, 41030

WAITS = {BUSY: 1.0, DAY_QUOTA: 3600.0, MINUTE_QUOTA: 60.0, ONE_AT_A_TIME: 1.5, 44990: 1.0, 44991: 60.0}
"""The least wait in seconds before the same call makes sense again."""

_MEANINGS: dict[type[WechatError], tuple[int, ...]] = {
    Busy: (BUSY, DAY_QUOTA, MINUTE_QUOTA, ONE_AT_A_TIME, 44990, 44991),
    TokenStale: (40001, 40014, 42001),
    Configuration: (40002, 40013, 40125, 40164, 40243, 41002, 41004, 43002, 48001, 50004, 50007, 89503, 89506, 89507),
    LoginCodeInvalid: (40029, 40163),
    UserBlocked: (40226,),
    RefusedByUser: (43101,),
    UnknownUser: (40003,),
    TemplateFault: (40037, 43107, PAGE_UNKNOWN),
    ContentFault: (45168, 47003),
}

ERRORS: dict[int, type[WechatError]] = {errcode: kind for kind, errcodes in _MEANINGS.items() for errcode in errcodes}


def error(errcode: int, errmsg: str) -> WechatError:
    """The exception for an error code; an unknown code is a plain WechatError."""
    return ERRORS.get(errcode, WechatError)(errcode, errmsg)
