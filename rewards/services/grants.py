"""Bringing what a referral earned in line with what its rules give now: grant, reduce, withdraw, release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from core.dispatch import publish
from referrals.judgement import COUNTED, History
from referrals.models import Assist, Event, Referral
from referrals.services.histories import load_history
from referrals.terms import Milestone, Terms, terms_from_json
from rewards.calculation import Standing
from rewards.deciding import MILESTONE, Due, decide, milestone_cause, milestone_number
from rewards.events import MilestoneReached, StandingChanged
from rewards.models import Reward, Settlement
from rewards.services.book import Book
from rewards.services.planning import (
    Plan,
    make_plan,
    new_reward,
    priors_of,
    redate_milestones,
    split_milestones,
    stopped_of,
)
from rewards.services.posting import (
    Journal,
    carry_out,
    is_ripe,
    release,
    tell_released,
    tell_withdrawn,
    waits_for_review,
)
from rewards.services.world import LiveWorld

State = Reward.State


@transaction.atomic(savepoint=False)
def settle_referral(
    *, referral: Referral, event: Event | None, at: datetime, subject: str, actor: str = "", limit_anew: bool = False
) -> None:
    """Make the referral's rewards what its offer gives for its history as it is judged now.

    What comes out the same is not posted again; what is ripe at `at` is released at once. With `limit_anew`
    the advocate's limit is judged again though no other event qualifies.
    """
    terms = terms_from_json(referral.offer.terms)
    history = load_history(referral.friend)
    standing = _standing(referral, terms, history)
    people = {referral.advocate_id, referral.friend_id, *standing.assistants}
    book = Book(customers=people, at=at, subject=subject)
    settlement = Settlement.objects.filter(referral=referral).first() or Settlement(referral=referral)
    rewards = Reward.objects.filter(referral=referral).exclude(moment=MILESTONE).select_related("offer").order_by("pk")
    own = [reward for reward in rewards if reward.moment != "claim" or standing.state == "voided"]
    book = _with_earlier_helpers(book, own, people, at=at, subject=subject)
    _end_clearance(referral, own)
    climb = _climb(referral, terms, standing, settlement)
    anew = standing.earns and settlement.qualifying_event_id != standing.qualifying_pk
    decision = decide(
        terms,
        standing,
        history.purchases,
        prior=priors_of(own),
        stopped=stopped_of(own),
        anew=anew,
        limit_anew=limit_anew,
        limited=settlement.limited,
        reached=climb.reached,
        world=LiveWorld(referral),
    )
    plan = _plan_of(referral, decision.due, own, climb, at)
    granted = list(plan.grant)
    moved = redate_milestones(plan, referral, at) if anew and standing.counts and settlement.pk else []
    ripe = [r for r in [*own, *moved, *plan.grant] if r not in plan.withdraw and is_ripe(r, referral, at)]
    _carry_out(plan, ripe, book, Journal(at=at, event=event, actor=actor), why=_why(referral), subject=subject)
    _keep(settlement, standing, limited=decision.limited)
    _tell_standing(referral, granted, changed=climb.moves or (anew and standing.counts), subject=subject)


def _plan_of(referral: Referral, due: Sequence[Due], own: Sequence[Reward], climb: "_Climb", at: datetime) -> Plan:
    """Return what to write of the referral's own rewards, and of the milestones that it reaches or lets fall."""
    mine, milestones = split_milestones(due)
    plan = make_plan(referral, mine, own, at)
    plan.withdraw += climb.fallen
    plan.add([new_reward(referral, one) for one in milestones])
    return plan


def _with_earlier_helpers(book: Book, own: Sequence[Reward], people: set[int], *, at: datetime, subject: str) -> Book:
    """Return a book that holds those too whom an earlier offer thanked for an assist."""
    helped = {reward.recipient_id for reward in own} - people
    return Book(customers=people | helped, at=at, subject=subject) if helped else book


def _carry_out(plan: Plan, ripe: list[Reward], book: Book, journal: Journal, *, why: str, subject: str) -> None:
    if plan.is_empty and not ripe:
        return
    carry_out(plan, ripe, book, journal, why=why)
    tell_withdrawn(plan.withdraw, subject=subject)
    tell_released(ripe, subject=subject)


def _end_clearance(referral: Referral, own: Sequence[Reward]) -> None:
    """Forget that staff let rewards go during a review once it is over, so that another review holds them too."""
    cleared = [reward for reward in own if reward.cleared and reward.state == State.PENDING]
    if cleared and not waits_for_review(referral):
        Reward.objects.filter(pk__in=[reward.pk for reward in cleared]).update(cleared=False)
        for reward in cleared:
            reward.cleared = False


@dataclass(frozen=True, slots=True)
class _Climb:
    """How the advocate's count of referrals moves, the milestones reached by it and the rewards that fall."""

    moves: bool
    reached: tuple[Milestone, ...] = ()
    fallen: tuple[Reward, ...] = ()


