"""The tables with a key of one column, as tortoise models; the schema itself is in storage/migrations.

A model says nothing about CHECKs and partial UNIQUEs: tortoise would not create them. Tables whose key has
several columns have no model, because tortoise would take one column for the whole key and change many rows for one:
they are read and written by SQL only (tests/storage/test_models.py lists them). Use a model with the client of the
database or transaction at hand: `Case.filter(id=case_id).using_db(tx.client)`.
"""

# ruff: noqa: D106 - `Meta` is where tortoise looks for the table's name
from __future__ import annotations

import datetime as dt
from typing import Any

from tortoise import fields
from tortoise.models import Model


class UtcField(fields.DatetimeField[dt.datetime]):
    """A moment, written in UTC whatever zone it comes in: SQLite compares times as text."""

    def to_db_value(self, value: Any, instance: Any) -> Any:
        """The value as the driver takes it."""
        if isinstance(value, dt.datetime):
            value = value.astimezone(dt.UTC)
        return super().to_db_value(value, instance)


def _id() -> Any:
    return fields.CharField(max_length=36, primary_key=True)


def _case() -> Any:
    return fields.ForeignKeyField("storage.Case", source_field="case_id", on_delete=fields.CASCADE, related_name=None)


class Resident(Model):
    """A person with a WeChat account."""

    id = _id()
    openid = fields.CharField(max_length=128, unique=True)
    name_sealed = fields.BinaryField(null=True)
    phone_sealed = fields.BinaryField(null=True)
    identity_level = fields.IntField(default=0)
    preferences: Any = fields.JSONField()
    created_at = UtcField()
    closed_at = UtcField(null=True)

    class Meta:
        table = "resident"


class Staff(Model):
    """A member of staff."""

    id = _id()
    username = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=50)
    role = fields.CharField(max_length=20)
    department = fields.CharField(max_length=16, null=True)
    hall = fields.CharField(max_length=64, null=True)
    area = fields.CharField(max_length=12)
    password_hash = fields.CharField(max_length=200)
    totp_sealed = fields.BinaryField(null=True)
    totp_last_step = fields.BigIntField(default=0)
    failed_logins = fields.IntField(default=0)
    locked_until_at = UtcField(null=True)
    is_active = fields.BooleanField(default=True)
    created_at = UtcField()

    class Meta:
        table = "staff"


class Session(Model):
    """A log-in on one device, of a resident or a member of staff."""

    id = _id()
    account_id = fields.CharField(max_length=36)
    account_kind = fields.CharField(max_length=10)
    device = fields.CharField(max_length=200, default="")
    refresh_hash = fields.CharField(max_length=64, unique=True)
    previous_hash = fields.CharField(max_length=64, null=True)
    rotated_at = UtcField()
    created_at = UtcField()
    expires_at = UtcField()
    revoked_at = UtcField(null=True)

    class Meta:
        table = "session"


class Upload(Model):
    """A file that was handed in."""

    id = _id()
    owner_id = fields.CharField(max_length=36)
    state = fields.CharField(max_length=10)
    name = fields.CharField(max_length=255)
    media_type = fields.CharField(max_length=64, default="")
    size = fields.BigIntField(default=0)
    pages = fields.IntField(default=0)
    digest = fields.CharField(max_length=64, default="")
    key_version = fields.IntField(default=0)
    key_wrapped = fields.BinaryField(null=True)
    refusal = fields.CharField(max_length=40, null=True)
    created_at = UtcField()

    class Meta:
        table = "upload"


class Counter(Model):
    """The last number given in a series."""

    name = fields.CharField(max_length=64, primary_key=True)
    value = fields.BigIntField()

    class Meta:
        table = "counter"


class Case(Model):
    """A case and its clocks; `version` is its ETag, `events` the number of its last event, `card` what lists show of it."""

    id = _id()
    number = fields.CharField(max_length=24, null=True, unique=True)
    resident: Any = fields.ForeignKeyField("storage.Resident", source_field="resident_id", on_delete=fields.NO_ACTION, related_name=None)
    item_code = fields.CharField(max_length=16)
    item_version = fields.IntField()
    department = fields.CharField(max_length=16)
    area = fields.CharField(max_length=12)
    state = fields.CharField(max_length=24)
    version = fields.IntField(default=1)
    events = fields.IntField(default=0)
    form_sealed = fields.BinaryField()
    card: Any = fields.JSONField()
    correction: Any = fields.JSONField(null=True)
    decision = fields.CharField(max_length=10, null=True)
    reason = fields.TextField(null=True)
    receipt_version = fields.IntField(default=1)
    created_at = UtcField()
    updated_at = UtcField()
    submitted_at = UtcField(null=True)
    accepted_at = UtcField(null=True)
    decided_at = UtcField(null=True)
    completed_at = UtcField(null=True)
    promised_on = fields.DateField(null=True)
    legal_on = fields.DateField(null=True)
    is_provisional = fields.BooleanField(default=False)
    umbrella_id = fields.CharField(max_length=36, null=True)
    priority = fields.IntField(default=0)
    corrections = fields.IntField(default=0)
    is_owing = fields.BooleanField(default=False)
    is_by_agent = fields.BooleanField(default=False)

    class Meta:
        table = "cases"


