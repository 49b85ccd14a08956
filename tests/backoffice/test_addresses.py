"""A webhook's address leads to the department or nowhere: not into our own network, in no spelling, at no moment."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import example, given
from hypothesis import strategies as st

from backoffice.addresses import BadAddress, Reach, check_ip, checked_url, pinned_connector
from tests.support import certificates

PUBLIC, INTERNAL, HOME = Reach(), Reach(is_internal=True), Reach(is_development=True)
FORBIDDEN = [
    "127.0.0.1", "127.255.255.254", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "100.100.100.200", "168.63.129.16", "192.0.0.8", "192.88.99.1", "192.0.2.1", "198.18.0.1", "203.0.113.7",
    "::", "::1", "fe80::1", "fec0::1", "ff02::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::1", "2001:db8::1", "100::1", "5f00::1",
]  # fmt: skip
PRIVATE = ["10.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12:3456::1"]
OPEN = ["59.36.28.7", "8.8.8.8", "172.32.0.1", "2400:3200::1"]


class Names(AbstractResolver):
    """Names and what they resolve to, one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:  # noqa: ARG002 - aiohttp's signature
        self.asked.append(host)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=_family(one), proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST)
            for one in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("address", [*FORBIDDEN, str(ipaddress.IPv4Address(0))])
@pytest.mark.parametrize("reach", [PUBLIC, INTERNAL], ids=["public", "internal"])
def test_our_own_machine_and_its_surroundings_are_never_reached(address: str, reach: Reach):
    with pytest.raises(BadAddress):
        check_ip(ipaddress.ip_address(address), reach)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_for_departments_on_the_inner_network_only(address: str):
    check_ip(ipaddress.ip_address(address), INTERNAL)
    with pytest.raises(BadAddress, match="内网"):
        check_ip(ipaddress.ip_address(address), PUBLIC)


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_reached(address: str):
    check_ip(ipaddress.ip_address(address), PUBLIC)
    check_ip(ipaddress.ip_address(address), INTERNAL)


@pytest.mark.parametrize("text", ["https://ga.example.gov.cn/hook", "https://ga.example.gov.cn:8443/h?x=1", "https://民政.中国/h"])
def test_an_ordinary_address_is_taken(text: str):
    assert checked_url(text, PUBLIC).scheme == "https"


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "ga.example.gov.cn", "/hook", "https://", "https:///hook", "http://ga.example.gov.cn/hook", "ftp://ga.example.gov.cn/",
        "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "https://user@ga.example.gov.cn/", "https://a:b@ga.example.gov.cn/",
        "https://ga.example.gov.cn/#part", "https://ga.example.gov.cn:22/", "https://ga.example.gov.cn:6379/", "https://ga.example.gov.cn:0/",
        "https://ga.example.gov.cn:99999/", "https://localhost/", "https://redis/", "https://127.0.0.1/", "https://127.1/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.0.0.1./",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://①②⑦.⓪.⓪.①/", "https://169.254.169.254/latest",
        "https://10.0.0.1/", "https://ga.example.gov.cn@127.0.0.1/", "https://127.0.0.1\\@ga.example.gov.cn/",
        "https://" + "a" * 600 + ".example/", "https://[::1", "https://ga.example.gov.cn:port/",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_reason(text: str):
    with pytest.raises(BadAddress) as refused:
        checked_url(text, PUBLIC)
    assert refused.value.reason
    assert refused.value.reason_en.isascii()


def test_ports_are_limited_and_the_inner_network_has_some_more():
    assert checked_url("https://10.1.2.3:8080/hook", INTERNAL).port == 8080
    for port in (80, 22, 5432, 6379, 9200, 7999, 9000):
        with pytest.raises(BadAddress, match="端口"):
            checked_url(f"https://10.1.2.3:{port}/hook", INTERNAL)
    with pytest.raises(BadAddress, match="端口"):
        checked_url("https://ga.example.gov.cn:8080/hook", PUBLIC)


def test_this_machine_by_http_is_for_development_alone():
    for text in ("http://127.0.0.1:8700/webhook", "http://localhost:8700/webhook", "http://[::1]:8700/webhook"):
        assert checked_url(text, HOME)
        for reach in (PUBLIC, INTERNAL):
            with pytest.raises(BadAddress):
                checked_url(text, reach)
    with pytest.raises(BadAddress):
        checked_url("http://10.0.0.1:8700/webhook", HOME)


def _spellings(address: ipaddress.IPv4Address) -> list[str]:
    a, b, c, d = address.packed
    return [
        str(address), str(int(address)), hex(int(address)), f"{a}.{(b << 16) | (c << 8) | d}", f"{a}.{b}.{(c << 8) | d}",
        ".".join(hex(part) for part in address.packed), ".".join(f"0{part:o}" for part in address.packed), f"{address}.",
        f"[::ffff:{address}]", f"[::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]", f"[::{address}]", f"[64:ff9b::{address}]",
        "".join(chr(0xFF10 + int(sign)) if sign.isdigit() else "。" for sign in str(address)),
    ]  # fmt: skip


