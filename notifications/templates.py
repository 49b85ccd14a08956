"""The message templates of the mini-program: read from the table, compared with what the platform knows, filled with facts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from handlers.subscriptions import MessageTemplate, Templates
from notifications import wording
from notifications.fields import sanitise
from storage.errors import Mendable
from storage.notifications import Notification

FACTS = frozenset({"item", "number", "status", "note", "time", "date"})
"""What a field may show."""

_PLACE = re.compile(r"\{\{(\w+)\.DATA\}\}")
_KINDS = {2: "once", 3: "lasting"}


class TemplateError(Mendable):
    """The table of templates has a fault; the text names the template and the remedy."""


def load(file: Path) -> Templates:
    """Read a table like config/templates/wechat.toml; raises TemplateError."""
    templates = Templates(_template(name, entry) for name, entry in _read(file).items())
    wanted = {name for event in wording.pushed() for name in wording.templates(event)}
    missing = wanted - templates.by_name.keys()
    if missing:
        raise TemplateError(f"{file.name} lacks the template {', '.join(sorted(missing))}")
    return templates


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise TemplateError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TemplateError(f"{file} is not UTF-8 text: save it again with the encoding UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{file} is not valid TOML: {error}") from None


def left_from_sandbox(templates: Templates) -> list[str]:
    """The templates whose id is still the sandbox's, one sentence each."""
    return [
        f"templates/wechat.toml: [{name}] still has the sandbox's template_id; copy the town's own from 订阅消息, 我的模板."
        for name, template in templates.by_name.items()
        if template.template_id.startswith("sandbox-")
    ]


def fill(template: MessageTemplate, notification: Notification) -> dict[str, str]:
    """The template's fields for one message, fit for their types; raises fields.Unfit."""
    facts = wording.template_facts(notification.event, notification.data, notification.created_at)
    return {field: sanitise(field, facts[fact]) for field, fact in template.fields.items()}


def differences(templates: Templates, listing: Iterable[Mapping[str, Any]]) -> list[str]:
    """What differs from the platform's own list (GET /wxaapi/newtmpl/gettemplate): one sentence each, none if all is well."""
    known = {str(entry.get("priTmplId")): entry for entry in listing}
    return [text for template in templates.by_name.values() for text in _differences(template, known.get(template.template_id))]


def _differences(template: MessageTemplate, entry: Mapping[str, Any] | None) -> Iterable[str]:
    if entry is None:
        yield f"{template.name}: the platform has no template with this template_id; copy it from 订阅消息, 我的模板."
        return
    theirs = set(_PLACE.findall(str(entry.get("content", ""))))
    if theirs != template.fields.keys():
        yield f"{template.name}: the platform's fields are {', '.join(sorted(theirs))}; correct `fields`."
    kind = _KINDS.get(int(entry.get("type", 0)), "unknown")
    if kind != template.kind:
        yield f'{template.name}: at the platform it is "{kind}"; correct `kind`.'


def _template(name: str, entry: Mapping[str, Any]) -> MessageTemplate:
    missing = {"title", "kind", "template_id", "page", "fields"} - entry.keys()
    if missing:
        raise TemplateError(f"{name}: {', '.join(sorted(missing))} is missing")
    if entry["kind"] not in {"once", "lasting"}:
        raise TemplateError(f'{name}: kind must be "once" or "lasting"')
    unknown = set(entry["fields"].values()) - FACTS
    if unknown:
        raise TemplateError(f"{name}: no such fact as {', '.join(sorted(unknown))}; there are {', '.join(sorted(FACTS))}")
    return MessageTemplate(name, entry["title"], entry["kind"], entry["template_id"], entry["page"], dict(entry["fields"]))
