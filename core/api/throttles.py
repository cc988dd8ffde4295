"""At most so many requests a minute and key; without the cache nobody is refused."""

import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView  # loads the settings that name this module

WINDOW_SECONDS = 60
_REST_SECONDS = 5.0

logger = logging.getLogger(__name__)


class PerKeyThrottle(BaseThrottle):
    """Counts each key's requests in minutes of the clock; the counter's cache may be down."""

    _silent_until = 0.0

    def __init__(self) -> None:
        self.seconds_left = WINDOW_SECONDS

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Say whether the key has requests left in this minute, and leave the numbers for the headers."""
        prefix = getattr(request.auth, "prefix", None)
        if prefix is None:
            return True
        now = int(time.time())
        self.seconds_left = WINDOW_SECONDS - now % WINDOW_SECONDS
        used = self._count(f"api:{prefix}:{now // WINDOW_SECONDS}")
        limit: int = settings.API_REQUESTS_PER_MINUTE
        request._request.rate_limit = (limit, max(limit - used, 0), self.seconds_left)  # type: ignore[attr-defined]
        return used <= limit

    def wait(self) -> float:
        """Return the seconds until the next minute of the clock."""
        return self.seconds_left

    def _count(self, name: str) -> int:
        kind = type(self)
        if time.monotonic() < kind._silent_until:
            return 0
        try:
            caches["throttle"].add(name, 0, timeout=2 * WINDOW_SECONDS)
            return int(caches["throttle"].incr(name))
        except Exception as error:  # noqa: BLE001 - a cache that is down must not close the shop
            kind._silent_until = time.monotonic() + _REST_SECONDS
            logger.warning("requests are not counted, the cache does not answer: %s", error)
            return 0
