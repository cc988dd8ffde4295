"""Judging referrals anew: whenever a friend's history changes, by whatever event and in whatever order."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from core.dispatch import publish
from core.periods import local_day
from referrals.events import ReferralJudged
from referrals.judgement import EARNING, Before, Doubts, History, Judgement, judge
from referrals.models import Customer, Event, Referral, ReferralStep
from referrals.services.binding import (
    BINDS,
    Candidate,
    Friend,
    bind_friend,
    binding_of,
    is_same_person,
    places_of,
    weigh_event,
)
from referrals.services.histories import load_history, refunded_minor
from referrals.services.weighing import Weighed, save_weighed, weigh_referral
from referrals.terms import terms_from_json

_CHANGES = (
    *("program", "instead_of", "offer", "state", "reason", "method", "code", "click", "channel"),
    *("binding_event", "touch_at", "bound_at"),
)
_MOMENTS = ("qualifying_event", "qualified_at", "expires_at", "approve_at", "approved_at", "pardoned_at")
_HOLD = ("held", "held_for", "held_at", "held_until", "cleared_at", "weigh_at")


@transaction.atomic(savepoint=False)
def judge_event(*, event: Event, at: datetime) -> list[Referral]:
    """Bind and judge all that the event touches; return the referrals judged.

    The event's customer may become a friend by its evidence; friends whose purchases it refunds, or who
    share its customer's email, are judged anew.
    """
    warnings: list[str] = []
    judged: list[Referral] = []
    for customer in _touched_customers(event):
        friend = _load_friend(customer)
        if customer.pk == event.customer_id and event.type in BINDS:
            warnings += _bind(event, friend, at)
        judged += _judge_friend(friend, event=event, at=at)
    warnings += _money_warnings(event)
    if warnings != event.warnings:
        Event.objects.filter(pk=event.pk).update(warnings=warnings)
        event.warnings = warnings
    return judged


def _touched_customers(event: Event) -> list[Customer]:
    """Return, locked in id order, the event's customer where it may bind, and every friend it concerns."""
    ids: set[int] = set()
    if event.type in BINDS and (event.code or event.click_id or event.coupon):
        ids.add(event.customer_id)
    friends = Referral.objects.filter(friend_id=event.customer_id)
    if event.type == Event.Type.REFUND:
        friends = Referral.objects.filter(
            friend__events__type=Event.Type.PURCHASE, friend__events__order_id=event.order_id
        )
    ids |= set(friends.values_list("friend_id", flat=True))
    email = event.customer.email_normalized
    if event.type == Event.Type.PURCHASE and email:
        namesakes = Referral.objects.filter(friend__email_normalized=email)
        ids |= set(namesakes.values_list("friend_id", flat=True))
    if not ids:
        return []
    return list(Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _load_friend(customer: Customer) -> Friend:
    related = ("program", "offer", "advocate", "friend", "binding_event", "qualifying_event", "click")
    referrals = Referral.objects.filter(friend=customer).select_related(*related).order_by("pk")
    return Friend(customer, load_history(customer), list(referrals))


def _bind(event: Event, friend: Friend, at: datetime) -> list[str]:
    chosen, warnings = weigh_event(event, friend)
    if chosen is not None:
        advocate = Customer.objects.select_for_update(no_key=True).get(pk=chosen.evidence.link.customer_id)
        if advocate.merged_into_id is not None:  # since the evidence was read: now it names the person
            return _bind(event, friend, at)
        bind_friend(candidate=chosen, event=event, friend=friend, at=at)
    return warnings


@transaction.atomic(savepoint=False)
def judge_friend(*, customer: Customer, at: datetime) -> list[Referral]:
    """Judge anew every referral of a friend, whose row the caller has locked; return those that could move.

    Where facts came to the friend from elsewhere, their evidence for who holds the friend counts from now on.
    """
    friend = _load_friend(customer)
    carrying = Event.objects.filter(customer=customer, type__in=BINDS).exclude(code="", click_id="", coupon="")
    for event in carrying.select_related("customer").order_by("received_at", "pk"):
        chosen, _ = weigh_event(event, friend)
        if chosen is not None and any(_holds(referral, chosen) for referral in friend.referrals):
            bind_friend(candidate=chosen, event=event, friend=friend, at=at)
    return _judge_friend(friend, event=None, at=at)


def _holds(referral: Referral, candidate: Candidate) -> bool:
    return (
        referral.state in Referral.LIVE
        and referral.advocate_id == candidate.evidence.link.customer_id
        and bool(places_of(referral) & candidate.places)
    )


def _judge_friend(friend: Friend, *, event: Event | None, at: datetime) -> list[Referral]:
    """Judge every referral of the friend that can still move.

    What leaves the live states is saved first, and what earns nothing is told first: what it gives back
    another one may earn.
    """
    verdicts = [(r, _verdict_of_friend(r, friend, at)) for r in friend.referrals if _can_move(r, friend)]
    weighed = [(r, weigh_referral(r, verdict, at=at)) for r, verdict in _without_rivals(verdicts)]
    weighed.sort(key=lambda pair: pair[1].judgement.state in Referral.LIVE)
    told = [(r, _save_verdict(r, one, event=event, at=at)) for r, one in weighed]
    told.sort(key=lambda pair: (pair[0].state in EARNING, pair[0].bound_at))
    publish(*(judged for _, judged in told))
    return [referral for referral, _ in verdicts]


def is_new(referral: Referral) -> bool:
    """Return whether the referral has not been saved yet."""
    return referral._state.adding


def _can_move(referral: Referral, friend: Friend) -> bool:
    return is_new(referral) or referral.state != Referral.State.VOIDED or referral.pk in friend.rebound


def _verdict_of_friend(referral: Referral, friend: Friend, at: datetime) -> Judgement:
    reason = referral.reason if is_new(referral) else friend.rebound.get(referral.pk, "")
    if reason:
        return Judgement(state="voided", reason=reason, expires_at=referral.expires_at)
    return verdict_of_referral(referral, friend.history, at, anew=referral.pk in friend.rebound)


def _without_rivals(verdicts: list[tuple[Referral, Judgement]]) -> list[tuple[Referral, Judgement]]:
    """Leave at most one live referral a program: an expired one revives only where no other is live.

    Of two bindings of one advocate the first holds: had its purchase been known, there would be no second (rule 15).
    """
    live = {
        r.program_id: r for r, verdict in reversed(verdicts) if verdict.state in Referral.LIVE and not _was_expired(r)
    }
    kept = []
    for referral, verdict in sorted(verdicts, key=lambda pair: pair[0].bound_at):
        rival = live.get(referral.program_id, referral)
        if rival is not referral and not (_was_expired(referral) and _comes_first(referral, rival)):
            verdict = _expired(referral) if verdict.state in Referral.LIVE else verdict
        if verdict.state in Referral.LIVE:
            live[referral.program_id] = referral
        kept.append((referral, verdict))
    return kept


def _comes_first(referral: Referral, rival: Referral) -> bool:
    return referral.advocate_id == rival.advocate_id and referral.bound_at < rival.bound_at


def _expired(referral: Referral) -> Judgement:
    return Judgement(state="expired", reason="", expires_at=referral.expires_at)


def _was_expired(referral: Referral) -> bool:
    return not is_new(referral) and referral.state == Referral.State.EXPIRED


def judge_referral(*, referral: Referral, history: History, event: Event | None, at: datetime) -> Referral:
    """Give the referral the state that its friend's history gives it, keep the step, and tell who listens."""
    move_referral(referral, verdict_of_referral(referral, history, at), event=event, at=at)
    return referral


def verdict_of_referral(referral: Referral, history: History, at: datetime, *, anew: bool = False) -> Judgement:
    """Return what the friend's history makes of a referral at `at`; `anew` forgets how one that ended stood."""
    doubts = Doubts(self_referral=is_same_person(referral.advocate, referral.friend), pardoned=referral.is_pardoned)
    ended = anew and referral.state in {Referral.State.EXPIRED, Referral.State.VOIDED}
    state = "" if ended or is_new(referral) else referral.state
    before = Before(state=state, reason=referral.reason, qualifying_pk=referral.qualifying_event_id)
    return judge(terms_from_json(referral.offer.terms), binding_of(referral), history, doubts, before=before, at=at)


def move_referral(
    referral: Referral,
    verdict: Judgement,
    *,
    event: Event | None,
    at: datetime,
    actor: str = "",
    why: str = "",
    held_before: bool | None = None,
) -> None:
    """Weigh the risk, save the referral as judged, keep what changed as a step, and publish the judgement.

    `held_before` says whether it was held where the caller has changed that already.
    """
    weighed = weigh_referral(referral, verdict, at=at, held_before=held_before)
    publish(_save_verdict(referral, weighed, event=event, at=at, actor=actor, why=why))


def _save_verdict(
    referral: Referral, weighed: Weighed, *, event: Event | None, at: datetime, actor: str = "", why: str = ""
) -> ReferralJudged:
    verdict = weighed.judgement
    new = is_new(referral)
    before = "" if new else referral.state
    day_before = _day(referral.qualified_at)
    was = (before, referral.reason, referral.qualifying_event_id)
    referral.state = Referral.State(verdict.state)
    referral.reason = verdict.reason
    if event is not None and event.pk == verdict.qualifying_pk:
        referral.qualifying_event = event
    referral.qualifying_event_id = verdict.qualifying_pk
    referral.qualified_at = verdict.qualified_at
    referral.expires_at = verdict.expires_at
    referral.approve_at = verdict.approve_at
    # A former tool approved what it rewarded when it did: not in the period in which that is imported.
    moment = verdict.qualified_at if referral.offer.is_settled else at
    referral.approved_at = (referral.approved_at or moment) if verdict.state == "approved" else None
    if new:
        referral.save(force_insert=True)
    else:
        referral.save(update_fields=[*_CHANGES, *_MOMENTS, *_HOLD])
    save_weighed(referral, weighed)
    moved = was != (verdict.state, verdict.reason, verdict.qualifying_pk)
    if moved or weighed.held_before != referral.held:
        data = {"from": before} | weighed.data
        what = verdict.state if moved else "held" if referral.held else "let_go"
        _keep_step(referral, what, data, event=event, at=at, actor=actor, why=why or weighed.why)
    return ReferralJudged(
        subject=f"event:{event.pk}" if event else f"referral:{referral.pk}",
        referral=referral.pk,
        event=event.pk if event else 0,
        before=before,
        after=referral.state,
        day_before=day_before,
        day_after=_day(referral.qualified_at),
    )


def _keep_step(
    referral: Referral, what: str, data: dict[str, Any], *, event: Event | None, at: datetime, actor: str, why: str
) -> None:
    data |= {
        "method": referral.method,
        "code": referral.code,
        "offer": referral.offer.number,
        "bound_at": referral.bound_at.isoformat(),
        "touch_at": referral.touch_at.isoformat(),
        "qualifying_event": referral.qualifying_event.event_id if referral.qualifying_event else None,
        "qualified_at": referral.qualified_at.isoformat() if referral.qualified_at else None,
        "approve_at": referral.approve_at.isoformat() if referral.approve_at else None,
    }
    ReferralStep.objects.create(
        referral=referral, at=at, what=what, why=why or referral.reason, actor=actor, event=event, data=data
    )


def _day(at: datetime | None) -> str:
    return local_day(at, ZoneInfo(settings.TIME_ZONE)).isoformat() if at else ""


def _money_warnings(event: Event) -> list[str]:
    """Return what is kept but not subtracted of a refund: an unknown order, another currency, too much."""
    if event.type != Event.Type.REFUND:
        return []
    purchase = Event.objects.filter(type=Event.Type.PURCHASE, order_id=event.order_id).first()
    if purchase is None:
        return ["unknown_order"]
    if purchase.currency != event.currency:
        return ["refund_in_other_currency"]
    refunded = refunded_minor([purchase]).get(purchase.order_id, 0)
    return ["refunded_beyond_paid"] if refunded > (purchase.amount_minor or 0) else []
