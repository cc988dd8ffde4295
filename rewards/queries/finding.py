"""Finding people and referrals by whatever staff have in hand."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from referrals.codes import canonical_code
from referrals.models import Code, Customer, Event, Referral
from referrals.people import normalize_email
from rewards.models import Reward

MOST = 25
SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, at most 25 of each; `more` tells that there is more."""

    people: list[Customer]
    referrals: list[Referral]
    more: bool

    @property
    def nothing(self) -> bool:
        """Whether nothing was found."""
        return not (self.people or self.referrals)


def find_anything(text: str) -> Found:
    """Return people and referrals that an email, a name, your own id, an order, code, coupon or one of our ids names.

    Parts of names and emails are enough from 3 characters on; all else has to be whole.
    """
    wanted = text.strip()
    if not wanted:
        return Found([], [], more=False)
    people = list(_people(wanted)[: MOST + 1])
    referrals = list(_referrals(wanted, people)[: MOST + 1])
    return Found(people[:MOST], referrals[:MOST], more=max(len(people), len(referrals)) > MOST)


def _people(wanted: str) -> QuerySet[Customer]:
    found = Q(external_id=wanted) | Q(pk__in=_by_event(wanted)) | Q(pk__in=_by_code(wanted))
    if "@" in wanted:
        found |= Q(email__iexact=wanted) | Q(email_normalized=normalize_email(wanted))
    if len(wanted) >= SHORTEST:
        found |= Q(name__icontains=wanted) | Q(email__icontains=wanted)
    return Customer.objects.filter(found).order_by("-created_at", "-pk")


def _by_event(wanted: str) -> list[int]:
    rows = Event.objects.filter(Q(order_id=wanted) | Q(event_id=wanted) | Q(coupon=wanted))
    return list(rows.values_list("customer", flat=True).distinct()[:MOST])


def _by_code(wanted: str) -> list[int]:
    code = canonical_code(wanted)
    return list(Code.objects.filter(code=code).values_list("link__customer", flat=True)) if code else []


def _referrals(wanted: str, people: list[Customer]) -> QuerySet[Referral]:
    given = Q(detail__code=wanted) | Q(detail__coupon=wanted)
    rewards = Reward.objects.filter(Q(public_id=wanted) | given, referral__isnull=False)
    found = Q(public_id=wanted) | Q(pk__in=list(rewards.values_list("referral", flat=True)[:MOST]))
    keys = [person.pk for person in people[:MOST]]
    found |= Q(advocate__in=keys) | Q(friend__in=keys)
    return Referral.objects.filter(found).select_related("advocate", "friend", "program").order_by("-bound_at", "-pk")
