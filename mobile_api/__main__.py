"""The command line: `mobile-api COMMAND ...`, `./run COMMAND ...` from a checkout."""

from __future__ import annotations

import argparse
import importlib
import sys
from types import ModuleType

from handlers.keys import KeysUnusable
from mobile_api.composition import NotFit
from mobile_api.tables import TablesError
from storage.errors import MigrationError, StoreUnavailable

COMMANDS = {
    "serve": "serve",
    "check": "check",
    "migrate": "migrate",
    "user": "user",
    "key": "key",
    "exchange": "exchange",
    "department": "department",
    "evidence": "evidence",
    "calendar": "calendar",
    "export": "export",
    "due-date": "due_date",
    "card": "card",
    "journey": "journey",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code says whether it worked. What an operator can mend is told in words."""
    parsed = parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed) or 0)
    except (NotFit, TablesError, KeysUnusable, StoreUnavailable, MigrationError) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1


def parser() -> argparse.ArgumentParser:
    """What understands the command line."""
    whole = argparse.ArgumentParser(prog="mobile-api", description="Mobile backend for the government services of a town.")
    whole.add_argument("--config", help="settings file (TOML); see config/defaults.toml")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        _add(commands, name, importlib.import_module(f"mobile_api.commands.{module}"))
    return whole


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, module: ModuleType) -> None:
    text = (module.__doc__ or "").strip().splitlines()[0]
    one = commands.add_parser(name, help=text, description=text)
    # Also after the command, where a person would put it; not set there, the one before it counts.
    one.add_argument("--config", default=argparse.SUPPRESS, help="settings file (TOML); see config/defaults.toml")
    module.add_arguments(one)
    one.set_defaults(run=module.run)


if __name__ == "__main__":
    sys.exit(main())
