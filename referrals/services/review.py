"""What reviewers do to referrals: let go, hold, undo; and the timer that lets go where nobody decided."""

from datetime import datetime

from django.db import transaction

from referrals.judgement import FLAGGING
from referrals.models import Referral, ReviewDecision
from referrals.services.decisions import record_decision, undo_decisions
from referrals.services.histories import load_history
from referrals.services.judging import move_referral, verdict_of_referral
from referrals.services.lifecycle import WrongState, lock_referral, reopen_referral
from referrals.services.weighing import hold, let_go

_State = Referral.State
_HOLDABLE = (_State.SIGNED_UP, _State.QUALIFIED, _State.REVERSED)


@transaction.atomic
def approve_referral(*, referral: Referral, note: str, actor: str, at: datetime) -> Referral:
    """Let a held referral go: it is what its history makes it, and its score holds it no longer.

    Its rewards still wait for the end of their hold. Raises `WrongState` where neither score nor staff hold it.
    """
    referral = lock_referral(pk=referral.pk)
    if not _claim(referral):
        raise WrongState(f"only a referral that is held can be approved; this one is {_standing(referral)}")
    record_decision(referral=referral, decision="approve", reason=note, actor=actor, at=at)
    referral.cleared_at = at
    _resume(referral, why=note, actor=actor, at=at)
    return referral


@transaction.atomic
def hold_referral(*, referral: Referral, note: str, actor: str, at: datetime) -> Referral:
    """Hold a referral for review by hand: nothing more of it is released until staff decide, without a timer.

    Raises `WrongState` where it is held already, or has been approved, voided or expired.
    """
    referral = lock_referral(pk=referral.pk)
    if referral.state not in _HOLDABLE or _is_in_review(referral):
        raise WrongState(f"only an open referral can be held; this one is {_standing(referral)}")
    hold(referral, Referral.HeldFor.STAFF, at=at)
    referral.cleared_at = None
    record_decision(referral=referral, decision="hold", reason=note, actor=actor, at=at)
    _move(referral, why=note, actor=actor, at=at, held_before=False)
    return referral


@transaction.atomic
def undo_review(*, referral: Referral, note: str, actor: str, at: datetime) -> Referral:
    """Take the last approval or void back: the referral is held again, for staff to decide once more.

    Raises `WrongState` where there is nothing to take back, or its hold has ended meanwhile.
    """
    referral = lock_referral(pk=referral.pk)
    verdicts = (ReviewDecision.Decision.APPROVE, ReviewDecision.Decision.VOID)
    last = ReviewDecision.objects.filter(referral=referral, decision__in=verdicts, undone_at=None).last()
    if last is None:
        raise WrongState("no decision stands that could be taken back")
    if last.decision == ReviewDecision.Decision.VOID:
        return reopen_referral(referral=referral, note=note, actor=actor, at=at, review=True)
    held = hold_referral(referral=referral, note=note, actor=actor, at=at)
    undo_decisions(referral=referral, at=at)
    return held


def let_go_due(*, at: datetime) -> int:
    """Let go the held referrals that nobody decided on until their program's timer ended; return how many.

    One that has not qualified yet is scored anew when it does.
    """
    due = Referral.objects.filter(held=True, held_until__lte=at)
    return sum(_let_go_one(pk, at=at) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _let_go_one(pk: int, *, at: datetime) -> bool:
    referral = lock_referral(pk=pk)
    if referral.held_until is None or referral.held_until > at or not _claim(referral):
        return False
    if referral.qualified_at is not None:
        referral.cleared_at = at
    _resume(referral, why="nobody decided in the time that the program sets", actor="", at=at)
    return True


def _is_in_review(referral: Referral) -> bool:
    return referral.held and referral.held_for in FLAGGING


def _standing(referral: Referral) -> str:
    return "held for review already" if _is_in_review(referral) else referral.state


def _claim(referral: Referral) -> bool:
    """Take the referral out of the queue: of two who decide at once, one wins."""
    waiting = Referral.objects.filter(pk=referral.pk, held=True, held_for__in=FLAGGING)
    return waiting.exclude(state=_State.VOIDED).update(held=False) == 1


def _resume(referral: Referral, *, why: str, actor: str, at: datetime) -> None:
    referral.weigh_at = None
    let_go(referral)
    _move(referral, why=why, actor=actor, at=at, held_before=True)


def _move(referral: Referral, *, why: str, actor: str, at: datetime, held_before: bool) -> None:
    verdict = verdict_of_referral(referral, load_history(referral.friend), at)
    move_referral(referral, verdict, event=None, at=at, actor=actor, why=why, held_before=held_before)
