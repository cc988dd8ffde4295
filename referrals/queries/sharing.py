"""What a page needs to show a share link: the promise in numbers, the addresses, the words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import unescape
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.money import to_minor
from core.templatetags.amounts import money_short
from referrals.models import Link, Program, ShareText, Variant
from referrals.queries.experiments import Running, picture_variant, running_experiments, text_variant
from referrals.queries.links import share_url
from referrals.queries.programs import offer_live_at
from referrals.queries.takeovers import programs_in_charge
from referrals.sharing import ShareTarget, fill_text, share_targets, title_of
from referrals.terms import RewardRule, Terms, decimal_text, terms_from_json


@dataclass(frozen=True, slots=True)
class Promise:
    """One reward of an offer, ready for words: points, points for every 100 units of the currency, or a gift.

    `conditional` promises depend on more than the moment.
    """

    on: str
    points: int | None
    points_per_100: str
    max_points: int | None
    repeat_days: int | None
    gift: str = ""
    conditional: bool = False


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
    """A customer's link in one program with everything that shares it; `variants` of what is tried on it."""

    link: Link
    variants: tuple[Variant, ...]
    offer: OfferCard
    code: str
    url: str
    native_url: str
    qr_url: str
    subject: str
    text: str
    targets: tuple[ShareTarget, ...]


def offer_card(program: Program, *, at: datetime | None = None) -> OfferCard:
    """Return what the program's live offer promises; prefetch `offers` to ask often without a query."""
    return card_of(program, terms_from_json(offer_live_at(program, at or timezone.now()).terms))


def card_of(program: Program, terms: Terms) -> OfferCard:
    """Return what these terms of the program promise."""
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


def promise_in_words(promise: Promise, offer: OfferCard, side: str) -> str:
    """Return a promise as pages say it, as plain text in the current language; `side`: advocate, friend or you."""
    page = render_to_string("components/promise_what.html", {"promise": promise, "offer": offer, "side": side})
    return " ".join(unescape(strip_tags(page)).split())


def share_cards(links: Iterable[Link], *, at: datetime, placement: str = "") -> list[ShareCard]:
    """Return the links as cards for a placement, each with the promise of the program in charge, every promise once.

    Where two links promise the same, the one that another program stands in for is shown: the customer knows it.
    """
    given = list(links)
    in_charge = programs_in_charge([link.program for link in given], at)
    known_first = sorted(given, key=lambda link: in_charge[link.program_id].pk == link.program_id)
    shown = {in_charge[link.program_id].pk: link.pk for link in reversed(known_first)}
    kept = [link for link in given if link.pk in shown.values()]
    running = running_experiments(in_charge.values())
    return [
        share_card(link, program=in_charge[link.program_id], at=at, placement=placement, running=running)
        for link in kept
    ]


def offer_cards(programs: Iterable[Program], *, at: datetime) -> list[OfferCard]:
    """Return what new friends of the programs are promised, every promise once."""
    given = list(programs)
    in_charge = programs_in_charge(given, at)
    found = {in_charge[program.pk].pk: in_charge[program.pk] for program in given}
    return [offer_card(program, at=at) for program in found.values()]


def share_card(
    link: Link,
    *,
    program: Program | None = None,
    at: datetime | None = None,
    placement: str = "",
    running: Running | None = None,
) -> ShareCard:
    """Return the link with a program's promise and the addresses to share it, in the current language.

    The promise is of `program`, where another than the link's own is in charge; clicks count by `placement`.
    `running` are the experiments of the programs, asked for where they are not given.
    """
    in_charge = program or link.program
    known = running_experiments([in_charge]) if running is None else running
    tried = text_variant(known, program=in_charge, customer_id=link.customer_id, language=_language())
    pictured = picture_variant(known, program=in_charge, customer_id=link.customer_id)
    words_of = _words_of(link, in_charge, tried)

    def url_of(channel: str) -> str:
        return share_url(link, channel, placement)

    subject, text = words_of("native")
    return ShareCard(
        link=link,
        variants=tuple(one for one in (tried, pictured) if one is not None),
        offer=offer_card(in_charge, at=at),
        code=link.code,
        url=url_of("copy"),
        native_url=url_of("native"),
        qr_url=url_of("qr"),
        subject=subject,
        text=text,
        targets=share_targets(url_of, words_of),
    )


def share_text(link: Link, *, program: Program, channel: str, running: Running) -> str:
    """Return the words to pass the link on with by a channel, in the current language.

    `program` is in charge of it; prefetch its `share_texts` and pass what is `running` to ask often.
    """
    tried = text_variant(running, program=program, customer_id=link.customer_id, language=_language())
    return _words_of(link, program, tried)(channel)[1]


def _language() -> str:
    return (get_language() or settings.LANGUAGE_CODE)[:2]


def _share_texts(program: Program) -> Iterable[ShareText]:
    """Return the company's own words in the current language; prefetch `share_texts` to ask often."""
    language = _language()
    return (one for one in program.share_texts.all() if one.language == language)


def _words_of(link: Link, program: Program, tried: Variant | None) -> Callable[[str], tuple[str, str]]:
    """Return what gives, by channel, the subject and text to pass the link on with.

    What is tried on its owner goes before the company's words for the channel, for all channels, and the usual ones.
    """
    usual: dict[str, Any] = {"brand": settings.BRAND_NAME}
    subject = _("A recommendation: %(brand)s") % usual
    text = _("I like %(brand)s and think you will too. Here is my personal link:") % usual
    own = {one.channel: (one.subject, one.text) for one in _share_texts(program)}
    words = tried.words.get(_language()) if tried else None
    known = {"brand": settings.BRAND_NAME, "name": link.customer.first_name, "code": link.code}

    def words_of(channel: str) -> tuple[str, str]:
        found = (words["subject"], words["text"]) if words else own.get(channel) or own.get("")
        if found is None:
            return subject, text
        return fill_text(found[0], known) or subject, fill_text(found[1], known)

    return words_of


def _promises(terms: Terms, side: str) -> tuple[Promise, ...]:
    return tuple(_promise(rule, terms) for rule in terms.rewards if rule.to == side and rule.on != "assist")


def _promise(rule: RewardRule, terms: Terms) -> Promise:
    rate = "" if rule.percent is None else decimal_text(rule.percent * Decimal(terms.points_per_unit))
    return Promise(
        on=rule.on,
        points=rule.points,
        points_per_100=rate,
        max_points=rule.max_points,
        repeat_days=rule.repeat_days,
        gift=gift_words(rule, terms.currency),
        conditional=rule.when is not None,
    )


def gift_words(rule: RewardRule, currency: str) -> str:
    """Return in a few words what a rule gives that is no points, in the current language; empty for points."""
    if rule.amount_minor is not None:
        amount = money_short(rule.amount_minor, currency)
        words = {"credit": _("%(amount)s store credit"), "gift_card": _("a gift card of %(amount)s")}
        return words.get(rule.kind, _("%(amount)s in cash")) % {"amount": amount}
    title = title_of(rule.what)
    words = {
        "coupon": _("a coupon"),
        "perk": title,
        "badge": _("the badge “%(title)s”") % {"title": title},
        "choice": _("a gift of choice"),
        "manual": rule.what,
    }
    return words.get(rule.kind, "")
