"""The stand-in platform for every test of this room."""

from __future__ import annotations

from tests.support.wechat import platform

__all__ = ["platform"]
