from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import msgspec
import pytest

from backoffice import messages
from backoffice.envelope import BadEnvelope, decode
from backoffice.registry import REGISTRY, BrokenContract, MessageType, answer, asyncapi, by_type, check, vouch
from storage.envelopes import Outgoing, encode
from tests.support import exchange
from tests.support.exchange import NOW

SAMPLES: dict[str, dict[str, Any]] = {
    "task.accepted": {},
    "task.progressed": {"text": "正在核对"},
    "task.correction-requested": {
        "reason": "不清楚",
        "fields": [{"name": "n", "message": "m"}],
        "materials": [{"material": "M1", "message": "m"}],
    },
    "task.suspended": {"procedure": "听证", "reason": "依申请", "until_on": "2026-12-01"},
    "task.resumed": {},
    "task.decided": {"result": "agreed", "opinion": "同意"},
    "task.answered": {"record": {"YWLSH": "2611240001", "ZT": "已受理"}},
    "certificate.issued": {"certificate_type": "ID_CARD", "number": "1", "issued_on": "2026-11-24", "valid_to_on": None},
}


def said(kind: str, **data: Any) -> bytes:
    return exchange.answer("c-1", "2611240001", 1, type=f"cn.gov.town.{kind}.v1", data={"case": "2611240001", "task": "t-1", **data})


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_answer_is_understood_and_comes_without_what_is_unknown(kind: str) -> None:
    found = answer(decode(said(kind, **SAMPLES[kind], later_addition=1), "/departments/MZ"), "MZ")
    assert (found.kind, found.case_id, found.number, found.department) == (kind, "c-1", "2611240001", "MZ")
    task = {} if kind == "task.answered" else {"task": "t-1"}  # there the record itself says which task it answers
    assert found.data == {"case": "2611240001", **task, **SAMPLES[kind]}


@pytest.mark.parametrize(
    ("kind", "data", "kept"),
    [
        ("task.progressed", {"text": "\u202e意同\u202c正在办"}, {"text": "意同正在办"}),
        ("task.decided", {"result": "refused", "opinion": "不\u200b予\u2067批准"}, {"result": "refused", "opinion": "不予批准"}),
        ("task.answered", {"record": {"YJ": ["\u200f同意"]}}, {"record": {"YJ": ["同意"]}}),
    ],
)
def test_what_nobody_sees_is_taken_out_of_a_departments_texts(kind: str, data: dict[str, Any], kept: dict[str, Any]) -> None:
    found = answer(decode(said(kind, **data), "/departments/MZ"), "MZ")
    assert {name: found.data[name] for name in kept} == kept


def test_a_text_of_which_nothing_can_be_seen_is_no_text() -> None:
    with pytest.raises(BadEnvelope, match="text"):
        answer(decode(said("task.progressed", text="\u202e\u2066"), "/departments/MZ"), "MZ")


def test_every_answer_in_the_registry_has_a_sample_here() -> None:
    assert {entry.name for entry in REGISTRY if entry.direction == "from_department"} == SAMPLES.keys()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (said("task.unheard-of"), "没有"),
        (said("task.requested"), "没有"),
        (said("task.progressed"), "data 不符合 task.progressed"),
        (said("task.progressed", text=""), "data 不符合"),
        (said("task.decided", result="maybe"), "data 不符合"),
        (said("task.suspended", procedure="p", reason="r", until_on="soon"), "data 不符合"),
        (said("task.accepted", case="2611240002"), "不一致"),
    ],
)
def test_what_does_not_fit_its_type_is_refused_with_a_reason(body: bytes, word: str) -> None:
    envelope = decode(body, "/departments/MZ")
    with pytest.raises(BadEnvelope, match=word) as caught:
        check(envelope, "from_department")
    assert caught.value.case_id == "c-1"


def test_the_asyncapi_file_describes_every_message_and_every_reference_leads_somewhere() -> None:
    document = asyncapi("130208108")
    assert document["asyncapi"].startswith("3.0")
    assert document["components"]["messages"].keys() == {entry.name for entry in REGISTRY}
    assert [channel["address"] for channel in document["channels"].values()] == [
        "q:{lane}",
        "a:{lane}",
        "ack:{department}",
        "taken:{department}",
    ]
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    json.dumps(document)


