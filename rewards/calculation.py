"""What a referral's history could earn by the rules of its offer, and how many points. Pure, exact decimals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext

from core.money import to_units
from referrals.judgement import COUNTED, EARNING, Purchase
from referrals.terms import RewardRule, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The referral as judged: its people, state, binding and qualifying event (its net in minor units).

    `assistants` are the other advocates whom the friend used.
    """

    referral_pk: int
    advocate_pk: int
    friend_pk: int
    state: str
    binding_pk: int
    bound_at: datetime
    touch_at: datetime
    qualifying_pk: int | None = None
    qualifying_id: str = ""
    qualified_at: datetime | None = None
    qualifying_minor: int = 0
    qualifying_currency: str = ""
    assistants: tuple[int, ...] = ()

    @property
    def earns(self) -> bool:
        """Whether `qualified`, `purchase` and `assist` rules pay; one that waits for review is decided as if."""
        return self.state in EARNING and self.qualified_at is not None

    @property
    def counts(self) -> bool:
        """Whether it counts for tiers and milestones."""
        return self.state in COUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A reward that a rule could give one person for one cause.

    `net_minor` is what a percent is of, in minor units (None: nothing); `reason` refuses it whatever else holds.
    """

    rule: RewardRule
    recipient_pk: int
    cause: str
    event_pk: int
    occurred_at: datetime
    net_minor: int | None = None
    reason: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """What is paid once: rule, recipient and cause (rule 14)."""
        return self.rule.id, self.recipient_pk, self.cause


def points_of(rule: RewardRule, terms: Terms, net_minor: int, *, multiplier: Decimal = Decimal(1)) -> int:
    """Return whole points by rule 2: one floor at the end, then the cap.

    floor(net x percent / 100 x points_per_unit x multiplier), at most max_points; or floor(points x multiplier).
    Rewards of other kinds than points are worth 0.
    """
    with localcontext(prec=80):
        if rule.percent is None:
            return int((Decimal(rule.points or 0) * multiplier).to_integral_value(ROUND_FLOOR))
        worth = to_units(net_minor, terms.currency) * rule.percent * terms.points_per_unit * multiplier / 100
        points = int(worth.to_integral_value(ROUND_FLOOR))
    return points if rule.max_points is None else min(points, rule.max_points)


def candidates_of(terms: Terms, standing: Standing, purchases: Iterable[Purchase]) -> list[Candidate]:
    """Return every reward that the referral could earn as it stands (rules 4 to 7).

    In the order in which they are decided: by the moment of their event, for one event as in the file.
    """
    if standing.state == "voided":
        return []
    bought = sorted(purchases, key=_order)
    found = [one for rule in terms.rewards for one in _candidates(rule, terms, standing, bought)]
    found += _refused_before_qualifying(terms, standing, bought)
    return sorted(found, key=lambda one: (one.occurred_at, one.event_pk))


def _order(purchase: Purchase) -> tuple[datetime, bytes]:
    return purchase.occurred_at, purchase.event_id.encode()


def _candidates(rule: RewardRule, terms: Terms, standing: Standing, bought: Iterable[Purchase]) -> Iterator[Candidate]:
    recipient = standing.advocate_pk if rule.to == "advocate" else standing.friend_pk
    if rule.on == "signup":
        yield Candidate(
            rule=rule,
            recipient_pk=recipient,
            cause=signup_cause(standing.friend_pk),
            event_pk=standing.binding_pk,
            occurred_at=standing.bound_at,
        )
    elif rule.on == "qualified":
        yield from _qualified(rule, terms, standing, [recipient], cause=f"qualified:{standing.referral_pk}")
    elif rule.on == "assist":
        yield from _qualified(rule, terms, standing, standing.assistants, cause=f"assist:{standing.referral_pk}")
    elif rule.on == "purchase":
        yield from _purchases(rule, terms, standing, recipient, bought)


def signup_cause(friend_pk: int) -> str:
    """Return what a sign-up reward is for: a friend joins a program once, however often they are bound."""
    return f"signup:{friend_pk}"


def _qualified(
    rule: RewardRule, terms: Terms, standing: Standing, recipients: Iterable[int], *, cause: str
) -> Iterator[Candidate]:
    if not standing.earns or standing.qualifying_pk is None or standing.qualified_at is None:
        return
    strange = rule.percent is not None and standing.qualifying_currency not in {"", terms.currency}
    for recipient in recipients:
        yield Candidate(
            rule=rule,
            recipient_pk=recipient,
            cause=cause,
            event_pk=standing.qualifying_pk,
            occurred_at=standing.qualified_at,
            net_minor=None if strange else standing.qualifying_minor,
            reason="currency_mismatch" if strange else "",
        )


def _purchases(
    rule: RewardRule, terms: Terms, standing: Standing, recipient: int, bought: Iterable[Purchase]
) -> Iterator[Candidate]:
    if not standing.earns or standing.qualified_at is None:
        return
    start = (standing.qualified_at, standing.qualifying_id.encode())
    if terms.qualifies_on != "purchase":
        start = (standing.qualified_at, b"")
    for purchase in bought:
        if _order(purchase) < start or not _repeats(rule, standing, purchase):
            continue
        other_currency = purchase.currency != terms.currency
        if purchase.net_minor == 0 and not other_currency:
            continue
        yield Candidate(
            rule=rule,
            recipient_pk=recipient,
            cause=f"event:{purchase.pk}",
            event_pk=purchase.pk,
            occurred_at=purchase.occurred_at,
            net_minor=None if other_currency else purchase.net_minor,
            reason="currency_mismatch" if other_currency else "",
        )


def _repeats(rule: RewardRule, standing: Standing, purchase: Purchase) -> bool:
    if rule.repeat_days is None:
        return True
    if rule.repeat_days == 0 or standing.qualified_at is None:
        return purchase.pk == standing.qualifying_pk
    return purchase.occurred_at <= standing.qualified_at + timedelta(days=rule.repeat_days)


def _refused_before_qualifying(terms: Terms, standing: Standing, bought: Iterable[Purchase]) -> Iterator[Candidate]:
    """Yield the refusals of purchases in another currency that would otherwise have been judged to qualify."""
    if terms.qualifies_on != "purchase" or standing.state not in {"signed_up", "reversed", "expired"}:
        return
    end = standing.bound_at + timedelta(days=terms.conversion_window_days)
    for purchase in bought:
        if purchase.currency == terms.currency or not standing.touch_at <= purchase.occurred_at <= end:
            continue
        for rule in terms.rewards:
            if rule.on in {"qualified", "purchase"}:
                yield Candidate(
                    rule=rule,
                    recipient_pk=standing.advocate_pk if rule.to == "advocate" else standing.friend_pk,
                    cause=f"event:{purchase.pk}",
                    event_pk=purchase.pk,
                    occurred_at=purchase.occurred_at,
                    reason="currency_mismatch",
                )
