"""What a page needs to show a share link: the promise in numbers, the addresses, the words."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from core.money import to_minor
from referrals.models import Link, Program
from referrals.queries.links import share_url
from referrals.queries.programs import offer_live_at
from referrals.sharing import ShareTarget, share_targets
from referrals.terms import RewardRule, Terms, decimal_text, terms_from_json


@dataclass(frozen=True, slots=True)
class Promise:
    """One reward of an offer, ready for words: points, or points for every 100 units of the currency."""

    on: str
    points: int | None
    points_per_100: str
    max_points: int | None
    repeat_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """What a program promises each side now."""

    slug: str
    name: str
    currency: str
    qualifies_on: str
    min_amount_minor: int
    conversion_window_days: int
    hold_days: int
    advocate: tuple[Promise, ...]
    friend: tuple[Promise, ...]

    @property
    def hundred_minor(self) -> int:
        """A hundred units of the currency, in minor units."""
        return to_minor("100", self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCard:
    """A customer's link in one program with everything that shares it."""

    offer: OfferCard
    code: str
    url: str
    native_url: str
    subject: str
    text: str
    targets: tuple[ShareTarget, ...]


def offer_card(program: Program, *, at: datetime | None = None) -> OfferCard:
    """Return what the program's live offer promises; prefetch `offers` to ask often without a query."""
    terms = terms_from_json(offer_live_at(program, at or timezone.now()).terms)
    return OfferCard(
        slug=program.slug,
        name=program.name,
        currency=terms.currency,
        qualifies_on=terms.qualifies_on,
        min_amount_minor=terms.min_amount_minor,
        conversion_window_days=terms.conversion_window_days,
        hold_days=terms.hold_days,
        advocate=_promises(terms, "advocate"),
        friend=_promises(terms, "friend"),
    )


def share_card(link: Link, *, at: datetime | None = None) -> ShareCard:
    """Return the link with its program's promise and the addresses to share it, in the current language."""
    words: dict[str, Any] = {"brand": settings.BRAND_NAME}
    subject = _("A recommendation: %(brand)s") % words
    text = _("I like %(brand)s and think you will too. Here is my personal link:") % words

    def url_of(channel: str) -> str:
        return share_url(link, channel)

    return ShareCard(
        offer=offer_card(link.program, at=at),
        code=link.code,
        url=url_of("copy"),
        native_url=url_of("native"),
        subject=subject,
        text=text,
        targets=share_targets(url_of, subject=subject, text=text),
    )


def _promises(terms: Terms, side: str) -> tuple[Promise, ...]:
    return tuple(_promise(rule, terms) for rule in terms.rewards if rule.to == side)


def _promise(rule: RewardRule, terms: Terms) -> Promise:
    rate = "" if rule.percent is None else decimal_text(rule.percent * Decimal(terms.points_per_unit))
    return Promise(rule.on, rule.points, rate, rule.max_points, rule.repeat_days)
