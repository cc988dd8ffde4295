"""Making signed calls: claimed rows, one try each, again after a while until the other side says 2xx."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import clocks, http
from core.errors import Refused
from core.http import Answer, Unreachable
from core.webhooks import signed_headers, wait_after
from rewards.models import Fulfilment, FulfilmentEndpoint, OutboundCall, Redemption, Reward
from rewards.services.fulfilling import FulfilmentInWrongState, complete_fulfilment, fail_fulfilment, keep_step
from rewards.services.handing_over import note_shops_answer, note_shops_silence
from rewards.services.redeeming import keep_redemption_step

State = OutboundCall.State
Type = OutboundCall.Type
LEASE = timedelta(minutes=2)
GONE = 410
_LONGEST_CODE = 100
_LONGEST_URL = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Try:
    """What one try came to: the answer, or why there was none."""

    answer: Answer | None
    error: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the other side said 2xx."""
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def told(self) -> str:
        """What went wrong, in a few words."""
        return self.error or (f"answered {self.answer.status}" if self.answer else "")


def send_calls_due(*, at: datetime, limit: int = 50) -> int:
    """Make the calls that are due at `at`; return how many were answered with a 2xx.

    After a failed call nothing more goes to that endpoint in this round, so that one that hangs holds up
    nobody else for long.
    """
    _close_leases(at)
    due = OutboundCall.objects.filter(state=State.DUE, due_at__lte=at, endpoint__enabled=True).order_by("due_at", "pk")
    failing: set[int] = set()
    done = 0
    for pk, endpoint in list(due.values_list("pk", "endpoint_id")[:limit]):
        if endpoint in failing:
            continue
        result = _make(pk, at=at)
        if result is False:
            failing.add(endpoint)
        done += result is True
    return done


def _close_leases(at: datetime) -> None:
    """Take back calls whose sender was lost: whether they arrived nobody knows, the same id makes a repeat harmless."""
    lost = OutboundCall.objects.filter(state=State.SENDING, lease_until__lt=clocks.real_now())
    lost.update(state=State.DUE, due_at=at, last_error="the worker was lost in the middle of it")


def _make(pk: int, *, at: datetime) -> bool | None:
    """Make one call; return whether it succeeded, or None where there was none to make."""
    mine = OutboundCall.objects.filter(pk=pk, state=State.DUE)
    if mine.update(state=State.SENDING, lease_until=clocks.real_now() + LEASE) != 1:
        return None
    call = OutboundCall.objects.select_related("endpoint", "fulfilment__reward", "redemption").get(pk=pk)
    if not _is_wanted(call):
        OutboundCall.objects.filter(pk=pk, state=State.SENDING).update(state=State.DROPPED, lease_until=None)
        return None
    OutboundCall.objects.filter(pk=pk).update(attempts=call.attempts + 1)
    call.attempts += 1
    result = _try(call)
    with transaction.atomic():
        return _record(call, result, at)


def _is_wanted(call: OutboundCall) -> bool:
    if call.type != Type.FULFIL:
        return True
    if call.redemption is not None:
        return call.redemption.state == Redemption.State.PLACED
    return call.fulfilment is None or call.fulfilment.reward.state == Reward.State.AVAILABLE


def _try(call: OutboundCall) -> Try:
    told = {"type": call.type, "timestamp": call.created_at.isoformat(), "data": call.payload}
    body = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    secrets = secrets_of(call.endpoint, at=timezone.now())
    headers = signed_headers(secrets=secrets, webhook_id=call.webhook_id, at=clocks.real_now(), body=body)
    headers["content-type"] = "application/json"
    try:
        return Try(http.send("POST", call.endpoint.url, body=body, headers=headers))
    except (Unreachable, Refused) as error:
        return Try(None, str(error))


def secrets_of(endpoint: FulfilmentEndpoint, *, at: datetime) -> list[str]:
    """Return the secrets to sign with: the current one, and for a while after a rotation the one before."""
    old = endpoint.old_secret if endpoint.old_until and endpoint.old_until > at else ""
    return [endpoint.secret, *([old] if old else [])]


