"""Words for every event, in Chinese and English, and the facts that WeChat templates show; one table, tested for gaps."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Language = Literal["zh", "en"]

CHINA = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
"""One zone, no summer time since 1991."""


class Words(NamedTuple):
    """A title and one or two sentences."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Entry:
    zh: Words
    en: Words


@dataclass(frozen=True, slots=True)
class _Push:
    """How a pushed event looks as a template: the templates in order of preference, its phrase (5 Han at most) and its note."""

    templates: tuple[str, ...]
    phrase: str
    note: str


# In square brackets: a part that is left out when one of its facts is missing.
_WORDS: dict[str, _Entry] = {
    "case.submitted": _Entry(
        Words("申请已提交", "“{item_name}”已提交[，办件编号 {number}]。受理结果会在这里告诉您。"),
        Words("Application submitted", "“{item_name}” has been submitted[, case number {number}]. News of it will come here."),
    ),
    "case.accepted": _Entry(
        Words("已受理", "“{item_name}”已受理[，承诺 {promised_on} 前办结]。"),
        Words("Accepted", "“{item_name}” has been accepted[; it is promised by {promised_on}]."),
    ),
    "case.not_accepted": _Entry(
        Words("不予受理", "“{item_name}”不予受理[。原因：{reason}]。"),
        Words("Not accepted", "“{item_name}” cannot be accepted[. Reason: {reason}]."),
    ),
    "case.correction_requested": _Entry(
        Words("请补正材料", "“{item_name}”需要您补正[：{reason}]。请打开办件，按提示修改后再提交。"),
        Words("Please correct your application", "“{item_name}” needs a correction[: {reason}]. Open the case and follow the notes."),
    ),
    "case.corrected": _Entry(
        Words("补正已提交", "“{item_name}”的补正内容已送达受理部门。"),
        Words("Correction sent", "Your correction of “{item_name}” has reached the department."),
    ),
    "case.task_started": _Entry(
        Words("部门开始办理", "[{department_name}]已开始办理“{item_name}”[（{text}）]。"),
        Words("A department has started", "Work on “{item_name}” has started[ at {department_name}][: {text}]."),
    ),
    "case.task_answered": _Entry(
        Words("部门已答复", "[{department_name}]已就“{item_name}”给出意见[：{text}]。"),
        Words("A department has answered", "An opinion on “{item_name}” is in[ from {department_name}][: {text}]."),
    ),
    "case.progressed": _Entry(
        Words("办理有新进展", "“{item_name}”有新进展[（{department_name}）][：{text}]。"),
        Words("Progress", "“{item_name}” has moved on[ ({department_name})][: {text}]."),
    ),
    "case.suspended": _Entry(
        Words("办理时限暂停", "“{item_name}”进入特别程序，时限暂停计算[，预计 {until_on} 恢复][。原因：{reason}]。"),
        Words("Time limit paused", "The time limit of “{item_name}” is paused for a special procedure[ until {until_on}][: {reason}]."),
    ),
    "case.resumed": _Entry(
        Words("办理时限恢复", "“{item_name}”的时限恢复计算[，承诺 {promised_on} 前办结]。"),
        Words("Time limit running again", "The time limit of “{item_name}” is running again[; it is promised by {promised_on}]."),
    ),
    "case.recounted": _Entry(
        Words("到期日重新计算", "放假安排已公布，“{item_name}”的到期日重新计算[，由 {former_on}][改为 {promised_on}]。"),
        Words("Due date counted again", "The holidays are known: the due date of “{item_name}” was counted again[: {promised_on}][, before {former_on}]."),
    ),
    "case.decided": _Entry(
        Words("已作出决定", "“{item_name}”已作出决定[：{decision_name}][。说明：{reason}]。"),
        Words("Decided", "“{item_name}” has been decided[: {decision_name}][. Note: {reason}]."),
    ),
    "case.completed": _Entry(
        Words("已办结", "“{item_name}”已办结[，结果：{decision_name}]。欢迎您作出评价。"),
        Words("Completed", "“{item_name}” is completed[, result: {decision_name}]. Please tell us how it went."),
    ),
    "case.withdrawn": _Entry(
        Words("申请已撤回", "“{item_name}”已撤回[。原因：{reason}]。"),
        Words("Withdrawn", "“{item_name}” has been withdrawn[. Reason: {reason}]."),
    ),
    "code.scanned": _Entry(
        Words("您的办事码已被查看", "[{department_name}]工作人员扫码查看了您的办件[“{item_name}”][：{text}]。如非本人出示，请联系大厅。"),
        Words("Your code was read", "Staff[ of {department_name}] opened your case[ “{item_name}”][: {text}]. Not you? Call the hall."),
    ),
}  # fmt: skip

