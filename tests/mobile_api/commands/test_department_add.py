"""`mobile-api department add | list | keys | revoke`: a department gets its table, its key and its user, and loses them again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey
from redis import Redis, exceptions

from mobile_api.__main__ import main
from mobile_api.commands.department_table import TableUnfit, changed, draft
from tests.support.processes import free_port
from tests.support.tree import ROOT

Words = pytest.CaptureFixture[str]
NEW = ["--name", "地震", "--unit", "县地震局", "--consult-phone", "0000-10990001", "--complaint-phone", "0000-10990002"]


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tables of a town that lives in this test's folder; its embedded Redis lets departments in."""
    shutil.copytree(ROOT / "config", tmp_path / "tables")
    settings = {
        "DATABASE__URL": f"sqlite://{tmp_path}/town.db",
        "SECRETS__DIR": f"{tmp_path}/secrets",
        "FILES__URL": f"file://{tmp_path}/files",
        "REDIS__DIR": f"{tmp_path}/valkey",
        "REDIS__PORT": str(free_port()),
        "TOWN__TABLES": f"{tmp_path}/tables",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"MOBILE_API_{name}", value)
    return tmp_path / "tables" / "departments"


def settings_in(output: str) -> dict[str, str]:
    """What is to be pasted: the lines that are no comment."""
    return dict(line.split("=", 1) for line in output.splitlines() if not line.startswith("#"))


def test_a_change_is_shown_and_nothing_else_happens(tables: Path, capsys: Words):
    before = (tables / "MZ.toml").read_text(encoding="utf-8")
    assert main(["department", "add", "MZ", "--link", "pull"]) == 0
    out = capsys.readouterr().out

    assert '#   -link = "queue"\n#   +link = "pull"' in out
    assert settings_in(out) == {}
    assert (tables / "MZ.toml").read_text(encoding="utf-8") == before
    assert main(["department", "keys"]) == 0
    assert "No keys." in capsys.readouterr().out


def test_with_write_only_the_wanted_lines_change(tables: Path, capsys: Words):
    before = (tables / "MZ.toml").read_text(encoding="utf-8")
    words = ["--link", "webhook", "--address", "https://mz.example.gov.cn/hook", "--border", "--write"]
    assert main(["department", "add", "MZ", *words]) == 0
    after = (tables / "MZ.toml").read_text(encoding="utf-8")

    added = 'link = "webhook"\nborder = true\naddress = "https://mz.example.gov.cn/hook"\n'
    assert after == before.replace('link = "queue"\npartitions', f"{added}partitions")
    assert main(["check", "--lang", "en"]) == 0


def test_a_new_department_gets_a_table_that_holds(tables: Path, capsys: Words):
    assert main(["department", "add", "DZ", "--link", "pull", "--write"]) == 1
    assert "--name --unit --consult-phone --complaint-phone" in capsys.readouterr().err
    assert main(["department", "add", "DZ", "--link", "pull", *NEW, "--write"]) == 0
    pasted = settings_in(capsys.readouterr().out)

    assert pasted["DEPARTMENT"] == "DZ"
    assert len(bytes.fromhex(pasted["EXCHANGE_SECRET"])) == 32
    assert main(["department", "list", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["name"], one["link"], one["unsent"]) for one in lines if one["code"] == "DZ"] == [("地震", "pull", 0)]


def test_a_table_that_would_not_hold_is_not_written(tables: Path, capsys: Words):
    twice = [*NEW[:-1], NEW[5]]
    assert main(["department", "add", "bad code", "--link", "pull", *NEW, "--write"]) == 1
    assert main(["department", "add", "DZ", "--link", "pull", *twice, "--partitions", "99", "--write"]) == 1
    assert "DZ.toml:" in capsys.readouterr().err
    assert {path.name for path in tables.iterdir()} == {path.name for path in (ROOT / "config" / "departments").iterdir()}


def test_with_apply_the_user_that_is_printed_can_come_in_until_it_is_revoked(tables: Path, capsys: Words, tmp_path: Path):
    assert main(["department", "add", "MZ", "--apply"]) == 0
    out = capsys.readouterr().out
    pasted = settings_in(out)

    assert pasted["REDIS_URL"].split("@")[0] not in (tmp_path / "valkey" / "users.acl").read_text()
    assert "user department-MZ on" in (tmp_path / "valkey" / "users.acl").read_text()
    assert "will after a restart" in out
    assert main(["department", "revoke", "department-MZ"]) == 0
    assert main(["department", "revoke", "department-MZ"]) == 1
    assert "user department-MZ" not in (tmp_path / "valkey" / "users.acl").read_text()


