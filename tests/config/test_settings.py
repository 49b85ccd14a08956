from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import SettingsError, load, production_problems
from tests.support.tree import ROOT

REAL = {
    "MOBILE_API_TOWN__PROFILE": "production",
    "MOBILE_API_TOWN__NAME": "某镇",
    "MOBILE_API_TOWN__HOTLINE": "0315-1234567",
    "MOBILE_API_TOWN__PUBLIC_BASE": "https://town.example.gov.cn",
    "MOBILE_API_WECHAT__APPID": "wx0123456789abcdef",
    "MOBILE_API_WECHAT__SECRET": "0123456789abcdef0123456789abcdef",
    "MOBILE_API_WECHAT__PUSH_TOKEN": "a-token-of-the-town",
    "MOBILE_API_WECHAT__PUSH_AES_KEY": "Q" * 43,
}


def test_defaults_run_untouched():
    settings = load(None, {})

    assert settings.database.url.startswith("sqlite://")
    assert settings.redis.url == "embedded"
    assert production_problems(settings) == []


def test_a_file_overrides_defaults_and_the_environment_overrides_the_file(tmp_path: Path):
    file = tmp_path / "town.toml"
    file.write_text('[http]\nport = 9000\nhost = "0.0.0.0"\n', encoding="utf-8")

    settings = load(None, {"MOBILE_API_CONFIG": str(file), "MOBILE_API_HTTP__PORT": "9001"})

    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 9001)  # noqa: S104 - a value, nothing listens


def test_lists_come_from_the_environment_by_commas():
    assert load(None, {"MOBILE_API_HTTP__TRUSTED_PROXIES": "10.0.0.1,10.0.0.2"}).http.trusted_proxies == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize("name", ["MOBILE_API_HTTP__PROT", "MOBILE_API_HTP__PORT", "MOBILE_API_PORT"])
def test_an_unknown_name_is_an_error_that_names_it(name: str):
    with pytest.raises(SettingsError, match="known"):
        load(None, {name: "1"})


def test_a_wrong_value_is_an_error():
    with pytest.raises(SettingsError, match="port"):
        load(None, {"MOBILE_API_HTTP__PORT": "many"})


def test_a_missing_file_is_an_error(tmp_path: Path):
    with pytest.raises(SettingsError, match="does not exist"):
        load(tmp_path / "none.toml", {})


def test_production_with_values_of_its_own_is_fit():
    assert production_problems(load(None, REAL)) == []


@pytest.mark.parametrize("left_out", sorted(set(REAL) - {"MOBILE_API_TOWN__PROFILE"}))
def test_production_refuses_every_value_left_at_its_sandbox_default(left_out: str):
    values = {name: value for name, value in REAL.items() if name != left_out}

    assert production_problems(load(None, values))


@pytest.mark.parametrize("left_empty", sorted(set(REAL) - {"MOBILE_API_TOWN__PROFILE"}))
def test_production_refuses_every_value_left_empty(left_empty: str):
    assert production_problems(load(None, {**REAL, left_empty: ""}))


def test_the_example_for_production_is_known_word_by_word_and_names_what_is_left_to_fill_in():
    example = load(ROOT / "config" / "production.example.toml", {})
    told = " ".join(production_problems(example))
    assert all(name in told for name in ("town.name", "appid", "secret", "push_token", "push_aes_key"))


def test_production_refuses_the_demo_and_short_secrets():
    assert production_problems(load(None, {**REAL, "MOBILE_API_DEMO__ENABLED": "true"}))
    assert production_problems(load(None, {**REAL, "MOBILE_API_WECHAT__SECRET": "short"}))


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("MOBILE_API_DATABASE__URL", "mysql://town", "sqlite://PATH or postgres://"),
        ("MOBILE_API_DATABASE__URL", "sqlite://", "sqlite://PATH"),
        ("MOBILE_API_REDIS__URL", "ftp://queue", "redis+sentinel://"),
        ("MOBILE_API_REDIS__URL", "embedded2", "embedded, redis://"),
        ("MOBILE_API_FILES__URL", "s3://bucket", "not available yet"),
        ("MOBILE_API_FILES__URL", "/srv/files", "file://FOLDER"),
    ],
)
def test_an_address_that_no_store_can_have_is_told_with_its_variable(variable: str, value: str, wanted: str):
    with pytest.raises(SettingsError) as told:
        load(None, {variable: value})
    assert variable in str(told.value)
    assert wanted in str(told.value)
