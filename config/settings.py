"""The settings: defaults.toml, then a file, then the environment; an unknown name is an error, never ignored."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

HERE = Path(__file__).parent
DEFAULTS = HERE / "defaults.toml"
PREFIX = "MOBILE_API_"
_NOT_SETTINGS = {"MOBILE_API_CONFIG"}
_TEST_PREFIX = "MOBILE_API_TEST_"


_ADDRESSES = {
    "database": (r"(sqlite|postgres|postgresql)://.", "sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/NAME"),
    "redis": (
        r"embedded$|(redis|rediss|unix|redis\+sentinel|redis\+cluster)://.",
        "embedded, redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://",
    ),
    "files": (r"file://.", "file://FOLDER (s3:// is not available yet)"),
}
"""What each address may begin with, and how that is said."""


class SettingsError(Exception):
    """A setting is unknown or has a wrong value; the text says which, where, and what to do."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings; the reference of each is its comment in defaults.toml."""


class Town(Section, frozen=True):
    """Who runs this: names, codes and data of the town."""

    name: str
    division: str
    hotline: str
    public_base: str
    tables: str
    profile: str


class DatabaseSettings(Section, frozen=True):
    """Where the truth is kept."""

    url: str
    pool: int


class RedisSettings(Section, frozen=True):
    """Where messages travel."""

    url: str
    dir: str
    host: str
    port: int


class Files(Section, frozen=True):
    """Where uploads are kept."""

    url: str
    max_bytes: int
    clamd: str


class Secrets(Section, frozen=True):
    """Where keys are kept."""

    dir: str


class Http(Section, frozen=True):
    """How the server listens."""

    host: str
    port: int
    read_seconds: float
    pace_factor: float
    reuse_port: bool
    keepalive_seconds: float
    trusted_proxies: list[str]
    tls: bool


class Wechat(Section, frozen=True):
    """The mini-program's account with the platform."""

    base_url: str
    appid: str
    secret: str
    push_token: str
    push_aes_key: str


class Exchange(Section, frozen=True):
    """The carriers between this town and its departments."""

    lease_seconds: float
    resend_seconds: float
    stream_cap: int


class Notify(Section, frozen=True):
    """The delivery of messages to phones."""

    poll_seconds: float
    give_up_hours: float


class Clocks(Section, frozen=True):
    """How time limits run."""

    counting: Literal["date", "instant"]


class Desk(Section, frozen=True):
    """How officers share their work."""

    claim_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)]


class Demo(Section, frozen=True):
    """What only the demo switches on."""

    enabled: bool


class Settings(Section, frozen=True):
    """All settings, checked."""

    town: Town
    database: DatabaseSettings
    redis: RedisSettings
    files: Files
    secrets: Secrets
    http: Http
    wechat: Wechat
    exchange: Exchange
    notify: Notify
    clocks: Clocks
    desk: Desk
    demo: Demo

    @property
    def tables_dir(self) -> Path:
        """The folder with the town's items, departments and calendars."""
        return Path(self.town.tables) if self.town.tables else HERE

    @property
    def public_base(self) -> str:
        """The address residents use, without a slash at its end."""
        return (self.town.public_base or f"http://{self.http.host}:{self.http.port}").rstrip("/")


def load(file: str | Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises SettingsError with the name at fault and the remedy."""
    environment = os.environ if environment is None else environment
    values = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    file = file or environment.get("MOBILE_API_CONFIG") or None
    if file is not None:
        _merge(values, _read(Path(file)), str(file))
    _merge(values, _from_environment(environment, values), "the environment")
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"A setting has a wrong value: {error}. See config/defaults.toml for what it means.") from None
    _check_addresses(settings)
    return settings


def production_problems(settings: Settings) -> list[str]:
    """What keeps this configuration from being used for real papers; empty outside the production profile."""
    if settings.town.profile not in {"development", "production"}:
        return [f'town.profile must be "development" or "production", not "{settings.town.profile}".']
    if settings.town.profile == "development":
        return []
    return [*_wechat_problems(settings.wechat), *_town_problems(settings)]


def _check_addresses(settings: Settings) -> None:
    given = {"database": settings.database.url, "redis": settings.redis.url, "files": settings.files.url}
    for section, (pattern, wanted) in _ADDRESSES.items():
        if not re.match(pattern, given[section]):
            raise SettingsError(f"{section}.url (MOBILE_API_{section.upper()}__URL) must be {wanted}.")
        if not _has_ports(given[section]):
            raise SettingsError(
                f"{section}.url (MOBILE_API_{section.upper()}__URL) has no usable port. In a password, / is written %2F, "
                "# %23, ? %3F, @ %40, % %25."
            )


def _has_ports(url: str) -> bool:
    """Whether what stands behind each host's colon is a port; it is not when a password holds a character that ends the hosts."""
    try:
        return all(urlsplit(f"//{host}").port != 0 for host in urlsplit(url).netloc.rpartition("@")[2].split(","))
    except ValueError:
        return False


def _wechat_problems(wechat: Wechat) -> list[str]:
    names = ("appid", "secret", "push_token", "push_aes_key")
    problems = [
        f"wechat.{name} is empty or has its sandbox value still: set MOBILE_API_WECHAT__{name.upper()}."
        for name in names
        if not getattr(wechat, name) or getattr(wechat, name).startswith(("sandbox", "abcdefghijklmnopqrstuvwxyz"))
    ]
    if len(wechat.secret) < 16:  # noqa: PLR2004 - an AppSecret has 32 characters
        problems.append("wechat.secret is too short to be an AppSecret.")
    if not wechat.base_url.startswith("https://"):
        problems.append("wechat.base_url must be https:// in production.")
    return problems


def _town_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.demo.enabled:
        problems.append("demo.enabled must be false in production.")
    if settings.town.name in {"", "示例镇", "某某镇"} or settings.town.hotline in {"", "0315-0000000"}:
        problems.append("town.name and town.hotline are empty or still those of a sample.")
    if not settings.public_base.startswith("https://"):
        problems.append("town.public_base must be the https:// address residents use.")
    return problems


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))  # Notepad may put a byte order mark before the text
    except FileNotFoundError:
        raise SettingsError(f"The settings file {file} does not exist: check --config or MOBILE_API_CONFIG.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read ({error.strerror}): check --config or MOBILE_API_CONFIG.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text: open it in an editor and save it again with the encoding UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}.") from None


def _from_environment(environment: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS or variable.startswith(_TEST_PREFIX):
            continue
        section, _, name = variable.removeprefix(PREFIX).lower().partition("__")
        listed = isinstance(known.get(section, {}).get(name), list)
        found.setdefault(section, {})[name] = [part for part in text.split(",") if part] if listed else text
    return found


def _merge(values: dict[str, Any], more: Mapping[str, Any], where: str) -> None:
    for section, entries in more.items():
        if section not in values or not isinstance(entries, dict):
            raise SettingsError(f"{where} sets {section}, which is no section: known are {', '.join(sorted(values))}.")
        for name, value in entries.items():
            if name not in values[section]:
                known = ", ".join(sorted(values[section]))
                raise SettingsError(f"{where} sets {section}.{name}, which is no setting: known in [{section}] are {known}.")
            values[section][name] = value
