"""`mobile-api key create | list | rotate KIND`: the town's keys, without ever showing one."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from handlers import keys
from mobile_api.commands.common import read_settings

_MEANING = {
    "sealing": "personal data and files at rest",
    "token": "access tokens",
    "receipt": "printed receipt codes",
    "border": "messages beyond the inner network",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--secrets-dir", type=Path, help="folder of the key files (default: secrets.dir of the settings)")
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("create", help="make the first key of each kind that has none")
    acts.add_parser("list", help="show which keys exist and which are in use")
    rotate = acts.add_parser("rotate", help="make the next key of a kind; older ones stay readable")
    rotate.add_argument("kind", choices=keys.KINDS)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 0 when done, 1 with a reason when not."""
    directory = Path(arguments.secrets_dir or read_settings(arguments).secrets.dir)
    try:
        return _ACTS[arguments.act](directory, arguments)
    except (keys.KeysUnusable, OSError) as error:
        print(error)
        return 1


def _create(directory: Path, _: argparse.Namespace) -> int:
    keys.Keys.create(directory)
    return _show(directory)


def _list(directory: Path, _: argparse.Namespace) -> int:
    found = keys.problems(directory, production=False)
    print(*found, sep="\n", end="\n" if found else "")
    return _show(directory) or int(bool(found))


def _rotate(directory: Path, arguments: argparse.Namespace) -> int:
    made = keys.rotate(directory, arguments.kind)
    print(f"{made.path} made. Restart every process: from then on it is the key in use for {_MEANING[made.kind]}.")
    print("Keep the older keys: what they sealed or signed stays readable only with them. Back the folder up.")
    return 0


def _show(directory: Path) -> int:
    for file in keys.key_files(directory):
        made = dt.datetime.fromtimestamp(file.path.stat().st_mtime, dt.UTC).strftime("%Y-%m-%d")
        print(f"{file.kind:8} {file.id:>3}  {made}  {'in use' if file.in_use else 'readable'}  {_MEANING[file.kind]}")
    return 0


_ACTS = {"create": _create, "list": _list, "rotate": _rotate}
