"""The wheel holds everything that the program needs: built, installed into an empty environment, run from elsewhere."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import ROOT, Process, answers, free_port, running, succeeds

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_room_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()

    rooms = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    wanted = [
        path for room in rooms for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".toml", ".sql", ".html", ".css", ".svg"}
    ]
    assert rooms == {"backoffice", "config", "handlers", "mobile_api", "notifications", "sandbox", "storage"}
    assert [name for name in names if "__pycache__" in name or name.endswith((".key", ".db", ".pyc"))] == []
    assert [str(path) for path in wanted if str(path.relative_to(ROOT)) not in names] == []


async def test_an_environment_with_the_wheel_runs_the_program_from_elsewhere(wheel: Path, tmp_path: Path):
    environment, elsewhere = tmp_path / "environment", tmp_path / "elsewhere"
    elsewhere.mkdir()
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    # What the program depends on is borrowed from this environment, so that no network is needed.
    borrowed = [path for path in sys.path if Path(path).is_dir() and Path(path).resolve() != ROOT]
    (packages / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    python = str(environment / "bin" / "python")
    await succeeds([python, "-m", "pip", "install", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)], folder=elsewhere)
    program = str(environment / "bin" / "mobile-api")

    helped = await succeeds([program, "--help"], folder=elsewhere)
    checked = await succeeds([program, "check"], folder=elsewhere)
    where = await succeeds([python, "-c", "import mobile_api; print(mobile_api.__file__)"], folder=elsewhere)

    assert "serve" in helped
    assert checked.strip()
    assert Path(where.strip()).is_relative_to(environment)
    await _serves(program, elsewhere)


async def _serves(program: str, folder: Path) -> None:
    """It answers, with its own pages and items, and with the embedded queues."""
    port = free_port()
    settings = {"MOBILE_API_REDIS__DIR": str(folder / "valkey")}
    server = Process("serve", ["serve", "--port", str(port)], settings, folder, program=program, home=folder)
    async with running(server):
        for path in ("/readyz", "/api/v1/items/MZ-01", "/hall", "/docs"):
            await answers(f"http://127.0.0.1:{port}{path}")
