"""Names of what a department has in Redis and in the lease table (contract, "Exchange with departments")."""

from __future__ import annotations

from collections.abc import Mapping

from storage.outbox import Lane


def lanes_of(departments: Mapping[str, int]) -> list[Lane]:
    """Every lane of the departments, given as code -> number of partitions."""
    return [(code, partition) for code, partitions in sorted(departments.items()) for partition in range(partitions)]


def commands_key(lane: Lane) -> str:
    """The stream of commands to a lane: the braces make one hash slot of what belongs together."""
    return f"q:{{{lane[0]}.{lane[1]}}}"


def answers_key(lane: Lane) -> str:
    """The stream of a lane's answers."""
    return f"a:{{{lane[0]}.{lane[1]}}}"


def confirmations_key(department: str) -> str:
    """The stream in which a department confirms commands."""
    return f"ack:{{{department}}}"


def taken_key(department: str) -> str:
    """The stream in which this town confirms a department's answers."""
    return f"taken:{{{department}}}"


def relay_lease(lane: Lane) -> str:
    """The lease of the one relay that sends to a lane."""
    return f"relay:{lane[0]}.{lane[1]}"


def inbox_lease(lane: Lane) -> str:
    """The lease of the one inbox that reads a lane's answers."""
    return f"inbox:{lane[0]}.{lane[1]}"


def confirmations_lease(department: str) -> str:
    """The lease of the one reader of a department's confirmations."""
    return f"ack:{department}"
