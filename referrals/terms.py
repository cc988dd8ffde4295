"""What an offer promises: pure values, the same in a program file, in an `Offer` row and in a decision."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from referrals.conditions import Condition, parse_condition

SIDES = ("advocate", "friend")
MOMENTS = ("signup", "qualified", "purchase", "claim", "assist")
MODELS = ("last_touch", "first_touch")
KINDS = ("points", "coupon", "credit", "gift_card", "cash", "perk", "badge", "choice", "manual")
NAMED_KINDS = ("coupon", "perk", "badge", "choice", "manual")
MONEY_KINDS = ("credit", "gift_card", "cash")
PERIODS = ("day", "month", "year", "total")
CUSTOM = "custom:"

CUSTOMER_FIELDS = {
    "customer.locale": "text",
    "customer.email_domain": "text",
    "customer.attributes.*": "open",
}
RULE_FIELDS: Mapping[str, str] = {
    "channel": "text",
    "method": "text",
    "event.type": "text",
    "event.name": "text",
    "event.attributes.*": "open",
    "order.amount": "number",
    "order.currency": "text",
    "order.discount": "number",
    "order.margin": "number",
    **CUSTOMER_FIELDS,
    "advocate.locale": "text",
    "advocate.email_domain": "text",
    "advocate.attributes.*": "open",
}
"""What a reward's and a milestone's `when` may ask. `customer` is the friend whose event decides."""
LEVEL_FIELDS: Mapping[str, str] = CUSTOMER_FIELDS
"""What a tier level's `when` may ask. `customer` is the advocate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRule:
    """One promise: to whom, on what, how much.

    `kind` is one of `KINDS`. Of kind points exactly one of `points` and `percent` is set; `what` names the
    coupon pool, perk, badge, choice group or handiwork of the kinds in `NAMED_KINDS`; `amount_minor` is the
    worth of the kinds in `MONEY_KINDS`, in minor units of the program's currency. `max_points` caps a percent
    reward, `repeat_days` ends an `on: purchase` rule that long after the qualifying event (None: never),
    `hold_days` is the rule's own hold (None: the program's). Among rules of one `first_match` group only the
    first whose `when` holds is granted for a cause.
    """

    id: str
    to: str
    on: str
    kind: str = "points"
    points: int | None = None
    percent: Decimal | None = None
    what: str = ""
    amount_minor: int | None = None
    max_points: int | None = None
    repeat_days: int | None = None
    hold_days: int | None = None
    when: Condition | None = None
    first_match: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `percent` as a decimal string."""
        return asdict(self) | {
            "percent": None if self.percent is None else decimal_text(self.percent),
            "when": self.when.to_json() if self.when else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A tier: reached with `least` referrals in the window where `when` holds of the advocate."""

    name: str
    least: int
    multiplier: Decimal = Decimal(1)
    vip: bool = False
    perks: tuple[str, ...] = ()
    when: Condition | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {
            "multiplier": decimal_text(self.multiplier),
            "perks": list(self.perks),
            "when": self.when.to_json() if self.when else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """Standing by the referrals of the last `window_days`; `levels` rise. Shown `grace_days` longer (rule 3)."""

    window_days: int
    grace_days: int = 0
    levels: tuple[Level, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"levels": [level.to_json() for level in self.levels]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """Reaching the n-th referral: points, a badge or both, where `when` holds of the event that reached it."""

    referrals: int
    points: int | None = None
    badge: str = ""
    when: Condition | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"when": self.when.to_json() if self.when else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a program: referrals rewarded per advocate and period, points in all (None: no bound).

    `then_offer` is the slug of the cheaper program to switch to when the budget runs out.
    """

    referrals: int | None = None
    period: str = "total"
    budget_points: int | None = None
    then_offer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """From which score a referral is held for review or voided, and after how many days a held one is let go.

    Scores are 0 to 100; None means never.
    """

    review_at: int | None = None
    void_at: int | None = None
    auto_release_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything one offer promises. `min_amount_minor` is in minor units of `currency`.

    `qualifies_on` is 'signup', 'purchase', 'lead_won' or 'custom:NAME'; `points_per_unit` is points
    per currency unit, for percent rules; `expires_days` ends points that long after they became available
    (None: never); `audience` is the slug of the segment that is offered the program ('': everybody).
    """

    currency: str
    qualifies_on: str
    attribution_window_days: int = 30
    attribution_model: str = "last_touch"
    conversion_window_days: int = 180
    min_amount_minor: int = 0
    hold_days: int = 14
    points_per_unit: Decimal = Decimal(1)
    expires_days: int | None = None
    rewards: tuple[RewardRule, ...] = ()
    tiers: Tiers | None = None
    milestones: tuple[Milestone, ...] = ()
    limits: Limits = Limits()
    risk: Risk = Risk()
    audience: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, from which `terms_from_json` makes an equal `Terms`."""
        return asdict(self) | {
            "points_per_unit": decimal_text(self.points_per_unit),
            "rewards": [rule.to_json() for rule in self.rewards],
            "tiers": self.tiers.to_json() if self.tiers else None,
            "milestones": [one.to_json() for one in self.milestones],
        }

    def rules_on(self, moment: str) -> tuple[RewardRule, ...]:
        """Return the rules that pay on one of `MOMENTS`, in the order of the file."""
        return tuple(rule for rule in self.rewards if rule.on == moment)

    def hold_days_of(self, rule: RewardRule) -> int:
        """Return the days from the causing event to `available` (rule 13): the rule's own, else the program's.

        An advocate's hold is never shorter than the program's.
        """
        if rule.hold_days is None:
            return self.hold_days
        return max(rule.hold_days, self.hold_days) if rule.to == "advocate" else rule.hold_days


def settled_terms(currency: str) -> Terms:
    """Return the terms of referrals that a former tool rewarded: they qualify at once and give nothing."""
    return Terms(currency=currency, qualifies_on="signup", hold_days=0)


def decimal_text(number: Decimal) -> str:
    """Return the number exactly, without exponent or trailing zeros ('2.5', '100')."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def terms_from_json(data: Mapping[str, Any]) -> Terms:
    """Return the `Terms` that `Terms.to_json` wrote; what is missing has its default."""
    given = dict(data)
    if "points_per_unit" in given:
        given["points_per_unit"] = Decimal(given["points_per_unit"])
    given["rewards"] = tuple(_rule_from_json(rule) for rule in given.get("rewards", ()))
    given["milestones"] = tuple(_milestone_from_json(one) for one in given.get("milestones", ()))
    given["tiers"] = _tiers_from_json(given["tiers"]) if given.get("tiers") else None
    given["limits"] = Limits(**given.get("limits", {}))
    given["risk"] = Risk(**given.get("risk", {}))
    return Terms(**given)


def _rule_from_json(data: Mapping[str, Any]) -> RewardRule:
    percent = data.get("percent")
    return RewardRule(
        **{
            **data,
            "percent": None if percent is None else Decimal(percent),
            "when": _when(data, RULE_FIELDS),
        }
    )


def _when(data: Mapping[str, Any], fields: Mapping[str, str]) -> Condition | None:
    given = data.get("when")
    return parse_condition(given, fields) if given else None


def _milestone_from_json(data: Mapping[str, Any]) -> Milestone:
    return Milestone(**{**data, "when": _when(data, RULE_FIELDS)})


def _tiers_from_json(data: Mapping[str, Any]) -> Tiers:
    levels = tuple(
        Level(
            **{
                **level,
                "multiplier": Decimal(level["multiplier"]),
                "perks": tuple(level["perks"]),
                "when": _when(level, LEVEL_FIELDS),
            }
        )
        for level in data["levels"]
    )
    return Tiers(**{**data, "levels": levels})