def _record(call: OutboundCall, result: Try, at: datetime) -> bool:
    row = OutboundCall.objects.select_for_update(no_key=True).filter(pk=call.pk, state=State.SENDING)
    if not row.exists():
        return result.succeeded
    told: dict[str, Any] = {
        "last_status": result.answer.status if result.answer else None,
        "last_error": "" if result.succeeded else result.told[:300],
        "lease_until": None,
    }
    if result.succeeded:
        call.answer = _gift_of(result.answer)
        row.update(state=State.DELIVERED, delivered_at=at, answer=call.answer, **told)
        _delivered(call, at)
        return True
    headers = result.answer.headers if result.answer else {}
    wait = None if _is_gone(result) else wait_after(call.attempts, headers, at=clocks.real_now())
    if wait is not None:
        row.update(state=State.DUE, due_at=at + wait, **told)
        return False
    row.update(state=State.DEAD, **told)
    if _is_gone(result):
        FulfilmentEndpoint.objects.filter(pk=call.endpoint_id).update(enabled=False)
    _given_up(call, result.told, at)
    return False


def _is_gone(result: Try) -> bool:
    return result.answer is not None and result.answer.status == GONE


def _gift_of(answer: Answer | None) -> dict[str, str]:
    """Return the code and the https link that an answer may carry; anything else in it is not kept."""
    try:
        body = json.loads(answer.body) if answer else None
    except ValueError:
        return {}
    if not isinstance(body, Mapping):
        return {}
    found: dict[str, str] = {}
    code, url = body.get("code"), body.get("url")
    if isinstance(code, str) and code.isprintable() and 0 < len(code) <= _LONGEST_CODE:
        found["code"] = code
    if isinstance(url, str) and url.startswith("https://") and url.isprintable() and len(url) <= _LONGEST_URL:
        found["url"] = url
    return found


def _delivered(call: OutboundCall, at: datetime) -> None:
    if call.redemption is not None:
        _redemption_delivered(call, call.redemption, at)
        return
    if call.fulfilment is None:
        return
    if call.type == Type.REVERSE:
        keep_step(call.fulfilment.reward, "taken_back", at=at, why="the shop has taken it back")
        return
    try:
        with transaction.atomic():
            complete_fulfilment(order=call.fulfilment, at=at, detail=call.answer, why="the shop has given it")
    except FulfilmentInWrongState:
        logger.info("call %s arrived after its reward was taken back; the reversal follows", call.webhook_id)


def _redemption_delivered(call: OutboundCall, redemption: Redemption, at: datetime) -> None:
    if call.type == Type.REVERSE:
        keep_redemption_step(redemption, "taken_back", at=at, why="the shop has taken it back")
        return
    told = " ".join(call.answer[name] for name in ("code", "url") if name in call.answer)
    if not note_shops_answer(redemption=redemption, told=told, at=at):
        logger.info("call %s arrived after its redemption was undone; the reversal follows", call.webhook_id)


def _given_up(call: OutboundCall, why: str, at: datetime) -> None:
    if call.redemption is not None:
        if call.type == Type.FULFIL:
            note_shops_silence(redemption=call.redemption, why=why, at=at)
        else:
            told = "the shop could not be told to take it back"
            keep_redemption_step(call.redemption, "unanswered", at=at, why=told)
        return
    if call.fulfilment is None:
        return
    if call.type == Type.REVERSE:
        Fulfilment.objects.filter(pk=call.fulfilment.pk, state=Fulfilment.State.STOPPED).update(
            state=Fulfilment.State.TAKE_BACK, note="the shop could not be told to take it back"
        )
        return
    order = Fulfilment.objects.select_related("reward").get(pk=call.fulfilment.pk)
    if order.state == Fulfilment.State.ASKED:
        fail_fulfilment(order=order, why=f"the shop could not be asked: {why}", at=at)
