"""Keeping the tier that is shown to an advocate: when referrals come or go, when time passes, when tiers change."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from core.dispatch import publish
from core.events import DomainEvent
from referrals.models import Offer
from referrals.queries.conditions import customer_values
from referrals.queries.programs import current_offer, terms_of
from referrals.terms import Terms, Tiers
from rewards.events import MilestoneLost, MilestoneNear, TierAtRisk, TierChanged
from rewards.models import TierChange, TierStanding
from rewards.queries.standing import counted_moments, membership_of
from rewards.standing import AdvocateStanding, level_for

Why = TierChange.Why


@transaction.atomic(savepoint=False)
def refresh_standing(*, customer: int, program: int, at: datetime, subject: str) -> TierStanding:
    """Bring the tier shown to the advocate in line with their referrals at `at`; changes are kept and told.

    Both are primary keys; a new standing begins where everybody does.
    """
    mine = _locked().filter(customer=customer, program=program)
    row = mine.first()
    if row is None:
        TierStanding.objects.get_or_create(
            customer_id=customer, program_id=program, defaults={"since": at, "updated_at": at}
        )
        row = mine.get()
    _refresh(row, at=at, why=Why.REFERRALS, subject=subject)
    return row


def refresh_standings_due(*, at: datetime) -> int:
    """Refresh what time alone has changed by `at`, and what a new offer's tiers change; return how many rows."""
    late = TierStanding.objects.filter(next_change_at__lte=at).order_by("next_change_at", "pk")
    timed = [_refresh_by_time(pk, at=at) for pk in list(late.values_list("pk", flat=True))]
    newest = Offer.objects.exclude(number=Offer.SETTLED).order_by().values_list("program").annotate(offer=Max("pk"))
    return sum(timed) + sum(_refresh_behind(program, offer, at=at) for program, offer in newest)


@transaction.atomic
def _refresh_by_time(pk: int, *, at: datetime) -> bool:
    """Go through every moment of change by `at`, so that the history has each with its own date."""
    row = _locked().get(pk=pk)
    if row.next_change_at is None or row.next_change_at > at:
        return False
    while row.next_change_at is not None and row.next_change_at <= at:
        moment = row.next_change_at
        _refresh(row, at=moment, why=Why.TIME, subject=f"customer:{row.customer_id}")
    if row.at_risk and (row.held_until is None or row.held_until >= at):
        publish(TierAtRisk(subject=f"customer:{row.customer_id}", standing=row.pk))
    return True


def _refresh_behind(program: int, offer: int, *, at: datetime) -> int:
    """Refresh the standings in the program that were told by an offer before this one, or by none yet."""
    behind = TierStanding.objects.filter(Q(offer=None) | Q(offer_id__lt=offer), program=program)
    return sum(_refresh_by_offer(pk, at=at) for pk in list(behind.values_list("pk", flat=True)))


@transaction.atomic
def _refresh_by_offer(pk: int, *, at: datetime) -> bool:
    row = _locked().get(pk=pk)
    _refresh(row, at=at, why=Why.OFFER, subject=f"customer:{row.customer_id}")
    return True


def _locked() -> QuerySet[TierStanding]:
    rows = TierStanding.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("customer", "program").prefetch_related("program__offers")


def _refresh(row: TierStanding, *, at: datetime, why: str, subject: str) -> None:
    offer = current_offer(row.program)
    terms = terms_of(offer)
    values = customer_values(row.customer)
    if row.offer_id is None and terms.tiers:
        begin = level_for(terms.tiers, 0, values, at)
        row.level = begin.name if begin else ""
    moments = counted_moments(row.customer_id, [row.program_id])[row.program_id]
    found = membership_of(terms, moments, values, at)
    news = _milestone_news(row, terms, found.total, subject) if why == Why.REFERRALS else []
    row.offer, row.total, row.updated_at = offer, found.total, at
    was_at_risk, change = row.at_risk, _take_over(row, terms.tiers, found.tier, at=at, why=why)
    row.save()
    if change is not None:
        change.save(force_insert=True)
        news.append(TierChanged(subject=subject, change=change.pk))
    if why == Why.REFERRALS and row.at_risk and not was_at_risk:
        news.append(TierAtRisk(subject=subject, standing=row.pk))
    publish(*news)


def _milestone_news(row: TierStanding, terms: Terms, total: int, subject: str) -> list[DomainEvent]:
    """Return the news of milestones that one more referral reaches now, or that are no longer reached."""
    near = [one.referrals for one in terms.milestones if row.total < total == one.referrals - 1]
    lost = [one.referrals for one in terms.milestones if total < one.referrals <= row.total]
    return [
        *(MilestoneNear(subject=subject, standing=row.pk, referrals=number) for number in near),
        *(MilestoneLost(subject=subject, standing=row.pk, referrals=number) for number in lost),
    ]


def _take_over(
    row: TierStanding, tiers: Tiers | None, found: AdvocateStanding | None, *, at: datetime, why: str
) -> TierChange | None:
    """Write what was found into the row; return the change where another tier is shown now."""
    shown = found.shown if found else None
    before, after = row.level, shown.name if shown else ""
    row.level = after
    row.level_now = found.level.name if found and found.level else ""
    row.vip, row.perks = (shown.vip, list(shown.perks)) if shown else (False, [])
    row.count = found.count if found else 0
    row.at_risk, row.needed = (found.at_risk, found.needed) if found else (False, 0)
    row.held_until = found.held_until if found else None
    row.next_change_at = found.next_change_at if found else None
    if before == after:
        return None
    row.since = at
    up = _rank(tiers, after) > max(_rank(tiers, before), _start(tiers))
    return TierChange(standing=row, at=at, before=before, after=after, up=up, why=why, count=row.count)


def _rank(tiers: Tiers | None, name: str) -> int:
    names = [level.name for level in tiers.levels] if tiers else []
    return names.index(name) if name in names else -1


def _start(tiers: Tiers | None) -> int:
    """Return the rank that is nobody's achievement: the level that needs no referral."""
    return 0 if tiers and tiers.levels and tiers.levels[0].least == 0 else -1
