"""Writes docs/reference/ from the code: settings, errors, HTTP API, messages to departments. A test fails when it is stale.

An incompatible change of a message is refused before anything is written: what departments were promised stays (contract.json).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from backoffice.compatibility import Contract, contract, incompatible
from backoffice.registry import REGISTRY, asyncapi
from config.settings import DEFAULTS
from handlers.refusals import REFUSALS
from mobile_api.commands import reference_exchange as exchange
from mobile_api.routes import ROUTES
from mobile_api.web.openapi import describe
from notifications import wording

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
BASELINE = "contract.json"
"""The page that holds what departments were promised, by type of message: the baseline of backoffice.compatibility."""

_HEAD = "<!-- Written by ./run docs from {source}; do not edit. -->\n\n"


def main(folder: Path = FOLDER) -> int:
    """Write every page that has changed, unless a promise to departments would be broken."""
    if broken := broken_promises(folder):
        print("docs/reference stays as it is: these changes would break departments' programs.", *broken, sep="\n- ", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/reference/{name}")
            written += 1
    if not written:
        print("docs/reference is up to date")
    return 0


def broken_promises(folder: Path = FOLDER) -> list[str]:
    """What the messages of today take away from departments; nothing where there is no baseline yet."""
    baseline = folder / BASELINE
    if not baseline.exists():
        return []
    promised: Contract = json.loads(baseline.read_text(encoding="utf-8"))
    return [str(found) for found in incompatible(promised, contract())]


def pages() -> dict[str, str]:
    """Every page of the reference, by file name."""
    return {
        "settings.md": _HEAD.format(source="config/defaults.toml") + "\n".join(_settings()),
        "errors.md": _HEAD.format(source="handlers/refusals_*.py") + "\n".join(_errors()),
        "api.md": _HEAD.format(source="mobile_api/routes.py") + "\n".join(_api()),
        "events.md": _HEAD.format(source="notifications/wording.py") + "\n".join(_events()),
        "exchange.md": _HEAD.format(source="backoffice/registry.py") + "\n".join(exchange.page(REGISTRY)) + "\n",
        BASELINE: _json(contract()),
        "openapi.json": _json(describe(ROUTES)),
        "asyncapi.json": _json(asyncapi("000000000")),
    }


def _settings() -> Iterator[str]:
    yield "# Settings\n\nIn a file (`--config`, `MOBILE_API_CONFIG`) or in the environment as `MOBILE_API_<SECTION>__<NAME>`.\n"
    section, comment = "", ""
    for line in DEFAULTS.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1]
            yield f"\n## {section}\n\n| setting | default | what for |\n|---|---|---|"
        elif line.startswith("#"):
            comment = f"{comment} {line[1:].strip()}".strip()
        elif "=" in line:
            name, _, value = line.partition("=")
            yield f"| `{section}.{name.strip()}` | `{value.strip()}` | {comment} |"
            comment = ""
        elif not line:
            comment = ""


def _errors() -> Iterator[str]:
    yield "# Errors\n\nProblems (RFC 9457) as `application/problem+json`; `code` is one of these. `Accept-Language: en` gives English.\n"
    yield "| code | status | Chinese | English |\n|---|---|---|---|"
    for code, refusal in sorted(REFUSALS.items()):
        yield f"| `{code}` | {refusal.status} | {refusal.title}。{refusal.detail} | {refusal.title_en}. {refusal.detail_en} |"


def _api() -> Iterator[str]:
    yield "# HTTP API\n\nFull shapes in [openapi.json](openapi.json), served at `/api/v1/openapi.json` and readable at `/docs`.\n"
    yield "| method | address | who | what | must (may) send | own errors |\n|---|---|---|---|---|---|"
    for route in ROUTES:
        version = {True: "If-Match", "optional": "(If-Match)"}.get(route.if_match, "")
        must = ", ".join(filter(None, ("Idempotency-Key" if route.idempotency == "required" else "", version)))
        errors = ", ".join(f"`{code}`" for code in route.errors)
        yield f"| {route.method} | `{route.address}` | {route.who.value} | {route.summary} | {must} | {errors} |"


def _events() -> Iterator[str]:
    yield "# Events to the phone\n\nWhat `/sync` and `/stream` carry, and what becomes a WeChat message.\n"
    yield "| type | words | WeChat template |\n|---|---|---|"
    facts: Mapping[str, str] = {"number": "…", "item_name": "…", "state": "accepted", "department_name": "…", "reason": "…", "text": "…"}
    for event in sorted(wording.events()):
        words = wording.words(event, facts)
        yield f"| `{event}` | {words.title}：{words.text} | {', '.join(wording.templates(event)) if event in wording.pushed() else ''} |"


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


if __name__ == "__main__":
    sys.exit(main())
