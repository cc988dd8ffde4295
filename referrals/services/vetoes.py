"""The shop's veto: it is asked, by a signed call, before a referral's rewards are released.

The sender is no transaction on purpose: a claim has to be committed before the call leaves. A question may
be asked twice, under the same id; its answer counts once.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from core import clocks
from core.dispatch import publish
from core.errors import Refused
from core.http import Answer, Unreachable, send
from core.webhooks import LONGEST_WAIT, signed_headers, wait_after
from referrals.events import ShopSilent
from referrals.models import Referral, VetoCall
from referrals.services.histories import load_history
from referrals.services.judging import move_referral, verdict_of_referral
from referrals.services.lifecycle import lock_referral, void_referral
from referrals.services.weighing import let_go

LEASE = timedelta(minutes=5)
BATCH = 100
PATIENCE = timedelta(hours=72)
SHOP = "the shop"
_State = VetoCall.State


def ask_due(*, at: datetime) -> int:
    """Ask the shop what is due at `at`, and tell staff what it has not answered for 72 hours; return how many answers.

    Where no address is set any more the open questions are dropped, and what waited for them is let go.
    """
    if not settings.VETO_URL:
        return _drop_open(at=at)
    VetoCall.objects.filter(state=_State.CALLING, lease_until__lt=clocks.real_now()).update(state=_State.WAITING)
    answered = 0
    due = VetoCall.objects.filter(state=_State.WAITING, due_at__lte=at).order_by("due_at", "pk")
    for pk in list(due.values_list("pk", flat=True)[:BATCH]):
        try:
            answered += _ask(pk, at=at)
        except Unreachable:
            break  # the next ones would wait as long for nobody, and all other work with them
    _tell_silence(at=at)
    return answered


@transaction.atomic
def ask_now(*, calls: Sequence[int], at: datetime) -> int:
    """Make open questions due at once, whatever their wait; return how many."""
    return VetoCall.objects.filter(pk__in=calls, state=_State.WAITING).update(due_at=at)


def _ask(pk: int, *, at: datetime) -> bool:
    """Ask one question; return whether it was answered. Raises `Unreachable` once that is written down."""
    call = _claim(pk, at=at)
    if call is None:
        return False
    if call.referral.state == Referral.State.VOIDED:
        return _answer(call, state=_State.DROPPED, at=at)
    body = json.dumps(_question(call, at=at)).encode()
    try:
        headers = signed_headers(
            secrets=[settings.VETO_SECRET], webhook_id=call.call_id, at=clocks.real_now(), body=body
        )
        answer = send("POST", settings.VETO_URL, body=body, headers={"Content-Type": "application/json", **headers})
    except (Unreachable, Refused, ValueError) as error:
        _ask_again(call, f"{type(error).__name__}: {error}", {}, at=at)
        if isinstance(error, Unreachable):
            raise
        return False
    if answer.status == 200:
        return _answer(call, state=_State.PAID, at=at)
    if reason := _refusal(answer):
        return _answer(call, state=_State.REFUSED, at=at, reason=reason)
    return _ask_again(call, f"the shop answered {answer.status}", dict(answer.headers), at=at)


def _claim(pk: int, *, at: datetime) -> VetoCall | None:
    claimed = VetoCall.objects.filter(pk=pk, state=_State.WAITING, due_at__lte=at).update(
        state=_State.CALLING,
        claimed_by=secrets.token_hex(16),
        lease_until=clocks.real_now() + LEASE,
        attempts=F("attempts") + 1,
    )
    people = ("referral__program", "referral__advocate", "referral__friend", "referral__qualifying_event")
    return VetoCall.objects.select_related(*people).get(pk=pk) if claimed == 1 else None


def _question(call: VetoCall, *, at: datetime) -> dict[str, Any]:
    referral = call.referral
    order = referral.qualifying_event
    return {
        "type": "referral.release_requested",
        "timestamp": at.isoformat(),
        "data": {
            "id": call.call_id,
            "stage": call.stage,
            "referral": referral.public_id,
            "program": referral.program.slug,
            "state": referral.state,
            "advocate": referral.advocate.external_id,
            "friend": referral.friend.external_id,
            "order": order.order_id if order else None,
            "qualified_at": referral.qualified_at.isoformat() if referral.qualified_at else None,
        },
    }


def _refusal(answer: Answer) -> str:
    """Return the reason a 4xx answer gives in JSON; '' where it is no refusal but a failure."""
    if not 400 <= answer.status < 500:
        return ""
    try:
        told = json.loads(answer.body)
    except ValueError:
        return ""
    reason = told.get("reason") if isinstance(told, dict) else None
    return reason.strip()[:200] if isinstance(reason, str) else ""


@transaction.atomic
def _answer(call: VetoCall, *, state: str, at: datetime, reason: str = "") -> bool:
    """Write the answer down and do what it says, unless the lease ran out and another call brought one."""
    referral = lock_referral(pk=call.referral_id)
    mine = VetoCall.objects.filter(pk=call.pk, state=_State.CALLING, claimed_by=call.claimed_by)
    if mine.update(state=state, answered_at=at, reason=reason, last_error="", lease_until=None) != 1:
        return False
    if state == _State.REFUSED:
        if referral.state != Referral.State.VOIDED:
            void_referral(referral=referral, reason="manual", note=reason, actor=SHOP, at=at)
    elif referral.state != Referral.State.VOIDED:
        _resume(referral, why="the shop lets it be paid", at=at)
    return True


def _resume(referral: Referral, *, why: str, at: datetime) -> None:
    """Let go what waited for the shop alone; what is ripe is released with the judgement."""
    if not referral.held or referral.held_for != Referral.HeldFor.VETO:
        return
    let_go(referral)
    verdict = verdict_of_referral(referral, load_history(referral.friend), at)
    move_referral(referral, verdict, event=None, at=at, actor=SHOP, why=why, held_before=True)


def _ask_again(call: VetoCall, error: str, headers: dict[str, str], *, at: datetime) -> bool:
    wait = wait_after(call.attempts, headers, at=at) or LONGEST_WAIT
    mine = VetoCall.objects.filter(pk=call.pk, state=_State.CALLING, claimed_by=call.claimed_by)
    mine.update(state=_State.WAITING, due_at=at + wait, last_error=error[:300], lease_until=None)
    return False


def _tell_silence(*, at: datetime) -> None:
    silent = VetoCall.objects.filter(state__in=VetoCall.OPEN, alerted_at=None, asked_since__lte=at - PATIENCE)
    for call in list(silent.order_by("pk")):
        with transaction.atomic():
            if VetoCall.objects.filter(pk=call.pk, alerted_at=None).update(alerted_at=at) == 1:
                publish(ShopSilent(subject=f"veto:{call.pk}", veto=call.pk))


def _drop_open(*, at: datetime) -> int:
    open_calls = VetoCall.objects.filter(state__in=VetoCall.OPEN)
    return sum(_drop(pk, at=at) for pk in list(open_calls.values_list("pk", flat=True)[:BATCH]))


@transaction.atomic
def _drop(pk: int, *, at: datetime) -> bool:
    referral = lock_referral(pk=VetoCall.objects.values_list("referral_id", flat=True).get(pk=pk))
    if VetoCall.objects.filter(pk=pk, state__in=VetoCall.OPEN).update(state=_State.DROPPED, answered_at=at) != 1:
        return False
    if referral.state != Referral.State.VOIDED:
        _resume(referral, why="the shop is no longer asked", at=at)
    return True
