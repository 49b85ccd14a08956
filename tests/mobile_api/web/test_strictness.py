"""JSON has one meaning here, whatever is sent."""

from __future__ import annotations

import json
from typing import Annotated

import aiohttp
import msgspec
import pytest

from handlers.errors import Refused
from mobile_api.web.strictness import MAX_DEPTH, decode_strictly
from tests.support.web import Thing

DECODER = msgspec.json.Decoder(Thing)

EVIL = {
    "not a number": b'{"count": NaN}',
    "infinity": b'{"form": {"x": -Infinity}}',
    "a key twice": b'{"count": 1, "count": 2}',
    "a key twice, once in disguise": rb'{"count": 1, "\u0063ount": 2}',
    "a key twice, deep inside": b'{"form": {"a": [{"b": 1, "b": 1}]}}',
    "a key twice, behind text that looks like keys": b'{"name": ":", "form": {"x": 1, "x": 2}}',
    "a hundred thousand levels": b'{"form": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "one level too many": b'{"form": {"a": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}}",
    "half an emoji": rb'{"name": "\ud83d"}',
    "an emoji the wrong way round": rb'{"name": "\udc00\ud800"}',
    "bytes that are no text": b'{"name": "\xff"}',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "a nul": rb'{"name": "\u0000"}',
    "a nul in a list": rb'{"form": {"a": ["\u0000"]}}',
    "a nul in a key": rb'{"form": {"a\u0000": 1}}',
    "five thousand digits": b'{"count": ' + b"9" * 5000 + b"}",
    "an integer that no JavaScript keeps": b'{"form": {"a": 9007199254740993}}',
    "the same below zero": b'{"form": {"a": -9007199254740993}}',
    "a number beyond numbers": b'{"form": {"a": 1e999}}',
    "the wrong type": b'{"count": "1"}',
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "a mark before it": b"\xef\xbb\xbf{}",
    "something behind it": b"{}{}",
    "a comment": b'{"count": 1 /* one */}',
    "a comma too many": b'{"count": 1,}',
    "single quotes": b"{'count': 1}",
    "a raw line break": b'{"name": "a\nb"}',
}

HONEST = [
    b"{}",
    b' { "name" : "\xe5\xbc\xa0" , "count" : 3 } ',
    rb'{"name": "a \"b\": \\u0000 c"}',
    b'{"name": "a, b: c", "form": {"name": "a"}}',
    rb'{"name": "\ud83d\ude00"}',
    b'{"form": {"list": [{"a": 1, "b": "2"}, {"a": 1, "b": "2"}]}}',
    b'{"form": {"id": "110101199001011234", "n": 9007199254740991}}',
    b'{"form": {"a": ' + b"[" * (MAX_DEPTH - 2) + b"]" * (MAX_DEPTH - 2) + b"}}",
]


@pytest.mark.parametrize("body", EVIL.values(), ids=EVIL.keys())
async def test_what_has_no_single_meaning_is_refused(client: aiohttp.ClientSession, body: bytes):
    answer = await client.post("/api/v1/echo", data=body, headers={"Content-Type": "application/json"})
    assert answer.status in {400, 422}
    assert (await answer.json(content_type=None))["code"] in {"not_json", "wrong_shape"}


@pytest.mark.parametrize("body", HONEST)
def test_what_has_one_meaning_is_read(body: bytes):
    thing = decode_strictly(body, DECODER)
    assert msgspec.to_builtins(thing) == {"name": "", "count": 0, "form": {}} | json.loads(body)


def test_a_refusal_says_what_is_wrong_in_both_languages():
    with pytest.raises(Refused) as caught:
        decode_strictly(b'{"count": 1, "count": 2}', DECODER)
    assert (caught.value.code, caught.value.values["reason_en"]) == ("not_json", "An object names the same key twice.")


@pytest.mark.parametrize(
    "body",
    ['{"name": "\u202e王五\u2069", "form": {"a": ["\u200bb"]}}'.encode(), rb'{"name": "\u202e\u738b\u4e94", "form": {"a": ["\u200bb"]}}'],
)
def test_what_nobody_sees_is_taken_out_of_texts(body: bytes):
    found = decode_strictly(body, DECODER)
    assert (found.name, found.form) == ("王五", {"a": ["b"]})


class Named(msgspec.Struct):
    """Something that must have a name."""

    name: Annotated[str, msgspec.Meta(min_length=1)]


def test_a_text_of_which_nothing_can_be_seen_is_too_short():
    with pytest.raises(Refused) as refused:
        decode_strictly('{"name": "\u202e"}'.encode(), msgspec.json.Decoder(Named))
    assert refused.value.code == "wrong_shape"
