"""`Idempotency-Key`: the same request twice has one effect and one answer.

The answer is stored in the transaction of the effect, so that a crash leaves neither. The key is held
by a lock that dies with its holder, never by a row that could get stuck.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.problems import CONTENT_TYPE as PROBLEM
from core.api.problems import handle_exception
from core.errors import Refused
from core.models import IdempotentRequest

KEPT = timedelta(hours=24)
MAX_KEY = 255
Handler = Callable[..., HttpResponseBase]

_running: set[tuple[str, str]] = set()
_running_guard = threading.Lock()


class BadIdempotencyKey(Refused):
    """A key that is empty, too long or not printable ASCII."""

    code = "bad_idempotency_key"
    status = 422


class IdempotencyKeyReused(Refused):
    """The key was used before, with another request."""

    code = "idempotency_key_reused"
    status = 422


class StillRunning(Refused):
    """The first request with this key has not been answered yet."""

    code = "request_in_progress"
    status = 409
    retry_after = 1


def idempotent(handler: Handler) -> Handler:
    """Make a POST method of an APIView obey `Idempotency-Key`; without the header nothing changes."""

    @wraps(handler)
    def obey(view: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not (1 <= len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
            raise BadIdempotencyKey(f"An Idempotency-Key has 1 to {MAX_KEY} printable ASCII characters.")
        caller = str(getattr(request.auth, "prefix", "")) or "anonymous"
        with _alone(caller, key), transaction.atomic():
            _take_lock(caller, key)
            return _replay(request, caller, key) or _remember(
                lambda: handler(view, request, *args, **kwargs), request, caller, key
            )

    obey.obeys_idempotency_key = True  # type: ignore[attr-defined]
    return obey


def purge_idempotent_requests(*, at: datetime) -> int:
    """Forget the answers given more than 24 hours before `at`; return how many."""
    return IdempotentRequest.objects.filter(created_at__lte=at - KEPT).delete()[0]


@contextmanager
def _alone(caller: str, key: str) -> Iterator[None]:
    """Refuse a second request of this process while the first runs (SQLite has no lock that says so)."""
    mine = (caller, key)
    with _running_guard:
        if mine in _running:
            raise StillRunning("The first request with this Idempotency-Key is still running.")
        _running.add(mine)
    try:
        yield
    finally:
        with _running_guard:
            _running.discard(mine)


def _take_lock(caller: str, key: str) -> None:
    if connection.vendor != "postgresql":
        return  # a write transaction of SQLite is alone already
    digest = hashlib.sha256(f"{caller}\n{key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])
        if not cursor.fetchone()[0]:
            raise StillRunning("The first request with this Idempotency-Key is still running.")


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{request.method}\n{request.path}\n{body}".encode()).hexdigest()


def _replay(request: Request, caller: str, key: str) -> HttpResponse | None:
    row = IdempotentRequest.objects.filter(caller=caller, key=key).first()
    if row is None:
        return None
    if row.created_at <= timezone.now() - KEPT:
        row.delete()
        return None
    if row.fingerprint != _fingerprint(request):
        raise IdempotencyKeyReused("This Idempotency-Key was used with another request.")
    kind = PROBLEM if row.status >= 400 else "application/json"
    headers = {"Idempotency-Replayed": "true"}
    return HttpResponse(row.body, status=row.status, content_type=kind, headers=headers)


def _remember(work: Callable[[], HttpResponseBase], request: Request, caller: str, key: str) -> HttpResponseBase:
    fingerprint = _fingerprint(request)
    try:
        with transaction.atomic():
            response = work()
    except Exception as error:
        refusal = handle_exception(error, {})
        if refusal is None or refusal.status_code >= 500:
            raise
        response = refusal
    body = _rendered(response)
    if response.status_code < 500:
        IdempotentRequest.objects.create(
            caller=caller, key=key, fingerprint=fingerprint, status=response.status_code, body=body
        )
    return response


def _rendered(response: HttpResponseBase) -> str:
    if isinstance(response, Response):
        return JSONRenderer().render(response.data).decode()
    return getattr(response, "content", b"").decode()
