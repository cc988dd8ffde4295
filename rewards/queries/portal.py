"""What the customer's own pages show: their purse, the friends they brought, who brought them, their points."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from core import clocks
from referrals.models import Assist, Customer, Referral, ReferralStep
from referrals.terms import terms_from_json
from rewards.models import Account, Appeal, Reward, Transfer
from rewards.queries.appeals import may_appeal
from rewards.queries.balances import Expiring, expiring_next
from rewards.queries.catalogue import items_offered
from rewards.queries.why import reward_in_words, reward_name

State = Referral.State
MANY_ASSISTS = 5
SHOWN_BEFORE = timedelta(days=60)
OPEN_STATES = (State.SIGNED_UP, State.QUALIFIED, State.FLAGGED)
DONE_STATES = (State.APPROVED,)
OFF_STATES = (State.REVERSED, State.VOIDED, State.EXPIRED)
SHOWN: dict[str, tuple[str, ...]] = {"open": OPEN_STATES, "done": DONE_STATES, "off": OFF_STATES}


@dataclass(frozen=True, slots=True)
class Purse:
    """A customer's points.

    `next_points` become available at `next_at`, the earliest moment of what is pending; `expiring` are those
    that end next, within two months; `has_catalogue` is whether points buy anything at all now.
    """

    available: int
    pending: int
    debt: int
    next_points: int = 0
    next_at: datetime | None = None
    expiring: Expiring | None = None
    has_catalogue: bool = False


@dataclass(frozen=True, slots=True)
class OwnReward:
    """One reward of the person who looks at it."""

    points: int
    granted_points: int
    state: str
    reason: str
    available_at: datetime

    @property
    def stands(self) -> bool:
        """Whether it is promised or given, and not taken back."""
        return self.state in Reward.STANDING


@dataclass(frozen=True, slots=True)
class RewardLine:
    """One reward in words: what it is and how it stands. `off` ones were refused or taken back."""

    what: str
    how: str
    off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralItem:
    """A friend the customer brought: states, dates and the customer's own rewards, nothing of the friend's orders."""

    friend: str
    is_nameless: bool
    program: str
    state: str
    reason: str
    channel: str
    qualifies_on: str
    clicked_at: datetime | None
    joined_at: datetime
    qualified_at: datetime | None
    approve_at: datetime | None
    approved_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None
    rewards: tuple[OwnReward, ...] = field(default=())
    public_id: str = ""
    lines: tuple[RewardLine, ...] = field(default=())
    appeal: Appeal | None = None
    may_appeal: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self.state in OPEN_STATES

    @property
    def points(self) -> int:
        """What the customer has or will have for this friend."""
        return sum(reward.points for reward in self.rewards if reward.stands)

    @property
    def pending_points(self) -> int:
        """The part of `points` that is still on its way."""
        return sum(reward.points for reward in self.rewards if reward.state == Reward.State.PENDING)

    @property
    def refusal(self) -> str:
        """Why the customer got nothing for a friend who counts, as a reason code; empty if they did."""
        if self.points:
            return ""
        return next((reward.reason for reward in self.rewards if reward.state == Reward.State.REFUSED), "")


@dataclass(frozen=True, slots=True)
class WelcomeItem:
    """Who recommended the company to the customer, and what the customer gets as a friend."""

    advocate: str
    program: str
    state: str
    rewards: tuple[OwnReward, ...]
    public_id: str = ""
    lines: tuple[RewardLine, ...] = field(default=())
    appeal: Appeal | None = None
    may_appeal: bool = False


@dataclass(frozen=True, slots=True)
class AssistItem:
    """A friend who used the customer's link or code too, after somebody else's had counted."""

    friend: str
    is_nameless: bool
    at: datetime
    lines: tuple[RewardLine, ...]


@dataclass(frozen=True, slots=True)
class PointsLine:
    """One movement of points as the customer counts them: `kind` is what happened, `who` the friend it is for."""

    at: datetime
    kind: str
    points: int
    who: str
    side: str
    program: str
    why: str
    note: str
    item: str = ""


def purse_of(customer: Customer) -> Purse:
    """Return the customer's points; zeros where there were never any."""
    accounts = Account.objects.filter(customer=customer, closed=False).values_list("kind", "balance")
    balances = dict(accounts)
    pending = Reward.objects.filter(recipient=customer, state=Reward.State.PENDING, points__gt=0)
    expiring = expiring_next(customer)
    first = pending.order_by("available_at").values_list("points", "available_at").first()
    return Purse(
        available=balances.get(Account.Kind.AVAILABLE, 0),
        pending=balances.get(Account.Kind.PENDING, 0),
        debt=balances.get(Account.Kind.DEBT, 0),
        next_points=first[0] if first else 0,
        next_at=first[1] if first else None,
        expiring=expiring if expiring and expiring.at <= clocks.now() + SHOWN_BEFORE else None,
        has_catalogue=items_offered(at=clocks.now()).exists(),
    )


