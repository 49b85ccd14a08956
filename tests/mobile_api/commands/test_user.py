"""`mobile-api user` keeps the accounts: who is added, moves, forgets his password, leaves and comes back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import load
from handlers import sessions, staff
from handlers.errors import Refused
from mobile_api.__main__ import main
from mobile_api.composition import open_office
from tests.support.apart import run_apart

PASSWORD, ANOTHER = "a-password-for-tests", "another-password"
User = Callable[..., tuple[int, str]]
WANG = ["--username", "wang", "--name", "王芳"]


@pytest.fixture(autouse=True)
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{tmp_path}/town.db")
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> User:
    """The command; its exit code and what it said."""

    def typed(*words: str, password: str = PASSWORD) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\r\n"))
        code = main(["user", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return typed


def standing_after(*passwords: str) -> list[str]:
    """The name behind a log-in of `wang` with each password, or the refusal."""

    async def tried() -> list[str]:
        found = []
        async with open_office(load(None)) as office:
            for password in passwords:
                try:
                    opened, _ = await staff.log_in(office, "wang", password, "", "test")
                except Refused as refused:
                    found.append(refused.code)
                else:
                    standing = await sessions.standing(office, opened.session_id)
                    found.append(f"{standing.name} {standing.role} {standing.department}" if standing else "none")
        return found

    return run_apart(tried())


def open_log_ins() -> int:
    async def counted() -> int:
        async with open_office(load(None)) as office:
            row = await office.database.one("SELECT count(*) AS n FROM session WHERE revoked_at IS NULL")
            return int(row["n"]) if row else 0

    return run_apart(counted())


def test_who_is_added_can_log_in_and_stands_in_the_list(user: User):
    assert user("add", *WANG, "--role", "officer", "--department", "MZ", "--password-stdin") == (0, "wang can log in.\n")
    assert standing_after(PASSWORD) == ["王芳 officer MZ"]
    assert user("list")[1].split() == ["wang", "officer", "MZ", "open", "-", "王芳"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--role", "officer", "--department", "XX"], "known are"),
        (["--role", "approver"], "--department CODE"),
        (["--role", "clerk"], "8 characters"),
    ],
)
def test_an_account_that_could_do_nothing_is_not_made(user: User, words: list[str], told: str):
    code, said = user("add", *WANG, *words, "--password-stdin", password=PASSWORD if "clerk" not in words else "short")
    assert (code, told in said) == (1, True)
    assert "wang" not in user("list")[1]


def test_who_leaves_is_logged_out_everywhere_and_who_comes_back_has_his_password(user: User):
    user("add", *WANG, "--role", "clerk", "--hall", "大厅", "--password-stdin")
    standing_after(PASSWORD)
    assert user("close", "--username", "wang")[0] == 0
    assert (standing_after(PASSWORD), open_log_ins()) == (["login_failed"], 0)
    assert "closed" in user("list")[1]
    user("reopen", "--username", "wang")
    assert standing_after(PASSWORD) == ["王芳 clerk "]


def test_a_new_password_takes_the_place_of_the_old_one_and_of_what_it_opened(user: User):
    user("add", *WANG, "--role", "clerk", "--password-stdin")
    standing_after(PASSWORD)
    assert user("password", "--username", "wang", "--password-stdin", password=ANOTHER)[0] == 0
    assert open_log_ins() == 0
    assert standing_after(PASSWORD, ANOTHER) == ["login_failed", "王芳 clerk "]
    assert "Secret for one-time codes" in user("password", "--username", "wang", "--totp", "--password-stdin")[1]
    assert standing_after(PASSWORD) == ["login_failed"]  # the code is missing


def test_who_moves_keeps_what_is_not_named(user: User):
    user("add", *WANG, "--role", "officer", "--department", "MZ", "--password-stdin")
    assert user("change", "--username", "wang", "--department", "SJ")[0] == 0
    assert standing_after(PASSWORD) == ["王芳 officer SJ"]
    assert user("change", "--username", "wang", "--department", "")[0] == 1
    assert user("change", "--username", "wang", "--role", "clerk", "--department", "", "--name", "王小芳")[0] == 0
    assert standing_after(PASSWORD) == ["王小芳 clerk "]


@pytest.mark.parametrize("action", ["change", "close", "reopen", "password"])
def test_an_unknown_user_name_is_told(user: User, action: str):
    words = ["--password-stdin"] if action == "password" else []
    code, said = user(action, "--username", "nobody", *words)
    assert (code, "user list" in said) == (1, True)


@pytest.mark.parametrize(
    "words", [["--username", "", "--name", "王芳"], ["--username", "wang", "--name", " "], ["--username", "wang", "--name", "王" * 51]]
)
def test_names_that_are_empty_or_too_long_are_told(user: User, words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        user("add", *words, "--role", "clerk", "--password-stdin")
    assert ended.value.code == 2
    assert "characters" in capsys.readouterr().err
