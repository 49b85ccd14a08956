from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backoffice.envelope import LARGEST, BadEnvelope, confirmation, decode
from storage.envelopes import Outgoing, encode

SOURCE = "/departments/MZ"
GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "0193-1",
    "source": SOURCE,
    "type": "cn.gov.town.task.accepted.v1",
    "subject": "case/2611240001",
    "time": "2026-11-24T09:30:00+08:00",
    "datacontenttype": "application/json; charset=utf-8",
    "partitionkey": "0193c000-0000-7000-8000-000000000001",
    "sequence": 1,
    "data": {"case": "2611240001", "task": "t"},
}


def written(**changes: Any) -> bytes:
    return json.dumps({name: value for name, value in {**GOOD, **changes}.items() if value is not ...}).encode()


def reason(body: bytes | None) -> str:
    with pytest.raises(BadEnvelope) as caught:
        decode(body, SOURCE)
    return caught.value.reason


def test_a_sound_envelope_is_read_whole() -> None:
    envelope = decode(written(correlationid="t", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01", comexampleextra=True), SOURCE)
    assert (envelope.id, envelope.sequence, envelope.subject, envelope.correlationid) == ("0193-1", 1, "case/2611240001", "t")
    assert envelope.time == dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
    assert envelope.traceparent is not None
    assert envelope.data == GOOD["data"]


def test_a_sequence_may_also_be_the_string_that_the_cloudevents_extension_describes() -> None:
    assert decode(written(sequence="0012"), SOURCE).sequence == 12


def test_a_broken_traceparent_is_left_out_and_the_message_taken() -> None:
    assert decode(written(traceparent="nonsense"), SOURCE).traceparent is None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ...}, "id（缺少）"),
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"source": "/departments/GA"}, "部门只能以自己的名义发送"),
        ({"type": 3}, "type"),
        ({"subject": "2611240001"}, "case/<办件编号>"),
        ({"partitionkey": ...}, "partitionkey"),
        ({"sequence": 0}, "sequence"),
        ({"sequence": True}, "sequence"),
        ({"sequence": 1.5}, "sequence"),
        ({"sequence": "-1"}, "sequence"),
        ({"sequence": 2**31}, "sequence"),
        ({"time": "2026-11-24T09:30:00"}, "带时区"),
        ({"time": "yesterday"}, "带时区"),
        ({"datacontenttype": "text/xml"}, "application/json"),
        ({"data": ...}, "data（缺少）"),
        ({"data": [1]}, "JSON 对象"),
        ({"data_base64": "AA=="}, "data_base64"),
        ({"data": {"text": "a\0b"}}, "空字符"),
        ({"correlationid": 5}, "correlationid"),
        ({"data": {"text": "x" * LARGEST}}, "超过"),
    ],
)
def test_what_is_wrong_is_said_in_words_that_an_officer_can_read(changes: dict[str, Any], word: str) -> None:
    assert word in reason(written(**changes))


def test_what_is_no_json_object_is_said_to_be_none() -> None:
    assert "不是 JSON" in reason(b"{")
    assert "不是 JSON 对象" in reason(b"[]")
    assert "不是 JSON" in reason(b"[" * 60_000)
    assert "不是 JSON" in reason(b'{"id": "\xff"}')
    assert "字段 e" in reason(None)


def test_an_escaped_backslash_before_u0000_is_plain_text() -> None:
    assert decode(written(data={"text": "\\u0000"}), SOURCE).data == {"text": "\\u0000"}


def test_a_bad_envelope_carries_the_id_and_case_that_could_be_read() -> None:
    with pytest.raises(BadEnvelope) as caught:
        decode(written(sequence=-1), SOURCE)
    assert (caught.value.id, caught.value.case_id) == ("0193-1", GOOD["partitionkey"])


def read(decoder: Any, *arguments: Any) -> Any:
    """What the decoder answers, or the reason why it does not."""
    try:
        return decoder(*arguments)
    except BadEnvelope as bad:
        return bad.reason


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # two cores, shared
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@unhurried
@given(
    st.binary()
    | st.builds(lambda changes: json.dumps({**GOOD, **changes}).encode(), st.dictionaries(st.sampled_from(sorted(GOOD)), json_values))
)
@example(b'{"a": "\\ud800"}')
@example(b'{"sequence": ' + b"9" * 5000 + b"}")
@example(b'{"data": 1e999}')
def test_whatever_comes_the_decoder_answers_an_envelope_or_a_reason(body: bytes) -> None:
    outcome = read(decode, body, SOURCE)
    if isinstance(outcome, str):
        assert outcome.isprintable()
    else:
        assert 1 <= outcome.sequence < 2**31
        assert outcome.source == SOURCE


@unhurried
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_a_confirmation_is_one_or_has_a_reason(body: bytes) -> None:
    outcome = read(confirmation, body)
    assert outcome if isinstance(outcome, str) else outcome.sequence >= 0


def test_the_official_sdk_reads_what_we_write() -> None:
    now = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
    message = Outgoing(
        "c-1", "MZ", "task.requested", "2611240001", "130208108", {"case": "2611240001", "form": {"姓名": "张"}}, correlation_id="t"
    )
    body = encode(message, id="0193", sequence=7, now=now)
    event = JSONFormat().read(CloudEvent, body)
    assert event.get_type() == "cn.gov.town.task.requested.v1"
    assert event.get_source() == "/town/130208108"
    assert event.get_time() == now
    assert event.get_data() == {"case": "2611240001", "form": {"姓名": "张"}}
    assert event.get_extension("sequence") == 7
    assert event.get_extension("partitionkey") == "c-1"


def test_we_read_what_the_official_sdk_writes() -> None:
    attributes = {name: value for name, value in GOOD.items() if name not in {"data", "time", "datacontenttype"}}
    event = CloudEvent({**attributes, "time": dt.datetime.fromisoformat(GOOD["time"]), "datacontenttype": "application/json"}, GOOD["data"])
    envelope = decode(to_structured_event(event, JSONFormat()).body, SOURCE)
    assert (envelope.id, envelope.sequence, envelope.data) == (GOOD["id"], 1, GOOD["data"])


attributes = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)


@unhurried
@given(
    st.dictionaries(st.text(), json_values, max_size=3).filter(lambda data: "\\u0000" not in json.dumps(data)),
    st.integers(1, 2**31 - 1),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("correlation_id", "causation_id", "dataref"), attributes)),
)
def test_what_the_official_sdk_read_of_us_and_writes_again_is_the_same_to_us(
    data: dict[str, Any], sequence: int, more: dict[str, str]
) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    message = Outgoing("c-1", "MZ", "task.requested", "2611240001", "130208108", data, traceparent=traceparent, **more)
    body = encode(message, id="0193", sequence=sequence, now=dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC))
    again = JSONFormat().write(JSONFormat().read(CloudEvent, body))
    assert decode(again, "/town/130208108") == decode(body, "/town/130208108")
