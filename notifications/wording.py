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
    "case.accepted_by_silence": _Entry(
        Words("视为受理", "“{item_name}”逾期未收到答复，依法[自 {received_on} 起]视为受理[，承诺 {promised_on} 前办结]。"),
        Words(
            "Counts as accepted",
            "Nobody answered in time: by law “{item_name}” counts as accepted[ from {received_on}]"
            "[; it is promised by {promised_on}].",
        ),
    ),
    "case.not_accepted": _Entry(
        Words("不予受理", "“{item_name}”不予受理[。原因：{reason}][。{remedy}]。"),
        Words("Not accepted", "“{item_name}” cannot be accepted[. Reason: {reason}][. {remedy}]."),
    ),
    "case.correction_requested": _Entry(
        Words("请补正材料", "“{item_name}”需要您补正[：{reason}]。请[在 {until_on} 前]打开办件，按提示修改后再提交。"),
        Words(
            "Please correct your application",
            "“{item_name}” needs a correction[: {reason}]. Open the case"
            "[ by {until_on}] and follow the notes.",
        ),
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
    "case.task_deemed": _Entry(
        Words("部门逾期未答复", "[{department_name}]未在期限内就“{item_name}”答复[：{text}]。办理继续进行。"),
        Words("A department did not answer", "[{department_name} ]has not answered on “{item_name}” in time[: {text}]. Work goes on."),
    ),
    "case.part_asks": _Entry(
        Words("请补充“一件事”的内容", "“{item_name}”可以开始办理了，还需要您补充[：{text}]。请打开办件填写后提交。"),
        Words(
            "Please complete your application",
            "“{item_name}” can begin and needs something from you"
            "[: {text}]. Open it, fill it in and submit.",
        ),
    ),
    "case.part_stopped": _Entry(
        Words("“一件事”中有事项不再办理", "“{item_name}”不再办理[。原因：{reason}]。已办成的事项不受影响。"),
        Words("A part will not begin", "“{item_name}” will not begin[: {reason}]. What has been granted stays."),
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
        Words(
            "Due date counted again",
            "The holidays are known: the due date of “{item_name}” was counted again[: {promised_on}]"
            "[, before {former_on}].",
        ),
    ),
    "case.extended": _Entry(
        Words("办理期限已延长", "“{item_name}”经批准延长[ {days} 天][，改为 {promised_on} 前办结][。原因：{reason}]。"),
        Words(
            "Time limit extended",
            "The limit of “{item_name}” was extended[ by {days} days]"
            "[; it is now promised by {promised_on}][. Reason: {reason}].",
        ),
    ),
    "case.forwarded": _Entry(
        Words("已转报上级", "“{item_name}”已完成初审，转报上级决定[，承诺 {promised_on} 前办结]。"),
        Words("Sent up for the decision", "“{item_name}” was reviewed and sent up for the decision[; it is promised by {promised_on}]."),
    ),
    "case.decided": _Entry(
        Words("已作出决定", "“{item_name}”已作出决定[：{decision_name}][。说明：{reason}][。{remedy}]。"),
        Words("Decided", "“{item_name}” has been decided[: {decision_name}][. Note: {reason}][. {remedy}]."),
    ),
    "case.delivering": _Entry(
        Words("结果送达中", "“{item_name}”的结果{method_name}[，{carrier}][，单号 {tracking}]。"),
        Words("Your result is on its way", "The result of “{item_name}” {method_name}[: {carrier}][ {tracking}]."),
    ),
    "case.expired": _Entry(
        Words("申请已失效", "“{item_name}”已失效[。原因：{reason}]。"),
        Words("Application lapsed", "“{item_name}” has lapsed[. Reason: {reason}]."),
    ),
    "case.completed": _Entry(
        Words("已办结", "“{item_name}”已办结[，结果：{decision_name}]。欢迎您作出评价。"),
        Words("Completed", "“{item_name}” is completed[, result: {decision_name}]. Please tell us how it went."),
    ),
    "case.withdrawn": _Entry(
        Words("申请已撤回", "“{item_name}”已撤回[。原因：{reason}]。"),
        Words("Withdrawn", "“{item_name}” has been withdrawn[. Reason: {reason}]."),
    ),
    "case.papers_owed": _Entry(
        Words("请在期限内补交材料", "“{item_name}”还需补交[：{text}][，请在 {until_on} 前]在办件中上传。"),
        Words("Papers to follow", "“{item_name}” still needs[: {text}][. Please upload by {until_on}]."),
    ),
    "case.papers_due": _Entry(
        Words("待补材料即将到期", "“{item_name}”的[“{text}”]请[在 {until_on} 前]补交，逾期可能不予批准或者撤销决定。"),
        Words("Papers are nearly due", "Please hand in[ {text}] for “{item_name}”[ by {until_on}]; else it may be refused or revoked."),
    ),
    "case.papers_lapsed": _Entry(
        Words("待补材料已逾期", "“{item_name}”的[“{text}”]没有按期补交，请尽快补交，工作人员将决定如何处理。"),
        Words("Papers are overdue", "The papers[ {text}] for “{item_name}” did not come in time; an officer will decide what follows."),
    ),
    "case.papers_supplied": _Entry(
        Words("材料已补交", "“{item_name}”补交的[“{text}”]已收到。"),
        Words("Papers received", "The papers[ {text}] for “{item_name}” have come in."),
    ),
    "case.paper_waived": _Entry(
        Words("材料免予补交", "“{item_name}”的[“{text}”]不用再补交[。说明：{reason}]。"),
        Words("A paper is no longer needed", "The paper[ {text}] for “{item_name}” is no longer needed[: {reason}]."),
    ),
    "case.promise_kept": _Entry(
        Words("承诺已核查", "“{item_name}”中以承诺代替的[“{text}”]经核查属实。"),
        Words("Your commitment was checked", "What you promised[ ({text})] for “{item_name}” was found true."),
    ),
    "case.promise_broken": _Entry(
        Words("承诺经核查不实", "“{item_name}”中以承诺代替的[“{text}”]经核查不实[：{reason}]，已记录在案。"),
        Words("Your commitment was not kept", "Your promise[ ({text})] for “{item_name}” was found untrue[: {reason}], which is kept."),
    ),
    "case.revoked": _Entry(
        Words("决定已撤销", "“{item_name}”的准予决定已撤销[。原因：{reason}][。{remedy}]。"),
        Words("The decision was revoked", "The grant of “{item_name}” was revoked[. Reason: {reason}][. {remedy}]."),
    ),
    "code.scanned": _Entry(
        Words("您的办事码已被查看", "[{department_name}]工作人员扫码查看了您的办件[“{item_name}”][：{text}]。如非本人出示，请联系大厅。"),
        Words("Your code was read", "Staff[ of {department_name}] opened your case[ “{item_name}”][: {text}]. Not you? Call the hall."),
    ),
    "proxy.approved": _Entry(
        Words("代办授权已通过", "您申请的代办授权[（{text}）]已通过审核[，有效期至 {until_on}]。"),
        Words("Authority approved", "The authority to act for somebody else that you asked for was approved[; it holds until {until_on}]."),
    ),
    "proxy.refused": _Entry(
        Words("代办授权未通过", "您申请的代办授权[（{text}）]未通过审核[。原因：{reason}]。"),
        Words("Authority not approved", "The authority to act for somebody else was not approved[. Reason: {reason}]."),
    ),
    "proxy.confirmed": _Entry(
        Words("被代办人已确认", "被代办人已确认代办授权[（{text}）]，办理情况也会告诉本人。"),
        Words("Confirmed by the principal", "The person you act for has confirmed your authority and will be told of everything too."),
    ),
    "proxy.revoked": _Entry(
        Words("代办授权已撤销", "代办授权[（{text}）]已撤销[。原因：{reason}]。已经办理的事项不受影响。"),
        Words("Authority revoked", "An authority to act for somebody else was revoked[. Reason: {reason}]. What was done stays."),
    ),
    "proxy.ended": _Entry(
        Words("代办授权已到期", "代办授权[（{text}）]已到期，需要继续代办的请重新申请。"),
        Words("Authority has run out", "An authority to act for somebody else has run out; ask for a new one to go on."),
    ),
}  # fmt: skip