def test_the_published_schemas_accept_what_is_sent_and_refuse_what_is_not() -> None:
    document = asyncapi("130208108")
    data = {
        "case": "2611240001",
        "case_id": "c-1",
        "task": "t-1",
        "step": "accept",
        "action": "受理审查",
        "item": {"code": "a", "name": "b", "version": 1},
    }
    body = encode(Outgoing("c-1", "MZ", "task.requested", "2611240001", "130208108", data), id="1", sequence=1, now=NOW)
    _validate(document, "task.requested", body)
    _validate(document, "task.decided", said("task.decided", result="granted"))
    for broken in (said("task.decided", result="maybe"), said("task.decided"), body):
        with pytest.raises(jsonschema.ValidationError):
            _validate(document, "task.decided", broken)


class TaskDecidedV2(messages.FromDepartment, frozen=True, kw_only=True):
    """The department's result, under another name than in the first version."""

    outcome: str


def _second(data: dict[str, Any]) -> dict[str, Any]:
    return {"case": data["case"], "task": data["task"], "outcome": data["result"]}


FIRST = MessageType("task.decided", "from_department", messages.TaskDecided, upgrade=_second)
SECOND = MessageType("task.decided", "from_department", TaskDecidedV2, version=2)
BOTH = [*(entry for entry in REGISTRY if entry.name != "task.decided"), FIRST, SECOND]


def test_two_versions_of_a_type_stand_side_by_side_and_effects_know_the_newest_only() -> None:
    first = decode(said("task.decided", result="granted"), "/departments/MZ")
    second = decode(said("task.decided", outcome="granted"), "/departments/MZ")
    second = msgspec.structs.replace(second, type="cn.gov.town.task.decided.v2")
    expected = ("task.decided", {"case": "2611240001", "task": "t-1", "outcome": "granted"})
    assert check(first, "from_department", by_type(BOTH)) == expected
    assert check(second, "from_department", by_type(BOTH)) == expected


def test_a_version_that_is_not_registered_is_refused_with_a_reason() -> None:
    second = msgspec.structs.replace(decode(said("task.decided"), "/departments/MZ"), type="cn.gov.town.task.decided.v2")
    with pytest.raises(BadEnvelope, match="没有"):
        check(second, "from_department")


def test_both_versions_are_in_the_asyncapi_file_each_with_its_own_form() -> None:
    document = asyncapi("130208108", BOTH)
    found = document["components"]["messages"]
    assert [found[key]["name"] for key in ("task.decided", "task.decided.v2")] == [FIRST.type, SECOND.type]
    assert {"task.decided", "task.decided.v2"} <= document["channels"]["answers"]["messages"].keys()
    assert found["task.decided.v2"]["payload"]["allOf"][1]["properties"]["dataschema"] == {"const": "urn:cn-gov-town:task.decided:v2"}


def test_one_version_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match=r"task\.decided\.v2 is registered twice"):
        by_type([SECOND, MessageType("task.decided", "from_department", TaskDecidedV2, version=2)])


def test_a_message_goes_out_in_the_version_that_its_department_reads() -> None:
    message = Outgoing("c-1", "MZ", "task.urged", "2611240001", "130208108", {}, version=2)
    sent = msgspec.json.decode(encode(message, id="1", sequence=1, now=NOW))
    assert (sent["type"], sent["dataschema"]) == ("cn.gov.town.task.urged.v2", "urn:cn-gov-town:task.urged:v2")


def _validate(document: dict[str, Any], kind: str, body: bytes) -> None:
    payload = document["components"]["messages"][kind]["payload"]
    jsonschema.validate(msgspec.json.decode(body), {**payload, "components": document["components"]})


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in ([inner] if key == "$ref" else _references(inner))]
    return [found for inner in value for found in _references(inner)] if isinstance(value, list) else []


WITHDRAWN = exchange.command("c-1", "2611240001")


def test_a_message_of_ours_that_keeps_the_contract_is_vouched_for() -> None:
    vouch(WITHDRAWN)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"data": {"case": "2611240001", "case_id": "c-1"}}, "missing required field `task`"),
        ({"data": {**WITHDRAWN.data, "reason": 5}}, r"Expected `str \| null`, got `int` - at `\$.reason`"),
        ({"data": {**WITHDRAWN.data, "case": "2611240002"}}, "speaks of another case"),
        ({"data": {**WITHDRAWN.data, "case_id": "c-2"}}, "speaks of another case"),
        ({"kind": "task.decided"}, "is no message to a department"),
        ({"version": 2}, "task.withdrawn v2 is no message"),
    ],
)
def test_a_message_of_ours_that_breaks_the_contract_is_named_with_what_is_wrong(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(BrokenContract, match=reason):
        vouch(replace(WITHDRAWN, **broken))
