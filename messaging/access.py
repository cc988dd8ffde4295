"""Who may look into the mailbox."""

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest

_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")


def mailbox_of(request: HttpRequest) -> Path:
    """Return the folder of mails for staff, and for anybody on the machine itself of an installation that is
    reached at its loopback address only; 404 for others, and wherever mails are really sent.
    """
    if not settings.MAIL_PAGE:
        raise Http404
    user = request.user
    if not (_is_local(request) or (user.is_active and user.is_staff)):
        raise Http404
    return Path(settings.EMAIL_FILE_PATH)


def _is_local(request: HttpRequest) -> bool:
    """Whether both ends are this machine and nothing stands between (a proxy would be local, too)."""
    if any(request.META.get(name) for name in _FORWARDED):
        return False
    hosts = (urlsplit(settings.PUBLIC_BASE_URL).hostname or "", urlsplit(f"//{request.get_host()}").hostname or "")
    return all(_is_loopback(host) for host in (*hosts, request.META.get("REMOTE_ADDR", "")))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
