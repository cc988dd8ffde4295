"""Badges and perks as they are shown: what staff wrote, else what their names say."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import get_language

from core.brand import current_brand
from referrals.models import Offer
from referrals.terms import terms_from_json
from rewards.badge_art import title_from_slug
from rewards.models import Badge, ChoiceOption, Perk, Reward


@dataclass(frozen=True, slots=True)
class BadgeCard:
    """A badge to show; `picture` is the version of its address, which changes with the picture."""

    slug: str
    title: str
    description: str
    picture: str


@dataclass(frozen=True, slots=True)
class PerkCard:
    """A perk to show to those who have it."""

    slug: str
    title: str
    words: str
    instructions: str
    link: str


def badge_cards(slugs: Iterable[str]) -> dict[str, BadgeCard]:
    """Return the badges by slug in the given order, in the current language."""
    wanted = list(dict.fromkeys(slugs))
    found = Badge.objects.filter(slug__in=wanted).defer("picture") if wanted else ()
    rows = {badge.slug: badge for badge in found}
    return {slug: _badge_card(slug, rows.get(slug)) for slug in wanted}


def _badge_card(slug: str, badge: Badge | None) -> BadgeCard:
    drawn = current_brand().version
    if badge is None:
        return BadgeCard(slug, title_from_slug(slug), "", drawn)
    german = _german()
    title = (german and badge.title_de) or badge.title
    description = (german and badge.description_de) or badge.description
    return BadgeCard(slug, title, description, badge.picture_hash or drawn)


def perk_cards(slugs: Iterable[str]) -> list[PerkCard]:
    """Return the perks in the given order, in the current language; what staff switched off is left out."""
    wanted = list(dict.fromkeys(slugs))
    rows = {perk.slug: perk for perk in Perk.objects.filter(slug__in=wanted)}
    return [
        _perk_card(slug, rows.get(slug))
        for slug in wanted
        if slug not in rows or rows[slug].active  # one named in a file alone has its name to show
    ]


def _perk_card(slug: str, perk: Perk | None) -> PerkCard:
    if perk is None:
        return PerkCard(slug, title_from_slug(slug), "", "", "")
    german = _german()
    title = (german and perk.title_de) or perk.title
    return PerkCard(slug, title, (german and perk.words_de) or perk.words, perk.instructions, perk.link)


def _german() -> bool:
    return (get_language() or "").startswith("de")


def is_known_badge(slug: str) -> bool:
    """Return whether a badge of that name exists: as a row, in an offer, or in somebody's hands."""
    if Badge.objects.filter(slug=slug).exists():
        return True
    if Reward.objects.filter(kind="badge", detail__what=slug).exists():
        return True
    if ChoiceOption.objects.filter(kind="badge", what=slug).exists():
        return True
    return slug in named_badges(Offer.objects.all())


def named_badges(offers: "QuerySet[Offer]") -> set[str]:
    """Return the slugs of the badges that the offers promise, by milestones and by rewards."""
    found: set[str] = set()
    for data in offers.values_list("terms", flat=True):
        terms = terms_from_json(data)
        found |= {one.badge for one in terms.milestones if one.badge}
        found |= {rule.what for rule in terms.rewards if rule.kind == "badge"}
    return found
