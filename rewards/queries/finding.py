"""Finding people, referrals, redemptions and coupons by whatever staff have in hand."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from referrals.codes import canonical_code, coupon_key
from referrals.models import Claim, Code, Customer, Event, Referral
from referrals.people import normalize_email
from rewards.models import Coupon, Redemption, Reward

MOST = 25
SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, at most 25 of each; `more` tells that there is more."""

    people: list[Customer]
    referrals: list[Referral]
    redemptions: list[Redemption]
    coupon: Coupon | None
    more: bool

    @property
    def nothing(self) -> bool:
        """Whether nothing was found."""
        return not (self.people or self.referrals or self.redemptions or self.coupon)


def find_anything(text: str) -> Found:
    """Return people, with what is theirs, by an email, a name, your own id, an order, code, coupon or one of our ids.

    Parts of names and emails are enough from 3 characters on; all else has to be whole.
    """
    wanted = text.strip()
    if not wanted:
        return Found([], [], [], None, more=False)
    coupon = _coupon(wanted)
    people = list(_people(wanted, coupon)[: MOST + 1])
    referrals = list(_referrals(wanted, people, coupon)[: MOST + 1])
    redemptions = list(_redemptions(wanted, people, coupon)[: MOST + 1])
    more = max(len(people), len(referrals), len(redemptions)) > MOST
    return Found(people[:MOST], referrals[:MOST], redemptions[:MOST], coupon, more=more)


def _coupon(wanted: str) -> Coupon | None:
    """Return the code of a pool in any spelling, also one that nobody was given yet."""
    key = coupon_key(wanted)
    related = ("pool", "reward__recipient", "redemption__customer")
    return Coupon.objects.select_related(*related).filter(key=key).first() if key else None


def _buyer(coupon: Coupon) -> int | None:
    return coupon.redemption.customer_id if coupon.redemption else None


def _redemptions(wanted: str, people: list[Customer], coupon: Coupon | None) -> QuerySet[Redemption]:
    found = Q(public_id=wanted) | Q(customer__in=[person.pk for person in people[:MOST]])
    if coupon is not None and coupon.redemption_id:
        found |= Q(pk=coupon.redemption_id)
    return Redemption.objects.filter(found).select_related("customer").order_by("-created_at", "-pk")


def _people(wanted: str, coupon: Coupon | None) -> QuerySet[Customer]:
    found = (
        Q(external_id=wanted)
        | Q(aliases__external_id=wanted)
        | Q(pk__in=_by_event(wanted))
        | Q(pk__in=_by_code(wanted))
    )
    if coupon is not None:
        claims = Claim.objects.filter(key=coupon.key, friend__isnull=False)
        found |= Q(pk__in=claims.values("friend"))
        owners = [one for one in (coupon.reward and coupon.reward.recipient_id, _buyer(coupon)) if one]
        found |= Q(pk__in=owners)
    if "@" in wanted:
        found |= Q(email__iexact=wanted) | Q(email_normalized=normalize_email(wanted))
    if len(wanted) >= SHORTEST:
        found |= Q(name__icontains=wanted) | Q(email__icontains=wanted)
    return Customer.objects.filter(found, merged_into=None).order_by("-created_at", "-pk").distinct()


def _by_event(wanted: str) -> list[int]:
    rows = Event.objects.filter(Q(order_id=wanted) | Q(event_id=wanted) | Q(coupon=wanted))
    return list(rows.values_list("customer", flat=True).distinct()[:MOST])


def _by_code(wanted: str) -> list[int]:
    code = canonical_code(wanted)
    return list(Code.objects.filter(code=code).values_list("link__customer", flat=True)) if code else []


def _referrals(wanted: str, people: list[Customer], coupon: Coupon | None) -> QuerySet[Referral]:
    given = Q(detail__code=wanted) | Q(detail__coupon=wanted)
    rewards = Reward.objects.filter(Q(public_id=wanted) | given, referral__isnull=False)
    found = Q(public_id=wanted) | Q(pk__in=list(rewards.values_list("referral", flat=True)[:MOST]))
    if coupon is not None and coupon.reward is not None:
        found |= Q(pk=coupon.reward.referral_id)
    keys = [person.pk for person in people[:MOST]]
    found |= Q(advocate__in=keys) | Q(friend__in=keys)
    return Referral.objects.filter(found).select_related("advocate", "friend", "program").order_by("-bound_at", "-pk")
