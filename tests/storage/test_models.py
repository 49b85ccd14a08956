"""The migrated schema is what the models say, and its rules bite, on both databases."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
from collections import Counter as Tally
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tortoise import fields
from tortoise.models import Model

from storage import exchange_models, models, office_models
from storage.database import Database
from storage.errors import Conflict
from storage.migrate import migrations
from tests.support.samples import ROWS, insert, insert_all

OpenDatabase = Callable[..., Awaitable[Database]]
MODELS: dict[str, type[Model]] = {
    str(model.Meta.table): model  # type: ignore[attr-defined]  # each model here has one
    for module in (models, exchange_models, office_models)
    for _, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, Model) and model is not Model
}

# Their keys have several columns; tortoise would take one column for the key and change many rows for one.
SQL_ONLY = {
    "item_version", "case_material", "case_line", "inbox", "idempotency", "account_event", "subscription", "exchange_nonce", "file_batch",
    "supervision_due", "desk_task", "claim",
}  # fmt: skip
RUNNER_ONLY = {"migration"}  # written by storage/migrate.py before any model could be used

TYPES: dict[type[fields.Field[Any]], str] = {
    fields.CharField: "VARCHAR", fields.TextField: "TEXT", fields.IntField: "INTEGER", fields.BigIntField: "BIGINT",
    fields.BinaryField: "BYTEA", fields.JSONField: "JSONB", fields.BooleanField: "BOOLEAN", fields.DateField: "DATE",
    models.UtcField: "TIMESTAMPTZ",
}  # fmt: skip
POSTGRES_TYPES = {"character varying": "VARCHAR", "timestamp with time zone": "TIMESTAMPTZ"}

# (table, column, a value that a CHECK forbids): one for every CHECK over one column.
FORBIDDEN: list[tuple[str, str, object]] = [
    ("resident", "identity_level", 5),
    ("staff", "role", "mayor"),
    ("session", "account_kind", "robot"),
    ("item_version", "version", 0),
    ("upload", "state", "lost"),
    ("cases", "state", "forgotten"),
    ("cases", "decision", "maybe"),
    ("case_material", "source", "hearsay"),
    ("case_event", "actor_kind", "nobody"),
    ("task", "step", "dance"),
    ("task", "state", "asleep"),
    ("task", "result", "maybe"),
    ("set_aside", "kind", "other"),
    ("set_aside", "settled_how", "burnt"),
    ("exchange_link", "state", "asleep"),
    ("exchange_key", "purpose", "fun"),
    ("file_batch", "direction", "up"),
    ("file_batch", "number", 0),
    ("file_batch", "state", "lost"),
    ("evidence", "direction", "up"),
    ("extension", "days", 0),
    ("delivery", "method", "pigeon"),
    ("case_agent", "kind", "friend"),
    ("proxy", "kind", "friend"),
    ("proxy", "state", "maybe"),
    ("debt", "kind", "gift"),
    ("debt", "result", "maybe"),
    ("desk_task", "step", "dance"),
    ("desk_task", "level", 4),
    ("reply_template", "kind", "poem"),
    ("supervision_card", "object_kind", "cat"),
    ("supervision_card", "level", "green"),
    ("supervision_card", "state", "lost"),
    ("supervision_card", "appeal_result", "maybe"),
    ("case_outcome", "ending", "happy"),
    ("notification", "channel", "pigeon"),
    ("notification", "state", "lost"),
    ("subscription", "kind", "twice"),
    ("subscription", "credits", -1),
    ("evaluation", "level", 6),
]
# CHECKs over several columns have tests of their own below.
OVER_SEVERAL = {"cases": 1, "case_material": 1, "exchange_key": 2}


# Another row that differs in its id, or in a part of its key, and clashes in what must be unique.
ONCE: dict[str, dict[str, object]] = {
    "resident": {"id": "r2"},
    "staff": {"id": "s2"},
    "session": {"id": "l2"},
    "item_version": {"version": 2},
    "cases": {"id": "c2"},
    "case_event": {"id": "e2"},
    "task": {"id": "t2"},
    "outbox": {"id": "m2"},
    "file_grant": {"id": "g2"},
    "umbrella": {"id": "u2"},
    "debt": {"id": "d2"},
    "supervision_card": {"id": "k2"},
    "notification": {"id": "n2"},
    "evaluation": {"id": "v2"},
}


async def refused(act: Awaitable[None]) -> bool:
    try:
        await act
    except Conflict:
        return True
    return False


async def tables(database: Database) -> set[str]:
    if database.dialect == "sqlite":
        return {row["name"] for row in await database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    rows = await database.rows("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'")
    return {row["name"] for row in rows}


async def columns(database: Database, table: str) -> dict[str, tuple[str, bool]]:
    """Every column's type, with its length, and whether it may be NULL."""
    if database.dialect == "sqlite":
        found = await database.rows(f"PRAGMA table_info({table})")
        return {row["name"]: (row["type"], not row["notnull"]) for row in found}
    found = await database.rows(
        "SELECT column_name, data_type, character_maximum_length AS length, is_nullable AS nullable FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = $1",
        table,
    )
    return {row["column_name"]: (_postgres_type(row), row["nullable"] == "YES") for row in found}


def _postgres_type(row: dict[str, Any]) -> str:
    name = POSTGRES_TYPES.get(row["data_type"], row["data_type"].upper())
    return name if row["length"] is None else f"{name}({row['length']})"


def described(model: type[Model]) -> dict[str, tuple[str, bool]]:
    meta = model._meta
    return {column: _described(meta.fields_map[name]) for name, column in meta.fields_db_projection.items()}


def _described(field: fields.Field[Any]) -> tuple[str, bool]:
    name = TYPES[type(field)]
    return (f"{name}({field.max_length})" if isinstance(field, fields.CharField) else name), bool(field.null)


