"""Runs the whole suite; with CI=true nothing may be skipped, without it what was skipped and why is printed last."""

from __future__ import annotations

import os
import sys

import pytest


def main() -> int:
    """Run pytest with the arguments given, or everything on two processes."""
    arguments = sys.argv[1:] or ["-n", "2", "--dist", "loadgroup"]
    _let_bytecode_be_kept()
    reporter = Skipped()
    code = int(pytest.main([*arguments, "-rs"], plugins=[reporter]))
    if reporter.reasons and os.environ.get("CI") == "true":
        print("With CI=true nothing may be skipped.", file=sys.stderr)
        return code or 1
    return code


def _let_bytecode_be_kept() -> None:
    """Servers are started some hundred times: compiled anew each time they take two thirds longer, and finding the tests twice as long."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


class Skipped:
    """Remembers what was skipped and why."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test."""
        if report.skipped:
            self.reasons.append(f"{report.nodeid}: {report.longrepr}")


if __name__ == "__main__":
    sys.exit(main())
