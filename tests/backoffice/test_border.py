"""What passes the border is whole, from whom it says, and for us; whatever else comes is refused in words."""

from __future__ import annotations

import json
import os
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import KeySet, OKPKey

from backoffice.base64url import NotCanonical, decode, encode
from backoffice.border import LARGEST, BorderKey, BorderKeys, NotProtected, checked_jwk, open_protected, protect
from sandbox.webhook_border import Border

TOWN = BorderKeys({"1": os.urandom(32), "2": os.urandom(32)})
DEPARTMENT, STRANGER = BorderKey.of(os.urandom(32)), BorderKey.of(os.urandom(32))
assert TOWN.current
TO_TOWN = TOWN.current.opening_jwk
KNOWN = [checked_jwk(DEPARTMENT.signing_jwk, "verify")]
MESSAGE = '{"specversion":"1.0","data":{"name":"张三"}}'.encode()


def opened(token: bytes, **more: Any) -> bytes:
    return open_protected(token, KNOWN, TOWN.by_kid, **more)


def reason(token: bytes, **more: Any) -> str:
    with pytest.raises(NotProtected) as refused:
        opened(token, **more)
    return refused.value.reason


@given(st.binary(max_size=5000))
@example(b"")
@example(b"\x00" * LARGEST)
def test_what_was_protected_opens_to_the_same_bytes_and_is_hidden_only_where_it_is_encrypted(message: bytes):
    signed, sealed = protect(message, DEPARTMENT), protect(message, DEPARTMENT, TO_TOWN)
    assert opened(signed) == message
    assert opened(sealed, is_encrypted=True) == message
    assert encode(message).encode() in signed
    assert len(message) < 8 or encode(message).encode() not in sealed


def test_an_independent_library_reads_ours_and_we_read_its():
    signing, opening = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("X25519")
    outside = Border(KeySet.import_key_set(TOWN.jwks()), signing, opening)
    assert TOWN.current
    recipient = checked_jwk(opening.as_dict(private=False), "encrypt")
    assert outside.open(protect(MESSAGE, TOWN.current, recipient)) == MESSAGE
    known = [checked_jwk(signing.as_dict(private=False), "verify")]
    assert open_protected(outside.protect(MESSAGE), known, TOWN.by_kid, is_encrypted=True) == MESSAGE


def test_after_a_rotation_the_older_key_still_opens_and_the_newer_one_signs():
    old = next(key for key in TOWN.by_kid.values() if key is not TOWN.current)
    assert opened(protect(MESSAGE, DEPARTMENT, old.opening_jwk)) == MESSAGE
    kids = [key["kid"] for key in TOWN.jwks()["keys"]]
    assert len(set(kids)) == 4
    assert TOWN.current
    assert kids[0] == TOWN.current.signing_jwk["kid"]


def test_what_is_published_holds_no_secret():
    assert all(set(key) == {"kty", "crv", "x", "use", "alg", "kid"} for key in TOWN.jwks()["keys"])
    assert BorderKeys({}).jwks() == {"keys": []}
    assert BorderKeys({}).current is None


def test_any_changed_character_is_refused():
    for token in (protect(MESSAGE, DEPARTMENT), protect(MESSAGE, DEPARTMENT, TO_TOWN)):
        for place in range(len(token)):
            changed = bytearray(token)
            changed[place] = ord("A") if token[place] != ord("A") else ord("B")
            assert reason(bytes(changed))


def test_a_truncated_token_is_refused():
    for token in (protect(MESSAGE, DEPARTMENT), protect(MESSAGE, DEPARTMENT, TO_TOWN)):
        for length in range(len(token)):
            assert reason(token[:length])


def test_parts_of_two_messages_do_not_make_a_third():
    one, other = (protect(text, DEPARTMENT).split(b".") for text in (MESSAGE, b"{}"))
    assert "签名不符" in reason(b".".join((one[0], other[1], one[2])))
    sealed, again = (protect(text, DEPARTMENT, TO_TOWN).split(b".") for text in (MESSAGE, b"{}"))
    for place in range(5):
        assert reason(b".".join(again[place] if n == place else part for n, part in enumerate(sealed)))


