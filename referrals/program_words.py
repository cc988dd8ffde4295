"""What an offer promises, as sentences for staff. Pure."""

from core.money import to_text
from referrals.conditions import All, AnyOf, Comparison, Condition, Not
from referrals.terms import CUSTOM, RewardRule, Terms, decimal_text

_MOMENT = {
    "signup": "when the friend signs up",
    "qualified": "when the friend qualifies",
    "purchase": "for every purchase of the friend",
    "claim": "on the landing page, before any order",
    "assist": "when a friend qualifies who also used their link but came through somebody else",
}
_OPERATORS = {
    **{"eq": "is", "ne": "is not", "in": "is one of", "not_in": "is none of", "gt": "is more than"},
    **{"gte": "is at least", "lt": "is less than", "lte": "is at most", "starts_with": "starts with"},
}


def describe_terms(terms: Terms) -> list[str]:
    """Return what the terms promise as sentences, the rewards first, in the order of the file."""
    qualifies = {
        "signup": "A friend qualifies by signing up",
        "purchase": "A friend qualifies by a first purchase",
        "lead_won": "A friend qualifies when their lead is won",
    }.get(terms.qualifies_on, f"A friend qualifies by the event {terms.qualifies_on.removeprefix(CUSTOM)!r}")
    least = ""
    if terms.min_amount_minor:
        least = f" of at least {to_text(terms.min_amount_minor, terms.currency)} {terms.currency}"
    return [
        *(_describe_rule(rule, terms) for rule in terms.rewards),
        f"{qualifies}{least}, within {terms.conversion_window_days} days of being bound.",
        f"A click counts for {terms.attribution_window_days} days ({terms.attribution_model.replace('_', ' ')}).",
        f"A referral is approved {terms.hold_days} days after the event that qualified it.",
        *_describe_standing(terms),
        *_describe_bounds(terms),
    ]


def _amount(rule: RewardRule, terms: Terms) -> str:
    if rule.percent is not None:
        rate = decimal_text(terms.points_per_unit)
        return f"{decimal_text(rule.percent)} % as points ({rate} a {terms.currency})"
    if rule.kind == "points":
        return f"{rule.points} points"
    if rule.amount_minor is not None:
        words = {"credit": "store credit", "gift_card": "a gift card", "cash": "cash"}[rule.kind]
        return f"{words} of {to_text(rule.amount_minor, terms.currency)} {terms.currency}"
    named = {"coupon": "a coupon", "perk": "the perk", "badge": "the badge", "choice": "a choice of"}
    return f"{named.get(rule.kind, 'by hand:')} {rule.what}"


def _in_words(condition: Condition) -> str:
    match condition:
        case All(parts=parts) | AnyOf(parts=parts):
            link = " and " if isinstance(condition, All) else " or "
            return link.join(f"({_in_words(one)})" if isinstance(one, All | AnyOf) else _in_words(one) for one in parts)
        case Not(part=part):
            return f"not ({_in_words(part)})"
        case Comparison(operator="exists"):
            return f"{condition.field} is {'known' if condition.value else 'unknown'}"
    value = condition.value
    shown = ", ".join(value) if isinstance(value, tuple) else value if isinstance(value, str) else str(value).lower()
    return f"{condition.field} {_OPERATORS.get(condition.operator, condition.operator)} {shown}"


def _describe_rule(rule: RewardRule, terms: Terms) -> str:
    most = f", at most {rule.max_points} points" if rule.max_points is not None else ""
    until = f", until {rule.repeat_days} days after qualifying" if rule.repeat_days is not None else ""
    when = f", if {_in_words(rule.when)}" if rule.when else ""
    first = f", first match of {rule.first_match}" if rule.first_match else ""
    hold = terms.hold_days_of(rule)
    wait = f"available after {hold} days" if hold else "available at once"
    return (
        f"The {rule.to} gets {_amount(rule, terms)}{most} {_MOMENT[rule.on]}{until}{when}{first}; {wait}. ({rule.id})"
    )


def _describe_standing(terms: Terms) -> list[str]:
    told = []
    for level in terms.tiers.levels if terms.tiers else ():
        vip = ", VIP" if level.vip else ""
        perks = f", perks {', '.join(level.perks)}" if level.perks else ""
        when = f", if {_in_words(level.when)}" if level.when else ""
        rate = decimal_text(level.multiplier)
        told.append(f"Tier {level.name} from {level.least} referrals: points × {rate}{vip}{perks}{when}.")
    if terms.tiers:
        grace = f", shown {terms.tiers.grace_days} days longer" if terms.tiers.grace_days else ""
        told.append(f"Tiers count the referrals of the last {terms.tiers.window_days} days{grace}.")
    for one in terms.milestones:
        points = [] if one.points is None else [f"{one.points} points"]
        gifts = " and ".join([*points, *([f"the badge {one.badge}"] if one.badge else [])])
        when = f", if {_in_words(one.when)}" if one.when else ""
        told.append(f"Reaching {one.referrals} referrals gives {gifts}{when}.")
    return told


def _describe_bounds(terms: Terms) -> list[str]:
    told = []
    limits, risk = terms.limits, terms.risk
    if limits.referrals is not None:
        period = "in all" if limits.period == "total" else f"a {limits.period}"
        told.append(f"An advocate is rewarded for at most {limits.referrals} referrals {period}.")
    if limits.budget_points is not None:
        then = f"; then {limits.then_offer} takes over" if limits.then_offer else ""
        told.append(f"The program gives at most {limits.budget_points} points{then}.")
    if terms.expires_days is not None:
        told.append(f"Points expire {terms.expires_days} days after they became available.")
    if risk.review_at is not None:
        told.append(f"A referral with a risk score from {risk.review_at} waits for review.")
    if risk.void_at is not None:
        told.append(f"A referral with a risk score from {risk.void_at} is voided.")
    if risk.auto_release_days is not None:
        told.append(f"What waits for review is let go after {risk.auto_release_days} days.")
    if terms.audience:
        told.append(f"Offered to the segment {terms.audience}.")
    return told
