"""What time and staff do to referrals: weigh again, approve, expire, void, reopen."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from core.errors import Refused
from referrals.judgement import Before, Doubts, Judgement, judge
from referrals.models import Customer, Referral
from referrals.services.binding import binding_of, is_same_person
from referrals.services.decisions import record_decision, undo_decisions
from referrals.services.histories import load_history
from referrals.services.judging import judge_referral, move_referral
from referrals.services.weighing import hold
from referrals.terms import terms_from_json

STAFF_REASONS = ("fraud", "manual")


class WrongState(Refused):
    """The referral is in a state from which this step is not possible; the detail names the state."""

    code = "wrong_state"


def weigh_due(*, at: datetime) -> int:
    """Score again the referrals of which something is released by `at`; return how many are held or void now.

    Runs before the release: what is held then is not released.
    """
    open_states = (Referral.State.SIGNED_UP, Referral.State.QUALIFIED)
    due = Referral.objects.filter(weigh_at__lte=at, held=False, state__in=open_states)
    return sum(_weigh_one(pk, at=at) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _weigh_one(pk: int, *, at: datetime) -> bool:
    referral = lock_referral(pk=pk)
    if referral.weigh_at is None or referral.weigh_at > at or referral.held:
        return False
    judge_referral(referral=referral, history=load_history(referral.friend), event=None, at=at)
    return referral.held or referral.state == Referral.State.VOIDED


def approve_due(*, at: datetime) -> int:
    """Approve the qualified referrals whose hold has passed by `at` and whose score is clear; return how many moved."""
    due = Referral.objects.filter(state=Referral.State.QUALIFIED, approve_at__lte=at, held=False)
    return _judge_each(due.values_list("pk", flat=True), "qualified", at=at)


def expire_due(*, at: datetime) -> int:
    """Expire the referrals whose conversion window has ended by `at` without a qualifying event; return how many."""
    due = Referral.objects.filter(state=Referral.State.SIGNED_UP, expires_at__lt=at)
    return _judge_each(due.values_list("pk", flat=True), "signed_up", at=at)


def _judge_each(pks: Iterable[int], state: str, *, at: datetime) -> int:
    return sum(_judge_one(pk, state, at=at) for pk in list(pks))


def _judge_one(pk: int, state: str, *, at: datetime) -> bool:
    with transaction.atomic():
        referral = lock_referral(pk=pk)
        if referral.state != state:
            return False
        judge_referral(referral=referral, history=load_history(referral.friend), event=None, at=at)
        return referral.state != state


def lock_referral(*, pk: int) -> Referral:
    """Return the referral with its friend's row locked, as every judgement holds it."""
    friend_id = Referral.objects.values_list("friend_id", flat=True).get(pk=pk)
    Customer.objects.select_for_update(no_key=True).get(pk=friend_id)
    related = ("program", "offer", "advocate", "friend", "binding_event", "qualifying_event")
    return Referral.objects.select_related(*related).get(pk=pk)


@transaction.atomic
def void_referral(*, referral: Referral, reason: str, note: str, actor: str, at: datetime) -> Referral:
    """Void a referral by hand, for `fraud` or `manual` reasons: everything it earned goes back."""
    if reason not in STAFF_REASONS:
        raise Refused(f"expected one of {', '.join(STAFF_REASONS)} as the reason", pointer="/reason")
    referral = lock_referral(pk=referral.pk)
    if referral.state == Referral.State.VOIDED:
        raise WrongState(f"the referral is already voided ({referral.reason})")
    record_decision(referral=referral, decision="void", kind=reason, reason=note, actor=actor, at=at)
    verdict = Judgement(state="voided", reason=reason, expires_at=referral.expires_at)
    move_referral(referral, verdict, event=None, at=at, actor=actor, why=note)
    return referral


@transaction.atomic
def reopen_referral(*, referral: Referral, note: str, actor: str, at: datetime, review: bool = False) -> Referral:
    """Judge a voided referral anew as if nothing stood against it but the friend's purchases.

    With `review` it is held for staff to decide once more, else its score holds it no longer. Raises
    `WrongState` where it is not voided or the friend has another live referral in the program.
    """
    referral = lock_referral(pk=referral.pk)
    if referral.state != Referral.State.VOIDED:
        raise WrongState(f"only a voided referral can be reopened; this one is {referral.state}")
    places = {referral.program_id, referral.instead_of_id or referral.program_id}
    live = Referral.objects.filter(friend=referral.friend, state__in=Referral.LIVE)
    if live.filter(Q(program__in=places) | Q(instead_of__in=places)).exists():
        raise WrongState("the friend has another live referral in this program")
    if is_same_person(referral.advocate, referral.friend):
        raise WrongState("advocate and friend are the same person")
    history = load_history(referral.friend)
    verdict = judge(
        terms_from_json(referral.offer.terms),
        binding_of(referral),
        history,
        Doubts(pardoned=True),
        before=Before(),
        at=at,
    )
    referral.pardoned_at = at
    if review:
        hold(referral, Referral.HeldFor.STAFF, at=at)
    else:
        referral.cleared_at = at
    undo_decisions(referral=referral, at=at)
    record_decision(referral=referral, decision="reopen", reason=note, actor=actor, at=at)
    move_referral(referral, verdict, event=None, at=at, actor=actor, why=note)
    return referral
