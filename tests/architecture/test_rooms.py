"""The rooms and the arrows between them are what pyproject.toml declares (design, section 2)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tree import ROOT, name, packages, project, python_files


def test_every_room_is_declared_wherever_rooms_are_listed():
    tool = project()["tool"]
    lists = {
        "import-linter": tool["importlinter"]["root_packages"],
        "wheel": tool["hatch"]["build"]["targets"]["wheel"]["only-include"],
        "mypy": tool["mypy"]["packages"],
    }
    assert {where: set(rooms) for where, rooms in lists.items()} == dict.fromkeys(lists, packages())
    assert packages() <= set(tool["deptry"]["known_first_party"])


def test_the_arrows_are_kept():
    # A process of its own: import-linter switches off every logger that exists when it starts.
    linter = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert linter.returncode == 0, linter.stdout


def test_every_folder_of_modules_is_a_package():
    """A folder without __init__.py would be left out of the arrows."""
    rooms = packages()
    for path in python_files():
        parts = path.relative_to(ROOT).parts
        if parts[0] in rooms:
            for depth in range(1, len(parts)):
                assert (ROOT.joinpath(*parts[:depth]) / "__init__.py").exists(), name(path)


@pytest.mark.parametrize("library", ["tortoise", "redis", "asyncpg", "aiosqlite"])
def test_a_library_of_the_stores_is_named_in_storage_only(library: str):
    """Also within functions and under `if TYPE_CHECKING`; the sandbox is a foreign program with a Redis client of its own."""
    strangers = [name(path) for path in python_files() if _room(path) in packages() - {"storage", "sandbox"} and library in _imported(path)]
    assert strangers == []


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found
