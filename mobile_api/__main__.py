"""The command line: `mobile-api COMMAND ...`, `./run COMMAND ...` from a checkout."""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType

from storage.errors import Mendable

COMMANDS = {
    "serve": "serve",
    "check": "check",
    "migrate": "migrate",
    "backup": "backup",
    "move": "move",
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
    words = sys.argv[1:] if arguments is None else arguments
    parsed = parser(_named(words)).parse_args(words)
    try:
        return int(parsed.run(parsed) or 0)
    except Mendable as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    except OSError as reason:
        if reason.filename is None:
            raise
        sys.stderr.write(f"{reason.filename}: {reason.strerror}\n")
        return 1


def parser(named: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """What understands the command line, as far as these commands go."""
    whole = argparse.ArgumentParser(prog="mobile-api", description="Mobile backend for the government services of a town.")
    whole.add_argument("--config", help="settings file (TOML); see config/defaults.toml")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    gc.disable()  # nothing that is imported is garbage, and to look for some takes a sixth of a start
    for name in named:
        _add(commands, name, importlib.import_module(f"mobile_api.commands.{COMMANDS[name]}"))
    gc.enable()
    return whole


def _named(words: Sequence[str]) -> Sequence[str]:
    """The command that comes first, whose module alone is then imported; all of them where there is none to say which."""
    rest = words[2:] if words[:1] == ["--config"] else words
    return rest[:1] if rest and rest[0] in COMMANDS else list(COMMANDS)


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, module: ModuleType) -> None:
    text = (module.__doc__ or "").strip().splitlines()[0]
    one = commands.add_parser(name, help=text, description=text)
    # Also after the command, where a person would put it; not set there, the one before it counts.
    one.add_argument("--config", default=argparse.SUPPRESS, help="settings file (TOML); see config/defaults.toml")
    module.add_arguments(one)
    one.set_defaults(run=module.run)


if __name__ == "__main__":
    sys.exit(main())
