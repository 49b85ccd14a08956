"""What stands in a batch or an acknowledgement is whole, in order and from whom it says; whatever else comes is refused in words."""

from __future__ import annotations

import json
import os
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.border import BorderKey, BorderKeys, checked_jwk, protect
from backoffice.file_format import (
    MOST_ROWS,
    Ack,
    Confirmed,
    Header,
    Keys,
    Name,
    Opened,
    Unreadable,
    compose,
    compose_ack,
    digest_of,
    file_name,
    header_line,
    op_of,
    open_ack,
    open_batch,
    read_name,
    rows_of,
)  # fmt: skip

TOWN = BorderKeys({"1": os.urandom(32)})
THERE, STRANGER = BorderKey.of(os.urandom(32)), BorderKey.of(os.urandom(32))
assert TOWN.current
NAME = Name("MZ", "in", 7)


def keys(signing: BorderKey = THERE, *, is_encrypted: bool = False) -> tuple[Keys, Keys]:
    """The department's keys for writing, the town's for reading."""
    assert TOWN.current
    writes = Keys(signing, TOWN.current.opening_jwk if is_encrypted else None, [], {})
    recipient = checked_jwk(THERE.opening_jwk, "encrypt") if is_encrypted else None
    return writes, Keys(TOWN.current, recipient, [checked_jwk(THERE.signing_jwk, "verify")], TOWN.by_kid)


def envelope(n: int, kind: str = "task.progressed") -> bytes:
    return json.dumps({"type": f"cn.gov.town.{kind}.v1", "id": n, "text": "内容"}, ensure_ascii=False).encode()


def header(rows: bytes, many: int, **facts: Any) -> Header:
    given_ = {
        "town": "130208108", "department": "MZ", "direction": "in", "number": 7, "entries": many, "first": 1, "last": max(many, 1),
        "sha256": digest_of(rows), "previous": "", "made_at": "2026-11-24T01:30:00Z",
    }  # fmt: skip
    return Header(**{**given_, **facts})


def batch(many: int = 3, *, is_encrypted: bool = False, signing: BorderKey = THERE, **facts: Any) -> bytes:
    rows = rows_of([(n, envelope(n)) for n in range(1, many + 1)])
    return compose(header(rows, many, **facts), rows, keys(signing, is_encrypted=is_encrypted)[0])


def opened(file: bytes, *, is_encrypted: bool = False, name: Name = NAME) -> Opened:
    return open_batch(file, keys(is_encrypted=is_encrypted)[1], town="130208108", name=name)


def reason(file: bytes, **more: Any) -> str:
    with pytest.raises(Unreadable) as refused:
        opened(file, **more)
    return refused.value.reason


@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize("many", [0, 1, 3])
def test_what_was_written_is_read_byte_for_byte(many: int, is_encrypted: bool):  # noqa: FBT001 - a parameter of the test
    found = opened(batch(many, is_encrypted=is_encrypted), is_encrypted=is_encrypted)
    assert found.envelopes == [envelope(n) for n in range(1, many + 1)]
    assert found.digest == digest_of(header_line(found.header))


def test_what_is_encrypted_shows_nothing_of_its_content():
    assert "内容".encode() not in batch(is_encrypted=True)
    assert "内容".encode() in batch()


def test_a_line_for_each_row_and_a_letter_for_what_it_does():
    kinds = ["task.requested", "task.material-added", "task.urged", "task.withdrawn"]
    rows = rows_of([(n, envelope(n, kind)) for n, kind in enumerate(kinds, start=5)])
    assert [json.loads(line)["op"] for line in rows.splitlines()] == ["I", "U", "U", "D"]
    assert [json.loads(line)["position"] for line in rows.splitlines()] == [5, 6, 7, 8]
    assert op_of(envelope(1, "task.requested").replace(b".v1", b".v12")) == "I"


@given(st.data())
def test_a_file_cut_short_is_never_taken(data: st.DataObject):
    file = batch()
    reason(file[: data.draw(st.integers(0, len(file) - 1))])


@given(st.data())
def test_a_changed_byte_is_never_taken(data: st.DataObject):
    file = bytearray(batch(is_encrypted=data.draw(st.booleans())))
    place = data.draw(st.integers(0, len(file) - 1))
    file[place] ^= data.draw(st.integers(1, 255))
    reason(bytes(file), is_encrypted=False)