@given(
    st.ip_addresses(v=4, network="127.0.0.0/8")
    | st.ip_addresses(v=4, network="169.254.0.0/16")
    | st.ip_addresses(v=4, network="10.0.0.0/8")
)
@example(ipaddress.IPv4Address("127.0.0.1"))
def test_no_spelling_of_a_forbidden_address_gets_through(address: ipaddress.IPv4Address):
    for text in _spellings(address):
        with pytest.raises(BadAddress):
            checked_url(f"https://{text}/hook", PUBLIC)


@given(st.ip_addresses())
def test_what_is_allowed_is_global_or_private_and_nothing_else(address: ipaddress.IPv4Address | ipaddress.IPv6Address):
    try:
        check_ip(address, INTERNAL)
    except BadAddress:
        return
    assert address.is_global or address.is_private or address in ipaddress.ip_network("100.64.0.0/10")
    kinds = (address.is_loopback, address.is_link_local, address.is_multicast, address.is_unspecified, address.is_reserved)
    assert not any(kinds)


@given(st.text(max_size=60))
def test_any_text_at_all_is_an_address_or_is_refused(text: str):
    for whole in (text, f"https://{text}/"):
        try:
            url = checked_url(whole, PUBLIC)
        except BadAddress:
            continue
        assert url.scheme == "https"
        assert url.raw_host
        assert "." in url.raw_host or ":" in url.raw_host


class Here:
    """A server on this machine that counts who comes and by which name."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport
        self.seen.append((request.host, str(request.transport.get_extra_info("ssl_object") is not None)))
        return web.Response(text="here", headers={"Connection": "close"})


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    here = Here()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", here.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.port = int(runner.addresses[0][1])
    yield here
    await runner.cleanup()


async def _get(url: str, reach: Reach, names: Names) -> str:
    async with aiohttp.ClientSession(connector=pinned_connector(reach, limit=2, resolver=names)) as session, session.get(url) as answer:
        return await answer.text()


async def test_a_name_that_leads_to_this_machine_is_not_connected(here: Here):
    for reach in (PUBLIC, INTERNAL):
        with pytest.raises(aiohttp.ClientError) as error:
            await _get(f"http://ga.example.gov.cn:{here.port}/", reach, Names(["127.0.0.1"]))
        assert isinstance(error.value.__cause__, BadAddress)
    assert here.seen == []
    assert await _get(f"http://ga.example.gov.cn:{here.port}/", HOME, Names(["127.0.0.1"])) == "here"


async def test_an_address_without_a_name_passes_the_same_guard_at_the_socket(here: Here):
    with pytest.raises(aiohttp.ClientError):
        await _get(f"http://127.0.0.1:{here.port}/", PUBLIC, Names([]))
    assert here.seen == []


async def test_one_bad_address_among_good_ones_spoils_the_name(here: Here):
    with pytest.raises(aiohttp.ClientError) as error:
        await _get(f"http://ga.example.gov.cn:{here.port}/", HOME, Names(["127.0.0.1", "169.254.169.254"]))
    assert isinstance(error.value.__cause__, BadAddress)
    assert here.seen == []


async def test_a_name_that_is_pointed_elsewhere_later_is_checked_again(here: Here):
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with aiohttp.ClientSession(connector=pinned_connector(HOME, limit=2, resolver=names)) as session:
        async with session.get(f"http://ga.example.gov.cn:{here.port}/") as answer:
            assert await answer.text() == "here"
        with pytest.raises(aiohttp.ClientError) as error:
            await session.get(f"http://ga.example.gov.cn:{here.port}/")
    assert isinstance(error.value.__cause__, BadAddress)
    assert len(names.asked) == 2


async def test_over_tls_the_checked_address_is_used_under_the_departments_own_name(tmp_path: Path):
    listening, trusting = certificates.make(tmp_path, "ga.example.gov.cn")
    asked: list[str | None] = []
    listening.sni_callback = lambda _socket, name, _context: asked.append(name)
    here = Here()
    app = web.Application()
    app.router.add_get("/", here.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=listening).start()
    port = runner.addresses[0][1]
    connector = pinned_connector(HOME, limit=1, tls=trusting, resolver=Names(["127.0.0.1"]))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(f"https://ga.example.gov.cn:{port}/") as answer:
            assert await answer.text() == "here"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"https://other.example.gov.cn:{port}/")
    await runner.cleanup()
    assert here.seen == [(f"ga.example.gov.cn:{port}", "True")]
    assert asked[0] == "ga.example.gov.cn"


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
