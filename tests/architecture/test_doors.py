"""The doors are complete: every address says who may call it and is tested, every event has words, every setting a line."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from backoffice.lanes import answers_key, commands_key, confirmations_key, taken_key
from config.settings import DEFAULTS, Settings
from handlers import notices
from handlers.complaints import COMPLAINTS
from handlers.refusals import REFUSALS
from handlers.timeline import TITLES
from handlers.transitions import STATE_NAMES
from mobile_api.commands.reference import FOLDER, pages
from mobile_api.pages.table import PAGES
from mobile_api.routes import ROUTES
from mobile_api.web.openapi import describe
from mobile_api.web.operation import Route, Who
from notifications import wording

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for room in ("backoffice", "handlers", "mobile_api", "notifications", "storage") for path in (ROOT / room).rglob("*.py")]
CALLERS = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "mobile_api" / "journey").rglob("*.py")]
CALLS = "\n".join(re.sub(r"\{[^{}]*\}", "X", path.read_text(encoding="utf-8")) for path in CALLERS)

# Open to anybody: each for a reason that was thought about.
OPEN = {
    "auth_wechat", "auth_refresh", "auth_staff_login",  # to log in
    "items_list_items", "items_show_item", "items_list_bundles", "items_show_bundle", "items_list_departments", "items_list_events",
    "expectations_of_item",
    "papers_commitments",  # what one would sign
    "codes_show_receipt",  # holds nothing personal
    "documentation_openapi", "exchange_asyncapi", "documentation_docs", "documentation_errors",
    "keys_jwks",  # public keys
    "health_alive", "health_ready", "metrics_metrics",
}  # fmt: skip


def test_an_address_is_open_to_anybody_only_if_this_list_says_so():
    assert {route.name for route in ROUTES if route.who is Who.ANYONE} == OPEN


OPEN_PAGES = {"/", "/m", "/m/", "/m/config.json", "/r/{code}", "/login", "/logout", "/favicon.ico", "/verify"}


def test_a_page_that_does_not_ask_who_is_there_is_open_on_purpose():
    closed = [page for page in PAGES if page.path not in OPEN_PAGES and not page.path.startswith("/m/assets/")]
    assert closed
    for page in closed:
        assert "await officer(request)" in inspect.getsource(page.view), page.path


def test_every_act_of_somebody_logged_in_takes_a_key_and_every_act_on_a_version_needs_one():
    harmless = {"uploads_create_upload"}
    acts = [route for route in ROUTES if route.method == "POST" and route.who.logs_in and route.name not in harmless]
    assert [route.name for route in acts if route.idempotency == "none"] == []
    assert [route.name for route in acts if route.if_match and route.idempotency != "required"] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_address_is_called_by_some_test(route: Route):
    path = re.sub(r"\\\{\w+\\\}", "[^\"'?/]+", re.escape(route.path))
    assert re.search(rf"[\"'/\w]{path}[\"'?]", CALLS), f"no test calls {route.method} {route.path}"


def test_the_api_description_is_valid_and_lists_exactly_the_served_addresses():
    document = msgspec.json.decode(msgspec.json.encode(describe(ROUTES)))

    OpenAPIV31SpecValidator(document).validate()

    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods if method != "parameters"}
    assert listed == {(route.method, route.address) for route in ROUTES if not route.root}


def test_every_list_has_the_shape_of_the_contract():
    document = msgspec.json.decode(msgspec.json.encode(describe(ROUTES)))
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        name = answer.get("schema", {}).get("$ref", "").rpartition("/")[2]
        shape = schemas.get(name, {}).get("properties", {})
        if "code" in shape:
            continue  # a bundle is one thing that has items
        assert ("items" in shape) <= ("next_cursor" in shape), path
        assert len(shape) != 1 or next(iter(shape.values())).get("type") != "array", path


def test_every_event_has_words_in_both_languages_and_a_template_where_it_is_pushed():
    facts = {
        "number": "1",
        "item_name": "事项",
        "state": "accepted",
        "department_name": "公安",
        "reason": "因",
        "text": "话",
        "decision": "granted",
    }
    for event in notices.EVENT_TYPES:
        for language in ("zh", "en"):
            title, text = wording.words(event, facts, language)
            assert title, event
            assert text, event
        if event in notices.PUSHED:
            assert wording.templates(event), event


def test_every_line_of_a_case_history_has_a_title():
    noted = {name for path in SOURCES for name in re.findall(r"\.note\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))}
    assert noted <= set(TITLES)
    assert {event.removeprefix("case.") for event in notices.EVENT_TYPES if event.startswith("case.")} <= set(TITLES)


def test_every_event_that_is_told_is_a_known_event():
    told = set()
    for path in SOURCES:
        for call in re.findall(r"\.note\(\s*\"(\w+)\"[^)]*\)", path.read_text(encoding="utf-8"), flags=re.DOTALL):
            told.add(call)
    silent = {
        "evaluated", "certificate_issued", "late_opinion", "extension_asked", "extension_refused", "urgent_asked", "prioritised",
        "assigned", "handed_over",
    }  # fmt: skip
    assert {f"case.{name}" for name in told - silent} <= set(notices.EVENT_TYPES)


def test_every_refusal_that_the_code_gives_is_in_the_catalogue_in_two_languages():
    given = {code for path in SOURCES for code in re.findall(r"Refused\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))}
    assert given <= set(REFUSALS), given - set(REFUSALS)
    for code, refusal in REFUSALS.items():
        assert all((refusal.title, refusal.detail, refusal.title_en, refusal.detail_en)), code
        assert 400 <= refusal.status < 600, code


def test_every_complaint_about_a_field_is_worded_in_two_languages_and_made_somewhere():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.name != "complaints.py")
    for code, (said, said_en) in COMPLAINTS.items():
        assert said, code
        assert re.search("[a-z]", said_en), code
        assert not re.search("[\u4e00-\u9fff]", said_en), code
        assert f'"{code}"' in text, code


def test_every_refusal_of_the_catalogue_is_given_somewhere():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if not path.name.startswith("refusals"))
    unused = [code for code in REFUSALS if f'"{code}"' not in text]
    assert not unused


def test_every_setting_has_a_line_that_says_what_for():
    lines = DEFAULTS.read_text(encoding="utf-8").splitlines()
    for section in msgspec.structs.fields(Settings):
        start = lines.index(f"[{section.name}]")
        for field in msgspec.structs.fields(section.type):
            place = next(n for n in range(start, len(lines)) if re.match(rf"{field.name} *=", lines[n]))
            assert lines[place - 1].startswith("# "), f"{section.name}.{field.name}"


def test_every_state_of_the_schema_has_a_name():
    schema = (ROOT / "storage" / "migrations" / "0001_frame.sql").read_text(encoding="utf-8")
    states = re.search(r"state VARCHAR\(24\) NOT NULL CHECK \(state IN \(([^)]*)\)", schema)
    assert states is not None
    assert set(re.findall(r"'(\w+)'", states[1])) == set(STATE_NAMES)


def test_every_queue_has_a_writer_and_a_reader_on_either_side():
    ours = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "backoffice").rglob("*.py"))
    theirs = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sandbox").glob("department*.py"))
    for key in (commands_key, answers_key, confirmations_key, taken_key):
        assert ours.count(f"{key.__name__}(") >= 2, key.__name__  # its definition and its use
    for prefix in ("q:{", "a:{", "ack:{"):
        assert prefix.replace("{", "{{") in theirs or prefix in theirs, prefix


def test_the_reference_is_what_the_code_says():
    for name, text in pages().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"docs/reference/{name} is stale: run ./run docs"