def test_the_printed_command_makes_the_printed_user(tables: Path, capsys: Words, valkey_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOBILE_API_REDIS__URL", valkey_url)
    assert main(["department", "add", "MZ"]) == 0
    out = capsys.readouterr().out
    (command,) = [line.removeprefix("#").strip() for line in out.splitlines() if "ACL SETUSER" in line]

    with Redis.from_url(valkey_url) as keeper, Redis.from_url(settings_in(out)["REDIS_URL"]) as mz:
        with pytest.raises(exceptions.AuthenticationError):
            mz.ping()
        keeper.execute_command("ACL SETUSER", *split_like_redis_cli(command)[2:])
        assert mz.xadd("a:{MZ.0}", {"e": "1"})
        with pytest.raises(exceptions.NoPermissionError):
            mz.xadd("a:{GA.0}", {"e": "1"})
        keeper.execute_command("ACL DELUSER", "department-MZ")


def split_like_redis_cli(command: str) -> list[str]:
    parts = command.split('"')
    return [word for place, part in enumerate(parts) for word in ([part] if place % 2 else part.split())]


def test_a_redis_that_lets_nobody_in_is_said_before_anything_is_made(tables: Path, capsys: Words, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOBILE_API_REDIS__PORT", "0")
    assert main(["department", "add", "MZ", "--apply"]) == 1
    assert "set redis.port" in capsys.readouterr().err
    assert main(["department", "keys"]) == 0
    assert "No keys." in capsys.readouterr().out


def test_a_cluster_is_told_node_by_node(tables: Path, capsys: Words, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOBILE_API_REDIS__URL", "redis+cluster://127.0.0.1:1")
    assert main(["department", "add", "MZ", "--apply"]) == 1
    assert "on every one" in capsys.readouterr().err
    assert main(["department", "revoke", "department-MZ"]) == 1
    assert "ACL DELUSER department-MZ on every one" in capsys.readouterr().err


def test_a_key_is_listed_without_its_secret_and_ends_when_it_is_revoked(tables: Path, capsys: Words):
    assert main(["department", "add", "MZ", "--link", "pull", "--write"]) == 0
    pasted = settings_in(capsys.readouterr().out)
    assert main(["department", "keys", "MZ"]) == 0
    listed = capsys.readouterr().out

    assert pasted["EXCHANGE_KEY"] in listed
    assert pasted["EXCHANGE_SECRET"] not in listed
    assert main(["department", "revoke", pasted["EXCHANGE_KEY"]]) == 0
    assert main(["department", "revoke", pasted["EXCHANGE_KEY"]]) == 1
    assert "No key in use" in capsys.readouterr().err
    assert main(["department", "keys", "MZ"]) == 0
    assert " revoked " in capsys.readouterr().out


def test_a_public_key_of_a_department_is_kept_and_a_private_one_refused(tables: Path, capsys: Words, tmp_path: Path):
    key = OKPKey.generate_key("Ed25519")
    (tmp_path / "public.json").write_text(json.dumps(key.as_dict(private=False)))
    (tmp_path / "private.json").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "broken.json").write_text("{")

    assert main(["department", "keys", "MZ", "--verify", str(tmp_path / "public.json")]) == 0
    kept = capsys.readouterr().out.removeprefix("Kept as ").rstrip(".\n")
    assert main(["department", "keys", "MZ"]) == 0
    assert f"{kept}  MZ                verify" in capsys.readouterr().out
    for code, purpose, file in (
        ("MZ", "--verify", "private"),
        ("MZ", "--encrypt", "public"),
        ("ZZ", "--verify", "public"),
        ("MZ", "--verify", "broken"),
    ):
        assert main(["department", "keys", code, purpose, str(tmp_path / f"{file}.json")]) == 1
    said = capsys.readouterr().err
    assert [word for word in ("Ed25519", "X25519", "Check the code", "broken.json cannot be read") if word not in said] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('link = "queue"  # by stream\n', 'link = "pull"  # by stream\n'),
        ("link='queue'\n", 'link="pull"\n'),
        ('unit = "u"\n', 'unit = "u"\nlink = "pull"\n'),
        ('# link = "queue"\nlink = "a # b"\n', '# link = "queue"\nlink = "pull"\n'),
        ('link = "say \\"hi\\""\nname = "n"\n', 'link = "pull"\nname = "n"\n'),
    ],
)
def test_comments_and_everything_else_stay(before: str, after: str):
    assert changed(before, {"link": "pull"}) == after


def test_a_table_that_this_command_does_not_understand_is_left_alone(tables: Path):
    odd = (tables / "MZ.toml").read_text(encoding="utf-8").replace('link = "queue"', 'link = """\nqueue"""')
    (tables / "MZ.toml").write_text(odd, encoding="utf-8")
    with pytest.raises(TableUnfit):
        draft(tables.parent, "MZ", {"link": "pull"})
