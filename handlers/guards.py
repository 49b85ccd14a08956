"""What must hold before an act, beyond the state: each rule a function by its name, which refuses with its own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.errors import Refused
from handlers.limits import local_date

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

LIVE = ("requested", "in_progress", "correction", "suspended")
"""The states of a task that a department works on."""


def clock_runs(file: CaseFile) -> None:
    """Before acceptance no clock runs that could stand still or be extended (行政许可法 art. 42, 45)."""
    if file.row["accepted_at"] is None:
        raise Refused("suspension_too_early")


def turn_has_come(file: CaseFile) -> None:
    """A part of a bundle begins when what it needs is granted (一件事: serial edges by dependency)."""
    if file.card.waiting:
        raise Refused("part_waits")


SILENCE_DAYS = 5
"""Working days in which the office answers an application; the law counts in working days (行政许可法 art. 32(4), 82)."""


def is_silent(file: CaseFile) -> bool:
    """Whether five days have passed since the papers came in, without acceptance and without a correction notice."""
    asked = next((task for task in file.tasks if task["step"] == "accept" and task["state"] in {"requested", "in_progress"}), None)
    if asked is None:
        return False
    return local_date(file.now) > file.office.calendar.add_workdays(local_date(asked["requested_at"]), SILENCE_DAYS).day


def silence_is_over(file: CaseFile) -> None:
    """Five days have passed since the papers came in, and nobody has accepted or asked for a correction (行政许可法 art. 32(4))."""
    if not is_silent(file):
        raise Refused("silence_not_over")


def answers_in_time(file: CaseFile) -> None:
    """After the five days the case counts as accepted, whether or not the clock has come round to it (行政许可法 art. 32(4))."""
    if is_silent(file):
        raise Refused("accepted_by_law", {"days": SILENCE_DAYS})


def reviews_are_in(file: CaseFile) -> None:
    """Every department asked has answered (并联审批: the lead department waits for all, unless the item lets it decide early)."""
    if file.item.join == "lead":
        return
    if any(task["step"] == "review" and task["state"] in (*LIVE, "waiting") for task in file.tasks):
        raise Refused("review_unfinished")


def not_delivered(file: CaseFile) -> None:
    """What came back by post is sent again; what the applicant has is not (行政许可法 art. 44)."""
    if file.card.delivery is not None and file.card.delivery.delivered_at is not None:
        raise Refused("already_delivered")


def has_green_channel(file: CaseFile) -> None:
    """Only urgent aid is decided before its papers are there (绿色通道)."""
    if not file.item.green_channel:
        raise Refused("no_green_channel")


def sent_up(file: CaseFile) -> None:
    """What the county decides was first reviewed by the town and sent up (上报件; 行政许可法 art. 43)."""
    if file.row["state"] == "in_review" and is_decided_above(file):
        raise Refused("not_sent_up")


def may_be_sent_up(file: CaseFile) -> None:
    """Only a 上报件 has a county above that decides."""
    if file.item.handling != "上报件":
        raise Refused("not_for_the_county")


def is_decided_above(file: CaseFile) -> bool:
    """Whether a higher level decides than the one that accepts."""
    return file.item.handling == "上报件" and file.item.decide_level != file.item.accept_level
