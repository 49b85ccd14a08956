"""What docs/how-to/connect-by-files.md shows a department's programmer works as it stands there."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backoffice import file_format as form
from backoffice.border import BorderKeys, checked_jwk
from backoffice.file_format import Ack, Header, Keys, Name, compose, digest_of, rows_of
from backoffice.file_incoming import Pace
from sandbox.gatekeeper import FAULTS
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "how-to" / "connect-by-files.md").read_text(encoding="utf-8")
TOWN, DEPARTMENT = BorderKeys({"1": bytes(32)}), BorderKeys({"1": bytes(range(32))})
assert TOWN.current
assert DEPARTMENT.current


def shown(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found.group(1)


def reads() -> Any:
    names: dict[str, Any] = {}
    exec(shown("python read"), names)  # noqa: S102 - the page is ours, and showing that it runs is the point
    return names["open_batch"]


def keys(signer: BorderKeys, known: BorderKeys) -> Keys:
    assert signer.current
    assert known.current
    return Keys(signer.current, None, [checked_jwk(known.current.signing_jwk, "verify")], {})


ROWS = [(n, json.dumps({"type": "cn.gov.town.task.requested.v1", "id": n, "text": "内容"}).encode()) for n in (5, 6)]


def batch(number: int, rows: list[tuple[int, bytes]], **facts: Any) -> bytes:
    body = rows_of(rows)
    fixed = {"town": "130208108", "department": "RS", "direction": "out", "previous": "", "made_at": "2026-11-24T01:30:00Z"}
    header = Header(**{
        **fixed, "number": number, "entries": len(rows), "first": 1, "last": 99, "sha256": digest_of(body), **facts,
    })  # fmt: skip
    return compose(header, body, keys(TOWN, DEPARTMENT))


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_the_reader_on_the_page_reads_what_the_town_writes(rows: list[tuple[int, bytes]]):
    town = KeySet.import_key_set(json.loads(json.dumps(TOWN.jwks())))
    digest, messages = reads()(batch(1, rows), town, 1, "")
    assert [message["id"] for message in messages] == [n for n, _ in rows]
    assert reads()(batch(2, ROWS, previous=digest), town, 2, digest)


def test_and_refuses_what_is_not_whole_or_not_the_next():
    town = KeySet.import_key_set(json.loads(json.dumps(TOWN.jwks())))
    whole = batch(1, ROWS)
    assert b'"id": 5' in whole
    strange = [whole[:-1], whole.replace(b'"id": 5', b'"id": 7'), batch(2, ROWS), batch(1, ROWS, direction="in")]
    for file in [*strange, batch(1, ROWS, previous="0" * 64)]:
        with pytest.raises((ValueError, JoseError)):
            reads()(file, town, 1, "")
    with pytest.raises((ValueError, JoseError)):
        reads()(whole, KeySet.import_key_set(json.loads(json.dumps(DEPARTMENT.jwks()))), 1, "")


def test_the_header_and_the_acknowledgement_on_the_page_are_in_the_towns_form():
    assert DEPARTMENT.current
    header = msgspec.json.decode(shown("json header"), type=Header)
    assert len(shown("json header").splitlines()) == 1
    row = [(1, b'{"type":"cn.gov.town.task.accepted.v1"}')]
    made = msgspec.structs.replace(header, sha256=digest_of(rows_of(row)))
    file = compose(made, rows_of(row), keys(DEPARTMENT, TOWN))
    assert form.open_batch(file, keys(TOWN, DEPARTMENT), town="130208108", name=Name("RS", "in", 1)).envelopes == [row[0][1]]

    ack = msgspec.json.decode(shown("json acknowledgement"), type=Ack)
    signed = form.compose_ack(ack, DEPARTMENT.current)
    assert form.open_ack(signed, keys(TOWN, DEPARTMENT), town="130208108", name=Name("RS", "ack", 42)) == ack
    explained = re.findall(r"^\| `([a-z`, ]+)` \|", PAGE.partition("json acknowledgement")[2].partition("## Send one")[0], re.MULTILINE)
    words = {word for line in explained for word in line.replace("`", "").split(", ")}
    assert words | {"reason", "department", "town"} == {*Ack.__struct_fields__, "signature"}


def test_the_figures_on_the_page_are_those_of_the_program():
    pace, flowing = Pace(), " ".join(PAGE.split())
    assert f"{form.MOST_ROWS:,} rows and {form.LARGEST // 2**20} MB at most" in flowing
    assert f"{form._HEADER_BYTES // 1024} KB at most" in flowing
    assert f"growing for {pace.grace_seconds:g} seconds" in flowing
    assert pace.resend_seconds == 300
    assert "whoever has none for five minutes writes the batch again" in flowing
    assert pace.window == 8
    assert "At most eight of the town's batches" in flowing
    assert pace.patience.give_up_hours == 7 * 24
    assert all(f"`{fault}" in flowing or f"--faults {fault}=" in flowing for fault in FAULTS)
