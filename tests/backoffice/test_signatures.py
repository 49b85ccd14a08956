"""Signatures over requests: nothing that was signed can be changed, and nothing that strangers put into headers breaks the reader."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice import signatures
from backoffice.signatures import DATE, KEY, NONCE, SIGNATURE, WINDOW, Malformed

NOW = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
SECRET = bytes(range(32))
REQUEST = ("POST", "/exchange/v1/messages?a=1", b'{"messages":[]}')

headers = st.dictionaries(st.sampled_from([KEY, DATE, NONCE, SIGNATURE, "Host"]), st.text(max_size=80), max_size=5)


def signed() -> dict[str, str]:
    return signatures.signed_headers(SECRET, "key-1", *REQUEST, NOW)


def test_what_was_signed_holds_and_is_fresh() -> None:
    proof = signatures.read(signed())
    assert proof.holds(SECRET, *REQUEST)
    assert proof.is_fresh(NOW)
    assert (proof.key, proof.date) == ("key-1", "2026-11-24T01:30:00Z")


@pytest.mark.parametrize("request_", [("GET", *REQUEST[1:]), (REQUEST[0], "/exchange/v1/messages?a=2", REQUEST[2]), (*REQUEST[:2], b"{}")])
def test_another_method_path_query_or_body_does_not_hold(request_: tuple[str, str, bytes]) -> None:
    assert not signatures.read(signed()).holds(SECRET, *request_)


def test_another_date_nonce_or_secret_does_not_hold() -> None:
    assert not signatures.read({**signed(), DATE: "2026-11-24T01:30:01Z"}).holds(SECRET, *REQUEST)
    assert not signatures.read({**signed(), NONCE: "0" * 32}).holds(SECRET, *REQUEST)
    assert not signatures.read(signed()).holds(bytes(32), *REQUEST)


def test_the_window_is_five_minutes_either_way() -> None:
    proof = signatures.read(signed())
    edge = dt.timedelta(seconds=1)
    assert [proof.is_fresh(NOW + by) for by in (WINDOW, -WINDOW, WINDOW + edge, -WINDOW - edge)] == [True, True, False, False]


def test_two_requests_have_two_nonces() -> None:
    assert signed()[NONCE] != signed()[NONCE]


MADE_BY_OPENSSL = "9e8b577067b72f2cb6510ca3c6f52ab326a5f15e6841e97e9615639a5e320f52"


def test_a_shell_with_openssl_signs_alike() -> None:
    """The secret is given out as hex because `openssl dgst -sha256 -mac HMAC -macopt hexkey:SECRET` takes it as it is."""
    request = ("POST", "/exchange/v1/acknowledgements", "2026-11-24T01:30:00Z", "0123456789abcdef", b'{"position":7}')
    assert signatures.sign(SECRET, *request) == MADE_BY_OPENSSL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (KEY, "a" * 37), (KEY, "a b"), (KEY, ""), (DATE, "Tue, 24 Nov 2026 01:30:00 GMT"), (DATE, "2026-02-30T00:00:00Z"),
        (DATE, "2026-11-24T01:30:00"), (NONCE, "short"), (NONCE, "x" * 65), (NONCE, "0123456789abcde\n"),
        (SIGNATURE, "A" * 64), (SIGNATURE, "é" * 64),
    ],
)  # fmt: skip
def test_a_header_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(Malformed) as bad:
        signatures.read({**signed(), name: value})
    assert bad.value.header == name


@given(headers)
def test_no_header_breaks_the_reader(given_headers: dict[str, str]) -> None:
    with suppress(Malformed):
        signatures.read({**signed(), **given_headers}).is_fresh(NOW)


@given(st.datetimes(timezones=st.timezones()), st.integers(0, 9))
def test_every_date_of_rfc_3339_is_read(moment: dt.datetime, digits: int) -> None:
    text = moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S").zfill(19) + (f".{'1' * digits}" if digits else "") + "Z"
    proof = signatures.read({**signed(), DATE: text})
    proof.is_fresh(NOW)
    assert proof.at.replace(microsecond=0) == moment.astimezone(dt.UTC).replace(microsecond=0)


@given(st.text(max_size=20), st.text(max_size=20), st.binary(max_size=50), st.integers(0, 2))
def test_changing_any_part_changes_the_signature(method: str, target: str, body: bytes, part: int) -> None:
    parts: list[str | bytes] = [method, target, body]
    changed = list(parts)
    changed[part] = changed[part] + ("x" if part < 2 else b"x")  # type: ignore[operator]  # of one type each
    nonce = "n" * 16
    first, second = (signatures.sign(SECRET, str(m), str(t), "d", nonce, bytes(b)) for m, t, b in (parts, changed))  # type: ignore[arg-type]
    assert first != second
