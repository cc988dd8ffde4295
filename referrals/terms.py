"""What an offer promises: pure values, the same in a program file, in an `Offer` row and in a decision."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

SIDES = ("advocate", "friend")
MOMENTS = ("signup", "qualified", "purchase")
MODELS = ("last_touch", "first_touch")
CUSTOM = "custom:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRule:
    """One promise: to whom, on what, how much. Exactly one of `points` and `percent` is set.

    `max_points` caps a percent reward, `repeat_days` ends an `on: purchase` rule that long after the
    qualifying event (None: never), `hold_days` is the rule's own hold (None: the program's).
    """

    id: str
    to: str
    on: str
    points: int | None = None
    percent: Decimal | None = None
    max_points: int | None = None
    repeat_days: int | None = None
    hold_days: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `percent` as a decimal string."""
        return asdict(self) | {"percent": None if self.percent is None else decimal_text(self.percent)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything one offer promises. `min_amount_minor` is in minor units of `currency`.

    `qualifies_on` is 'signup', 'purchase', 'lead_won' or 'custom:NAME'; `points_per_unit` is points
    per currency unit, for percent rules.
    """

    currency: str
    qualifies_on: str
    attribution_window_days: int = 30
    attribution_model: str = "last_touch"
    conversion_window_days: int = 180
    min_amount_minor: int = 0
    hold_days: int = 14
    points_per_unit: Decimal = Decimal(1)
    rewards: tuple[RewardRule, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, from which `terms_from_json` makes an equal `Terms`."""
        return asdict(self) | {
            "points_per_unit": decimal_text(self.points_per_unit),
            "rewards": [rule.to_json() for rule in self.rewards],
        }

    def rules_on(self, moment: str) -> tuple[RewardRule, ...]:
        """Return the rules that pay on 'signup', 'qualified' or 'purchase', in the order of the file."""
        return tuple(rule for rule in self.rewards if rule.on == moment)

    def hold_days_of(self, rule: RewardRule) -> int:
        """Return the days from the causing event to `available` (rule 13): the rule's own, else the program's.

        An advocate's hold is never shorter than the program's.
        """
        if rule.hold_days is None:
            return self.hold_days
        return max(rule.hold_days, self.hold_days) if rule.to == "advocate" else rule.hold_days


def decimal_text(number: Decimal) -> str:
    """Return the number exactly, without exponent or trailing zeros ('2.5', '100')."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def terms_from_json(data: dict[str, Any]) -> Terms:
    """Return the `Terms` that `Terms.to_json` wrote; what is missing has its default."""
    rewards = tuple(_rule_from_json(rule) for rule in data.get("rewards", ()))
    given = {key: value for key, value in data.items() if key != "rewards"}
    if "points_per_unit" in given:
        given["points_per_unit"] = Decimal(given["points_per_unit"])
    return Terms(**given, rewards=rewards)


def _rule_from_json(data: dict[str, Any]) -> RewardRule:
    percent = data.get("percent")
    return RewardRule(**data | {"percent": None if percent is None else Decimal(percent)})
