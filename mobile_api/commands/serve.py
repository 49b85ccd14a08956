"""Serves the town: HTTP, exchange with departments, messages to phones, clocks; everything, or what --only names."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import aiohttp

from backoffice.bridge import Bridge, new_holder
from backoffice.file_batches import file_links
from backoffice.relay import Limits
from backoffice.watching import Tally, Watch
from backoffice.webhooks import webhook_links
from config.settings import Settings
from handlers import reviews
from mobile_api import sweeps
from mobile_api.app import build_app, wechat_platform
from mobile_api.commands.common import read_settings
from mobile_api.composition import NotFit, Stores, open_stores
from mobile_api.web.logs import log_to
from mobile_api.web.server import Limits as ConnectionLimits
from mobile_api.web.server import listen
from mobile_api.web.server import run as run_loop
from notifications import templates as message_templates
from notifications.channels.wechat import WechatPlatform
from notifications.sender import Sender
from storage.streams import Streams
from storage.watching import Gauge

CARRIERS = ("api", "bridge", "notifier", "clock")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's words."""
    parser.add_argument("--only", help=f"comma-separated carriers to run here: {', '.join(CARRIERS)}")
    parser.add_argument("--port", type=int, help="port to listen on, instead of the setting http.port")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    only = set((arguments.only or ",".join(CARRIERS)).split(","))
    if unknown := only - set(CARRIERS):
        sys.exit(f"--only knows {', '.join(CARRIERS)}, not {', '.join(sorted(unknown))}.")
    settings = read_settings(arguments)
    log_to(sys.stderr)
    with suppress(KeyboardInterrupt):
        run_loop(serve(settings, only, arguments.port or settings.http.port))
    return 0


async def serve(settings: Settings, only: set[str], port: int) -> None:
    """Run the carriers until the process is told to stop."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        platform = wechat_platform(http, settings, stores.office, stores.office.fleeting)
        if "clock" in only:
            await stack.enter_async_context(sweeps.running(stores.office))
        if "notifier" in only:
            await stack.enter_async_context(notifier(stores, platform))
        if "bridge" in only:
            await stack.enter_async_context(bridge(stores))
        if "api" in only:
            await stack.enter_async_context(api(stores, platform, port))
        # What is there now stays: the collector need not look at it again, which spares some percent of every request.
        gc.collect()
        gc.freeze()
        await stopped.wait()


@asynccontextmanager
async def api(stores: Stores, platform: WechatPlatform, port: int) -> AsyncIterator[int]:
    """HTTP and sockets; gives the port that was taken (for port 0)."""
    settings = stores.settings
    templates = message_templates.load(settings.tables_dir / "templates" / "wechat.toml")
    office = stores.office
    watch = Watch(office.database, office.clock, Gauge(stores.redis.commands), office.catalogue.departments)
    app = build_app(office, settings, platform, templates, watch)
    await office.laundry.warm()
    _ = office.catalogue.index  # no resident waits for the first search
    limits = ConnectionLimits(head=settings.http.read_seconds, idle=settings.http.keepalive_seconds)
    try:
        runner = await listen(app, settings.http.host, port, limits=limits, reuse_port=settings.http.reuse_port)
    except OSError as error:
        raise NotFit(f"http.host and http.port: cannot listen at {settings.http.host}:{port}: {os.strerror(error.errno or 0)}.") from error
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def bridge(stores: Stores) -> AsyncIterator[Bridge]:
    """The exchange with departments."""
    office, exchange = stores.office, stores.settings.exchange
    carrier = Bridge(
        office.database,
        office.clock,
        office.bell,
        Streams(stores.redis.commands, stores.redis.blocking),
        departments={code: one.partitions for code, one in office.catalogue.departments.items() if one.link == "queue"},
        effect=partial(reviews.record, office),
        sealer=office.keys.sealer,
        limits=Limits(lease_seconds=exchange.lease_seconds, resend_seconds=exchange.resend_seconds, stream_cap=exchange.stream_cap),
        carriers=[*webhook_links(office, is_development=stores.settings.town.profile == "development"), *file_links(office)],
    )
    tally = Tally(carrier.counts, Gauge(stores.redis.commands))
    await carrier.start()
    await tally.start()
    try:
        yield carrier
    finally:
        await carrier.stop()
        await tally.stop()


@asynccontextmanager
async def notifier(stores: Stores, platform: WechatPlatform) -> AsyncIterator[None]:
    """Messages to phones."""
    office, settings = stores.office, stores.settings
    sender = Sender(
        office.database,
        office.clock,
        office.bell,
        platform,
        message_templates.load(settings.tables_dir / "templates" / "wechat.toml"),
        holder=new_holder(),
        poll=settings.notify.poll_seconds,
        give_up=dt.timedelta(hours=settings.notify.give_up_hours),
    )
    await sender.start()
    try:
        yield
    finally:
        await sender.stop()
