"""The demo's family: one authority in force, however often the demo starts."""

from __future__ import annotations

from handlers import staff
from sandbox import family
from sandbox.demo import STAFF
from tests.flows.conftest import platform, town
from tests.support.wholetown import Town

__all__ = ["platform", "town"]


async def test_a_newcomer_finds_somebody_to_act_for(town: Town):
    username, password, name, role, department, hall = next(one for one in STAFF if one[:2] == family.CLERK)
    await staff.add(
        town.stores.office, username=username, name=name, role=role, password=password, department=department, hall=hall  # type: ignore[arg-type]
    )  # fmt: skip

    await family.introduce(town.base_url)
    await family.introduce(town.base_url)

    found = (await (await town.resident(family.AGENT)).call("GET", "/me/proxies"))["items"]
    assert [(one["state"], one["principal_name"]) for one in found] == [("active", "张秀英")]
