"""A case opened for change: acts are noted on it one by one and written together, in one transaction, when it is closed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from handlers import agents, debts, notices, outcomes, supervision, worklist
from handlers.actors import Actor
from handlers.cards import Card, CardIssued, CardMaterial, card_task, read_card, write_card
from handlers.catalogue import ServiceItem
from handlers.errors import Refused
from handlers.grants import KEPT_AFTER_TASK
from handlers.office import Office
from handlers.transitions import ACTS, ENDED, follow
from storage import audit, cases, grants, outbox, trace, umbrellas
from storage.database import Row, Transaction
from storage.envelopes import Outgoing
from storage.grants import Grant
from storage.ids import uuid7


class CaseFile:
    """One case in one transaction. `row` and `tasks` are the rows to be; nothing is written before `close`."""

    def __init__(self, office: Office, tx: Transaction, row: Row, item: ServiceItem, tasks: list[Row]) -> None:
        self.office = office
        self.tx = tx
        self.row = row
        self.item = item
        self.tasks = tasks
        self.now: dt.datetime = office.clock.now()
        self.card: Card = read_card(row)
        self._events: list[tuple[Any, ...]] = []
        self._messages: list[Outgoing] = []
        self._notices: list[tuple[str, dict[str, Any]]] = []
        self._changed: set[str] = set()
        self._added: list[Row] = []
        self._grants: list[Grant] = []
        self._writes: list[Callable[[Transaction], Awaitable[None]]] = []

    def expect(self, version: int | None) -> None:
        """Refuse to change what is newer than what was looked at (None: not said); asked once it is clear that the case may be seen."""
        if version is not None and self.row["version"] != version + 1:
            raise Refused("precondition_failed")

    def act(self, act: str, actor: Actor) -> None:
        """Follow one arrow of the state machine; refused where there is none."""
        for guard in ACTS[act].guards:
            guard(self)
        self.row["state"] = follow(act, self.row["state"], actor.kind)

    def note(self, kind: str, actor: Actor, *, reason: str | None = None, tell: bool = True, **data: Any) -> None:
        """Write one line of the case's history and, unless `tell` is off, tell the resident."""
        self.row["events"] += 1
        if self.card.agent is not None and actor.id == self.card.agent.account:
            data["behalf"] = self.card.agent.kind
        body = msgspec.json.encode(data).decode()
        self._events.append(
            (
                uuid7(),
                self.row["id"],
                self.row["events"],
                kind,
                actor.kind,
                actor.id,
                actor.organisation,
                self.now,
                reason,
                body,
                _digest(body),
            )
        )
        if tell:
            self._notices.append((f"case.{kind}", {"reason": reason, **data} if reason else data))

    def add_task(self, department: str, step: str, action: str, *, position: int, state: str, due_on: dt.date | None) -> Row:
        """A new part of the case for a department."""
        task: Row = {
            "id": uuid7(), "case_id": self.row["id"], "department": department, "step": step, "position": position, "action": action,
            "state": state, "result": None, "opinion": None, "due_on": due_on, "created_at": self.now,
            "requested_at": self.now if state == "requested" else None, "answered_at": None, "deemed_on": None,
            "answered_by": None,
        }  # fmt: skip
        self.tasks.append(task)
        self._added.append(task)
        return task

    def change_task(self, task: Row, **values: Any) -> None:
        """Change a task; it is written at the close."""
        task.update(values)
        self._changed.add(task["id"])

    def send(self, department: str, kind: str, data: dict[str, Any]) -> None:
        """Put a message to a department into the outbox, behind the ones before it, with the department's own form if it has one."""
        facts = {"case": self.row["number"], "case_id": self.row["id"], **data}
        form = self.office.department_form(department, kind, facts)
        message = Outgoing(
            case_id=self.row["id"],
            department=department,
            kind=kind,
            number=self.row["number"],
            division=self.office.division,
            data=facts if form is None else {**facts, "form_mapped": form},
            partitions=self.office.catalogue.departments[department].partitions,
            correlation_id=data.get("task"),
            traceparent=trace.onward(),
        )
        self.office.message_check(message)
        self._messages.append(message)

    def grant(self, task: Row, upload_id: str) -> str:
        """Let the task's department fetch a file of this case while it works on the task; the grant's id, the same each time."""
        grant = Grant(task["department"], self.row["id"], task["id"], upload_id)
        self._grants.append(grant)
        return grant.id

    def write(self, write: Callable[[Transaction], Awaitable[None]]) -> None:
        """Write rows of another table too, when the case is closed and after its own row."""
        self._writes.append(write)

    def hand_in(self, materials: tuple[CardMaterial, ...]) -> None:
        """Replace the materials on the card."""
        self.card = msgspec.structs.replace(self.card, materials=materials)

    def keep_certificate(self, certificate_type: str, number: str) -> None:
        """Remember the number of a certificate that came out of the case."""
        sealed = self.office.keys.sealer.seal(number.encode(), f"cases.card.issued:{self.row['id']}")
        self.card = msgspec.structs.replace(self.card, issued=(*self.card.issued, CardIssued(certificate_type, sealed)))

    @property
    def form(self) -> dict[str, Any]:
        """The form in the clear."""
        return open_form(self.office, self.row)

    @form.setter
    def form(self, form: dict[str, Any]) -> None:
        self.row["form_sealed"] = seal_form(self.office, self.row["id"], form)

    async def close(self, *, fresh: bool = False) -> None:
        """Write everything noted. `fresh`: the case row does not exist yet."""
        debts.follow(self)
        self.card = msgspec.structs.replace(self.card, tasks=tuple(card_task(task) for task in self.tasks))
        self.row["card"] = write_card(self.card)
        self.row["updated_at"] = self.now
        await (cases.insert if fresh else cases.save)(self.tx, self.row)
        await cases.add_events(self.tx, self._events)
        await cases.add_tasks(self.tx, self._added)
        added = {task["id"] for task in self._added}
        for task in self.tasks:
            if task["id"] in self._changed - added:
                await cases.save_task(self.tx, task)
        await grants.give(self.tx, self._grants, self.now)
        over = [task["id"] for task in self.tasks if task["id"] in self._changed and task["state"] in {"done", "void"}]
        await grants.end(self.tx, over, self.now + KEPT_AFTER_TASK)
        for write in self._writes:
            await write(self.tx)
        await supervision.plan(self, fresh=fresh)
        if self.row["umbrella_id"] is not None and self.row["state"] in ENDED:
            await umbrellas.look(self.tx, self.row["umbrella_id"], self.now)
        await worklist.record(self, fresh=fresh)
        await outcomes.record(self)
        await self._pass_on()

    async def _pass_on(self) -> None:
        """Everything that leaves the office because of this change: to departments, to the phone, to other processes."""
        if self._messages:
            await outbox.append(self.tx, *self._messages, now=self.now, sealer=self.office.keys.sealer)
        facts = notices.CaseFacts(self.row["id"], self.row["number"], self.item.name, self.row["state"], self.row["events"])
        for account in await agents.told_of(self.office, self.tx, self.row) if self._notices else ():
            await notices.tell_all(self.tx, self.office, resident_id=account, case=facts, news=self._notices)
        self.tx.ring(cases.topic(self.row["id"]))


