"""`mobile-api key` shows which keys are in use and makes the next one, and never prints a key."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from mobile_api.commands import key


def call(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    key.add_arguments(parser)
    return key.run(parser.parse_args(["--secrets-dir", str(folder), *words]))


def test_create_list_and_rotate_tell_the_operator_what_is_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "secrets"
    assert [call(folder, "create"), call(folder, "rotate", "token"), call(folder, "list")] == [0, 0, 0]
    said = capsys.readouterr().out
    assert "token-b.key made" in said
    lines = [line.split() for line in said.splitlines()[-5:]]
    assert [(line[0], line[1], line[3]) for line in lines] == [
        ("sealing", "1", "in"), ("token", "a", "readable"), ("token", "b", "in"), ("receipt", "A", "in"),
        ("border", "1", "in"),
    ]  # fmt: skip
    assert not any(path.read_text().strip() in said for path in folder.iterdir())


def test_a_folder_with_a_problem_lists_it_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call(tmp_path / "nowhere", "list") == 1
    assert "does not exist" in capsys.readouterr().out
    assert call(tmp_path / "nowhere", "rotate", "sealing") == 1
