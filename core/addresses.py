"""Where a request comes from, whatever a client claims in its headers."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from python_ipware import IpWare


def client_address(meta: Mapping[str, str], *, proxies: int) -> str:
    """Return the client's IP address, or '' where there is none (a Unix socket).

    `proxies` is the number of proxies of ours in front: that many entries are taken from the right of
    X-Forwarded-For, which only they can have written. Without proxies the header is ignored.
    """
    peer = meta.get("REMOTE_ADDR", "")
    if proxies > 0:
        chain = f"{meta.get('HTTP_X_FORWARDED_FOR', '')}, {peer or '127.0.0.1'}"
        found, _ = IpWare(precedence=("HTTP_X_FORWARDED_FOR",), proxy_count=proxies).get_client_ip(
            {"HTTP_X_FORWARDED_FOR": chain}
        )
        if found is not None:
            return str(found)
    return str(parsed) if (parsed := _parse(peer)) else ""


def network_of(address: str) -> str:
    """Return the /24 (IPv4) or /48 (IPv6) network of an address, '' for none."""
    parsed = _parse(address)
    if parsed is None:
        return ""
    return str(ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
