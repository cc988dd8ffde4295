"""What time and staff do to referrals: approve, expire, void, reopen."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from core.errors import Refused
from referrals.judgement import Before, Doubts, Judgement, judge
from referrals.models import Customer, Referral
from referrals.services.binding import binding_of, is_same_person
from referrals.services.histories import load_history
from referrals.services.judging import judge_referral, move_referral
from referrals.terms import terms_from_json

STAFF_REASONS = ("fraud", "manual")


class WrongState(Refused):
    """The referral is in a state from which this step is not possible; the detail names the state."""

    code = "wrong_state"


def approve_due(*, at: datetime) -> int:
    """Approve the qualified referrals whose hold has passed by `at`; return how many."""
    due = Referral.objects.filter(state=Referral.State.QUALIFIED, approve_at__lte=at)
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
    verdict = Judgement(state="voided", reason=reason, expires_at=referral.expires_at)
    move_referral(referral, verdict, event=None, at=at, actor=actor, why=note)
    return referral


@transaction.atomic
def reopen_referral(*, referral: Referral, note: str, actor: str, at: datetime) -> Referral:
    """Judge a voided referral anew as if nothing stood against it but the friend's purchases.

    Raises `WrongState` where it is not voided or the friend has another live referral in the program.
    """
    referral = lock_referral(pk=referral.pk)
    if referral.state != Referral.State.VOIDED:
        raise WrongState(f"only a voided referral can be reopened; this one is {referral.state}")
    live = Referral.objects.filter(program=referral.program, friend=referral.friend, state__in=Referral.LIVE)
    if live.exists():
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
    move_referral(referral, verdict, event=None, at=at, actor=actor, why=note)
    return referral
