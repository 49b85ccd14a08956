"""The lock lists hold what pyproject.toml asks for, each with its hashes, and no address of where it came from."""

from __future__ import annotations

import json
import re
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
