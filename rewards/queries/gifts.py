"""What a customer has of rewards other than points: coupons, credit, cards, cash, perks, choices, handiwork."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.templatetags.amounts import money
from referrals.models import Customer
from rewards.models import ChoiceGroup, ChoiceOption, Coupon, CouponPool, Reward

State = Reward.State
SHOWS = ("open", "coming", "past")
COMING_STATES = (State.PENDING, State.AVAILABLE, State.WAITING_STOCK, State.FAILED)
SHOWN_STATES = (State.PENDING, State.AVAILABLE, State.FULFILLED, State.WAITING_STOCK, State.FAILED, State.REVOKED)


@dataclass(frozen=True, slots=True)
class OptionItem:
    """One reward that may be chosen; `more` is what it gives where its name does not say it."""

    pk: int
    name: str
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftItem:
    """One reward as its owner sees it: `gift` says what it is, `stage` where it is.

    Stages: coming, waiting_stock, choose, in_work, ready, used, expired, taken_back, failed.
    """

    public_id: str
    gift: str
    stage: str
    kind: str
    program: str
    side: str
    who: str
    at: datetime
    available_at: datetime
    code: str = ""
    url: str = ""
    expires_at: datetime | None = None
    options: tuple[OptionItem, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether it can be used or chosen now."""
        return self.stage in ("ready", "choose")


def gifts_of(customer: Customer, *, show: str = "", at: datetime | None = None) -> QuerySet[Reward]:
    """Return the customer's rewards of other kinds than points and badges, newest first.

    `show` is 'open' (can be used or chosen `at` that moment), 'coming', 'past' or anything else for all.
    """
    own = Reward.objects.filter(recipient=customer, state__in=SHOWN_STATES).exclude(kind__in=["points", "badge"])
    if show in SHOWS and at is not None:
        choice = Q(state=State.AVAILABLE, kind="choice", fulfilment__kind="choice")
        unused = Q(coupon=None) | Q(coupon__state=Coupon.State.GIVEN) & ~Q(coupon__expires_at__lte=at)
        usable = choice | Q(state=State.FULFILLED) & unused
        coming = Q(state__in=COMING_STATES) & ~choice
        wanted = {"open": usable, "coming": coming, "past": ~usable & ~coming}[show]
        own = own.filter(wanted)
    related = ("program", "referral__friend", "referral__advocate", "coupon")
    return own.select_related(*related).order_by("-occurred_at", "-pk")


def gift_items(rewards: Iterable[Reward], *, at: datetime) -> list[GiftItem]:
    """Return each as its owner reads it, in the current language; they must come from `gifts_of`."""
    shown = list(rewards)
    names = {str(reward.detail.get("what", "")) for reward in shown}
    pools = dict(CouponPool.objects.filter(name__in=names).values_list("name", "gives"))
    groups = {g.name: g for g in ChoiceGroup.objects.filter(name__in=names).prefetch_related("options")}
    return [_item(reward, pools, groups, at) for reward in shown]


def _item(reward: Reward, pools: Mapping[str, str], groups: Mapping[str, ChoiceGroup], at: datetime) -> GiftItem:
    detail, coupon = reward.detail, getattr(reward, "coupon", None)
    group = groups.get(str(detail.get("what", "")))
    stage = stage_of(reward, coupon, at)
    expires = detail.get("expires_at")
    return GiftItem(
        public_id=reward.public_id,
        gift=gift_words(reward, pools, groups),
        stage=stage,
        kind=reward.kind,
        program=reward.program.name,
        side=reward.side,
        who=_who(reward),
        at=reward.occurred_at,
        available_at=reward.available_at,
        code=str(detail.get("coupon") or detail.get("code") or "") if stage in ("ready", "used", "expired") else "",
        url=str(detail.get("url", "")) if stage == "ready" else "",
        expires_at=parse_datetime(str(expires)) if expires else None,
        options=_options(group) if group and stage == "choose" else (),
    )


def _options(group: ChoiceGroup) -> tuple[OptionItem, ...]:
    return tuple(OptionItem(one.pk, one.name, option_words(one)) for one in group.options.all() if one.offered)


def stage_of(reward: Reward, coupon: Coupon | None, at: datetime) -> str:
    """Return where the reward is, as its owner sees it."""
    if reward.state == State.FULFILLED and coupon is not None:
        if coupon.state == Coupon.State.USED:
            return "used"
        return "expired" if coupon.expires_at is not None and coupon.expires_at <= at else "ready"
    if reward.state == State.AVAILABLE and reward.kind == "choice" and "chosen" not in reward.detail:
        return "choose"
    return {
        State.PENDING: "coming",
        State.AVAILABLE: "in_work",
        State.FULFILLED: "ready",
        State.WAITING_STOCK: "waiting_stock",
        State.FAILED: "failed",
        State.REVOKED: "taken_back",
    }[State(reward.state)]


def gift_words(reward: Reward, pools: Mapping[str, str], groups: Mapping[str, ChoiceGroup]) -> str:
    """Return what the reward is in a few words, in the current language ('€10.00 store credit')."""
    detail = reward.detail
    if chosen := detail.get("chosen"):
        return str(chosen)
    what = str(detail.get("what", ""))
    if reward.kind == "coupon":
        return str(detail.get("title") or pools.get(what) or _("Coupon"))
    if reward.kind == "choice":
        return groups[what].title if what in groups else _("A reward of your choice")
    if reward.kind in ("credit", "gift_card", "cash"):
        return money_gift(reward.kind, int(detail.get("amount_minor", 0)), str(detail.get("currency", "")))
    return what.replace("-", " ").replace("_", " ")


def money_gift(kind: str, amount_minor: int, currency: str) -> str:
    """Return words for a credit, gift card or cash of an amount, in the current language."""
    amount = money(amount_minor, currency) if currency else ""
    words = {
        "credit": _("%(amount)s store credit"),
        "gift_card": _("%(amount)s gift card"),
        "cash": _("%(amount)s in cash"),
    }
    return (words[kind] % {"amount": amount}).strip()


def option_words(option: ChoiceOption) -> str:
    """Return what an option gives beside its name, empty where the name says it all."""
    words = ""
    if option.kind == "points":
        words = ngettext("%(n)s point", "%(n)s points", option.points) % {"n": option.points}
    elif option.amount_minor is not None and option.currency:
        words = money_gift(option.kind, option.amount_minor, option.currency)
    return "" if words.casefold() == option.name.casefold() else words


def latest_gifts(customer: Customer, *, at: datetime, count: int) -> list[GiftItem]:
    """Return a few of the customer's newest gifts, first those that can be used or chosen now."""
    newest = gift_items(gifts_of(customer)[: count * 4], at=at)
    return sorted(newest, key=lambda gift: not gift.is_open)[:count]


def _who(reward: Reward) -> str:
    referral = reward.referral
    if referral is None:
        return ""
    if reward.side == "friend":
        return referral.advocate.first_name
    return referral.friend.masked_name if referral.friend.first_name else ""