def _climb(referral: Referral, terms: Terms, standing: Standing, settlement: Settlement) -> _Climb:
    if standing.counts == settlement.counted:
        return _Climb(False)
    if standing.counts and not terms.milestones:
        return _Climb(True)
    mine = Reward.objects.filter(
        program=referral.program_id, recipient=referral.advocate_id, moment=MILESTONE, state__in=Reward.STANDING
    )
    stands = list(mine.select_related("offer").order_by("pk"))
    if not standing.counts and not stands:
        return _Climb(True)
    counted = Referral.objects.filter(
        advocate=referral.advocate_id, program=referral.program_id, state__in=COUNTED
    ).count()
    if not standing.counts:
        return _Climb(True, fallen=tuple(r for r in stands if milestone_number(r.cause) > counted))
    held = {reward.cause for reward in stands}
    reached = [
        one for one in terms.milestones if one.referrals == counted and milestone_cause(one.referrals) not in held
    ]
    return _Climb(True, reached=tuple(reached))


def _standing(referral: Referral, terms: Terms, history: History) -> Standing:
    event = referral.qualifying_event
    minor, currency = _worth(referral.qualifying_event_id, history)
    assistants: list[int] = []
    if terms.rules_on("assist"):
        assistants = list(Assist.objects.filter(referral=referral).order_by("pk").values_list("advocate", flat=True))
    return Standing(
        referral_pk=referral.pk,
        advocate_pk=referral.advocate_id,
        friend_pk=referral.friend_id,
        state=referral.state,
        binding_pk=referral.binding_event_id or 0,
        bound_at=referral.bound_at,
        touch_at=referral.touch_at,
        qualifying_pk=referral.qualifying_event_id,
        qualifying_id=event.event_id if event else "",
        qualified_at=referral.qualified_at,
        qualifying_minor=minor,
        qualifying_currency=currency,
        assistants=tuple(assistants),
    )


def _worth(qualifying: int | None, history: History) -> tuple[int, str]:
    """Return what the qualifying event is worth, in minor units: a purchase's net, a lead's value."""
    for purchase in history.purchases:
        if purchase.pk == qualifying:
            return purchase.net_minor, purchase.currency
    for happening in history.happenings:
        if happening.pk == qualifying:
            return happening.value_minor or 0, happening.currency
    return 0, ""


def _keep(settlement: Settlement, standing: Standing, *, limited: bool) -> None:
    qualifying = standing.qualifying_pk if standing.earns else None
    kept = (settlement.qualifying_event_id, settlement.limited, settlement.counted)
    settlement.qualifying_event_id = qualifying
    settlement.limited = limited and standing.earns
    settlement.counted = standing.counts
    if kept != (qualifying, settlement.limited, settlement.counted):
        settlement.save()


def _tell_standing(referral: Referral, granted: Sequence[Reward], *, changed: bool, subject: str) -> None:
    numbers: dict[int, list[int]] = {}
    for reward in granted:
        if reward.moment == MILESTONE:
            numbers.setdefault(milestone_number(reward.cause), []).append(reward.pk)
    who, program = referral.advocate_id, referral.program_id
    publish(
        *(
            MilestoneReached(subject=subject, customer=who, program=program, number=number, rewards=tuple(pks))
            for number, pks in numbers.items()
        )
    )
    if changed:
        publish(StandingChanged(subject=subject, customer=who, program=program))


def _why(referral: Referral) -> str:
    return referral.reason if referral.state == Referral.State.VOIDED else "order_did_not_stand"


def release_due(*, at: datetime) -> int:
    """Release the pending rewards whose hold has passed by `at` and that wait for nobody; return how many."""
    ripe = ripe_rewards(at)
    recipients = list(ripe.order_by("recipient_id").values_list("recipient_id", flat=True).distinct())
    return sum(_release_for(recipient, at=at) for recipient in recipients)


def ripe_rewards(at: datetime) -> QuerySet[Reward]:
    """Return the rewards that `is_ripe` names, as a query."""
    waits = Q(referral__state=Referral.State.FLAGGED, cleared=False) | Q(referral__held=True, cleared=False)
    return Reward.objects.filter(state=State.PENDING, available_at__lte=at, held=False).exclude(waits)


@transaction.atomic
def _release_for(recipient: int, *, at: datetime) -> int:
    book = Book(customers=(recipient,), at=at, subject=f"customer:{recipient}")
    ripe = list(ripe_rewards(at).filter(recipient_id=recipient).select_related("offer").order_by("pk"))
    journal = Journal(at=at, event=None)
    release(ripe, book, journal)
    book.close()
    journal.close()
    tell_released(ripe, subject=f"customer:{recipient}")
    return len(ripe)
