"""`mobile-api check` names an address that cannot be used before anything is sent there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mobile_api.tables import Inspection
from tests.support.offers import TOWN_TABLES


def findings(tmp_path: Path, *lines: str) -> list[tuple[str, str, str]]:
    """(rule, level, message) of MZ's file when its link reads like this."""
    shutil.copytree(TOWN_TABLES, tmp_path / "tables", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = tmp_path / "tables" / "departments" / "MZ.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('\nlink = "queue"', "\n" + "\n".join(lines)), encoding="utf-8")
    found = [one for one in Inspection(tmp_path / "tables").findings if one.path == file and one.rule.startswith("webhook-")]
    assert all(
        file.read_text(encoding="utf-8").splitlines()[one.line - 1].startswith("address") or "address" not in lines[-1] for one in found
    )
    return [(one.rule, one.level, one.message) for one in found]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "网址"),
        ("http://mz.example.gov.cn/in", "https"),
        ("https://169.254.169.254/latest", "元数据"),
        ("https://mz.example.gov.cn:6379/", "6379"),
        ("https://127.0.0.1:8443/", "本机"),
    ],
)
def test_a_bad_address_is_an_error_with_its_reason(tmp_path: Path, address: str, said: str):
    [(rule, level, message)] = findings(tmp_path, 'link = "webhook"', f'address = "{address}"')
    assert (rule, level) == ("webhook-address", "error") if "127" not in address else ("webhook-at-home", "warning")
    assert said in message


def test_a_private_address_is_right_inside_and_wrong_beyond_the_border(tmp_path: Path):
    assert findings(tmp_path / "in", 'link = "webhook"', 'address = "https://10.1.2.3/in"') == []
    [(rule, _, message)] = findings(tmp_path / "out", 'link = "webhook"', "border = true", 'address = "https://10.1.2.3/in"')
    assert rule == "webhook-address"
    assert "内网" in message


def test_this_machine_is_for_trials_and_said_to_be(tmp_path: Path):
    [(rule, level, _)] = findings(tmp_path, 'link = "webhook"', 'address = "http://127.0.0.1:8700/webhook"')
    assert (rule, level) == ("webhook-at-home", "warning")


def test_only_webhooks_are_called_so_only_theirs_are_looked_at(tmp_path: Path):
    assert findings(tmp_path, 'link = "pull"', 'address = "http://127.0.0.1/"') == []
