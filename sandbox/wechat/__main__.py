"""Run the stand-in: `python -m sandbox.wechat --port 8090 --callback http://127.0.0.1:8080/api/v1/wechat/push`."""

from __future__ import annotations

import argparse

from aiohttp import web

from sandbox.wechat.app import make_app
from sandbox.wechat.pusher import Target
from sandbox.wechat.world import World


def main() -> None:
    """Serve until stopped."""
    wish = _arguments()
    target = Target(wish.callback, wish.token, wish.aes_key, wish.appid, wish.format, wish.mode, wish.push_limit, wish.push_pause)
    world = World(appid=wish.appid, secret=wish.secret, state=wish.state, latency=wish.latency, target=target)
    web.run_app(make_app(world), host=wish.host, port=wish.port, print=None, access_log=None)


def _arguments() -> argparse.Namespace:
    given = Target()
    parser = argparse.ArgumentParser(prog="python -m sandbox.wechat", description="A stand-in for the WeChat platform.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--state", default=":memory:", help="file that keeps people, consents and messages over restarts")
    parser.add_argument("--appid", default=given.appid)
    parser.add_argument("--secret", default="sandbox-secret")
    parser.add_argument("--latency", type=float, default=0.02, help="seconds that sending a message takes")
    parser.add_argument("--callback", default="", help="address of the message push; empty: nothing is pushed")
    parser.add_argument("--token", default=given.token)
    parser.add_argument("--aes-key", default=given.aes_key)
    parser.add_argument("--format", choices=("json", "xml"), default=given.format)
    parser.add_argument("--mode", choices=("plain", "safe", "compatible"), default=given.mode)
    parser.add_argument("--push-limit", type=float, default=given.limit, help="seconds until a delivery is given up")
    parser.add_argument("--push-pause", type=float, default=given.pause, help="seconds between the three deliveries")
    return parser.parse_args()


if __name__ == "__main__":
    main()
