"""METRICS: every KPI with its words and its collector, in one dict. Pages, API and docs are made from it."""

from dataclasses import dataclass
from enum import StrEnum

VERSION = "2"


class Unit(StrEnum):
    """What a value is."""

    COUNT = "count"
    MONEY = "money"
    POINTS = "points"
    RATIO = "ratio"
    SCORE = "score"


class Additivity(StrEnum):
    """What may be done with the values of several days."""

    ADDITIVE = "additive"
    SEMI_ADDITIVE = "semi-additive"
    NON_ADDITIVE = "non-additive"


@dataclass(frozen=True, slots=True)
class Sum:
    """The series added up over the range; those of `minus` taken off."""

    plus: str
    minus: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """The series added up from the first day ever to the end of the range."""

    series: str


@dataclass(frozen=True, slots=True)
class Share:
    """One series over another, each added up over the range first."""

    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class People:
    """Distinct people of one kind of day over distinct people of another, within the range."""

    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The score of a kind of survey over each person's latest confirmed answer in the range."""

    kind: str


Collector = Sum | Running | Share | People | Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One KPI: what it is called, what exactly it counts, from what, and how far it can be trusted.

    `groups` are the ways it may be split; one that can be split by program can be asked for one program.
    """

    name: str
    title: str
    definition: str
    category: str
    unit: Unit
    formula: str
    numerator: str
    denominator: str = ""
    basis: str
    additivity: Additivity
    minimum_n: int = 0
    source: str
    collector: Collector
    groups: tuple[str, ...] = ()
    takes_currency: bool = False


_ALL = (
    Metric(
        name="customers",
        title="Customers",
        definition="People with at least one purchase so far, counted at the end of the range; "
        "orders of 0.00 and refunded orders included.",
        category="Customers",
        unit=Unit.COUNT,
        formula="distinct people whose first purchase is before the end of the range",
        numerator="people with a purchase before the end of the range",
        basis="a balance at the end of the range",
        additivity=Additivity.SEMI_ADDITIVE,
        source="purchase events",
        collector=Running("new_customers"),
        groups=("channel",),
    ),
    Metric(
        name="new_customers",
        title="New customers",
        definition="People whose first purchase ever falls into the range; "
        "orders of 0.00 and orders refunded later included. An earlier purchase reported late moves them.",
        category="Customers",
        unit=Unit.COUNT,
        formula="people whose earliest purchase is in the range",
        numerator="people whose earliest purchase is in the range",
        basis="the day of the first purchase",
        additivity=Additivity.ADDITIVE,
        source="purchase events",
        collector=Sum("new_customers"),
        groups=("channel",),
    ),
    Metric(
        name="orders",
        title="Orders",
        definition="Purchases in the range, those of 0.00 and those refunded later included.",
        category="Sales",
        unit=Unit.COUNT,
        formula="number of purchase events in the range",
        numerator="purchase events",
        basis="the day of the purchase",
        additivity=Additivity.ADDITIVE,
        source="purchase events",
        collector=Sum("orders"),
        groups=("channel",),
        takes_currency=True,
    ),
    Metric(
        name="revenue_gross",
        title="Gross revenue",
        definition="What customers paid for the purchases in the range, before any refund.",
        category="Sales",
        unit=Unit.MONEY,
        formula="sum of the amounts of purchase events in the range",
        numerator="amounts of purchase events",
        basis="the day of the purchase",
        additivity=Additivity.ADDITIVE,
        source="purchase events",
        collector=Sum("revenue_gross"),
        groups=("channel",),
        takes_currency=True,
    ),
    Metric(
        name="refunds",
        title="Refunds",
        definition="What was given back in the range, each refund on its own day and as a positive amount; "
        "all refunds of an order together count at most what was paid for it, in the order's currency. A refund "
        "of an order that is not known counts, on its own day, once the purchase has been reported.",
        category="Sales",
        unit=Unit.MONEY,
        formula="sum over refund events of min(amount, what is left of the order's price)",
        numerator="counted amounts of refund events",
        basis="the day of the refund",
        additivity=Additivity.ADDITIVE,
        source="refund events with the purchase of the same order",
        collector=Sum("refunds"),
        groups=("channel",),
        takes_currency=True,
    ),
    Metric(
        name="revenue_net",
        title="Net revenue",
        definition="Gross revenue minus refunds, each on its own day; "
        "a day with more refunds than purchases is negative.",
        category="Sales",
        unit=Unit.MONEY,
        formula="gross revenue − refunds",
        numerator="amounts of purchase events minus counted amounts of refund events",
        basis="the day of the purchase or of the refund",
        additivity=Additivity.ADDITIVE,
        source="purchase and refund events",
        collector=Sum("revenue_gross", "refunds"),
        groups=("channel",),
        takes_currency=True,
    ),
    Metric(
        name="offer_views",
        title="Offer views",
        definition="How often people saw the offer of a program: in the widget, the portal or wherever the shop "
        "reports it. Machines are left out; a person counts at every sight. Mails: sent, not seen. A mail of ours with "
        "the customer's link counts as one view of the placement “mail” on the day it was handed over; whether it was "
        "looked at is not asked.",
        category="Referrals",
        unit=Unit.COUNT,
        formula="number of sights in the range",
        numerator="sights of an offer",
        basis="the day of the sight",
        additivity=Additivity.ADDITIVE,
        source="views reported by widget, portal and API; mails sent",
        collector=Sum("offer_views"),
        groups=("program", "placement"),
    ),
    Metric(
        name="offer_opens",
        title="Offer openings",
        definition="How often people opened an offer that was folded away, such as behind a floating button, or "
        "followed the link of a mail to the page where they share.",
        category="Referrals",
        unit=Unit.COUNT,
        formula="number of openings in the range",
        numerator="openings of an offer",
        basis="the day of the opening",
        additivity=Additivity.ADDITIVE,
        source="openings reported by widget and API; links of mails followed",
        collector=Sum("offer_opens"),
        groups=("program", "placement"),
    ),
    Metric(
        name="shares",
        title="Shares",
        definition="How often advocates used a channel to pass their link on; whether they finished there is unknown. "
        "By variant (“EXPERIMENT/VARIANT”): those after the advocate was first shown it, while the experiment ran.",
        category="Referrals",
        unit=Unit.COUNT,
        formula="number of shares in the range",
        numerator="uses of a share channel",
        basis="the day of the share",
        additivity=Additivity.ADDITIVE,
        source="shares reported by widget, portal and API",
        collector=Sum("shares"),
        groups=("program", "channel", "placement", "variant"),
    ),
    Metric(
        name="clicks",
        title="Clicks",
        definition="Visits of share links by people. Bots and link previews are stored and never counted. A link tells "
        "by itself where the advocate took it from, its placement; one that does not counts as “unknown”. By "
        "variant (“EXPERIMENT/VARIANT”): those after the advocate was first shown it, while the experiment ran.",
        category="Referrals",
        unit=Unit.COUNT,
        formula="number of clicks with the verdict “person” in the range",
        numerator="clicks by people",
        basis="the day of the click",
        additivity=Additivity.ADDITIVE,
        source="clicks of share links",
        collector=Sum("clicks"),
        groups=("program", "channel", "placement", "variant"),
    ),
    Metric(
        name="signups_referred",
        title="Referred sign-ups",
        definition="Friends bound to an advocate in the range, by a sign-up or by the first event with evidence "
        "where no sign-up was sent; voided referrals are left out, reversed and expired ones stay.",
        category="Referrals",
        unit=Unit.COUNT,
        formula="number of referrals, not voided, bound in the range",
        numerator="referrals that are not voided",
        basis="the day of the binding",
        additivity=Additivity.ADDITIVE,
        source="referrals",
        collector=Sum("signups_referred"),
        groups=("program", "channel"),
    ),
    Metric(
        name="referrals_qualified",
        title="Qualified referrals",
        definition="Referrals that are qualified or approved now, on the day of the event that made them qualify. "
        "A refund that reverses one takes it out of that day again.",
        category="Referrals",
        unit=Unit.COUNT,
        formula="number of referrals now qualified or approved whose qualifying event is in the range",
        numerator="referrals now qualified or approved",
        basis="the day of the qualifying event",
        additivity=Additivity.ADDITIVE,
        source="referrals",
        collector=Sum("referrals_qualified"),
        groups=("program", "channel"),
    ),
    Metric(
        name="referral_share",
        title="Referral share",
        definition="The part of all purchases in the range that referred friends made: purchases from the qualifying "
        "event on, of friends whose referral is qualified or approved now. Not the same as referrer participation, "
        "although both are called “referral rate” elsewhere.",
        category="Referrals",
        unit=Unit.RATIO,
        formula="referred purchases ÷ all purchases",
        numerator="purchases of referred friends, from the qualifying event on",
        denominator="purchase events",
        basis="activity: both sides on the day of the purchase",
        additivity=Additivity.NON_ADDITIVE,
        minimum_n=30,
        source="purchase events and referrals",
        collector=Share("orders_referred", "orders"),
        groups=("program", "channel"),
    ),
    Metric(
        name="referrer_participation",
        title="Referrer participation",
        definition="Customers with at least one successful referral in the range, over customers with a purchase in "
        "the range. Successful: now qualified or approved, with the qualifying event in the range. An advocate counts "
        "without a purchase of their own, so a short range can show more than 100 %. Not the same as referral share.",
        category="Referrals",
        unit=Unit.RATIO,
        formula="distinct advocates with a successful referral ÷ distinct customers with a purchase",
        numerator="distinct advocates with a referral that qualified in the range",
        denominator="distinct customers with a purchase in the range",
        basis="activity: advocates on the day of the qualifying event, customers on the day of the purchase",
        additivity=Additivity.NON_ADDITIVE,
        minimum_n=30,
        source="referrals and purchase events",
        collector=People("qualified", "purchase"),
        groups=("program",),
    ),
    Metric(
        name="points_granted",
        title="Points granted",
        definition="Points that rules granted in the range, those still pending included, before anything was taken "
        "back. Adjustments by hand are not grants.",
        category="Rewards",
        unit=Unit.POINTS,
        formula="sum of the amounts of grants in the ledger",
        numerator="amounts of grants in the ledger",
        basis="the day of the grant on the books' clock",
        additivity=Additivity.ADDITIVE,
        source="ledger transfers of the kind “grant”",
        collector=Sum("points_granted"),
        groups=("program",),
    ),
    Metric(
        name="nps",
        title="Net Promoter Score",
        definition="100 × (promoters − detractors) ÷ answers, over each person's latest confirmed answer in the range: "
        "9 and 10 are promoters, 0 to 6 detractors. Answers that no person confirmed never count.",
        category="Surveys",
        unit=Unit.SCORE,
        formula="100 × (promoters − detractors) ÷ answers, rounded once, half away from zero",
        numerator="promoters minus detractors",
        denominator="people with a confirmed answer in the range",
        basis="the day of the answer that stands",
        additivity=Additivity.NON_ADDITIVE,
        minimum_n=30,
        source="confirmed survey answers on the 0–10 scale",
        collector=Answers("nps"),
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
