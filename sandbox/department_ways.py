"""How a pretend department works: what it answers to a command, and how it goes wrong when asked to.

A person at the demo can provoke what a rate leaves to chance: a form in which some text holds 测试补正, 测试不予受理, 测试不同意,
测试不予许可, 测试中止 or 测试拖延 gets just that.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.department_book import Planned
from sandbox.papers import credit_code

FAULTS = {
    "correction": "ask for a correction once",
    "reject": "do not accept the application",
    "disagree": "disagree in the review",
    "refuse": "refuse in the decision",
    "suspend": "stop the clock for a site visit, then go on",
    "stall": "stay silent for the stall time",
    "slow": "take ten times as long",
    "twice": "send an answer twice",
    "garble": "send something broken before the right answer",
    "shuffle": "send an answer after the one that should follow it",
}
"""Every fault and what it does; a rate from 0 to 1 each."""

_PROVOKED = {
    "测试补正": "correction",
    "测试不予受理": "reject",
    "测试不同意": "disagree",
    "测试不予许可": "refuse",
    "测试中止": "suspend",
    "测试拖延": "stall",
}


_TOWN = dt.timezone(dt.timedelta(hours=8))


class Ways:
    """One department's habits: its name, the seconds between its steps, how long it stalls, and the rate of each fault."""

    def __init__(self, name: str, delay: float, stall: float, faults: Mapping[str, float], chance: random.Random) -> None:
        self._name = name
        self.delay = delay
        self._stall = stall
        self._faults = faults
        self._chance = chance

    def has(self, fault: str, text: str = "") -> bool:
        """Whether this fault happens now, by chance or because the form asks for it."""
        provoked = any(word in text for word, meant in _PROVOKED.items() if meant == fault)
        return provoked or self._chance.random() < self._faults.get(fault, 0.0)

    def answers(self, command: Mapping[str, Any], once: Callable[[str], bool]) -> list[Planned]:
        """What to answer to a command, step by step; `once` is True the first time something is asked about the case."""
        kind = str(command["type"]).split(".", 3)[-1].rpartition(".v")[0]
        data = command["data"]
        if kind not in {"task.requested", "task.material-added"}:
            return []
        text = json.dumps(data.get("form", {}), ensure_ascii=False)
        steps = {"accept": self._accept, "review": self._review, "decide": self._decide}[data["step"]](data, text, once)
        base = {"case": data["case"], "task": data["task"]}
        return [Planned(said, {**base, **more}, after) for (said, more), after in zip(steps, self._times(len(steps), text), strict=True)]

    def _times(self, steps: int, text: str) -> list[float]:
        pace = self.delay * (10 if self.has("slow") else 1)
        wait = self._stall if self.has("stall", text) else 0.0
        return [wait + pace * step * self._chance.uniform(0.7, 1.3) for step in range(1, steps + 1)]

    def _accept(self, data: Mapping[str, Any], text: str, once: Callable[[str], bool]) -> list[tuple[str, dict[str, Any]]]:
        if self.has("reject", text):
            return [("task.decided", {"result": "not_accepted", "opinion": "申请事项不属于本部门受理范围，请向有权办理的部门提出。"})]
        wanted = _to_correct(data)
        if wanted and self.has("correction", text) and once("correction"):
            return [("task.correction-requested", {"reason": "材料有一处需要补正，补正后请重新提交。", **wanted})]
        return [("task.accepted", {})]

    def _review(self, data: Mapping[str, Any], text: str, once: Callable[[str], bool]) -> list[tuple[str, dict[str, Any]]]:
        begun = ("task.progressed", {"text": f"{self._name}已收到，正在办理“{data['action']}”。"})
        if self.has("disagree", text):
            return [begun, ("task.decided", {"result": "disagreed", "opinion": f"经{self._name}核查，所报情况与登记信息不一致，不同意。"})]
        agreed = ("task.decided", {"result": "agreed", "opinion": f"经{self._name}核查，{data['action']}结果符合规定，同意。"})
        return [begun, *self._visit(text, once), agreed]

    def _visit(self, text: str, once: Callable[[str], bool]) -> list[tuple[str, dict[str, Any]]]:
        if not (self.has("suspend", text) and once("suspend")):
            return []
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=5)).date().isoformat()
        return [("task.suspended", {"procedure": "现场勘验", "reason": "需到现场核实情况。", "until_on": until}), ("task.resumed", {})]

    def _decide(self, data: Mapping[str, Any], text: str, _once: Callable[[str], bool]) -> list[tuple[str, dict[str, Any]]]:
        item = data["item"]["name"]
        against = [opinion for opinion in data.get("opinions", []) if opinion.get("result") == "disagreed"]
        if against or self.has("refuse", text):
            why = against[0].get("opinion") if against else "经审查，不符合规定的条件。"
            return [("task.decided", {"result": "refused", "opinion": f"{why}依法不予批准“{item}”。如有异议，可在六十日内申请行政复议。"})]
        granted = ("task.decided", {"result": "granted", "opinion": f"经审查，“{item}”符合规定的条件，准予办理。"})
        return [granted, *_certificate(data)]


def _certificate(data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The electronic certificate that a grant of this item brings; the number of a business licence is its owner's credit code."""
    kind = data["item"].get("certificate_type")
    if kind is None:
        return []
    number = credit_code(data["case"]) if kind == "BIZ_LICENSE" else f"{kind}-{data['case'][-8:]}"
    return [("certificate.issued", {"certificate_type": kind, "number": number, "issued_on": dt.datetime.now(_TOWN).date().isoformat()})]


def _to_correct(data: Mapping[str, Any]) -> dict[str, Any]:
    """Something in this application that could be handed in again: a photograph, else a field."""
    photographed = next((one for one in data.get("materials", []) if one.get("source") == "upload"), None)
    if photographed is not None:
        wanted = {"material": photographed["material"], "message": f"“{photographed['name']}”不够清晰，请重新拍摄后上传。"}
        return {"materials": [wanted]}
    if data.get("form"):
        return {"fields": [{"name": next(iter(data["form"])), "message": "填写的内容与证件不一致，请核对后重新填写。"}]}
    return {}