@given(st.binary(max_size=2000))
def test_noise_is_refused_and_breaks_nothing(noise: bytes):
    reason(noise)
    reason(noise + b"\n{}\n" + noise + b"\n")
    with pytest.raises(Unreadable):
        open_ack(noise, keys()[1], town="130208108", name=Name("MZ", "ack", 7))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (batch(signing=STRANGER), "签名用的 kid"),
        (batch(town="130208109"), "与文件名不一致"),
        (batch(department="SJ"), "与文件名不一致"),
        (batch(number=8), "与文件名不一致"),
        (batch(direction="out"), "与文件名不一致"),
        (batch(entries=2), "行数与批次头不符"),
        (batch(last=2), "位置范围"),
        (batch(first=2), "位置范围"),
        (batch(sha256="0" * 64), "摘要与批次头不符"),
        (batch(entries=MOST_ROWS + 1), "批次头"),
        (batch(previous="x"), "批次头"),
    ],
)
def test_a_header_that_is_not_true_is_refused_with_the_reason(file: bytes, said: str):
    assert said in reason(file)


def test_a_department_that_registered_a_key_must_encrypt():
    assert "没有加密" in reason(batch(), is_encrypted=True)


def test_the_signature_of_another_header_is_refused():
    lines = batch().splitlines(keepends=True)
    other = batch(made_at="2026-11-25T01:30:00Z").splitlines(keepends=True)
    assert "签名不是对首行" in reason(b"".join([*lines[:-1], other[-1]]))


@pytest.mark.parametrize("rows", [b"[]\n", b"{}\n", b'{"op":"X","position":1,"envelope":{}}\n', b'{"op":"I","position":0,"envelope":{}}\n'])
def test_rows_in_another_form_are_refused(rows: bytes):
    body = b"{" + rows[1:] if rows.startswith(b"[") else rows
    assert "不符合格式" in reason(compose(header(body, 1), body, keys()[0]))


def test_rows_out_of_order_are_refused():
    rows = rows_of([(2, envelope(2)), (1, envelope(1))])
    assert "没有递增" in reason(compose(header(rows, 2), rows, keys()[0]))


def test_a_file_that_is_too_large_is_refused_unread():
    assert "太大" in reason(b"{" * (9 * 1024 * 1024))


ACK = Ack(
    number=7, digest="a" * 64, state="taken", department="MZ", town="130208108", missing=[3, 4], confirmations=[Confirmed("case-1", 2)]
)


def test_an_acknowledgement_is_readable_and_signed():
    file = compose_ack(ACK, THERE)
    assert json.loads(file)["missing"] == [3, 4]
    assert open_ack(file, keys()[1], town="130208108", name=Name("MZ", "ack", 7)) == ACK


def test_only_what_is_signed_in_an_acknowledgement_counts():
    forged = {**json.loads(compose_ack(ACK, THERE)), "state": "refused", "number": 9}
    assert open_ack(json.dumps(forged).encode(), keys()[1], town="130208108", name=Name("MZ", "ack", 7)) == ACK
    with pytest.raises(Unreadable, match="与文件名不一致"):
        open_ack(json.dumps(forged).encode(), keys()[1], town="130208108", name=Name("MZ", "ack", 9))


def test_an_acknowledgement_by_a_stranger_is_refused():
    with pytest.raises(Unreadable, match="kid"):
        open_ack(compose_ack(ACK, STRANGER), keys()[1], town="130208108", name=Name("MZ", "ack", 7))


def test_a_batch_is_no_acknowledgement():
    fields = {**msgspec.to_builtins(ACK), "signature": protect(b'{"number":7}', THERE).decode()}
    with pytest.raises(Unreadable, match="格式"):
        open_ack(json.dumps(fields).encode(), keys()[1], town="130208108", name=Name("MZ", "ack", 7))


@given(st.sampled_from(["MZ", "A_B-C", "X-OUT-9"]), st.sampled_from(["out", "in", "ack"]), st.integers(0, 99_999_999))
def test_names_are_read_as_they_are_written(department: str, kind: Any, number: int):
    assert read_name(file_name(department, kind, number)) == Name(department, kind, number)


@pytest.mark.parametrize(
    "name", ["MZ-in-7.batch", "MZ-in-00000007.json", "MZ-ack-00000007.batch", "in-00000007.batch", "MZ-in-00000007.batch.1"]
)
def test_other_names_are_none_of_ours(name: str):
    assert read_name(name) is None