async def test_every_table_has_a_model_or_a_reason_to_have_none(database: Database):
    assert await tables(database) == MODELS.keys() | SQL_ONLY | RUNNER_ONLY
    assert ROWS.keys() == MODELS.keys() | SQL_ONLY


async def test_only_tables_with_a_composite_key_have_no_model(sqlite_url: str, open_database: OpenDatabase):
    database = await open_database(sqlite_url)
    for table in SQL_ONLY:
        assert sum(row["pk"] > 0 for row in await database.rows(f"PRAGMA table_info({table})")) > 1, table


async def test_the_columns_are_those_of_the_models(database: Database):
    for table, model in MODELS.items():
        assert await columns(database, table) == described(model), table


async def test_the_models_fill_in_what_the_schema_would(sqlite_url: str, open_database: OpenDatabase):
    """The ORM never leaves a column out, so a default of the schema alone would be written as NULL."""
    database = await open_database(sqlite_url)
    for table, model in MODELS.items():
        defaults = {column: model._meta.fields_map[name].default for name, column in model._meta.fields_db_projection.items()}
        for row in await database.rows(f"PRAGMA table_info({table})"):
            told = row["dflt_value"]
            written = {"TRUE": "True", "FALSE": "False"}.get(told, told and told.strip("'"))
            default = defaults[row["name"]]
            assert (None if default is None else str(default)) == written, f"{table}.{row['name']}"


async def test_a_row_read_as_a_model_has_the_values_that_went_in(database: Database):
    await insert_all(database)
    for table, model in MODELS.items():
        [found] = await model.all().using_db(database.client).values()
        names = {column: name for name, column in model._meta.fields_db_projection.items()}
        for column, value in ROWS[table].items():
            is_json = isinstance(model._meta.fields_map[names[column]], fields.JSONField)
            assert found[names[column]] == (json.loads(value) if is_json else value), f"{table}.{column}"


async def test_a_time_in_any_zone_is_written_in_utc_and_found_again(database: Database):
    here = dt.datetime(2026, 3, 2, 7, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    await models.Lease.create(name="n", holder="h", fence=1, expires_at=here, using_db=database.client)
    leases = models.Lease.filter(expires_at__lt=here + dt.timedelta(microseconds=1)).using_db(database.client)
    assert [lease.expires_at for lease in await leases] == [here]
    assert not await models.Lease.filter(expires_at__lt=here).using_db(database.client).exists()
    assert await database.one("SELECT name FROM lease WHERE expires_at = $1", here.astimezone(dt.UTC)) == {"name": "n"}


async def test_values_that_a_check_forbids_are_refused(database: Database):
    await insert_all(database)
    for table, column, value in FORBIDDEN:
        assert await refused(database.execute(f"UPDATE {table} SET {column} = $1", value)), f"{table}.{column} = {value!r}"


def test_every_check_of_the_schema_is_tried():
    written = Tally[str]()
    for migration in migrations():
        for statement in migration.statements():
            table = re.search(r"(?:CREATE|ALTER) TABLE (\w+)", statement)
            if table:
                written[table[1]] += len(re.findall(r"\bCHECK \(", statement))
            if anew := re.search(r"ALTER TABLE (\w+) RENAME TO (\w+)", statement):
                written[anew[2]] = written.pop(anew[1])
    tried = Tally(table for table, _, _ in FORBIDDEN) + Tally(OVER_SEVERAL)
    assert +written == tried


async def test_a_departments_key_is_a_secret_or_a_public_key_never_both_or_neither(database: Database):
    await insert_all(database)
    for change in ("purpose = 'verify'", "public_jwk = '{}'", "secret_sealed = NULL"):
        assert await refused(database.execute(f"UPDATE exchange_key SET {change}")), change
    await database.execute("UPDATE exchange_key SET purpose = 'verify', secret_sealed = NULL, public_jwk = '{}'")


async def test_a_case_needs_a_number_unless_it_is_a_draft(database: Database):
    await insert_all(database)
    await database.execute("UPDATE cases SET state = 'draft', number = NULL")
    with pytest.raises(Conflict):
        await database.execute("UPDATE cases SET state = 'submitted'")


async def test_a_material_has_an_upload_exactly_when_it_was_uploaded(database: Database):
    await insert_all(database)
    for change in ("source = 'form'", "upload_id = NULL"):
        with pytest.raises(Conflict):
            await database.execute(f"UPDATE case_material SET {change}")
    await database.execute("UPDATE case_material SET source = 'form', upload_id = NULL")


async def test_a_message_is_set_aside_once_and_nameless_ones_as_often_as_they_come(database: Database):
    await insert_all(database)
    row = ROWS["set_aside"]
    with pytest.raises(Conflict):
        await insert(database, "set_aside", row | {"id": "b"})
    await insert(database, "set_aside", row | {"id": "b", "department": "E"})
    await insert(database, "set_aside", row | {"id": "c", "message_id": None})
    await insert(database, "set_aside", row | {"id": "d", "message_id": None})


async def test_what_may_exist_once_exists_once(database: Database):
    await insert_all(database)
    for table, other in ONCE.items():
        assert await refused(insert(database, table, ROWS[table] | other)), table


async def test_a_case_takes_its_own_rows_with_it_and_keeps_its_resident(database: Database):
    await insert_all(database)
    with pytest.raises(Conflict):
        await database.execute("DELETE FROM resident")
    await database.execute("DELETE FROM evaluation")
    await database.execute("DELETE FROM cases")
    for table in ("case_material", "case_event", "task", "case_line"):
        assert await database.rows(f"SELECT * FROM {table}") == []
    with pytest.raises(Conflict):
        await insert(database, "case_line", ROWS["case_line"])
