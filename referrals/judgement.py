"""What a referral is worth being called: the state that a friend's history gives it. Pure values."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from referrals.terms import Terms

UNDONE = "import_undone"
REBINDABLE = frozenset({"self_referral", "outside_window", "program_not_running", "same_person", UNDONE})
COUNTED = frozenset({"qualified", "approved"})
EARNING = COUNTED | {"flagged"}
BY_STAFF = frozenset({"fraud", "manual"})
FLAGGING = frozenset({"risk", "staff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A purchase with what has been refunded of it so far, in minor units of its own currency."""

    pk: int
    event_id: str
    occurred_at: datetime
    amount_minor: int
    refunded_minor: int
    currency: str

    @property
    def net_minor(self) -> int:
        """Paid minus refunded, never below 0."""
        return max(0, self.amount_minor - self.refunded_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Another fact that may qualify: `kind` is 'lead_won' or 'custom:NAME', its value in minor units."""

    pk: int
    event_id: str
    occurred_at: datetime
    kind: str
    value_minor: int | None
    currency: str


Moment = TypeVar("Moment", Purchase, Happening)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a friend: purchases, other facts, the person's first purchase of all, and since when they
    stand on the imported list of existing customers."""

    purchases: tuple[Purchase, ...]
    happenings: tuple[Happening, ...]
    first_purchase_at: datetime | None
    listed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The event that binds a friend, and its touch: the click behind it or, without one, itself."""

    event_pk: int
    event_id: str
    bound_at: datetime
    touch_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What stands against a binding apart from the friend's history."""

    program_not_running: bool = False
    self_referral: bool = False
    blocked: bool = False
    cycle: bool = False
    outside_window: bool = False
    pardoned: bool = False
    """Staff reopened the referral: that the friend bought before the touch, or is blocked, no longer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How the referral stood before it is judged ('' for a new one)."""

    state: str = ""
    reason: str = ""
    qualifying_pk: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The state, its reason, and the fact that qualifies with its moments (None where nothing does)."""

    state: str
    reason: str
    expires_at: datetime
    qualifying_pk: int | None = None
    qualified_at: datetime | None = None
    approve_at: datetime | None = None


def void_reason(binding: Binding, history: History, doubts: Doubts) -> str:
    """Return the first reason, in the order of the domain, that voids the binding; '' if none does."""
    bought_before = history.first_purchase_at is not None and history.first_purchase_at < binding.touch_at
    listed = history.listed_at is not None and history.listed_at <= binding.bound_at
    existing = (bought_before or listed) and not doubts.pardoned
    reasons = (
        ("program_not_running", doubts.program_not_running),
        ("self_referral", doubts.self_referral),
        ("blocked", doubts.blocked and not doubts.pardoned),
        ("cycle", doubts.cycle),
        ("existing_customer", existing),
        ("outside_window", doubts.outside_window),
    )
    return next((reason for reason, holds in reasons if holds), "")


def _within(terms: Terms, binding: Binding, at: datetime) -> bool:
    return binding.touch_at <= at <= binding.bound_at + timedelta(days=terms.conversion_window_days)


def _earliest(moments: Iterable[Moment]) -> Moment | None:
    return min(moments, key=lambda m: (m.occurred_at, m.event_id.encode()), default=None)


def _enough(terms: Terms, minor: int) -> bool:
    return minor > 0 and minor >= terms.min_amount_minor


def _qualifying_purchase(terms: Terms, binding: Binding, history: History, *, net: bool) -> Purchase | None:
    return _earliest(
        purchase
        for purchase in history.purchases
        if purchase.currency == terms.currency
        and _within(terms, binding, purchase.occurred_at)
        and _enough(terms, purchase.net_minor if net else purchase.amount_minor)
    )


def _qualifying_happening(terms: Terms, binding: Binding, history: History) -> Happening | None:
    def worth(found: Happening) -> bool:
        if found.kind.startswith("custom:") or terms.min_amount_minor == 0:
            return True
        return found.currency == terms.currency and (found.value_minor or 0) >= terms.min_amount_minor

    return _earliest(
        found
        for found in history.happenings
        if found.kind == terms.qualifies_on and _within(terms, binding, found.occurred_at) and worth(found)
    )


def qualifying_moment(terms: Terms, binding: Binding, history: History) -> tuple[int, datetime] | None:
    """Return (event key, moment) of the event that qualifies under rule 4, or None."""
    if terms.qualifies_on == "signup":
        return binding.event_pk, binding.bound_at
    found: Purchase | Happening | None
    if terms.qualifies_on == "purchase":
        found = _qualifying_purchase(terms, binding, history, net=True)
    else:
        found = _qualifying_happening(terms, binding, history)
    return (found.pk, found.occurred_at) if found else None


def judge(
    terms: Terms, binding: Binding, history: History, doubts: Doubts, *, before: Before, at: datetime
) -> Judgement:
    """Return what the referral is at `at`, whatever the order in which its history arrived (rules 4 and 15).

    What staff decided, and a hold or window that a clock has already ended, is not undone.
    """
    expires_at = binding.bound_at + timedelta(days=terms.conversion_window_days)
    if before.state == "voided" and before.reason in BY_STAFF:
        return Judgement(state="voided", reason=before.reason, expires_at=expires_at)
    if reason := void_reason(binding, history, doubts):
        return Judgement(state="voided", reason=reason, expires_at=expires_at)
    moment = qualifying_moment(terms, binding, history)
    if moment is None:
        return Judgement(
            state=_unqualified(terms, binding, history, before, expired=at > expires_at),
            reason="",
            expires_at=expires_at,
        )
    pk, qualified_at = moment
    approve_at = qualified_at + timedelta(days=terms.hold_days)
    kept = before.state == "approved" and before.qualifying_pk == pk
    return Judgement(
        state="approved" if kept or approve_at <= at else "qualified",
        reason="",
        expires_at=expires_at,
        qualifying_pk=pk,
        qualified_at=qualified_at,
        approve_at=approve_at,
    )


def hold_back(verdict: Judgement, *, held_for: str) -> Judgement:
    """Return what a referral is while it is held: `risk` and `staff` flag it, `veto` only keeps it from approval.

    What has not qualified, or is void, keeps its state: only its rewards wait.
    """
    if held_for in FLAGGING and verdict.state in COUNTED:
        return replace(verdict, state="flagged")
    if held_for == "veto" and verdict.state == "approved":
        return replace(verdict, state="qualified")
    return verdict


def _unqualified(terms: Terms, binding: Binding, history: History, before: Before, *, expired: bool) -> str:
    if terms.qualifies_on == "purchase" and _qualifying_purchase(terms, binding, history, net=False):
        return "reversed"
    return "expired" if expired or before.state == "expired" else "signed_up"
