"""Connect departments' own systems: `mobile-api department add | list | keys | revoke | dry-run`."""

from __future__ import annotations

import argparse
import importlib

# Each action is a module of its own, with add_arguments and run like a command.
ACTIONS = {
    "add": "department_add",
    "list": "department_list",
    "keys": "department_keys",
    "revoke": "department_revoke",
    "dry-run": "department_dry_run",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions, each with its own words."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, module_name in ACTIONS.items():
        module = importlib.import_module(f"mobile_api.commands.{module_name}")
        text = (module.__doc__ or "").strip().splitlines()[0]
        action = actions.add_parser(name, help=text, description=text)
        module.add_arguments(action)
        action.set_defaults(run_action=module.run)


def run(arguments: argparse.Namespace) -> int:
    """Do the action; its exit code."""
    return int(arguments.run_action(arguments))
