"""A page that shows the phones and the messages they got, for people who watch the demo."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import Any

from aiohttp import web

from sandbox.wechat.messages import shown
from sandbox.wechat.world import WORLD

_CHINA = dt.timezone(dt.timedelta(hours=8))
_STYLE = """
body{margin:0;font:16px/1.6 system-ui,"Noto Sans CJK SC",sans-serif;background:#ededed;color:#191919}
header{padding:1rem 1.5rem;background:#fff}h1{margin:0;font-size:1.25rem}p{margin:.25rem 0 0;color:#595959}
main{display:flex;flex-wrap:wrap;gap:1.5rem;padding:1.5rem;align-items:flex-start}
section{width:20rem;background:#f7f7f7;border:6px solid #191919;border-radius:1.75rem;padding:1rem;min-height:26rem}
h2{font-size:1rem;margin:0 0 .75rem;text-align:center}
article{background:#fff;border-radius:.5rem;padding:.75rem 1rem;margin-bottom:.75rem}
h3{font-size:1rem;margin:0 0 .5rem}dl{display:grid;grid-template-columns:5rem 1fr;margin:0;gap:.25rem}
dt{color:#6b6b6b}dd{margin:0;overflow-wrap:anywhere}time{display:block;text-align:center;color:#6b6b6b;font-size:.875rem}
"""


async def phones(request: web.Request) -> web.Response:
    """GET /: every phone with its newest messages; looks again every two seconds."""
    world = request.app[WORLD]
    found = [shown(world, one) for one in world.store.messages(None, 200)]
    sections = "".join(_phone(user, [one for one in found if one["user"] == user][:10]) for user in world.store.users())
    nobody = "<p>还没有人登录过。居民登录并同意接收消息后，消息会显示在这里。</p>"
    text = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
        '<meta name="viewport" content="width=device-width"><title>模拟微信</title>'
        f"<style>{_STYLE}</style><header><h1>模拟微信 · 手机上收到的服务通知</h1>"
        "<p>这是演示用的替身平台，不是微信；消息由真实的发送程序发出。</p></header>"
        f"<main>{sections or nobody}</main></html>"
    )
    return web.Response(text=text, content_type="text/html")


def _phone(user: str, messages: list[dict[str, Any]]) -> str:
    inside = "".join(_message(one) for one in messages) or "<p>暂无消息</p>"
    return f"<section><h2>{escape(user)} 的手机</h2>{inside}</section>"


def _message(message: dict[str, Any]) -> str:
    lines = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in message["lines"])
    at = dt.datetime.fromtimestamp(message["at"], _CHINA)
    return f"<time>{at:%m月%d日 %H:%M:%S}</time><article><h3>{escape(message['title'])}</h3><dl>{lines}</dl></article>"