def test_a_strangers_signature_is_refused_under_either_name():
    assert "kid" in reason(protect(MESSAGE, STRANGER))
    header = encode(json.dumps({"alg": "Ed25519", "kid": KNOWN[0]["kid"]}).encode())
    text = f"{header}.{encode(MESSAGE)}".encode()
    assert "签名不符" in reason(text + b"." + encode(STRANGER.signing.sign(text)).encode())


def test_a_message_for_somebody_else_is_not_ours_to_open():
    assert "kid" in reason(protect(MESSAGE, DEPARTMENT, STRANGER.opening_jwk))
    named_as_ours = {**STRANGER.opening_jwk, "kid": TO_TOWN["kid"]}
    assert "无法解密" in reason(protect(MESSAGE, DEPARTMENT, named_as_ours))


def test_what_must_be_encrypted_is_refused_when_it_is_only_signed():
    assert "没有加密" in reason(protect(MESSAGE, DEPARTMENT), is_encrypted=True)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": KNOWN[0]["kid"]},
        {"alg": "HS256", "kid": KNOWN[0]["kid"]},
        {"alg": "ES256", "kid": KNOWN[0]["kid"]},
        {"kid": KNOWN[0]["kid"]},
        {"alg": "Ed25519"},
        {"alg": "Ed25519", "kid": ""},
        {"alg": "Ed25519", "kid": 7},
        {"alg": "Ed25519", "kid": ["a"]},
        {"alg": ["Ed25519"], "kid": KNOWN[0]["kid"]},
        {"alg": "Ed25519", "kid": KNOWN[0]["kid"], "jwk": STRANGER.signing_jwk},
        {"alg": "Ed25519", "kid": KNOWN[0]["kid"], "jku": "https://evil.example/jwks.json"},
        {"alg": "Ed25519", "kid": KNOWN[0]["kid"], "x5u": "https://evil.example/x"},
        {"alg": "Ed25519", "kid": KNOWN[0]["kid"], "crit": ["b64"], "b64": False},
        {"alg": "Ed25519", "kid": KNOWN[0]["kid"], "zip": "DEF"},
        {"alg": "Ed25519", "kid": "k" * 65},
        [],
        None,
        "x" * 2000,
    ],
)
def test_a_header_that_wants_something_else_is_refused_though_the_signature_would_hold(header: object):
    text = f"{encode(json.dumps(header).encode())}.{encode(MESSAGE)}".encode()
    assert reason(text + b"." + encode(DEPARTMENT.signing.sign(text)).encode())


def test_no_algorithm_at_all_and_no_signature_is_refused():
    assert reason(f"{encode(json.dumps({'alg': 'none', 'kid': KNOWN[0]['kid']}).encode())}.{encode(MESSAGE)}.".encode())


def test_a_member_written_twice_is_refused():
    raw = f'{{"alg":"none","alg":"Ed25519","kid":"{KNOWN[0]["kid"]}"}}'.encode()
    text = f"{encode(raw)}.{encode(MESSAGE)}".encode()
    assert "不止一次" in reason(text + b"." + encode(DEPARTMENT.signing.sign(text)).encode())


def test_the_older_name_of_the_algorithm_means_the_same():
    text = f"{encode(json.dumps({'alg': 'EdDSA', 'kid': KNOWN[0]['kid']}).encode())}.{encode(MESSAGE)}".encode()
    assert opened(text + b"." + encode(DEPARTMENT.signing.sign(text)).encode()) == MESSAGE


@pytest.mark.parametrize(
    ("algorithm", "more"),
    [
        ("ECDH-ES+A256KW", {"zip": "DEF"}),
        ("ECDH-ES", {}),
        ("ECDH-ES+A128KW", {}),
        ("ECDH-ES+A256KW", {"enc": "A128CBC-HS256"}),
    ],
)
def test_other_ways_to_encrypt_are_refused(algorithm: str, more: dict[str, str]):
    header = {"alg": algorithm, "enc": "A256GCM", "kid": TO_TOWN["kid"], **more}
    allowed = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "A256GCM", "A128CBC-HS256", "DEF"]
    token = jwe.encrypt_compact(header, protect(MESSAGE, DEPARTMENT), OKPKey.import_key(dict(TO_TOWN)), algorithms=allowed)
    assert reason(token.encode())


