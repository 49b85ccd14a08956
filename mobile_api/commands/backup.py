"""Copies what must not be lost into a new folder while the town works: the SQLite database and the files, not the keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mobile_api.commands.common import read_settings
from storage.copying import back_up_database, back_up_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a folder that does not exist yet, on another disk")


def run(arguments: argparse.Namespace) -> int:
    """Copy; 1 when there is nothing to copy from or no place for it."""
    settings, folder = read_settings(arguments), arguments.out
    if folder.exists():
        print(f"{folder} exists already: name a new folder, so that no older backup is overwritten.", file=sys.stderr)
        return 1
    folder.mkdir(mode=0o700, parents=True)
    if settings.database.url.startswith("sqlite://"):
        back_up_database(settings.database.url, folder / "town.db")  # first: a row that is kept names a file that is there
        print(f"{folder / 'town.db'}")
    else:
        print("The database is PostgreSQL: copy it with pg_dump, before the files.", file=sys.stderr)
    print(f"{folder / 'files'}: {back_up_files(settings.files.url, folder / 'files')} files")
    print(f"The keys in {settings.secrets.dir} are not in it. Keep a copy of them elsewhere: without them nobody can read this backup.")
    return 0