_PUSHES: dict[str, _Push] = {
    "case.accepted": _Push(("progress",), "已受理", "承诺{promised_on}前办结"),
    "case.not_accepted": _Push(("result", "progress"), "不予受理", "{reason}"),
    "case.correction_requested": _Push(("correction", "progress"), "补正材料", "{reason}"),
    "case.decided": _Push(("result", "progress"), "已作决定", "{decision_name}"),
    "case.completed": _Push(("result", "progress"), "已办结", "结果：{decision_name}"),
}

_DECISIONS = {"zh": {"granted": "准予", "refused": "不予批准"}, "en": {"granted": "granted", "refused": "refused"}}
_PHRASES = {"granted": "准予办理", "refused": "不予批准"}
_NO_NOTE = "请在小程序中查看详情"
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FACT = re.compile(r"\{(\w+)\}")


def words(event: str, data: Mapping[str, Any], language: Language = "zh") -> Words:
    """Title and text of an event; facts that are missing leave their part of the sentence out."""
    entry = _WORDS[event]
    facts = _facts(data, language)
    chosen = entry.en if language == "en" else entry.zh
    return Words(chosen.title, _fill(chosen.text, facts))


def events() -> frozenset[str]:
    """Every event that has words."""
    return frozenset(_WORDS)


def pushed() -> frozenset[str]:
    """Every event that has a template."""
    return frozenset(_PUSHES)


def templates(event: str) -> tuple[str, ...]:
    """The names of the templates that can carry an event, the fittest first; none if it is not pushed."""
    return _PUSHES[event].templates if event in _PUSHES else ()


def template_facts(event: str, data: Mapping[str, Any], at: dt.datetime) -> dict[str, str]:
    """What a template can show of a pushed event: item, number, status, note, time and date, in Chinese as the platform demands."""
    push = _PUSHES[event]
    facts = _facts(data, "zh")
    local = at.astimezone(CHINA)
    return {
        "item": str(data.get("item_name", "")),
        "number": str(data.get("number") or "-"),
        "status": _PHRASES.get(str(data.get("decision")), push.phrase) if event == "case.decided" else push.phrase,
        "note": _fill(f"[{push.note}]", facts) or _NO_NOTE,
        "date": _date(local.date(), "zh"),
        "time": f"{_date(local.date(), 'zh')} {local:%H:%M}",
    }


def _facts(data: Mapping[str, Any], language: Language) -> dict[str, str]:
    facts = {name: str(value).strip().rstrip("。.") for name, value in data.items() if value not in (None, "")}
    for name in {"promised_on", "until_on", "former_on"} & facts.keys():
        day = facts.pop(name)[:10]
        with suppress(ValueError):  # what is no date is left out like what is missing
            facts[name] = _date(dt.date.fromisoformat(day), language)
    if facts.get("decision") in _DECISIONS[language]:
        facts["decision_name"] = _DECISIONS[language][facts["decision"]]
    return facts


def _fill(text: str, facts: Mapping[str, str]) -> str:
    def part(match: re.Match[str]) -> str:
        complete = all(name in facts for name in _FACT.findall(match[1]))
        return match[1] if complete else ""

    return _FACT.sub(lambda match: facts.get(match[1], ""), _OPTIONAL.sub(part, text))


def _date(day: dt.date, language: Language) -> str:
    return f"{day.day} {day:%B %Y}" if language == "en" else f"{day.year}年{day.month}月{day.day}日"
