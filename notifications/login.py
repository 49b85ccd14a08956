"""Log-in by WeChat as the office asks for it: a code in, an openid out, refusals that say what to do."""

from __future__ import annotations

import math

from handlers.errors import Refused
from notifications.channels.wechat import WechatPlatform
from notifications.channels.wechat_errors import MINUTE_QUOTA, Busy, LoginCodeInvalid, Unreachable, UserBlocked, WechatError


class WechatLogin:
    """The `LoginPlatform` of handlers.residents, at the WeChat platform."""

    def __init__(self, platform: WechatPlatform) -> None:
        self._platform = platform

    async def openid(self, code: str) -> str:
        """Whose code it is; raises Refused login_code_invalid, login_blocked, too_many_requests or unavailable."""
        try:
            return (await self._platform.code2session(code)).openid
        except LoginCodeInvalid:
            raise Refused("login_code_invalid") from None
        except UserBlocked:
            raise Refused("login_blocked") from None
        except Busy as busy:
            raise Refused(
                "too_many_requests" if busy.errcode == MINUTE_QUOTA else "unavailable", {"retry_after": math.ceil(busy.after)}
            ) from None
        except (WechatError, Unreachable) as failure:
            raise Refused("unavailable", {"retry_after": 5}) from failure
