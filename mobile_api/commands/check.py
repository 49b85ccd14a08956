"""Verify the settings and the town's data: services, bundles, departments, certificates, life events and calendars."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from config.settings import Settings, production_problems
from handlers.keys import problems
from mobile_api.commands.common import read_settings
from mobile_api.tables import Finding, Inspection
from notifications import templates as message_templates

_SHOWN_OF_ONE_RULE = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--tables`, `--lang`, `--json`, `--all`."""
    parser.add_argument("--tables", type=Path, help="folder to check instead of the one in the settings")
    parser.add_argument("--lang", choices=["zh", "en"], default="zh", help="language of the messages")
    parser.add_argument("--json", action="store_true", help="one JSON object a finding")
    parser.add_argument("--all", action="store_true", help="list every warning, not only the first ones of each rule")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found, one line each: `path:line: error [rule] text → remedy`. 1 if anything must be mended."""
    settings = None if arguments.tables else read_settings(arguments)
    directory = settings.tables_dir if settings else arguments.tables
    if not directory.is_dir():
        print(f"There is no folder {directory}: check --tables or town.tables.", file=sys.stderr)
        return 1
    unfit = _unfit(settings) if settings else []
    print(*unfit, sep="\n", end="\n" if unfit else "", file=sys.stderr)
    inspection = Inspection(directory)
    if arguments.json:
        print(*map(_as_json, inspection.findings), sep="\n", end="\n" if inspection.findings else "")
    else:
        english = arguments.lang == "en"
        print(*_lines(inspection.findings, english=english, everything=arguments.all), _summary(inspection, english=english), sep="\n")
    return 1 if inspection.errors or unfit else 0


def _unfit(settings: Settings) -> list[str]:
    """Why this configuration would not be served; a first start outside production makes its keys itself."""
    production = settings.town.profile == "production"
    folder = Path(settings.secrets.dir)
    return (
        _unfit_templates(settings)
        + production_problems(settings)
        + (problems(folder, production=production) if production or any(folder.glob("*.key")) else [])
    )


def _unfit_templates(settings: Settings) -> list[str]:
    """What keeps messages from reaching phones."""
    try:
        templates = message_templates.load(settings.tables_dir / "templates" / "wechat.toml")
    except message_templates.TemplateError as error:
        return [str(error)]
    return message_templates.left_from_sandbox(templates) if settings.town.profile == "production" else []


def _lines(findings: Iterable[Finding], *, english: bool, everything: bool) -> Iterable[str]:
    """Errors first and whole; of each rule's warnings the first ones, unless everything is asked for."""
    groups: dict[tuple[bool, str], list[Finding]] = defaultdict(list)
    for one in findings:
        groups[one.level != "error", "" if one.level == "error" else one.rule].append(one)
    for (tolerable, rule), group in sorted(groups.items()):
        shown = _SHOWN_OF_ONE_RULE if tolerable and not everything else len(group)
        yield from (_line(one, english=english) for one in islice(group, shown))
        if len(group) > shown:
            more = len(group) - shown
            yield f"  ... {more} more [{rule}], list them with --all" if english else f"  ……[{rule}] 另有 {more} 处，加 --all 全部列出"


def _line(one: Finding, *, english: bool) -> str:
    if english:
        return f"{_shown(one.path)}:{one.line}: {one.level} [{one.rule}] {one.message_en} → {one.remedy_en}"
    return f"{_shown(one.path)}:{one.line}: {one.level} [{one.rule}] {one.message}（依据：{one.source}） → {one.remedy}"


def _summary(inspection: Inspection, *, english: bool) -> str:
    errors = len(inspection.errors)
    warnings = len(inspection.findings) - errors
    catalogue = inspection.catalogue
    if english:
        return f"{len(catalogue.items)} items, {len(catalogue.bundles)} bundles: {errors} errors, {warnings} warnings"
    verdict = "可以发布" if not errors else "改正错误后才能发布"
    return f"事项 {len(catalogue.items)} 个，一件事 {len(catalogue.bundles)} 个：错误 {errors} 处，提示 {warnings} 处，{verdict}。"


def _as_json(one: Finding) -> str:
    values: dict[str, Any] = {**msgspec.structs.asdict(one), "path": str(_shown(one.path))}
    return msgspec.json.encode(values).decode()


def _shown(path: Path) -> Path:
    """The path as the caller would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
