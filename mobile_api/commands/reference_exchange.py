"""The page about the exchange for a department's programmer: every message, every field, an example of each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from backoffice.compatibility import Contract, contract
from backoffice.narrowing import Schema
from backoffice.registry import Direction, MessageType, asyncapi

_INTRODUCTION = """\
# Messages between the town and its departments

Everything that is said, field by field. The same as a file for tools: [asyncapi.json](asyncapi.json), served at
`/api/v1/asyncapi.json`; [contract.json](contract.json) holds the promise that `./run docs` and the tests keep: **within a version,
fields may be added, and nothing else changes**. A reader ignores fields that it does not know. What has to change otherwise becomes a
new version of its type (`….v2`), and the old one stays beside it until nobody uses it.

## The envelope

CloudEvents 1.0 in JSON, structured mode. An answer has 64 KiB at most; a command has a few, and up to 512 where a case has very many
papers and opinions. Files never travel inside: a message names them by id, size and SHA-256.
"""
_ROADS = """
## The roads

| stream | what | who writes | who reads |
|---|---|---|---|
| `q:{DEPT.p}` | commands | the town | the department |
| `a:{DEPT.p}` | answers | the department | the town |
| `ack:{DEPT}` | confirmations of commands | the department | the town |
| `taken:{DEPT}` | confirmations of answers | the town | the department |

`DEPT` is the department's code, `p` the partition, from 0; the braces are part of the name. An entry has one field `e` with the bytes.
Answer on the partition that the command came from. The group is called `g`; XACK and XDEL an entry after your own commit.

A confirmation is `{"case_id": "…", "sequence": n}`: everything of this case up to `n` has been taken in.
"""
_EXAMPLE = {
    "specversion": "1.0",
    "id": "0193c5a0-7d1e-7c7e-9c39-5f0f3c8f3a11",
    "source": "/departments/MZ",
    "type": "cn.gov.town.task.decided.v1",
    "subject": "case/1302081082026112400001X",
    "time": "2026-11-24T09:30:00+08:00",
    "datacontenttype": "application/json",
    "partitionkey": "0193c59f-21b4-7f0a-8d7e-6a0d5be3c901",
    "sequence": 3,
    "correlationid": "0193c59f-21b5-7d52-a1f0-0c2f3f9f7b10",
    "causationid": "0193c59f-21b9-7a33-b5ce-c0f5b7a3de02",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "data": {"case": "1302081082026112400001X", "task": "0193c59f-21b5-7d52-a1f0-0c2f3f9f7b10", "result": "agreed", "opinion": "同意。"},
}
_TITLES: dict[Direction, str] = {
    "to_department": "## What the town says to a department",
    "from_department": "## What a department answers",
}


def page(registry: Sequence[MessageType]) -> Iterator[str]:
    """The lines of the page."""
    promised = contract(registry)
    yield _INTRODUCTION
    envelope = asyncapi("000000000", registry)["components"]["schemas"]["Envelope"]
    yield from _table(
        _rows(promised["Envelope"]["schema"], ""), {name: one.get("description", "") for name, one in envelope["properties"].items()}
    )
    yield f"\nAn answer, whole:\n\n```json\n{json.dumps(_EXAMPLE, ensure_ascii=False, indent=2)}\n```"
    yield _ROADS
    for direction, title in _TITLES.items():
        yield f"{title}\n"
        for entry in registry:
            if entry.direction == direction:
                yield from _message(entry, promised)


def _message(entry: MessageType, promised: Contract) -> Iterator[str]:
    yield f"### `{entry.type}`\n\n{entry.summary}\n"
    yield from _table(_rows(promised[entry.type]["schema"], ""))
    yield ""


def _table(rows: Iterator[tuple[str, str, str]], words: dict[str, str] | None = None) -> Iterator[str]:
    yield "| field | must be there | what it may hold |\n|---|---|---|"
    for name, must, rule in rows:
        more = (words or {}).get(name)
        yield f"| `{name}` | {must} | {rule}{f'. {more}' if more else ''} |"


def _rows(schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    """Every field below a schema: its path, whether it is required, its rule in words."""
    for name, field in schema.get("properties", {}).items():
        default = f"no, else `{json.dumps(field['default'], ensure_ascii=False)}`" if field.get("default") is not None else "no"
        yield f"{path}{name}", "yes" if name in schema.get("required", ()) else default, _rule(field)
        yield from _rows(field, f"{path}{name}.")
        yield from _rows(field.get("items", {}), f"{path}{name}[].")


def _rule(schema: Schema) -> str:
    """A field's rule in words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_rule(one) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " / ".join(f"`{value}`" for value in values) + (", others may come" if schema.get("x-open-enum") else "")
    if "items" in schema:
        return f"list of {_rule(schema['items'])}"
    kind = schema.get("type", "anything")
    return ", ".join([str(schema.get("format", kind)), *_limits(schema)])


def _limits(schema: Schema) -> Iterator[str]:
    least: Any = schema.get("minLength", schema.get("minimum"))
    most: Any = schema.get("maxLength", schema.get("maximum"))
    unit = " characters" if schema.get("type") == "string" else ""
    if least is not None and most is not None:
        yield f"{least} to {most}{unit}"
    elif least is not None:
        yield f"at least {least}{unit}"
    elif most is not None:
        yield f"at most {most}{unit}"
    if "pattern" in schema:
        yield f"like `{schema['pattern'].replace('|', chr(92) + '|')}`"
