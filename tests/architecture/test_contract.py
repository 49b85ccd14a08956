"""What departments were promised holds: no message changes incompatibly within its major version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mobile_api.commands.reference import BASELINE, FOLDER, broken_promises, main, pages

DECIDED = "cn.gov.town.task.decided.v1"


def test_no_message_has_changed_incompatibly():
    assert (FOLDER / BASELINE).exists()
    assert broken_promises() == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference whose baseline promises a field that answers no longer have."""
    promised = json.loads(pages()[BASELINE])
    promised[DECIDED]["schema"]["properties"]["basis"] = {"type": "string"}
    (tmp_path / BASELINE).write_text(json.dumps(promised), encoding="utf-8")
    return tmp_path


def test_docs_refuses_an_incompatible_change_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]):
    before = (folder / BASELINE).read_bytes()
    assert main(folder) == 1
    assert [path.name for path in folder.iterdir()] == [BASELINE]
    assert (folder / BASELINE).read_bytes() == before
    told = capsys.readouterr().err
    assert f"{DECIDED}: data.basis: removed" in told
    assert "task.decided.v2" in told


def test_docs_takes_an_addition_into_the_baseline(folder: Path):
    promised = json.loads(pages()[BASELINE])
    del promised[DECIDED]["schema"]["properties"]["opinion"]
    (folder / BASELINE).write_text(json.dumps(promised), encoding="utf-8")
    assert main(folder) == 0
    assert (folder / BASELINE).read_text(encoding="utf-8") == pages()[BASELINE]
    assert broken_promises(folder) == []