def referral_counts(customer: Customer) -> dict[str, int]:
    """Return how many friends the customer brought: 'all', 'open', 'done' and 'off'."""
    counts = {name: Count("pk", filter=Q(state__in=states)) for name, states in SHOWN.items()}
    return Referral.objects.filter(advocate=customer).aggregate(all=Count("pk"), **counts)


def referrals_shown(customer: Customer, show: str = "") -> QuerySet[Referral]:
    """Return the customer's referrals, newest first; `show` is 'open', 'done', 'off' or anything else for all."""
    own = _rewards_of(customer, "advocate")
    ends = ReferralStep.objects.filter(what__in=OFF_STATES).order_by("at", "pk")
    found = Referral.objects.filter(advocate=customer)
    if show in SHOWN:
        found = found.filter(state__in=SHOWN[show])
    return (
        found.select_related("friend", "program", "offer")
        .prefetch_related(Prefetch("rewards", own, to_attr="own_rewards"), Prefetch("steps", ends, to_attr="ends"))
        .prefetch_related(Prefetch("appeals", _appeals_of(customer), to_attr="own_appeals"))
        .order_by("-bound_at", "-pk")
    )


def referral_items(referrals: Iterable[Referral]) -> list[ReferralItem]:
    """Return what the advocate may see of each; they must come from `referrals_shown`."""
    return [_referral_item(referral) for referral in referrals]


def _referral_item(referral: Referral) -> ReferralItem:
    ends: list[ReferralStep] = getattr(referral, "ends", [])
    standing_off = referral.state in OFF_STATES
    return ReferralItem(
        friend=referral.friend.masked_name,
        is_nameless=not referral.friend.first_name,
        program=referral.program.name,
        state=referral.state,
        reason=referral.reason,
        channel=referral.channel,
        qualifies_on=terms_from_json(referral.offer.terms).qualifies_on,
        clicked_at=referral.touch_at if referral.click_id else None,
        joined_at=referral.bound_at,
        qualified_at=referral.qualified_at,
        approve_at=referral.approve_at,
        approved_at=referral.approved_at,
        expires_at=referral.expires_at,
        ended_at=ends[-1].at if ends and standing_off else None,
        rewards=_own_rewards(getattr(referral, "own_rewards", [])),
        **_told(referral),
    )


def _rewards_of(customer: Customer, side: str) -> QuerySet[Reward]:
    return Reward.objects.filter(recipient=customer, side=side).order_by("occurred_at", "pk")


def _appeals_of(customer: Customer) -> QuerySet[Appeal]:
    return Appeal.objects.filter(customer=customer).order_by("created_at", "pk")


def _told(referral: Referral) -> dict[str, Any]:
    """Return what of a referral is told in words to who looks at it, with what they may still do."""
    rewards: list[Reward] = getattr(referral, "own_rewards", [])
    appeals: list[Appeal] = getattr(referral, "own_appeals", [])
    return {
        "public_id": referral.public_id,
        "lines": _lines(rewards, referral),
        "appeal": appeals[-1] if appeals else None,
        "may_appeal": may_appeal(referral, rewards, appeals),
    }


def _lines(rewards: Iterable[Reward], referral: Referral) -> tuple[RewardLine, ...]:
    checking = referral.held or referral.state == State.FLAGGED
    returns = terms_from_json(referral.offer.terms).qualifies_on == "purchase"
    at = clocks.now()
    return tuple(
        RewardLine(
            reward_name(reward),
            reward_in_words(reward, checking=checking, returns=returns, at=at),
            reward.state not in Reward.STANDING,
        )
        for reward in rewards
        if reward.reason != "reopened"
    )


