"""Who an account is to a principal: guesses are in the record, and an account that is not his is parted from him."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers import cases, proxies, proxydesk
from handlers.errors import Refused
from handlers.office import Office
from storage import audit
from tests.support.lives import officer
from tests.support.office import CLERK
from tests.support.proxies import CHILD, OLD, YOUNG, active, agent, applied, confirmed, office, principal, quiet

__all__ = ["agent", "office", "principal"]


async def test_who_guesses_a_number_or_a_code_is_in_the_record_without_what_he_typed(office: Office, agent: str, principal: str):
    one = await active(office, agent)
    for number, code in ((OLD, "00000000"), (CHILD, str(one.code))):
        with pytest.raises(Refused, match="proxy_code"):
            await proxies.confirm(office, principal, proxies.Confirming(number, code), quiet)

    lines = await audit.of_object(office.database, "resident", principal)
    assert [(line["action"], line["outcome"], line["actor_id"], line["data"]) for line in lines] == [
        ("proxy.confirmed", "refused", principal, {})
    ] * 2


@pytest.mark.parametrize("ended", [True, False])
async def test_an_account_that_is_not_the_principals_loses_what_it_saw_as_his(
    office: Office, agent: str, principal: str, ended: bool  # noqa: FBT001 - made by pytest
):  # fmt: skip
    """Whoever cheats confirms with a second account; taken back, the authority itself leaves him that one."""
    one = await confirmed(office, agent, principal)
    case, other = (
        await applied(office, agent, one.id),
        await applied(office, principal, "", form={"applicant_name": "李明", "id_number": YOUNG}),
    )
    if ended:
        await proxydesk.revoke(office, CLERK, one.id, "冒用他人身份")
    await cases.show(office, principal, case.id)

    with pytest.raises(Refused, match="reason_missing"):
        await proxydesk.unlink(office, CLERK, one.id, " ")
    for stranger in (officer("MZ"), replace(CLERK, area="130208109")):
        with pytest.raises(Refused, match="not_found"):
            await proxydesk.unlink(office, stranger, one.id, "看看")
    seen_now = await proxydesk.unlink(office, CLERK, one.id, "不是本人")

    assert (seen_now.state, seen_now.confirmed_at) == ("revoked" if ended else "active", None)
    with pytest.raises(Refused, match="not_found"):
        await cases.show(office, principal, case.id)
    assert [row["id"] for row in await cases.mine(office, principal, [], None, 10)] == [other.id]
    assert await proxies.mine(office, principal) == []
    [line] = [row for row in await audit.of_object(office.database, "proxy", one.id) if row["action"] == "proxy.unlinked"]
    assert (line["actor_id"], line["data"]["account"], line["data"]["reason"]) == (CLERK.id, principal, "不是本人")
    with pytest.raises(Refused, match="proxy_not_waiting"):
        await proxydesk.unlink(office, CLERK, one.id, "不是本人")
