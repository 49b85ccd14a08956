"""Ways to reach a phone. A channel hands one message over and says how it went; all memory is in the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to go: whom it is for, which template at the provider, its fields, and the page it opens."""

    to: str
    template_id: str
    fields: Mapping[str, str]
    page: str
    language: str = "zh"


class Channel(Protocol):
    """A provider that delivers messages."""

    async def send(self, message: Message) -> str | None:
        """Hand a message over; answers the provider's id for it, if it gives one. Raises NotSent."""
        ...


class NotSent(Exception):
    """The message was not taken; the subclasses say what follows from that."""


class NotWanted(NotSent):
    """The person does not want it (any more). Not a fault of anybody."""


class Undeliverable(NotSent):
    """It will never be taken like this: unknown address, a template or a field that the provider refuses."""


class TryLater(NotSent):
    """The provider is busy; `after` is the least wait in seconds, `for_all` whether it concerns every message."""

    after: float = 0.0
    for_all: bool = False


class OutOfReach(NotSent):
    """The provider as a whole cannot be used now: no connection, no sense in its answers, or it refuses our account."""
