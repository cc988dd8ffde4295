"""Where a share link may lead, and the address it leads to. Pure; nothing of a request chooses the host."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*|::1")
LONGEST = 500

UTM_KEYS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")
LONGEST_UTM = 200

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_URL = re.compile(r"(?i:https?)://[!-\[\]-~]+")


def host_of(url: str) -> str:
    """Return the host a URL leads to, in lower case, or '' where a browser and we might disagree about it.

    Only http(s) with printable ASCII and no backslash, user or empty host counts.
    """
    if not _URL.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError:
        return ""
    if "@" in parts.netloc or not HOST.fullmatch(host):
        return ""
    return host


def landing_problem(url: str, hosts: Sequence[str]) -> str:
    """Return why visitors may not be sent to `url`, or ''; `hosts` empty means: its own host."""
    host = host_of(url)
    if not host or len(url) > LONGEST:
        return "expected a landing_url such as https://shop.example/welcome, without user, spaces or backslashes"
    if not url.lower().startswith("https://") and host not in LOOPBACK:
        return "expected a landing_url with https (http only for this machine's own addresses)"
    if hosts and host not in hosts:
        return f"expected a landing_url on one of allowed_landing_hosts ({', '.join(hosts)}), got {host}"
    return ""


def with_query(url: str, added: Mapping[str, str]) -> str:
    """Return `url` with `added` behind its own query; what it had under the same names is replaced."""
    parts = urlsplit(url)
    own = [piece for piece in parts.query.split("&") if piece and unquote_plus(piece.partition("=")[0]) not in added]
    return urlunsplit(parts._replace(query="&".join([*own, *([urlencode(added)] if added else [])])))


def utm_of(query: Mapping[str, str]) -> dict[str, str]:
    """Return the campaign values of a query that say something, without control characters, each cut to 200."""
    given = {key: _CONTROL.sub("", query.get(key, ""))[:LONGEST_UTM] for key in UTM_KEYS}
    return {key: value for key, value in given.items() if value}


def common_domain(one: str, other: str) -> str:
    """Return the domain, of at least two labels, that the hosts of two URLs share, or ''.

    Whether a cookie may be set for it is the browser's to say, which knows the public suffixes.
    """
    hosts = [host_of(one).split("."), host_of(other).split(".")]
    shared: list[str] = []
    for ours, theirs in zip(reversed(hosts[0]), reversed(hosts[1]), strict=False):
        if ours != theirs:
            break
        shared.insert(0, ours)
    return ".".join(shared) if len(shared) > 1 and not shared[-1].isdigit() else ""