def assists_of(customer: Customer) -> list[AssistItem]:
    """Return the latest friends of others whom the customer helped to bring, newest first."""
    own = _rewards_of(customer, "advocate").filter(moment="assist")
    assists = (
        Assist.objects.filter(advocate=customer)
        .select_related("referral__friend", "referral__offer")
        .prefetch_related(Prefetch("referral__rewards", own, to_attr="own_rewards"))
        .order_by("-at", "-pk")[:MANY_ASSISTS]
    )
    return [
        AssistItem(
            one.referral.friend.masked_name,
            not one.referral.friend.first_name,
            one.at,
            _lines(getattr(one.referral, "own_rewards", []), one.referral),
        )
        for one in assists
    ]


def _own_rewards(rewards: Iterable[Reward]) -> tuple[OwnReward, ...]:
    return tuple(OwnReward(r.points, r.granted_points, r.state, r.reason, r.available_at) for r in rewards)


def welcomes_of(customer: Customer) -> list[WelcomeItem]:
    """Return the live referrals through which the customer came, with their own rewards as a friend."""
    own = _rewards_of(customer, "friend")
    referrals = (
        Referral.objects.filter(friend=customer, state__in=Referral.LIVE)
        .select_related("advocate", "program", "offer")
        .prefetch_related(Prefetch("rewards", own, to_attr="own_rewards"))
        .prefetch_related(Prefetch("appeals", _appeals_of(customer), to_attr="own_appeals"))
        .order_by("bound_at", "pk")
    )
    return [
        WelcomeItem(
            r.advocate.first_name, r.program.name, r.state, _own_rewards(getattr(r, "own_rewards", [])), **_told(r)
        )
        for r in referrals
    ]


def transfers_of(customer: Customer) -> QuerySet[Transfer]:
    """Return the movements of the customer's points, newest first, each told once.

    Their sum is what is available and pending less the debt: a grant is left out once it was released, and
    so is what a release paid off a debt with, which was told when the debt arose.
    """
    return (
        Transfer.objects.filter(Q(debit__customer=customer) | Q(credit__customer=customer))
        .exclude(kind=Transfer.Kind.GRANT, resolution__isnull=False)
        .exclude(kind=Transfer.Kind.REVOKE, reward=None)
        .exclude(kind=Transfer.Kind.MERGE)
        .select_related("debit", "credit", "reward__program", "reward__referral__friend", "reward__referral__advocate")
        .order_by("-event_at", "-pk")
    )


def points_lines(transfers: Iterable[Transfer]) -> list[PointsLine]:
    """Return each movement as the customer reads it; they must come from `transfers_of`."""
    return [_points_line(transfer) for transfer in transfers]


def _points_line(transfer: Transfer) -> PointsLine:
    reward = transfer.reward
    kind, sign = _kind_and_sign(transfer)
    return PointsLine(
        at=transfer.event_at,
        kind=kind,
        points=sign * transfer.amount,
        who=_who(reward),
        side=reward.side if reward else "",
        program=reward.program.name if reward else "",
        why=str(transfer.cause.get("why", "")),
        note="" if reward else str(transfer.cause.get("reason", "")),
        item=str(transfer.cause.get("item", "")),
    )


def _who(reward: Reward | None) -> str:
    if reward is None or reward.referral is None:
        return ""
    referral = reward.referral
    if reward.side == "advocate" and not referral.friend.first_name:
        return _("a friend")
    return referral.friend.masked_name if reward.side == "advocate" else referral.advocate.first_name


def _kind_and_sign(transfer: Transfer) -> tuple[str, int]:
    """Return the movement's name for the customer and whether it adds (1) or takes (-1)."""
    if transfer.credit.kind == Account.Kind.DEBT:
        return "owed", -1
    if transfer.kind == Transfer.Kind.GRANT and transfer.reward and transfer.reward.state != Reward.State.PENDING:
        return "promised", 1
    return transfer.kind, 1 if transfer.credit.customer_id else -1
