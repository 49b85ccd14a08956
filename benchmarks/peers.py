"""Servers to compare with, each as one would write it with nothing of ours: `python -m benchmarks.peers KIND ARGUMENT`.

`bytes FILE`: bare aiohttp answering the bytes of a file. `row URL`: aiohttp and asyncpg (with their defaults, orjson's equal for
JSON) reading one case row by its key and answering it as JSON. Prints the port, then serves until killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import msgspec
from aiohttp import web

from mobile_api.web.server import run

ADDRESS = "/api/v1/cases/{id}"


def answer_bytes(file: str) -> web.Application:
    body = Path(file).read_bytes()

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get(ADDRESS, show)
    return app


def answer_row(url: str) -> web.Application:
    pools: list[asyncpg.Pool] = []

    async def connect(_app: web.Application) -> None:
        pools.append(await asyncpg.create_pool(url, min_size=1, max_size=10))

    async def show(request: web.Request) -> web.Response:
        row = await pools[0].fetchrow("SELECT * FROM cases WHERE id = $1", request.match_info["id"])
        return web.Response(body=msgspec.json.encode(dict(row)), content_type="application/json")

    app = web.Application()
    app.on_startup.append(connect)
    app.router.add_get(ADDRESS, show)
    return app


KINDS = {"bytes": answer_bytes, "row": answer_row}


async def serve(kind: str, argument: str) -> None:
    runner = web.AppRunner(KINDS[kind](argument), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(serve(sys.argv[1], sys.argv[2]))
