"""The lock lists hold what pyproject.toml asks for, each with its hashes, and no address of where it came from."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.tree import ROOT, project

LISTS = {
    "run.txt": project()["project"]["dependencies"],
    "test.txt": [*project()["project"]["dependencies"], *project()["dependency-groups"]["test"]],
    "front.txt": project()["dependency-groups"]["front"],
}


def locked(path: Path) -> dict[str, str]:
    """Name and version of every locked distribution."""
    pairs = re.findall(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("name", LISTS)
def test_every_requirement_is_locked_at_a_version_that_satisfies_it(name: str):
    held = locked(ROOT / "requirements" / name)
    for text in LISTS[name]:
        wanted = Requirement(text)
        assert held.get(canonicalize_name(wanted.name)) in wanted.specifier, f"{text}: locked is {held.get(wanted.name)}"


@pytest.mark.parametrize("name", LISTS)
def test_every_locked_distribution_has_a_hash_and_no_address(name: str):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in entries)


def test_testing_uses_the_versions_that_run():
    running, testing = locked(ROOT / "requirements" / "run.txt"), locked(ROOT / "requirements" / "test.txt")
    assert {name: testing.get(name) for name in running} == running


def test_the_front_ends_lock_has_hashes_and_no_addresses():
    packages = json.loads((ROOT / "miniprogram" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, package in packages.items():
        if not name or package.get("link"):
            continue
        assert "resolved" not in package, name
        assert package.get("integrity", "").startswith("sha"), name


def test_the_test_list_contains_the_run_list():
    assert locked(ROOT / "requirements" / "run.txt").items() <= locked(ROOT / "requirements" / "test.txt").items()


_PYTHON = """\
#!/bin/sh
# Stands in for the environment's interpreter: notes which list pip is asked for.
while [ $# -gt 0 ]; do
    [ "$1" != -r ] || basename "$2" >>installed
    shift
done
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but the script, its lists and an interpreter that only takes notes."""
    shutil.copy(ROOT / "run", tmp_path / "run")
    (tmp_path / "requirements").mkdir()
    for name in LISTS:
        (tmp_path / "requirements" / name).write_text(f"{name} as it was\n", encoding="utf-8")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(_PYTHON, encoding="utf-8")
    python.chmod(0o755)
    return tmp_path


def installed(checkout: Path, *commands: str) -> list[str]:
    """Which lists these commands of the script install, one after the other."""
    notes = checkout / "installed"
    notes.write_text("", encoding="utf-8")
    for command in commands:
        subprocess.run(
            ["./run", *command.split()], cwd=checkout, check=True, capture_output=True, env={**os.environ, "PYTHON": sys.executable}
        )
    return notes.read_text(encoding="utf-8").split()


DEMO, TESTED = "demo --no-frontend", "bench"


def test_a_list_is_installed_once_and_again_only_when_it_has_changed(checkout: Path):
    assert installed(checkout, DEMO, DEMO, "check") == ["run.txt"]
    (checkout / "requirements" / "run.txt").write_text("run.txt as it is now\n", encoding="utf-8")
    assert installed(checkout, DEMO, DEMO) == ["run.txt"]


def test_who_has_the_test_list_has_the_run_list(checkout: Path):
    assert installed(checkout, TESTED, DEMO, TESTED, DEMO, "migrate") == ["test.txt"]


def test_the_run_list_undoes_what_another_test_list_asked_for(checkout: Path):
    lists = checkout / "requirements"
    assert installed(checkout, TESTED) == ["test.txt"]
    (lists / "run.txt").write_text("run.txt of another branch\n", encoding="utf-8")
    assert installed(checkout, DEMO) == ["run.txt"]
    assert installed(checkout, TESTED) == ["test.txt"]  # though its own list is as it was
