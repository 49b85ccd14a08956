"""The tables of the office's own work as tortoise models (storage/models.py says what a model is here)."""

# ruff: noqa: D106 - `Meta` is where tortoise looks for the table's name
from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from storage.models import UtcField


class Umbrella(Model):
    """Several items applied for as one."""

    id = fields.CharField(max_length=36, primary_key=True)
    number = fields.CharField(max_length=24)
    bundle_code = fields.CharField(max_length=16)
    resident: Any = fields.ForeignKeyField("storage.Resident", source_field="resident_id", related_name=None)
    form_sealed = fields.BinaryField()
    plan: Any = fields.JSONField()
    created_at = UtcField()
    promised_on = fields.DateField(null=True)
    finished_at = UtcField(null=True)
    look_at = UtcField(null=True)

    class Meta:
        table = "umbrella"


class SpecialProcedure(Model):
    """A step outside the limit, with a limit of its own."""

    id = fields.CharField(max_length=36, primary_key=True)
    case: Any = fields.ForeignKeyField("storage.Case", source_field="case_id", on_delete=fields.CASCADE, related_name=None)
    task_id = fields.CharField(max_length=36, null=True)
    department = fields.CharField(max_length=16)
    name = fields.CharField(max_length=50)
    basis = fields.CharField(max_length=200, default="")
    reason = fields.TextField()
    began_at = UtcField()
    due_on = fields.DateField(null=True)
    told_at = UtcField()
    ended_at = UtcField(null=True)
    result = fields.CharField(max_length=200, null=True)

    class Meta:
        table = "special_procedure"


class Extension(Model):
    """An extension of the legal limit."""

    id = fields.CharField(max_length=36, primary_key=True)
    case: Any = fields.ForeignKeyField("storage.Case", source_field="case_id", on_delete=fields.CASCADE, related_name=None)
    days = fields.IntField()
    reason = fields.TextField()
    asked_by = fields.CharField(max_length=36)
    asked_at = UtcField()
    approved_by = fields.CharField(max_length=36, null=True)
    approved_at = UtcField(null=True)
    refused_at = UtcField(null=True)

    class Meta:
        table = "extension"


class Delivery(Model):
    """How the result reaches the applicant."""

    case_id = fields.CharField(max_length=36, primary_key=True)
    method = fields.CharField(max_length=12)
    due_on = fields.DateField(null=True)
    address_sealed = fields.BinaryField(null=True)
    carrier = fields.CharField(max_length=50, null=True)
    tracking = fields.CharField(max_length=64, null=True)
    sent_at = UtcField(null=True)
    delivered_at = UtcField(null=True)
    signed_by = fields.CharField(max_length=50, null=True)

    class Meta:
        table = "delivery"


class CaseAgent(Model):
    """Who acts for whom in a case."""

    case_id = fields.CharField(max_length=36, primary_key=True)
    kind = fields.CharField(max_length=14)
    agent_id = fields.CharField(max_length=36)
    proxy_id = fields.CharField(max_length=36, null=True)
    relation = fields.CharField(max_length=50, default="")
    principal_sealed = fields.BinaryField()
    principal_id = fields.CharField(max_length=36, null=True)
    is_minor = fields.BooleanField(default=False)
    agent_sealed = fields.BinaryField(null=True)

    class Meta:
        table = "case_agent"


class Proxy(Model):
    """An authority to act for somebody."""

    id = fields.CharField(max_length=36, primary_key=True)
    kind = fields.CharField(max_length=14)
    agent_id = fields.CharField(max_length=36)
    principal_id = fields.CharField(max_length=36, null=True)
    principal_sealed = fields.BinaryField()
    items: Any = fields.JSONField()
    village = fields.CharField(max_length=12, null=True)
    upload: Any = fields.ForeignKeyField("storage.Upload", source_field="upload_id", null=True, related_name=None)
    is_minor = fields.BooleanField(default=False)
    state = fields.CharField(max_length=10)
    valid_to_on = fields.DateField(null=True)
    created_at = UtcField()
    changed_at = UtcField()
    principal_key = fields.CharField(max_length=64, default="")
    agent_sealed = fields.BinaryField(null=True)
    relation = fields.CharField(max_length=16, default="")
    area = fields.CharField(max_length=12, default="")
    is_incapable = fields.BooleanField(default=False)
    reason = fields.CharField(max_length=300, null=True)
    settled_by = fields.CharField(max_length=36, null=True)
    confirmed_at = UtcField(null=True)
    is_kept = fields.BooleanField(default=False)

    class Meta:
        table = "proxy"


