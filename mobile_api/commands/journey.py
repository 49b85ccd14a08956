"""Plays the main job against a running server over HTTP alone, one line a step; exit code 0 only if all held."""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid

import aiohttp

from mobile_api.journey.client import Client, JourneyFailed
from mobile_api.journey.play import Journey, need


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--base-url", required=True, help="the server, e.g. http://127.0.0.1:8080")
    parser.add_argument("--item", action="append", help="service item to apply for (default MZ-01 and SJ-03); may be repeated")
    parser.add_argument(
        "--staff", default="clerk:demo-clerk", metavar="USER:PASSWORD", help="a clerk who scans the look-up code; empty leaves the scan out"
    )
    parser.add_argument("--count", type=int, default=1, help="journeys at the same time")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds until a case must be done")
    parser.add_argument("--quiet", action="store_true", help="only the result")


def run(arguments: argparse.Namespace) -> int:
    """Play; 1 when a step did not hold."""
    failed = False
    try:
        asyncio.run(_play(arguments))
    except* (JourneyFailed, aiohttp.ClientError, TimeoutError) as failures:
        failed = True
        for failure in failures.exceptions:
            print(f"FAILED: {type(failure).__name__}: {str(failure)[:500]}", file=sys.stderr)
    if failed:
        return 1
    print("All steps held.")
    return 0


async def _play(arguments: argparse.Namespace) -> None:
    items = arguments.item or ["MZ-01", "SJ-03"]
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=90)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http, asyncio.TaskGroup() as group:
        await _answers(http, arguments.base_url)
        for number in range(arguments.count):
            group.create_task(_one(arguments, http, items[number % len(items)] if arguments.count > 1 else items[0]))
        for item in items[1:] if arguments.count == 1 else []:
            group.create_task(_one(arguments, http, item))


async def _answers(http: aiohttp.ClientSession, base_url: str) -> None:
    try:
        async with http.get(f"{base_url.rstrip('/')}/healthz", timeout=aiohttp.ClientTimeout(total=5)) as response:
            need(response.status == 200, f"{base_url} answers {response.status}")  # noqa: PLR2004
    except (aiohttp.ClientError, TimeoutError):
        raise JourneyFailed(f"nobody answers at {base_url}") from None


async def _one(arguments: argparse.Namespace, http: aiohttp.ClientSession, item: str) -> None:
    def say(line: str) -> None:
        if not arguments.quiet:
            print(f"{item}  {line}", flush=True)

    journey = Journey(Client(http, arguments.base_url, arguments.patience), item, say, patience=arguments.patience)
    await journey.play()
    if arguments.staff:
        await _scan(arguments, http, journey)


async def _scan(arguments: argparse.Namespace, http: aiohttp.ClientSession, journey: Journey) -> None:
    username, _, password = arguments.staff.partition(":")
    clerk = Client(http, arguments.base_url, arguments.patience)
    await clerk.log_in_staff(username, password)
    code = (await journey.client.call("POST", "/codes/lookup", json={"purpose": "hall"}, key=uuid.uuid4().hex))["code"]
    card = await clerk.call("POST", "/codes/scan", json={"code": code, "purpose": "hall"})
    need(any(case["number"] == journey.case["number"] for case in card["cases"]), "the scanned code does not show the case")
    status, problem = await clerk.raw("POST", "/codes/scan", json={"code": code, "purpose": "hall"})
    need(status in {404, 410}, f"a code scanned twice answered {status} {problem}")
    journey.say("a clerk scanned the look-up code once and saw the case; the second scan was refused")