class CaseEvent(Model):
    """One transition of a case; numbered without gap."""

    id = _id()
    case: Any = _case()
    seq = fields.IntField()
    type = fields.CharField(max_length=40)
    actor_kind = fields.CharField(max_length=12)
    actor_id = fields.CharField(max_length=64)
    organisation = fields.CharField(max_length=64, default="")
    occurred_at = UtcField()
    reason = fields.TextField(null=True)
    data: Any = fields.JSONField()
    digest = fields.CharField(max_length=64)

    class Meta:
        table = "case_event"


class Task(Model):
    """One department's part of one case."""

    id = _id()
    case: Any = _case()
    department = fields.CharField(max_length=16)
    step = fields.CharField(max_length=10)
    position = fields.IntField()
    action = fields.CharField(max_length=100)
    state = fields.CharField(max_length=16)
    result = fields.CharField(max_length=16, null=True)
    opinion = fields.TextField(null=True)
    due_on = fields.DateField(null=True)
    created_at = UtcField()
    requested_at = UtcField(null=True)
    answered_at = UtcField(null=True)
    deemed_on = fields.DateField(null=True)
    answered_by = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "task"


class OutboxMessage(Model):
    """A message to a department; `body` holds the exact envelope bytes."""

    id = _id()
    case_id = fields.CharField(max_length=36)
    department = fields.CharField(max_length=16)
    partition = fields.IntField()
    sequence = fields.IntField()
    body = fields.BinaryField()
    created_at = UtcField()
    sent_at = UtcField(null=True)
    stream_id = fields.CharField(max_length=40, null=True)
    sends = fields.IntField(default=0)
    confirmed_at = UtcField(null=True)
    position = fields.BigIntField(null=True)
    next_at = UtcField(null=True)
    detail = fields.CharField(max_length=300, null=True)
    evidence_n = fields.BigIntField(null=True)

    class Meta:
        table = "outbox"


class SetAside(Model):
    """A message that cannot take effect, kept until an officer replays or skips it."""

    id = _id()
    department = fields.CharField(max_length=16)
    case_id = fields.CharField(max_length=36, null=True)
    sequence = fields.IntField(null=True)
    message_id = fields.CharField(max_length=64, null=True)
    kind = fields.CharField(max_length=10)
    reason = fields.CharField(max_length=500)
    body = fields.BinaryField()
    received_at = UtcField()
    settled_at = UtcField(null=True)
    settled_by = fields.CharField(max_length=36, null=True)
    settled_how = fields.CharField(max_length=10, null=True)
    evidence_n = fields.BigIntField(null=True)

    class Meta:
        table = "set_aside"


class Lease(Model):
    """Who holds a name until when; written by storage/leases.py only."""

    name = fields.CharField(max_length=80, primary_key=True)
    holder = fields.CharField(max_length=80)
    fence = fields.BigIntField()
    expires_at = UtcField()

    class Meta:
        table = "lease"


class AccountPosition(Model):
    """How far an account's line of events goes and how far it was read."""

    account_id = fields.CharField(max_length=36, primary_key=True)
    last_n = fields.BigIntField(default=0, source_field="last")
    read_to = fields.BigIntField(default=0)
    unread = fields.IntField(default=0)

    class Meta:
        table = "account_position"


class Notification(Model):
    """One attempt to reach one person by one channel."""

    id = _id()
    account_id = fields.CharField(max_length=36)
    case_id = fields.CharField(max_length=36, null=True)
    event = fields.CharField(max_length=40)
    channel = fields.CharField(max_length=12)
    once_key = fields.CharField(max_length=160, unique=True)
    data: Any = fields.JSONField()
    state = fields.CharField(max_length=20)
    attempts = fields.IntField(default=0)
    next_at = UtcField(null=True)
    holder = fields.CharField(max_length=80, null=True)
    provider_id = fields.CharField(max_length=64, null=True)
    detail = fields.CharField(max_length=200, null=True)
    created_at = UtcField()
    updated_at = UtcField()

    class Meta:
        table = "notification"


class WechatPush(Model):
    """A callback of the WeChat platform as it came, once."""

    once_key = fields.CharField(max_length=200, primary_key=True)
    event = fields.CharField(max_length=60)
    body: Any = fields.JSONField()
    received_at = UtcField()
    handled_at = UtcField(null=True)

    class Meta:
        table = "wechat_push"


class Evaluation(Model):
    """What a resident thought of a case."""

    id = _id()
    case: Any = fields.OneToOneField("storage.Case", source_field="case_id", on_delete=fields.NO_ACTION, related_name=None)
    item_code = fields.CharField(max_length=16)
    department = fields.CharField(max_length=16)
    level = fields.IntField()
    tags: Any = fields.JSONField()
    text = fields.CharField(max_length=1000, default="")
    created_at = UtcField()

    class Meta:
        table = "evaluation"


class Audit(Model):
    """One act that is kept on record; written by storage/audit.py only."""

    id = _id()
    occurred_at = UtcField()
    actor_kind = fields.CharField(max_length=12)
    actor_id = fields.CharField(max_length=64)
    action = fields.CharField(max_length=60)
    object_kind = fields.CharField(max_length=24)
    object_id = fields.CharField(max_length=64)
    outcome = fields.CharField(max_length=12)
    data: Any = fields.JSONField()

    class Meta:
        table = "audit"
