"""Towns whose parts are processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import Parts, free_port

MakeParts = Callable[[str, str], Parts]


@pytest.fixture
def parts(tmp_path: Path) -> MakeParts:
    """Makes the parts of a town on a database and a Redis."""

    def make(database: str, redis: str) -> Parts:
        return Parts(tmp_path, database, redis, free_port(), free_port())

    return make
