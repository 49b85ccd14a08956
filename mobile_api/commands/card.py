"""Tells which supervision card a case would have at a moment, and by which rule, without a case."""

from __future__ import annotations

import argparse
import sys

import msgspec

from handlers.clocks import Days, card
from handlers.limits import moment_of
from mobile_api.commands.calendar import BAD_INPUT
from mobile_api.commands.moments import BadInput, add_common_arguments, calendar_of, days, moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    add_common_arguments(parser)
    parser.add_argument("--promised", required=True, type=days, metavar="N", help="promised limit in working days")
    parser.add_argument("--legal", required=True, type=days, metavar="N", help="legal limit in days")
    parser.add_argument("--legal-unit", choices=["working", "natural"], default="working", help="working days (default) or every day")
    parser.add_argument("--at", required=True, type=moment, metavar="T", help="the moment to look from")


def run(arguments: argparse.Namespace) -> int:
    """Print the card and its rule; 2 when something typed cannot be used."""
    try:
        calendar = calendar_of(arguments)
    except BadInput as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    promised, legal, at = Days(arguments.promised), Days(arguments.legal, arguments.legal_unit), moment_of(arguments.at)
    found = card(arguments.accepted, promised, legal, arguments.suspended, at, calendar=calendar, counting=arguments.counting)
    if arguments.json:
        values = {"card": found.level, "rule": found.rule, "used": found.used, "text": found.text, "text_en": found.text_en}
        print(msgspec.json.encode(values).decode())
    else:
        print(f"{found.level}\n  {found.rule}\n  {found.text if arguments.lang == 'zh' else found.text_en}")
    return 0
