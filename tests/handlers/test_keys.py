"""Keys lie in small private files; a wrong folder is refused with the remedy."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handlers.keys import Keys, KeysUnusable, key_files, problems, rotate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Keys.create(tmp_path / "secrets")
    return tmp_path / "secrets"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_first_start_makes_one_private_key_of_each_kind(folder: Path):
    assert sorted(contents(folder)) == ["border-1.key", "receipt-A.key", "sealing-1.key", "token-a.key"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len({base64.b64decode(text) for text in contents(folder).values()}) == 4


def test_making_keys_again_never_touches_one_that_exists(folder: Path):
    before = contents(folder)
    Keys.create(folder)
    assert contents(folder) == before


def test_two_first_starts_at_the_same_moment_end_with_the_same_keys(tmp_path: Path):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: Keys.create(tmp_path / "secrets"), range(8)))
    assert len({keys.token_keys["a"] for keys in made}) == 1
    assert not [path for path in (tmp_path / "secrets").iterdir() if path.suffix != ".key"]


def test_rotation_brings_the_next_key_into_use_and_keeps_the_old_one_readable(folder: Path):
    old = Keys.load(folder)
    sealed = old.sealer.seal(b"text", "here")
    made = [rotate(folder, kind).path.name for kind in ("sealing", "token", "receipt", "border")]
    assert made == ["sealing-2.key", "token-b.key", "receipt-B.key", "border-2.key"]
    new = Keys.load(folder)
    assert (new.sealer.current, new.token_current, new.receipt_current) == (2, "b", "B")
    assert new.sealer.unseal(sealed, "here") == b"text"
    assert new.token_keys["a"] == old.token_keys["a"]
    assert new.receipt["A"] == old.receipt["A"]
    assert list(new.border) == ["1", "2"]
    assert new.border["1"] == old.border["1"]


def test_the_tenth_sealing_key_follows_the_ninth(folder: Path):
    for _ in range(9):
        rotate(folder, "sealing")
    assert Keys.load(folder).sealer.current == 10
    assert [file.id for file in key_files(folder) if file.in_use] == ["10", "a", "A", "1"]


def test_the_tenth_border_key_is_the_last_in_order(folder: Path):
    for _ in range(9):
        rotate(folder, "border")
    assert list(Keys.load(folder).border) == [str(n) for n in range(1, 11)]


def test_a_folder_from_before_there_were_border_keys_serves_and_gets_one_when_asked(folder: Path):
    (folder / "border-1.key").unlink()
    assert problems(folder, production=True) == []
    assert Keys.load(folder).border == {}
    before = contents(folder)
    assert list(Keys.create(folder).border) == ["1"]
    assert before.items() <= contents(folder).items()


def test_receipt_letters_skip_those_that_are_misread_and_end_with_a_clear_text(folder: Path):
    letters = "A" + "".join(rotate(folder, "receipt").id for _ in range(21))
    assert not set(letters) & set("ILOU")
    with pytest.raises(KeysUnusable, match="no letter is left"):
        rotate(folder, "receipt")


def test_keys_never_show_in_a_log(folder: Path):
    keys = Keys.load(folder)
    shown = repr(keys)
    assert repr(keys.token_keys["a"]) not in shown
    assert repr(keys.receipt["A"]) not in shown
    assert repr(keys.border["1"]) not in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds 0 bytes"),
        (base64.b64encode(b"short"), "holds 5 bytes"),
        (base64.b64encode(bytes(32)), "is not random"),
        (b"not base64 at all!", "is not a key"),
    ],
)
def test_a_spoilt_key_is_named_with_what_is_wrong(folder: Path, content: bytes, said: str):
    (folder / "token-a.key").write_bytes(content)
    found = problems(folder, production=False)
    assert len(found) == 1
    assert "token-a.key" in found[0]
    assert said in found[0]
    with pytest.raises(KeysUnusable):
        Keys.load(folder)


def test_a_key_that_others_can_read_is_refused_with_the_command_that_mends_it(folder: Path):
    (folder / "sealing-1.key").chmod(0o644)
    assert problems(folder, production=False) == [f"{folder}/sealing-1.key can be read by others: run `chmod 600 {folder}/sealing-1.key`."]


def test_a_missing_kind_a_misnamed_file_and_a_missing_folder_are_all_said(folder: Path, tmp_path: Path):
    (folder / "receipt-A.key").rename(folder / "receipt-a.key")
    found = " ".join(problems(folder, production=False))
    assert "no receipt-*.key" in found
    assert "receipt-a.key is no key file name" in found
    assert "does not exist" in problems(tmp_path / "nowhere", production=False)[0]


def test_a_demonstration_folder_is_refused_in_production_only(tmp_path: Path):
    Keys.create(tmp_path / "demo", sandbox=True)
    assert problems(tmp_path / "demo", production=False) == []
    assert "made for a demonstration" in problems(tmp_path / "demo", production=True)[0]


def test_no_key_to_follow_is_an_error_not_a_first_key(tmp_path: Path):
    with pytest.raises(KeysUnusable, match="holds no token key yet"):
        rotate(tmp_path, "token")
