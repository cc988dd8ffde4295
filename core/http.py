"""Calls to the outside that cannot reach the inside.

A name is resolved once, every address it stands for must be public, and the connection goes to one of
those very addresses: what the name says a moment later no longer matters. Redirects are not followed.
"""

import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from core.errors import Refused

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MAX_ANSWER_BYTES = 64_000
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

_DENIED_V4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Only global unicast is let through at all: loopback, mapped, NAT64, ULA, link-local, SRv6 … lie outside it.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_DENIED_V6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]


class ForbiddenAddress(Refused):
    """An address that calls to the outside may not go to."""

    code = "forbidden_address"
    status = 422


class Unreachable(Exception):
    """The other side did not answer properly in time: an outside failure, to be stored and retried."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said; at most 64 kB of body, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_public(address: Address) -> bool:
    """Say whether the address belongs to the public internet, by our own list: Python's has holes."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _DENIED_V6)


def resolve(host: str, port: int) -> list[str]:
    """Return every address the name stands for now; `Unreachable` where there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} has no address: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch(url: str, *, headers: Mapping[str, str] | None = None, resolver: Resolver = resolve) -> Answer:
    """GET; raises `ForbiddenAddress` or `Unreachable`."""
    return send("GET", url, headers=headers, resolver=resolver)


def post_json(
    url: str, payload: Any, *, headers: Mapping[str, str] | None = None, resolver: Resolver = resolve
) -> Answer:
    """POST a JSON value; raises `ForbiddenAddress` or `Unreachable`."""
    told = {"Content-Type": "application/json", **(headers or {})}
    return send("POST", url, body=json.dumps(payload).encode(), headers=told, resolver=resolver)


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    resolver: Resolver = resolve,
) -> Answer:
    """Send one request to a public address, without redirects, in at most 15 s; any status is an answer."""
    parts = check_url(url)
    host = str(parts.hostname)
    port = parts.port or PORTS[parts.scheme]
    address = _pick(host, resolver(host, port))
    deadline = time.monotonic() + TOTAL_SECONDS
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    told = {"Host": parts.netloc, "User-Agent": "Goodword", **(headers or {})}
    with _pool(parts.scheme, host, address, port) as pool:
        try:
            response = pool.urlopen(
                method, target, body=body, headers=told, redirect=False, retries=False, preload_content=False
            )
            content = _read(response, deadline)
        except (HTTPError, OSError) as error:
            raise Unreachable(f"{host}: {type(error).__name__}: {error}") from error
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)


def check_url(url: str) -> SplitResult:
    """Return the parts of a URL that may be called as far as one can tell without resolving its name."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ForbiddenAddress("This is not an address on the web.") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise ForbiddenAddress("Expected an address that begins with https:// or http://.")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url or "@" in parts.netloc:
        raise ForbiddenAddress("The address holds characters, or a user name, that it may not hold.")
    if port is not None and port not in PORTS.values() and not settings.WEBHOOKS_ALLOW_PRIVATE_IPS:
        raise ForbiddenAddress("Only the ports 80 and 443 may be called.")
    return parts


def _pick(host: str, addresses: list[str]) -> str:
    if not addresses:
        raise Unreachable(f"{host} has no address")
    for text in addresses:
        if not (settings.WEBHOOKS_ALLOW_PRIVATE_IPS or is_public(ipaddress.ip_address(text.partition("%")[0]))):
            raise ForbiddenAddress(f"{host} leads to {text}, which is not a public address.")
    return addresses[0]


def _pool(scheme: str, host: str, address: str, port: int) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, total=TOTAL_SECONDS)
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address,
        port,
        timeout=timeout,
        ssl_context=ssl.create_default_context(),
        server_hostname=host,
        assert_hostname=host,
    )


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    content = b""
    while len(content) < MAX_ANSWER_BYTES:
        if time.monotonic() > deadline:
            raise Unreachable(f"the answer took longer than {TOTAL_SECONDS:.0f} s")
        chunk = response.read1(MAX_ANSWER_BYTES - len(content), decode_content=False)
        if not chunk:
            break
        content += chunk
    return content
