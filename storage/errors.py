"""What can go wrong with a store, in words the rooms above may know: they import neither tortoise nor redis."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """A store cannot be used now: not reachable, starting, full, read-only. The same act may succeed later."""


class Conflict(Exception):
    """A rule of the schema forbids this row: a CHECK, a UNIQUE, a reference. Its text names the rule, never the row's values."""


class MigrationError(Exception):
    """The database and this code do not belong together; the text says why and what to do."""
