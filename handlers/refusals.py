"""Every code that a refusal may have, in one table; the reference page of errors is printed from it."""

from __future__ import annotations

from handlers.errors import Refusal
from handlers.refusals_desk import DESK
from handlers.refusals_door import DOOR
from handlers.refusals_exchange import EXCHANGE
from handlers.refusals_life import LIFE
from handlers.refusals_papers import PAPERS
from handlers.refusals_proxies import PROXIES
from handlers.refusals_town import TOWN

REFUSALS: dict[str, Refusal] = TOWN | LIFE | PAPERS | PROXIES | DESK | EXCHANGE | DOOR
