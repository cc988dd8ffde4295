"""Sending webhooks: claim under a lease, call, write down the answer.

Threads only call; whatever touches the database happens in the thread of the caller. At most two calls
are under way to one endpoint, over all workers, so that a slow one costs the others little.
"""

import random
import secrets
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core import clocks, http
from core.errors import Refused
from core.webhooks import signed_headers, wait_after
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.services.endpoints import disable_endpoint, signing_secrets
from messaging.services.webhooks import body_of

AT_ONCE = 2
THREADS = 8
BREAKER = 5
LEASE = timedelta(minutes=2)
GIVEN_UP_AFTER = timedelta(hours=120)
LONGEST_REST = timedelta(minutes=30)
KEPT_CHARACTERS = 2000
GONE = 410

State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class _Call:
    """One try: what is sent where, for which claim."""

    delivery: WebhookDelivery
    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a try: an answer, or an error and no status."""

    milliseconds: int
    status: int | None = None
    headers: dict[str, str] | None = None
    body: bytes = b""
    error: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send_due_webhooks(*, at: datetime) -> int:
    """Try every delivery that is due at `at`; return how many tries were made.

    `at` is the run's clock: tries are dated and the next ones planned by it. Leases and the signed
    timestamps, which the other side compares with its own clock, are real time.
    """
    close_expired_webhook_leases()
    tries = 0
    flying: dict[Future[_Outcome], _Call] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            for call in _claim_some(at, THREADS - len(flying)):
                flying[pool.submit(_call, call)] = call
            if not flying:
                return tries
            landed, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in landed:
                _settle(flying.pop(future), future.result(), at)
                tries += 1


def close_expired_webhook_leases() -> int:
    """Let the deliveries be tried again whose sender vanished; the other side may get one twice, by the same id."""
    now = clocks.real_now()
    stuck = WebhookDelivery.objects.filter(state=State.SENDING, lease_until__lt=now)
    told = {"claimed_by": "", "lease_until": None, "last_error": "the sender stopped before it wrote down the answer"}
    dead = stuck.filter(attempts__gte=10).update(state=State.DEAD, **told)
    return dead + stuck.update(state=State.DUE, **told)


def rest_after(failures: int) -> timedelta:
    """Return how long an endpoint rests after so many straight failures: none up to 4, then 1 min doubling to 30."""
    if failures < BREAKER:
        return timedelta(0)
    return min(timedelta(minutes=2 ** min(failures - BREAKER, 5)), LONGEST_REST)


def _claim_some(at: datetime, room: int) -> list[_Call]:
    if room <= 0:
        return []
    awake = Q(rests_until=None) | Q(rests_until__lte=at)
    waiting = WebhookDelivery.objects.filter(state=State.DUE, due_at__lte=at).values("endpoint")
    calls: list[_Call] = []
    for pk in (
        WebhookEndpoint.objects.filter(awake, active=True, pk__in=waiting).order_by("pk").values_list("pk", flat=True)
    ):
        calls += _claim(pk, at, room - len(calls))
        if len(calls) >= room:
            break
    return calls


@transaction.atomic
def _claim(endpoint_pk: int, at: datetime, room: int) -> list[_Call]:
    """Take what the endpoint may be told now; its locked row makes the count hold over all workers."""
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_pk, active=True).first()
    if endpoint is None or (endpoint.rests_until is not None and endpoint.rests_until > at):
        return []
    flying = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.SENDING).count()
    free = (1 if endpoint.failures >= BREAKER else AT_ONCE) - flying
    due = WebhookDelivery.objects.filter(endpoint=endpoint, state=State.DUE, due_at__lte=at).order_by("due_at", "pk")
    rows = list(due.select_related("event")[: max(0, min(free, room))])
    return [_prepare(row, endpoint) for row in rows if _take(row)]


def _take(row: WebhookDelivery) -> bool:
    row.claimed_by = secrets.token_hex(16)
    row.attempts += 1
    mine = WebhookDelivery.objects.filter(pk=row.pk, state=State.DUE)
    return (
        mine.update(
            state=State.SENDING,
            claimed_by=row.claimed_by,
            lease_until=clocks.real_now() + LEASE,
            attempts=F("attempts") + 1,
        )
        == 1
    )


def _prepare(row: WebhookDelivery, endpoint: WebhookEndpoint) -> _Call:
    body = body_of(row.event)
    signed = signed_headers(
        secrets=signing_secrets(endpoint, at=timezone.now()),
        webhook_id=row.event.public_id,
        at=clocks.real_now(),
        body=body,
    )
    return _Call(row, endpoint.url, body, {"Content-Type": "application/json", **signed})


def _call(call: _Call) -> _Outcome:
    started = time.monotonic()
    try:
        answer = http.send("POST", call.url, body=call.body, headers=call.headers)
    except Refused as refusal:
        return _Outcome(_since(started), error=refusal.detail)
    except Exception as error:  # noqa: BLE001 - whatever went wrong outside is kept and tried again
        return _Outcome(_since(started), error=str(error) or type(error).__name__)
    return _Outcome(_since(started), answer.status, dict(answer.headers), answer.body)


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


@transaction.atomic
def _settle(call: _Call, outcome: _Outcome, at: datetime) -> None:
    """Write the outcome down; the endpoint's row is locked first, as where deliveries are claimed."""
    row = call.delivery
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=row.endpoint_id).first()
    if endpoint is None:
        return
    changes = _delivered(at) if outcome.delivered else _failed(row, outcome, at)
    changes |= {"last_status": outcome.status, "last_error": outcome.error[:300], "claimed_by": "", "lease_until": None}
    mine = WebhookDelivery.objects.filter(pk=row.pk, state=State.SENDING, claimed_by=row.claimed_by)
    if mine.update(**changes) != 1:
        return
    WebhookAttempt.objects.create(
        delivery=row,
        at=at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        body=outcome.body.decode("utf-8", "replace").replace("\x00", "")[:KEPT_CHARACTERS],
        error=outcome.error[:300],
    )
    _judge(endpoint, outcome, at)


def _delivered(at: datetime) -> dict[str, object]:
    return {"state": State.DELIVERED, "delivered_at": at}


def _failed(row: WebhookDelivery, outcome: _Outcome, at: datetime) -> dict[str, object]:
    pause = None if outcome.status == GONE else wait_after(row.attempts, outcome.headers or {}, at=at)
    if pause is None:
        return {"state": State.DEAD}
    return {"state": State.DUE, "due_at": at + pause * random.uniform(1, 1.1)}  # noqa: S311 - jitter, no secret


def _judge(endpoint: WebhookEndpoint, outcome: _Outcome, at: datetime) -> None:
    """Let one that fails again and again rest; switch off one that is gone, or has failed for 120 hours."""
    if outcome.delivered:
        endpoint.failures, endpoint.failing_since, endpoint.rests_until = 0, None, None
    else:
        endpoint.failures += 1
        endpoint.failing_since = endpoint.failing_since or at
        endpoint.rests_until = at + rest_after(endpoint.failures) if endpoint.failures >= BREAKER else None
    endpoint.save(update_fields=["failures", "failing_since", "rests_until"])
    if outcome.status == GONE:
        disable_endpoint(endpoint=endpoint, reason=WebhookEndpoint.Reason.GONE, at=at)
    elif endpoint.failing_since is not None and at - endpoint.failing_since >= GIVEN_UP_AFTER:
        disable_endpoint(endpoint=endpoint, reason=WebhookEndpoint.Reason.FAILING, at=at)
