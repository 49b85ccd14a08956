"""Where webhooks may go: an address in a table must not turn our server against our own network (OWASP API7:2023, SSRF).

The text is checked when it is read, every address its name resolves to when it is looked up, and the one address that is used
when the socket is made. Names are looked up anew for every connection, so one that is pointed elsewhere later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from handlers.catalogue import Department

_LONGEST = 500
_PUBLIC_PORTS = frozenset({443, 8443})
_INTERNAL_PORTS = _PUBLIC_PORTS | frozenset(range(8000, 9000))
_FIRST_FREE_PORT = 1024

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
# Reachable from inside a machine or a cloud only, though no rule of IANA's registries says so; or made to carry another address inside.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # host services of Azure
        "fd00:ec2::/32",  # metadata of AWS
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo and other protocol assignments
        "2002::/16",  # 6to4
    )
)


class BadAddress(OSError):
    """We do not connect there; `reason` says why (Chinese), `reason_en` in English."""

    def __init__(self, reason: str, reason_en: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reason_en = reason_en


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a department's webhook may reach: `is_internal` lets it into private ranges, `is_development` to this machine by http."""

    is_internal: bool = False
    is_development: bool = False


def reach_of(department: Department, *, is_development: bool = False) -> Reach:
    """How far its webhook may reach: into private ranges only where its messages stay on the inner network."""
    return Reach(is_internal=not department.border, is_development=is_development)


def checked_url(address: str, reach: Reach) -> URL:
    """The address of a webhook, if it may be called as far as its text tells; raises BadAddress."""
    try:
        url = URL(address.strip())
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise BadAddress("网址写法有误", "this is no address") from error
    if len(address) > _LONGEST or not host or not port or url.user is not None or url.password is not None or url.raw_fragment:
        raise BadAddress("网址应为 https://主机/路径，不带用户名、密码和 #", "wanted is https://host/path without user, password and #")
    number = _as_ip(host)
    at_home = reach.is_development and (host == "localhost" or (number is not None and number.is_loopback))
    if url.scheme != "https" and not (url.scheme == "http" and at_home):
        raise BadAddress("网址应以 https:// 开头", "it must begin with https://")
    if number is not None:
        check_ip(number, reach)
    elif not at_home and ("." not in host.strip(".") or host.rstrip(".").rpartition(".")[2][:1].isdigit()):
        raise BadAddress("主机应为完整的域名或标准写法的 IP 地址", "the host must be a full name or a plain IP address")
    _check_port(port, reach, at_home=at_home)
    return url


def check_ip(address: IpAddress, reach: Reach) -> None:
    """Whether this address may be connected to; raises BadAddress."""
    if reach.is_development and address.is_loopback:
        return
    if any(address in network for network in _NEVER) or not (_is_public(address) or any(address in network for network in _PRIVATE)):
        raise BadAddress(
            f"{address} 是本机、链路本地、组播、云主机元数据或保留地址，不能连接",
            f"{address} is loopback, link-local, multicast, cloud metadata or reserved",
        )
    if not reach.is_internal and any(address in network for network in _PRIVATE):
        raise BadAddress(
            f"{address} 是内网地址，而该部门的消息要出内网（border = true）",
            f"{address} is private, but this department lies beyond the inner network (border = true)",
        )


class PinnedResolver(AbstractResolver):
    """Looks names up and refuses a name of which any address is forbidden: a mixed answer is an attempt, not an accident."""

    def __init__(self, reach: Reach, inner: AbstractResolver | None = None) -> None:
        self._reach = reach
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """The addresses of a name, each of them checked; raises BadAddress or OSError."""
        found = await self._inner.resolve(host, port, family)
        for one in found:
            check_ip(_ip(one["host"]), self._reach)
        return found

    async def close(self) -> None:
        """Release the resolver inside."""
        await self._inner.close()


def pinned_connector(
    reach: Reach, *, limit: int, tls: ssl.SSLContext | None = None, resolver: AbstractResolver | None = None
) -> aiohttp.TCPConnector:
    """Connections of one department, `limit` at most; `tls` is the system's trust unless given, `resolver` the system's."""

    def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        check_ip(_ip(str(address[0])), reach)
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.TCPConnector(
        resolver=PinnedResolver(reach, resolver),
        use_dns_cache=False,
        limit=limit,
        ssl=tls or True,
        socket_factory=make_socket,
    )


def _is_public(address: IpAddress) -> bool:
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return address.version == 4 or address in _PUBLIC_V6  # noqa: PLR2004 - the protocol's version


def _check_port(port: int, reach: Reach, *, at_home: bool) -> None:
    if at_home and port >= _FIRST_FREE_PORT:
        return
    if port not in (_INTERNAL_PORTS if reach.is_internal else _PUBLIC_PORTS):
        allowed, allowed_en = ("、8000 至 8999", ", 8000 to 8999") if reach.is_internal else ("", "")
        raise BadAddress(f"端口 {port} 不能用，可用 443、8443{allowed}", f"port {port} is not allowed: use 443, 8443{allowed_en}")


def _as_ip(host: str) -> IpAddress | None:
    try:
        return _ip(host)
    except ValueError:
        return None


def _ip(text: str) -> IpAddress:
    return ipaddress.ip_address(text.partition("%")[0].strip("[]"))
