"""Which faults strike when: drawn from a seed before the run begins, so that a seed says it all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

DEPARTMENTS = {"MZ": 2, "GA": 2}
WORKERS = ("worker-0", "worker-1")
WRITERS = ("writer-0", "writer-1")
OFFICES = tuple(f"department-{code}" for code in DEPARTMENTS)
REDIS = ("redis",)
DATABASE = ("database",)
STREAMS = ("streams",)

_LONGEST_PAUSE = 0.7


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` strikes `victim`, `at` seconds after the begin, and is repaired after `seconds`; `amount` is the kind's own."""

    at: float
    kind: str
    victim: str
    seconds: float
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: how often it is in the pack, whom it strikes, how long it may last, which database it needs."""

    name: str
    copies: int
    victims: tuple[str, ...]
    seconds: tuple[float, float] = (0.0, 0.0)
    amount: tuple[float, float] = (0.0, 0.0)
    database: str = "sqlite postgres"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: the same seed, seconds and database draw the same faults. `control` switches a promise off, see worker.py."""

    seed: int
    seconds: float
    database: str
    faults: tuple[Fault, ...]
    control: str = ""
    leaves_early: bool = True
    """Whether departments leave what comes before its turn in the stream, instead of keeping it in their book."""
    patience: float = 240.0
    pace: float = 0.06
    """Seconds between the acts of one author, on average."""


def kinds(furthest: float) -> tuple[Kind, ...]:
    """The pack of cards. A clock is set wrong by `furthest` seconds at most, in either direction."""
    return (
        Kind("kill", 4, (*WORKERS, *OFFICES, *WRITERS)),
        Kind("freeze", 2, (*WORKERS, *OFFICES), (1.2, 2.5)),  # longer than a lease
        Kind("clock", 2, WORKERS, (1.0, 4.0), (-furthest, furthest)),
        Kind("link-cut", 1, (*WORKERS, *OFFICES), (0.5, 2.0)),
        Kind("link-delay", 1, (*WORKERS, *OFFICES), (0.5, 2.0), (0.01, 0.3)),
        Kind("link-half-open", 1, (*WORKERS, *OFFICES), (0.5, 2.0)),
        Kind("link-reset", 1, (*WORKERS, *OFFICES)),
        Kind("database-link-cut", 1, (*WORKERS, *WRITERS), (0.5, 2.0), database="postgres"),
        Kind("database-link-delay", 1, (*WORKERS, *WRITERS), (0.5, 2.0), (0.01, 0.1), database="postgres"),
        Kind("database-link-half-open", 1, (*WORKERS, *WRITERS), (0.5, 2.0), database="postgres"),
        Kind("database-link-reset", 1, (*WORKERS, *WRITERS), database="postgres"),
        Kind("database-kill", 1, DATABASE, (0.0, 1.0), database="postgres"),
        Kind("database-disk-full", 1, DATABASE, (0.5, 1.5), database="sqlite"),
        Kind("redis-kill", 2, REDIS, (0.0, 1.0)),
        Kind("redis-loss", 2, REDIS, (0.0, 1.0)),
        Kind("redis-flush", 1, REDIS),
        Kind("redis-flush-when-full", 1, REDIS),
        Kind("redis-out-of-memory", 1, REDIS, (0.5, 1.5)),
        Kind("redis-disk-full", 1, REDIS, (1.5, 3.0)),
        Kind("repeat", 2, STREAMS, (0.0, 0.0), (1, 30)),
        Kind("displace", 2, STREAMS, (0.2, 2.0), (1, 10)),
    )


def draw(seed: int, seconds: float, database: str, furthest: float = 10.0) -> Plan:
    """A plan of `seconds`: a shuffled pack is dealt card by card, so that every kind comes before one comes too often."""
    chance = random.Random(f"{seed}/{database}")
    pack = [kind for kind in kinds(furthest) for _ in range(kind.copies) if database in kind.database]
    return Plan(seed, seconds, database, tuple(_deal(chance, pack, seconds)))


def _deal(chance: random.Random, pack: list[Kind], seconds: float) -> Iterator[Fault]:
    at, cards = 0.0, list[Kind]()
    while (at := at + chance.uniform(0, _LONGEST_PAUSE)) < seconds:
        cards = cards or chance.sample(pack, len(pack))
        kind = cards.pop()
        yield Fault(round(at, 3), kind.name, chance.choice(kind.victims), chance.uniform(*kind.seconds), chance.uniform(*kind.amount))
