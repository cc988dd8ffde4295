"""Judging referrals anew: whenever a friend's history changes, by whatever event and in whatever order."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from core.dispatch import publish
from core.periods import local_day
from referrals.events import ReferralJudged
from referrals.judgement import Before, Doubts, History, Judgement, judge
from referrals.models import Customer, Event, Referral, ReferralStep
from referrals.services.binding import (
    BINDS,
    Candidate,
    bind_friend,
    binding_of,
    choose_candidate,
    find_evidence,
    is_same_person,
    weigh_evidence,
)
from referrals.services.histories import load_history, refunded_minor
from referrals.terms import terms_from_json

_CHANGES = ("offer", "state", "reason", "method", "code", "click", "channel", "binding_event", "touch_at", "bound_at")
_MOMENTS = ("qualifying_event", "qualified_at", "expires_at", "approve_at", "approved_at", "pardoned_at")


@dataclass(frozen=True, slots=True)
class _Friend:
    customer: Customer
    history: History
    referrals: list[Referral]


@transaction.atomic
def judge_event(*, event: Event, at: datetime) -> list[Referral]:
    """Bind and judge all that the event touches; return the referrals judged.

    The event's customer may become a friend by its evidence; friends whose purchases it refunds, or who
    share its customer's email, are judged anew.
    """
    warnings: list[str] = []
    judged: list[Referral] = []
    for customer in _touched_customers(event):
        friend = _load_friend(customer)
        bound = None
        if customer.pk == event.customer_id and event.type in BINDS:
            bound, found = _bind(event, friend, at)
            warnings += found
        judged += _judge_friend(friend, bound, event=event, at=at)
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


def _load_friend(customer: Customer) -> _Friend:
    referrals = (
        Referral.objects.filter(friend=customer)
        .select_related("program", "offer", "advocate", "friend", "binding_event", "click")
        .order_by("pk")
    )
    return _Friend(customer, load_history(customer), list(referrals))


def _bind(event: Event, friend: _Friend, at: datetime) -> tuple[Referral | None, list[str]]:
    found, warnings = find_evidence(event)
    weighed = [weigh_evidence(one, event=event, friend=friend.customer, history=friend.history) for one in found]
    candidates: list[Candidate] = [candidate for candidate in weighed if candidate is not None]
    chosen = choose_candidate(candidates)
    if chosen is None:
        return None, warnings
    Customer.objects.select_for_update(no_key=True).get(pk=chosen.evidence.link.customer_id)
    _lapse(friend.referrals, chosen, event, at)
    bound = bind_friend(
        candidate=chosen, event=event, friend=friend.customer, referrals=friend.referrals, history=friend.history, at=at
    )
    if bound is not None and bound.pk is None and chosen.reason:
        bound.state, bound.reason = Referral.State.VOIDED, chosen.reason
    return bound, warnings


def _lapse(referrals: list[Referral], chosen: Candidate, event: Event, at: datetime) -> None:
    """Expire a referral whose window had ended by the event that would bind the friend anew."""
    for referral in referrals:
        same = referral.program_id == chosen.offer.program_id
        if same and referral.state == Referral.State.SIGNED_UP and event.occurred_at > referral.expires_at:
            move_referral(referral, Judgement(state="expired", reason="", expires_at=referral.expires_at), event=event, at=at)


def _judge_friend(friend: _Friend, bound: Referral | None, *, event: Event | None, at: datetime) -> list[Referral]:
    referrals = [r for r in friend.referrals if bound is None or r.pk != bound.pk]
    if bound is not None:
        referrals.append(bound)
    referrals.sort(key=lambda r: (r.state == Referral.State.EXPIRED, r.pk is None, r.pk or 0))
    judged = []
    for referral in referrals:
        if referral is not bound and not _open_to_judgement(referral, referrals):
            continue
        judge_referral(referral=referral, history=friend.history, event=event, at=at)
        judged.append(referral)
    return judged


def _open_to_judgement(referral: Referral, all_of_friend: list[Referral]) -> bool:
    if referral.state == Referral.State.VOIDED:
        return False
    others = (r for r in all_of_friend if r is not referral and r.program_id == referral.program_id)
    return referral.state != Referral.State.EXPIRED or not any(r.state in Referral.LIVE for r in others)


def judge_referral(*, referral: Referral, history: History, event: Event | None, at: datetime) -> Referral:
    """Give the referral the state that its friend's history gives it, keep the step, and tell who listens."""
    terms = terms_from_json(referral.offer.terms)
    binding = binding_of(referral)
    if referral.pk is None and referral.state == Referral.State.VOIDED:
        verdict = Judgement(state="voided", reason=referral.reason, expires_at=referral.expires_at)
        referral.state = Referral.State.SIGNED_UP
    else:
        doubts = Doubts(
            self_referral=is_same_person(referral.advocate, referral.friend), pardoned=referral.pardoned_at is not None
        )
        before = Before(state=referral.state, reason=referral.reason, qualifying_pk=referral.qualifying_event_id)
        verdict = judge(terms, binding, history, doubts, before=before, at=at)
    move_referral(referral, verdict, event=event, at=at)
    return referral


def move_referral(
    referral: Referral, verdict: Judgement, *, event: Event | None, at: datetime, actor: str = "", why: str = ""
) -> None:
    """Save the referral as judged, keep the step where something changed, and publish the judgement."""
    new = referral.pk is None
    before = "" if new else referral.state
    day_before = _day(referral.qualified_at)
    changed = new or (before, referral.reason, referral.qualifying_event_id) != (
        verdict.state,
        verdict.reason,
        verdict.qualifying_pk,
    )
    referral.state = Referral.State(verdict.state)
    referral.reason = verdict.reason
    referral.qualifying_event_id = verdict.qualifying_pk
    referral.qualified_at = verdict.qualified_at
    referral.expires_at = verdict.expires_at
    referral.approve_at = verdict.approve_at
    if verdict.state == "approved":
        referral.approved_at = referral.approved_at or at
    else:
        referral.approved_at = None
    if new:
        referral.save(force_insert=True)
    else:
        referral.save(update_fields=[*_CHANGES, *_MOMENTS])
    if changed:
        _keep_step(referral, before=before, event=event, at=at, actor=actor, why=why)
    publish(
        ReferralJudged(
            subject=f"event:{event.pk}" if event else f"referral:{referral.pk}",
            referral=referral.pk,
            event=event.pk if event else 0,
            before=before,
            after=referral.state,
            day_before=day_before,
            day_after=_day(referral.qualified_at),
        )
    )


def _keep_step(referral: Referral, *, before: str, event: Event | None, at: datetime, actor: str, why: str) -> None:
    data = {
        "from": before,
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
        referral=referral, at=at, what=referral.state, why=why or referral.reason, actor=actor, event=event, data=data
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