def test_a_bomb_is_not_inflated():
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": TO_TOWN["kid"], "zip": "DEF"}
    bomb = zlib.compress(bytes(50_000_000), 9)
    token = jwe.encrypt_compact(header, bomb, OKPKey.import_key(dict(TO_TOWN)), algorithms=["ECDH-ES+A256KW", "A256GCM", "DEF"])
    tracemalloc.start()
    try:
        assert "zip" in reason(token.encode())
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_an_envelope_inside_an_envelope_inside_an_envelope_is_refused():
    twice = jwe.encrypt_compact(
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": TO_TOWN["kid"]},
        protect(MESSAGE, DEPARTMENT, TO_TOWN),
        OKPKey.import_key(dict(TO_TOWN)),
        algorithms=["ECDH-ES+A256KW", "A256GCM"],
    )
    assert "紧凑格式" in reason(twice.encode())


def test_too_long_is_refused_before_anything_is_done_with_it():
    assert "太长" in reason(protect(bytes(LARGEST + 1), DEPARTMENT))
    assert "太长" in reason(b"A" * 10_000_000)
    assert opened(protect(bytes(LARGEST + 1), DEPARTMENT, TO_TOWN), largest=2 * LARGEST) == bytes(LARGEST + 1)


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=60).map(lambda raw: encode(raw).encode()), max_size=7).map(b".".join))
@example(b"." * 100_000)
@example(b"....")
@example(encode(b"[" * 700).encode() + b"..")
def test_anything_at_all_is_opened_or_refused_and_nothing_else(token: bytes):
    assert reason(token)


def test_a_header_in_another_base64_spelling_is_refused():
    token = protect(MESSAGE, DEPARTMENT)
    head, rest = token.split(b".", 1)
    for other in (head + b"=", head + b"\n", b" " + head, head.replace(b"e", b"e\r\n", 1)):
        assert reason(other + b"." + rest)


@given(st.binary(max_size=40))
def test_each_value_has_one_spelling(raw: bytes):
    text = encode(raw).encode()
    assert decode(text) == raw
    with pytest.raises(NotCanonical):
        decode(text + b"=")


@pytest.mark.parametrize(
    ("jwk", "use"),
    [
        (None, "verify"),
        ({}, "verify"),
        ({"kty": "OKP", "crv": "X25519", "x": TO_TOWN["x"]}, "verify"),
        ({"kty": "OKP", "crv": "Ed25519", "x": KNOWN[0]["x"]}, "encrypt"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "verify"),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, "verify"),
        ({"kty": "OKP", "crv": "X25519", "x": encode(bytes(32))}, "encrypt"),
        ({"kty": "OKP", "crv": "X25519", "x": "钥" * 20}, "encrypt"),
        ({"kty": "OKP", "crv": "Ed25519", "x": KNOWN[0]["x"], "d": encode(os.urandom(32))}, "verify"),
        ({"kty": "OKP", "crv": "Ed25519", "x": KNOWN[0]["x"], "kid": "含有空格 "}, "verify"),
    ],
)
def test_a_key_that_is_none_or_is_private_is_not_kept(jwk: object, use: str):
    with pytest.raises(ValueError, match=r"公钥|私钥|kid"):
        checked_jwk(jwk, use)


def test_a_key_is_named_as_rfc_8037_says():
    # RFC 8037, appendix A.3: the thumbprint of its example key.
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert checked_jwk(jwk, "verify")["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_our_signature_is_what_the_key_of_rfc_8037_verifies():
    # RFC 8037, appendices A.1 and A.2: the same key, private and public.
    signed = protect(MESSAGE, BorderKey.of(decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")))
    public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    assert jws.deserialize_compact(signed, public, algorithms=["Ed25519"]).payload == MESSAGE
