"""Web pages: the start page, the counter, the desk, and what a printed receipt leads to. Plain forms that work without JavaScript."""

from __future__ import annotations

from mobile_api.pages.frame import Page, install

__all__ = ["Page", "install"]
