"""A server that cannot start says why in one sentence, and ends with 1."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mobile_api.__main__ import main


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{tmp_path}/town.db")
    monkeypatch.setenv("MOBILE_API_REDIS__URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")
    return monkeypatch


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", "--only", "api", "--port", str(port)]) == 1
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use" in capsys.readouterr().err


def test_a_database_that_is_away_is_named(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    settings.setenv("MOBILE_API_DATABASE__URL", "postgres://town@127.0.0.1:1/town")
    assert main(["serve"]) == 1
    told = capsys.readouterr().err
    assert "MOBILE_API_DATABASE__URL" in told
    assert "Traceback" not in told
