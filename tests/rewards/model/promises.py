"""What a program file promises, read naively from its plain values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """One line of `rewards`; `place` is its position in the file."""

    place: int
    id: str
    to: str
    on: str
    points: int | None
    percent: Decimal | None
    max_points: int | None
    repeat_days: int | None
    hold_days: int | None
    when: dict | None
    first_match: str
    kind: str


@dataclass(frozen=True)
class Promise:
    """One offer: everything its referrals are paid by."""

    currency: str
    on: str
    least: Decimal
    window: int
    conversion: int
    hold: int
    per_unit: Decimal
    expires: int | None
    rules: tuple[Rule, ...]
    levels: tuple[tuple[int, Decimal], ...]
    level_window: int
    milestones: tuple[dict, ...]
    limit: int | None
    period: str
    budget: int | None

    def hold_of(self, rule: Rule) -> int:
        """A reward's own hold wins; an advocate's is never shorter than the program's (rule 13)."""
        if rule.hold_days is None:
            return self.hold
        return max(rule.hold_days, self.hold) if rule.to == "advocate" else rule.hold_days


def read_promise(file: dict[str, Any]) -> Promise:
    """Return what the file promises, with the defaults of the contract."""
    tiers, limits = file.get("tiers") or {}, file.get("limits") or {}
    per_advocate = limits.get("per_advocate") or {}
    return Promise(
        currency=file["currency"],
        on=file["qualifies"]["on"],
        least=Decimal(str(file["qualifies"].get("min_amount") or 0)),
        window=(file.get("attribution") or {}).get("window_days", 30),
        conversion=file.get("conversion_window_days", 180),
        hold=file.get("hold_days", 14),
        per_unit=Decimal(str(file.get("points_per_unit", 1))),
        expires=file.get("expires_days"),
        rules=tuple(_read_rule(place, line) for place, line in enumerate(file["rewards"])),
        levels=tuple((one["from"], Decimal(str(one.get("multiplier", 1)))) for one in tiers.get("levels", [])),
        level_window=tiers.get("window_days", 0),
        milestones=tuple(file.get("milestones") or ()),
        limit=per_advocate.get("referrals"),
        period=per_advocate.get("period", "total"),
        budget=limits.get("budget_points"),
    )


def _read_rule(place: int, line: dict[str, Any]) -> Rule:
    percent = line.get("percent")
    return Rule(
        place=place,
        id=line["id"],
        to=line["to"],
        on=line["on"],
        points=line.get("points"),
        percent=None if percent is None else Decimal(str(percent)),
        max_points=line.get("max_points"),
        repeat_days=line.get("repeat_days"),
        hold_days=line.get("hold_days"),
        when=line.get("when"),
        first_match=line.get("first_match", ""),
        kind="points" if "points" in line or "percent" in line else "other",
    )


def holds(condition: dict | None, fact: dict) -> bool:
    """Whether a `when` holds of an event: `all`, `any`, and comparisons of `order.amount` and `channel`."""
    if condition is None:
        return True
    for key, asked in condition.items():
        if key in ("all", "any"):
            each = [holds(one, fact) for one in asked]
            if not (all(each) if key == "all" else any(each)):
                return False
        elif key == "order.amount":
            order = fact.get("order")
            if order is None or not all(_compares(Decimal(order["amount"]), how, to) for how, to in asked.items()):
                return False
        elif key == "channel":
            if fact.get("channel") not in asked["in"]:
                return False
        else:
            raise ValueError(key)
    return True


def _compares(saw: Decimal, how: str, to: object) -> bool:
    limit = Decimal(str(to))
    return {"gte": saw >= limit, "lt": saw < limit, "gt": saw > limit, "lte": saw <= limit}[how]


def period_of(at: datetime, period: str) -> str:
    """The calendar period of an instant, in UTC (the installation's zone in tests)."""
    return {"day": f"{at:%Y-%m-%d}", "month": f"{at:%Y-%m}", "year": f"{at:%Y}", "total": ""}[period]