def seal_form(office: Office, case_id: str, form: dict[str, Any]) -> bytes:
    """A form sealed for its case row."""
    return office.keys.sealer.seal(msgspec.json.encode(form), _context(case_id))


def open_form(office: Office, row: Row) -> dict[str, Any]:
    """The form of a case row in the clear."""
    form: dict[str, Any] = msgspec.json.decode(office.keys.sealer.unseal(row["form_sealed"], _context(row["id"])))
    return form


@asynccontextmanager
async def opened(office: Office, case_id: str, *, tx: Transaction | None = None) -> AsyncIterator[CaseFile]:
    """Open a case for change and close it at the end; inside `tx` if given."""
    if tx is not None:
        file = await _take(office, tx, case_id)
        yield file
        await file.close()
        return
    async with office.database.transaction() as own:
        file = await _take(office, own, case_id)
        yield file
        await file.close()


async def _take(office: Office, tx: Transaction, case_id: str) -> CaseFile:
    row = await cases.take(tx, case_id)
    if row is None:
        raise Refused("not_found")
    item = await office.catalogue.version(tx, row["item_code"], row["item_version"])
    tasks = await cases.tasks(tx, case_id)
    return CaseFile(office, tx, row, item, tasks)


async def audited(file: CaseFile, actor: Actor, action: str) -> None:
    """Keep an act of staff in the record that nobody edits."""
    await audit.record(
        file.tx, at=file.now, actor_kind=actor.kind, actor_id=actor.id, action=action,
        object_kind="case", object_id=file.row["id"], outcome="done", data={"state": file.row["state"]},
    )  # fmt: skip


def _context(case_id: str) -> str:
    return f"cases.form_sealed:{case_id}"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