class Debt(Model):
    """A paper that may follow."""

    id = fields.CharField(max_length=36, primary_key=True)
    case: Any = fields.ForeignKeyField("storage.Case", source_field="case_id", on_delete=fields.CASCADE, related_name=None)
    material = fields.CharField(max_length=16)
    kind = fields.CharField(max_length=12)
    text_version = fields.CharField(max_length=40, default="")
    signed_at = UtcField()
    due_on = fields.DateField()
    reminded_at = UtcField(null=True)
    settled_at = UtcField(null=True)
    lapsed_at = UtcField(null=True)
    result = fields.CharField(max_length=12, null=True)
    note = fields.CharField(max_length=300, null=True)

    class Meta:
        table = "debt"


class CaseNote(Model):
    """What officers write for each other."""

    id = fields.CharField(max_length=36, primary_key=True)
    case: Any = fields.ForeignKeyField("storage.Case", source_field="case_id", on_delete=fields.CASCADE, related_name=None)
    staff_id = fields.CharField(max_length=36)
    text_sealed = fields.BinaryField()
    written_at = UtcField()

    class Meta:
        table = "case_note"


class ReplyTemplate(Model):
    """A text officers use again."""

    id = fields.CharField(max_length=36, primary_key=True)
    department = fields.CharField(max_length=16)
    kind = fields.CharField(max_length=20)
    title = fields.CharField(max_length=60)
    text = fields.CharField(max_length=2000)
    is_active = fields.BooleanField(default=True)
    changed_by = fields.CharField(max_length=36)
    changed_at = UtcField()

    class Meta:
        table = "reply_template"


class SupervisionCard(Model):
    """A supervision card, kept for ever."""

    id = fields.CharField(max_length=36, primary_key=True)
    object_kind = fields.CharField(max_length=16)
    object_id = fields.CharField(max_length=36)
    case_id = fields.CharField(max_length=36, null=True)
    item_code = fields.CharField(max_length=16, null=True)
    department = fields.CharField(max_length=16)
    area = fields.CharField(max_length=12)
    staff_id = fields.CharField(max_length=36, null=True)
    level = fields.CharField(max_length=10)
    rule = fields.CharField(max_length=40)
    rule_version = fields.IntField()
    text = fields.CharField(max_length=300)
    state = fields.CharField(max_length=12)
    earned_at = UtcField()
    issued_at = UtcField(null=True)
    issued_by = fields.CharField(max_length=36, null=True)
    feedback_due_on = fields.DateField(null=True)
    feedback = fields.CharField(max_length=1000, null=True)
    feedback_at = UtcField(null=True)
    appeal = fields.CharField(max_length=1000, null=True)
    appealed_at = UtcField(null=True)
    appeal_result = fields.CharField(max_length=12, null=True)
    settled_by = fields.CharField(max_length=36, null=True)
    settled_at = UtcField(null=True)
    reason = fields.CharField(max_length=500, null=True)

    class Meta:
        table = "supervision_card"


class CaseOutcome(Model):
    """What a finished case is counted by."""

    case_id = fields.CharField(max_length=36, primary_key=True)
    item_code = fields.CharField(max_length=16)
    department = fields.CharField(max_length=16)
    area = fields.CharField(max_length=12)
    staff_id = fields.CharField(max_length=36, null=True)
    audience = fields.CharField(max_length=8)
    received_on = fields.DateField()
    accepted_on = fields.DateField(null=True)
    ended_on = fields.DateField()
    ending = fields.CharField(max_length=14)
    promised_days = fields.IntField()
    legal_days = fields.IntField()
    used_days = fields.IntField(null=True)
    used_legal = fields.IntField(null=True)
    net_seconds = fields.BigIntField(null=True)
    corrections = fields.IntField()
    is_first_time = fields.BooleanField()

    class Meta:
        table = "case_outcome"


class CaseSearch(Model):
    """How officers find a case."""

    case_id = fields.CharField(max_length=36, primary_key=True)
    area = fields.CharField(max_length=12)
    item_code = fields.CharField(max_length=16)
    number_tail = fields.CharField(max_length=6)
    applicant_hash = fields.CharField(max_length=64, default="")
    received_on = fields.DateField()

    class Meta:
        table = "case_search"
