"""What can go wrong with a store, in words the rooms above may know: they import neither tortoise nor redis."""

from __future__ import annotations


class Mendable(Exception):
    """What an operator can mend: the command line says its text and nothing else."""


class StoreUnavailable(Mendable):
    """A store cannot be used now: not reachable, starting, full, read-only. The same act may succeed later."""


class Conflict(Exception):
    """A rule of the schema forbids this row: a CHECK, a UNIQUE, a reference. Its text names the rule, never the row's values."""


class MigrationError(Mendable):
    """The database and this code do not belong together; the text says why and what to do."""