_PUSHES: dict[str, _Push] = {
    "case.accepted": _Push(("progress",), "已受理", "承诺{promised_on}前办结"),
    "case.accepted_by_silence": _Push(("progress",), "视为受理", "承诺{promised_on}前办结"),
    "case.not_accepted": _Push(("result", "progress"), "不予受理", "{reason}"),
    "case.correction_requested": _Push(("correction", "progress"), "补正材料", "{reason}"),
    "case.part_asks": _Push(("progress",), "需要补充", "{text}"),
    "case.part_stopped": _Push(("progress", "result"), "不再办理", "{reason}"),
    "case.extended": _Push(("progress",), "期限延长", "改为{promised_on}前办结"),
    "case.delivering": _Push(("result", "progress"), "送达中", "{method_name}"),
    "case.expired": _Push(("result", "progress"), "已失效", "{reason}"),
    "case.papers_owed": _Push(("correction", "progress"), "待补材料", "请在{until_on}前补交"),
    "case.papers_due": _Push(("correction", "progress"), "即将到期", "请在{until_on}前补交"),
    "case.papers_lapsed": _Push(("correction", "progress"), "逾期未补", "{text}"),
    "case.promise_broken": _Push(("result", "progress"), "承诺不实", "{reason}"),
    "case.revoked": _Push(("result", "progress"), "决定撤销", "{reason}"),
    "case.decided": _Push(("result", "progress"), "已作决定", "{decision_name}"),
    "case.completed": _Push(("result", "progress"), "已办结", "结果：{decision_name}"),
}

_DECISIONS = {"zh": {"granted": "准予", "refused": "不予批准"}, "en": {"granted": "granted", "refused": "refused"}}
_METHODS = {
    "zh": {"counter": "可到服务大厅领取", "post": "已寄出", "electronic": "已在线送达"},
    "en": {"counter": "is ready at the counter", "post": "has been posted", "electronic": "was delivered on line"},
}
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
    for name in {"promised_on", "until_on", "former_on", "received_on"} & facts.keys():
        day = facts.pop(name)[:10]
        with suppress(ValueError):  # what is no date is left out like what is missing
            facts[name] = _date(dt.date.fromisoformat(day), language)
    if facts.get("decision") in _DECISIONS[language]:
        facts["decision_name"] = _DECISIONS[language][facts["decision"]]
    if facts.get("method") in _METHODS[language]:
        facts["method_name"] = _METHODS[language][facts["method"]]
    return facts


def _fill(text: str, facts: Mapping[str, str]) -> str:
    def part(match: re.Match[str]) -> str:
        complete = all(name in facts for name in _FACT.findall(match[1]))
        return match[1] if complete else ""

    return _FACT.sub(lambda match: facts.get(match[1], ""), _OPTIONAL.sub(part, text))


def _date(day: dt.date, language: Language) -> str:
    return f"{day.day} {day:%B %Y}" if language == "en" else f"{day.year}年{day.month}月{day.day}日"
