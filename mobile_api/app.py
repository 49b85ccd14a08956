"""The web application put together: identity, API routes, pages, and the WeChat platform for log-in."""

from __future__ import annotations

from functools import partial

import aiohttp
from aiohttp import web

from backoffice import pull
from backoffice.crossing import Border
from backoffice.doorkeeper import Doorkeeper
from backoffice.intake import Intake
from backoffice.watching import Watch
from config.settings import Settings
from handlers.office import Office
from handlers.residents import LoginPlatform
from handlers.subscriptions import Templates
from mobile_api import pages
from mobile_api.glances import Glances
from mobile_api.identity import Identity
from mobile_api.pages import departments, start
from mobile_api.pages.table import PAGES
from mobile_api.routes import ROUTES
from mobile_api.watching import exchange_metrics
from mobile_api.web.bodies import BodyLimits
from mobile_api.web.caller import AUTHENTICATOR
from mobile_api.web.frame import FrameOptions, install
from mobile_api.web.idempotency import REPEATS, Repeats
from mobile_api.web.keys import OFFICE
from mobile_api.web.metrics import READINGS, Reading
from mobile_api.web.pace import PACES, Pace
from notifications.channels.wechat import Account, WechatPlatform
from notifications.channels.wechat_callback import Callback
from notifications.login import WechatLogin
from storage.clock import Clock
from storage.fleeting import Fleeting
from storage.idempotency import AnswerBook


def build_app(office: Office, settings: Settings, platform: WechatPlatform, templates: Templates, watch: Watch) -> web.Application:
    """The application over an open office; nothing is listening yet."""
    app = web.Application(client_max_size=1024 * 1024)
    identity = Identity(office)
    app[OFFICE], app[AUTHENTICATOR] = office, identity
    app[REPEATS] = Repeats(office.database, office.clock, AnswerBook(office.keys.sealer))
    readings: tuple[Reading, ...] = (partial(exchange_metrics, watch),)
    app[READINGS], app[departments.WATCH] = readings, watch
    app[start.TLS], app[start.DEMO] = settings.http.tls, settings.demo.enabled
    app[start.PRETEND] = settings.wechat.base_url if settings.demo.enabled else ""
    given = {
        Office: office,
        Identity: identity,
        Glances: Glances(office.bell),
        LoginPlatform: WechatLogin(platform),
        Templates: templates,
        Watch: watch,
        Callback: callback(settings, office.clock),
        Doorkeeper: Doorkeeper(office),
        Border: Border(office),
        Intake: Intake(office),
    }
    options = frame_options(settings)
    install(app, ROUTES, given, options)
    pages.install(app, PAGES, options)

    async def adopt(_app: web.Application) -> None:
        await pull.adopt(office)

    app.on_startup.append(adopt)
    return app


def wechat_platform(http: aiohttp.ClientSession, settings: Settings, office: Office, fleeting: Fleeting) -> WechatPlatform:
    """The mini-program's account with the platform, or with its stand-in."""
    wechat = settings.wechat
    return WechatPlatform(http, Account(wechat.base_url, wechat.appid, wechat.secret), office.clock, fleeting)


def callback(settings: Settings, clock: Clock) -> Callback:
    """The reader of the platform's message push; only a demo takes plain messages, whose signature covers no content."""
    wechat = settings.wechat
    safe_only = not settings.demo.enabled or settings.town.profile == "production"
    return Callback(wechat.push_token, wechat.push_aes_key, wechat.appid, safe_only=safe_only, clock=clock)


def frame_options(settings: Settings) -> FrameOptions:
    """The frame as the settings want it."""
    factor = settings.http.pace_factor or 1_000_000.0
    paces = {name: Pace(pace.per_minute * factor, max(1, int(pace.burst * factor))) for name, pace in PACES.items()}
    return FrameOptions(
        paces=paces,
        trusted_proxies=tuple(settings.http.trusted_proxies),
        tls=settings.http.tls,
        bodies=BodyLimits(seconds=settings.http.read_seconds),
    )
