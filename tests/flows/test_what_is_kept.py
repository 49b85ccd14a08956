"""What would be found by somebody who steals the database or the log: nothing that tells whose papers these are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.wholetown import Town, application_for

SECRETS = {"id number": "11010519491231002X", "telephone": "13800138000", "address": "幸福村一组12号", "why": "家庭困难"}


async def everything(town: Town) -> str:
    """Every cell of every table as text."""
    database = town.stores.office.database
    catalogue = (
        "information_schema.tables WHERE table_schema = 'public'"
        if database.dialect == "postgres"
        else "sqlite_master WHERE type = 'table'"
    )
    name = "table_name" if database.dialect == "postgres" else "name"
    tables = [row["name"] for row in await database.rows(f"SELECT {name} AS name FROM {catalogue}")]
    rows = [row for table in tables for row in await database.rows(f"SELECT * FROM {table}")]
    return "\n".join(bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v) for row in rows for v in row.values())


async def test_nothing_personal_lies_readable_in_the_database_the_files_or_the_log(
    town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    resident = await town.resident("zhang")
    body = await application_for(resident, "MZ-01")
    case = await resident.call("POST", "/cases", json=body, key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")

    shown = await resident.call("GET", f"/cases/{case['id']}")
    cells = await everything(town)
    logged = caplog.text + "".join(capsys.readouterr())
    kept = b"".join(path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file())

    handed_in = {what: value for what, value in SECRETS.items() if value in str(body["form"])}
    assert set(handed_in) >= {"id number", "telephone"}
    for what, value in handed_in.items():
        assert value in str(shown["form"]), f"{what} is not even shown to its owner"
        assert value not in cells, f"{what} lies readable in the database"
        assert value.encode().decode("latin-1") not in cells, f"{what} lies readable in a binary column"
        assert value not in logged, f"{what} is in the log"
    assert kept
    assert b"\xff\xd8\xff" not in kept, "a photograph lies readable on disk"
