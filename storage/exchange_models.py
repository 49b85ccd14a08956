"""The tables of the exchange with departments as tortoise models (storage/models.py says what a model is here)."""

# ruff: noqa: D106 - `Meta` is where tortoise looks for the table's name
from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from storage.models import UtcField


class ExchangeLink(Model):
    """How the connection with a department stands."""

    department = fields.CharField(max_length=16, primary_key=True)
    position = fields.BigIntField(default=0)
    taken = fields.BigIntField(default=0)
    state = fields.CharField(max_length=10, default="working")
    failures = fields.IntField(default=0)
    failing_since_at = UtcField(null=True)
    rests_until_at = UtcField(null=True)
    reason = fields.CharField(max_length=300, null=True)
    heard_at = UtcField(null=True)
    changed_at = UtcField()

    class Meta:
        table = "exchange_link"


class ExchangeKey(Model):
    """A key of a department: a sealed secret for HMAC, or a public key."""

    id = fields.CharField(max_length=36, primary_key=True)
    department = fields.CharField(max_length=16)
    purpose = fields.CharField(max_length=10)
    secret_sealed = fields.BinaryField(null=True)
    public_jwk: Any = fields.JSONField(null=True)
    created_at = UtcField()
    revoked_at = UtcField(null=True)

    class Meta:
        table = "exchange_key"


class FileGrant(Model):
    """One department may fetch one upload for one task."""

    id = fields.CharField(max_length=36, primary_key=True)
    department = fields.CharField(max_length=16)
    case: Any = fields.ForeignKeyField("storage.Case", source_field="case_id", on_delete=fields.CASCADE, related_name=None)
    task_id = fields.CharField(max_length=36)
    upload: Any = fields.ForeignKeyField("storage.Upload", source_field="upload_id", related_name=None)
    created_at = UtcField()
    expires_at = UtcField(null=True)
    fetched_at = UtcField(null=True)
    fetches = fields.IntField(default=0)

    class Meta:
        table = "file_grant"


class Evidence(Model):
    """One line of the evidence log; `hash` binds it to the line before."""

    n = fields.BigIntField(primary_key=True, generated=False)
    direction = fields.CharField(max_length=3)
    department = fields.CharField(max_length=16)
    message_id = fields.CharField(max_length=64)
    case_id = fields.CharField(max_length=36, null=True)
    sequence = fields.IntField(null=True)
    happened_at = UtcField()
    chained_at = UtcField()
    body_digest = fields.CharField(max_length=64)
    body = fields.BinaryField(null=True)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "evidence"
