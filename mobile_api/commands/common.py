"""What several commands share."""

from __future__ import annotations

import argparse
import sys

from config.settings import Settings, SettingsError, load


def read_settings(arguments: argparse.Namespace) -> Settings:
    """The settings, or an end with a clear message."""
    try:
        return load(arguments.config)
    except SettingsError as error:
        sys.exit(str(error))
