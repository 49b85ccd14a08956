"""A browser without JavaScript: it reads pages, fills in the forms that are on them, and presses their buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import aiohttp

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
_VOID = {"script", "style"}


@dataclass
class Form:
    """A form as it stands on the page, with the buttons that send it."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._inside = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("method", "get"), has["action"]))
        elif tag == "input" and "name" in has:
            self.forms[-1].fields[has["name"]] = has.get("value", "")
        elif tag == "select":
            self._select = has["name"]
        elif tag == "option" and (self._select not in self.forms[-1].fields or "selected" in has):
            self.forms[-1].fields[self._select] = has["value"]
        elif tag in {"button", "a", "textarea", "title"}:
            self._open.append((tag, has))
            self._inside = ""
        if tag in _VOID:
            self._open.append((tag, has))

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][0] not in _VOID:
            self._inside += data
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            return
        _, has = self._open.pop()
        text = self._inside.strip()
        if tag == "button" and has.get("type") != "button":
            self.forms[-1].buttons[text] = (has.get("name", ""), has.get("value", ""))
        elif tag == "textarea":
            self.forms[-1].fields[has["name"]] = self._inside
        elif tag == "a":
            self.links[text] = has["href"]


@dataclass
class Seen:
    """A page as it came, and where it came from in the end."""

    status: int
    path: str
    html: str
    headers: Any

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.html)
        self.forms, self.links = reader.forms, reader.links
        self.text = " ".join("".join(reader.words).split())

    @property
    def buttons(self) -> set[str]:
        """Everything that can be pressed, but for the log-out."""
        return {text for form in self.forms for text in form.buttons} - {"退出"}

    def form_of(self, button: str) -> Form:
        """The form that a button sends."""
        return next(form for form in self.forms if button in form.buttons)


class Visitor:
    """Somebody at a computer, with cookies of his own."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self._base_url = base_url
        self.session = session

    async def visit(self, path: str, **options: Any) -> Seen:
        """Open a page, wherever it leads."""
        return await self.ask("GET", path, **options)

    async def press(self, page: Seen, button: str, headers: dict[str, str] | None = None, **fields: str) -> Seen:
        """Fill in fields of the form and press its button; names of fields that do not exist fail the test."""
        form = page.form_of(button)
        assert not fields.keys() - form.fields.keys(), form.fields
        name, value = form.buttons[button]
        sent = {**form.fields, **fields, **({name: value} if name else {})}
        return await self.ask(form.method.upper(), form.action, data=sent, headers=headers)

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Seen:
        """A request as a browser sends it."""
        async with self.session.request(method, self._base_url + path, headers={**BROWSER, **(headers or {})}, **options) as answer:
            kind = answer.headers.get("Content-Type", "")
            html = await answer.text(errors="replace") if kind.startswith(("text/", "application/")) and "pdf" not in kind else ""
            return Seen(answer.status, answer.url.path, html, answer.headers)

    async def log_in(self, username: str, password: str) -> Seen:
        """Log in by the form."""
        return await self.press(await self.visit("/login"), "登录", username=username, password=password)
