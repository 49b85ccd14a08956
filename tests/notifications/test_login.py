"""What can go wrong at log-in reaches the resident as advice, not as a number."""

from __future__ import annotations

import pytest

from handlers.errors import Refused
from handlers.refusals import REFUSALS
from notifications.login import WechatLogin
from tests.support.wechat import Platform


async def test_a_good_code_is_an_openid(platform: Platform) -> None:
    assert await WechatLogin(platform.client()).openid("sandbox-zhang-1") == platform.world.people.openid("zhang")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("-1", "unavailable"), ("45011", "too_many_requests"), ("45009", "unavailable"), ("cut", "unavailable"), ("40001", "unavailable")],
)
async def test_faults_of_the_platform_say_when_to_come_back(platform: Platform, kind: str, code: str) -> None:
    await platform.fault(kind)
    with pytest.raises(Refused, match=code) as refused:
        await WechatLogin(platform.client()).openid("sandbox-zhang-1")
    assert int(str(refused.value.values["retry_after"])) >= 1
    assert code in REFUSALS


async def test_a_used_code_asks_for_a_new_one_and_a_wrong_secret_is_not_the_residents_fault(platform: Platform) -> None:
    await WechatLogin(platform.client()).openid("sandbox-zhang-1")
    with pytest.raises(Refused, match="login_code_invalid"):
        await WechatLogin(platform.client()).openid("sandbox-zhang-1")
    with pytest.raises(Refused, match="unavailable"):
        await WechatLogin(platform.client(secret="wrong")).openid("sandbox-zhang-2")
