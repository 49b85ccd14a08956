"""kill -9 while files are handed in: what is called ready is whole, nothing readable lies about, and all of it can be settled or swept."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import hashlib
import sys
from pathlib import Path

import pytest
from PIL import Image

from handlers import uploads
from handlers.keys import Keys
from handlers.media import Laundry
from handlers.office import Office
from storage.clock import SettableClock
from storage.database import Database
from tests.support import evil
from tests.support.town import small_office
from tests.support.uploads import content, kept, traces

__all__ = ["small_office"]

ROOT = Path(__file__).parents[2]
DOOMED = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from handlers import uploads
from handlers.keys import Keys
from handlers.media import Laundry
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database
from storage.files import open_files

async def hand_in(office, data, number):
    async def pieces():
        for at in range(0, len(data), 1 << 18):
            yield data[at : at + (1 << 18)]
            print("piece", flush=True)
    while True:
        await uploads.receive(office, "zhang", f"{number}.jpg", pieces(), 20 << 20)
        print("ready", flush=True)

async def main():
    url, folder = sys.argv[1], Path(sys.argv[2])
    data = sys.stdin.buffer.read()
    office = SimpleNamespace(
        database=await Database.open(url, Bell()), clock=SystemClock(), keys=Keys.load(folder / "secrets"),
        files=open_files(f"file://{folder}/files"), laundry=Laundry(), upload_limit=20 << 20,
    )
    await asyncio.gather(*(hand_in(office, data, number) for number in range(3)))

asyncio.run(main())
"""


async def hand_in_until(line_number: int, url: str, folder: Path, data: bytes) -> None:
    """Let another process hand files in, and kill it as it says its n-th line."""
    pipe = asyncio.subprocess.PIPE
    doomed = await asyncio.create_subprocess_exec(sys.executable, "-c", DOOMED, url, str(folder), cwd=ROOT, stdin=pipe, stdout=pipe)
    doomed.stdin.write(data)
    doomed.stdin.close()
    for _ in range(line_number):
        assert await doomed.stdout.readline(), "it ended by itself"
    doomed.kill()
    await doomed.wait()


async def test_whenever_it_dies_ready_is_whole_and_nothing_readable_is_left(
    small_office: Office, database_url: str, database: Database, tmp_path: Path
):
    assert isinstance(small_office.keys, Keys)
    data = evil.saved(Image.effect_noise((1100, 1100), 90).convert("RGB"), "JPEG", quality=90)
    later = SettableClock(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5))
    office = dataclasses.replace(small_office, clock=later, laundry=Laundry())
    for line_number in (1, 6, 13, 20, 31):
        await hand_in_until(line_number, database_url, tmp_path, data)
        assert traces(tmp_path / "files", data) == []
        await all_ready_are_whole(office, database)
    states = await database.rows("SELECT state, key_wrapped FROM upload")
    assert {"ready", "scanning"} <= {row["state"] for row in states}
    await uploads.settle(office)
    states = await database.rows("SELECT state, key_wrapped FROM upload")
    assert {row["state"] for row in states if row["key_wrapped"]} == {"ready"}
    await all_ready_are_whole(office, database)
    later.advance(days=8)
    await uploads.purge(office)
    assert await database.rows("SELECT id FROM upload") == []
    assert kept(tmp_path / "files") == []
    await office.laundry.close()


async def all_ready_are_whole(office: Office, database: Database) -> None:
    for row in await database.rows("SELECT id, digest FROM upload WHERE state = 'ready'"):
        assert hashlib.sha256(await content(office, "zhang", row["id"])).hexdigest() == row["digest"]


pytestmark = pytest.mark.slow
