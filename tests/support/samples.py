"""One valid row of every table, in an order in which they may be inserted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from storage.database import Queries

AT = dt.datetime(2026, 3, 2, 9, 30, 0, 250, tzinfo=dt.timezone(dt.timedelta(hours=8)))
ON = dt.date(2026, 3, 20)

ROWS: dict[str, dict[str, Any]] = {
    "resident": {"id": "r", "openid": "o", "identity_level": 1, "preferences": "{}", "created_at": AT},
    "staff": {
        "id": "s", "username": "u", "name": "王芳", "role": "clerk", "area": "130208108", "password_hash": "h", "totp_last_step": 2**40,
        "locked_until_at": AT, "created_at": AT,
    },
    "session": {
        "id": "l", "account_id": "r", "account_kind": "resident", "refresh_hash": "h", "rotated_at": AT, "created_at": AT, "expires_at": AT,
    },
    "item_version": {"code": "i", "version": 1, "digest": "d", "body": "{}", "published_at": AT},
    "upload": {
        "id": "f", "owner_id": "r", "state": "ready", "name": "身份证.jpg", "size": 2**40,
        "key_wrapped": b"\x00\xff", "created_at": AT,
    },
    "counter": {"name": "c", "value": 2**40},
    "cases": {
        "id": "c", "number": "N1", "resident_id": "r", "item_code": "i", "item_version": 1, "department": "D", "area": "130208108",
        "state": "in_review", "form_sealed": b"\x01\x00", "card": "{}", "correction": '{"reason": "补"}', "decision": "granted",
        "created_at": AT, "updated_at": AT, "submitted_at": AT, "promised_on": ON, "is_provisional": True,
    },
    "umbrella": {
        "id": "u", "number": "U1", "bundle_code": "B", "resident_id": "r", "form_sealed": b"\x01", "plan": "{}", "created_at": AT,
    },
    "special_procedure": {
        "id": "p", "case_id": "c", "department": "D", "name": "听证", "reason": "r", "began_at": AT, "due_on": ON, "told_at": AT,
    },
    "extension": {"id": "x", "case_id": "c", "days": 10, "reason": "r", "asked_by": "s", "asked_at": AT},
    "delivery": {"case_id": "c", "method": "post", "due_on": ON, "address_sealed": b"\x01"},
    "case_agent": {"case_id": "c", "kind": "relative", "agent_id": "r", "principal_sealed": b"\x01", "is_minor": True},
    "proxy": {
        "id": "y", "kind": "mandate", "agent_id": "r", "principal_sealed": b"\x01", "items": "[]", "upload_id": "f", "state": "active",
        "created_at": AT, "changed_at": AT,
    },
    "debt": {"id": "d", "case_id": "c", "material": "M1", "kind": "tolerated", "signed_at": AT, "due_on": ON, "result": "kept"},
    "claim": {"case_id": "c", "department": "D", "staff_id": "s", "taken_at": AT, "until_at": AT},
    "desk_task": {
        "case_id": "c", "department": "D", "area": "130208108", "item_code": "i", "state": "in_review", "step": "review", "is_lead": True,
        "urgency": 11, "due_on": ON,
    },
    "case_search": {"case_id": "c", "area": "130208108", "item_code": "i", "number_tail": "00001O", "received_on": ON},
    "case_note": {"id": "n", "case_id": "c", "staff_id": "s", "text_sealed": b"\x01", "written_at": AT},
    "reply_template": {
        "id": "t", "department": "D", "kind": "correction", "title": "缺页", "text": "请补齐", "changed_by": "s", "changed_at": AT,
    },
    "supervision_due": {"object_kind": "case", "object_id": "c", "case_id": "c", "look_at": AT},
    "supervision_card": {
        "id": "k", "object_kind": "case", "object_id": "c", "department": "D", "area": "130208108", "level": "yellow", "rule": "case",
        "rule_version": 1, "text": "t", "state": "issued", "earned_at": AT, "appeal_result": "rejected",
    },
    "case_outcome": {
        "case_id": "c", "item_code": "i", "department": "D", "area": "130208108", "audience": "person", "received_on": ON, "ended_on": ON,
        "ending": "granted", "promised_days": 5, "legal_days": 20, "net_seconds": 2**40, "corrections": 0, "is_first_time": True,
    },
    "case_material": {"case_id": "c", "material": "M1", "position": 0, "source": "upload", "upload_id": "f"},
    "case_event": {
        "id": "e", "case_id": "c", "seq": 1, "type": "submitted", "actor_kind": "resident", "actor_id": "r", "occurred_at": AT,
        "data": "{}", "digest": "d",
    },
    "task": {
        "id": "t", "case_id": "c", "department": "D", "step": "review", "position": 0, "action": "审", "state": "done", "result": "agreed",
        "due_on": ON, "created_at": AT,
    },
    "case_line": {"case_id": "c", "department": "D", "partition": 0},
    "outbox": {"id": "m", "case_id": "c", "department": "D", "partition": 0, "sequence": 1, "body": b"{}", "created_at": AT},
    "inbox": {"source": "/departments/D", "message_id": "m", "department": "D", "received_at": AT},
    "set_aside": {
        "id": "a", "department": "D", "message_id": "m", "kind": "poison", "reason": "r", "body": b"\xff", "received_at": AT,
        "settled_how": "skipped",
    },
    "exchange_link": {"department": "D", "position": 2**40, "taken": 2**40, "changed_at": AT},
    "exchange_key": {"id": "k", "department": "D", "purpose": "hmac", "secret_sealed": b"\x00", "created_at": AT},
    "exchange_nonce": {"key_id": "k", "nonce": "n", "used_at": AT},
    "file_grant": {"id": "g", "department": "D", "case_id": "c", "task_id": "t", "upload_id": "f", "created_at": AT},
    "file_batch": {"department": "D", "direction": "out", "number": 1, "state": "written", "first_position": 2**40, "made_at": AT},
    "evidence": {
        "n": 2**40, "direction": "in", "department": "D", "message_id": "m", "happened_at": AT, "chained_at": AT,
        "body_digest": "d", "hash": "h",
    },
    "lease": {"name": "n", "holder": "h", "fence": 2**40, "expires_at": AT},
    "idempotency": {"account_id": "r", "operation": "o", "key": "k", "request_digest": "d", "started_at": AT},
    "account_position": {"account_id": "r", "last": 2**40},
    "account_event": {"account_id": "r", "n": 1, "type": "t", "data": "{}", "occurred_at": AT},
    "notification": {
        "id": "n", "account_id": "r", "event": "e", "channel": "sms", "once_key": "k", "data": '{"a": [1]}', "state": "created",
        "next_at": AT, "created_at": AT, "updated_at": AT,
    },
    "subscription": {"account_id": "r", "template": "t", "kind": "once", "credits": 1, "updated_at": AT},
    "wechat_push": {"once_key": "k", "event": "e", "body": "{}", "received_at": AT},
    "evaluation": {"id": "v", "case_id": "c", "item_code": "i", "department": "D", "level": 5, "tags": '["快"]', "created_at": AT},
    "audit": {
        "id": "x", "occurred_at": AT, "actor_kind": "staff", "actor_id": "s", "action": "a", "object_kind": "case", "object_id": "c",
        "outcome": "done", "data": "{}",
    },
}  # fmt: skip


async def insert(db: Queries, table: str, row: Mapping[str, Any]) -> None:
    """Insert one row."""
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())


async def insert_all(db: Queries) -> None:
    """Insert the row of every table."""
    for table, row in ROWS.items():
        await insert(db, table, row)
