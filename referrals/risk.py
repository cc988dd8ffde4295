"""What makes a referral suspect: versioned rules that add up to an explained score from 0 to 100. Pure values.

A rule takes the facts around a referral and returns a signal with a weight and its evidence in words, or
nothing. Evidence names no email address and no name: it may be read by whoever reviews. A change of a rule,
a weight or the disposable list needs a new `RISK_VERSION`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from referrals.disposable import is_disposable
from referrals.likeness import email_likeness, name_likeness, parts_of

RISK_VERSION = 1
HIGHEST = 100

CLEAR, REVIEW, VOID = "clear", "review", "void"
REFUNDED = "reversed"
DECIDED = frozenset({REFUNDED, "qualified", "approved", "flagged"})
COUPON_SITES = (
    *("coupon", "voucher", "promocode", "promo-code", "discountcode", "gutschein", "rabattcode", "codepromo"),
    *("honey", "retailmenot", "slickdeals", "mydealz", "pepper.com", "hotukdeals", "dealabs", "wethrift", "knoji"),
)
"""Words that a link's UTM values hold where it came from a site that collects codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as the rules look at them."""

    pk: int
    email: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The click behind a binding: `browser` is a first-party id, `trace` the day's hash of network and device."""

    at: datetime
    browser: str = ""
    trace: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Another referral of the same advocate, or one that once brought the advocate or one before them.

    `person` is its friend, for a referral further up its advocate; `visit` the click that bound it.
    """

    person: Person
    bound_at: datetime
    state: str
    visit: Visit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts around one referral. `above` are those who brought the advocate, the nearest first."""

    friend: Person
    advocate: Person
    bound_at: datetime
    converted_at: datetime | None = None
    visit: Visit | None = None
    siblings: tuple[Brought, ...] = ()
    above: tuple[Person, ...] = ()
    advocate_visits: tuple[Visit, ...] = ()
    """The clicks that bound the advocate when they were a friend themselves."""
    returns: bool = False
    """The friend once brought the advocate, or one above them, by a referral that is no longer live."""
    network_advocates: int = 0
    """Other advocates with a friend from the same network and device that day."""
    day_visitors: int = 0
    """Distinct visitors of the advocate's link within the 24 hours around the click."""
    watched: tuple[str, ...] = ()
    """The reasons of the watch list's entries that fit the friend or the advocate."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a rule saw: `evidence` in words, `weight` in points of the score."""

    code: str
    weight: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of the signals, at most 100, the heaviest first."""

    points: int
    signals: tuple[Signal, ...]
    version: int = RISK_VERSION


Found = tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its `weights` say which it can give; `meaning` is for those who review."""

    code: str
    title: str
    meaning: str
    weights: str
    look: Callable[[Context], Found]


_LOOKALIKE = {
    "dots": (60, "The friend's address is the advocate's but for dots or dashes."),
    "digits": (55, "The friend's address is the advocate's but for digits."),
    "letter": (45, "The friend's address differs from the advocate's by one letter."),
    "mailbox": (50, "Friend and advocate have the same mailbox name at two domains."),
    "first_name": (20, "Friend and advocate have the same short mailbox name at two domains."),
}
_NAMES = {
    "same": (40, "Friend and advocate have the same full name."),
    "swapped": (55, "The friend's name is the advocate's with its words swapped."),
    "letter": (40, "The friend's name differs from the advocate's by one letter."),
}


def lookalike_email(context: Context) -> Found:
    """The friend's address against the advocate's."""
    return _LOOKALIKE.get(email_likeness(context.friend.email, context.advocate.email))


def email_series(context: Context) -> Found:
    """The friend's address against those of the advocate's other friends."""
    kinds = (email_likeness(context.friend.email, other.person.email) for other in context.siblings)
    alike = sum(kind in {"dots", "digits", "letter", "mailbox"} for kind in kinds)
    if alike == 0:
        return None
    return (35 if alike == 1 else 60), f"The address looks like that of {_others(alike)} the advocate brought."


def swapped_names(context: Context) -> Found:
    """The friend's name against the advocate's."""
    return _NAMES.get(name_likeness(context.friend.name, context.advocate.name))


def disposable_email(context: Context) -> Found:
    """Throw-away mailboxes."""
    if not is_disposable(parts_of(context.friend.email)[1]):
        return None
    return 50, "The friend's address belongs to a service of throw-away mailboxes."


def same_device(context: Context) -> Found:
    """The click against the advocate's own: the same browser, or the same network and device that day."""
    if context.visit is None:
        return None
    if any(_same_browser(context.visit, own) for own in context.advocate_visits):
        return 60, "The friend came with the browser with which the advocate once came."
    if any(_same_trace(context.visit, own) for own in context.advocate_visits):
        return 45, "The friend came from the advocate's network and device, on the same day."
    return None


def shared_device(context: Context) -> Found:
    """The click against those of the advocate's other friends."""
    visit = context.visit
    if visit is None:
        return None
    others = [other.visit for other in context.siblings if other.visit is not None]
    browsers = sum(_same_browser(visit, other) for other in others)
    traces = sum(_same_trace(visit, other) for other in others)
    if browsers:
        return (45 if browsers == 1 else 60), f"The browser is that of {_others(browsers)} the advocate brought."
    if not traces:
        return None
    weight = {1: 20, 2: 40}.get(traces, 55)
    return weight, f"The network and device were, on that day, those of {_others(traces)} the advocate brought."


def busy_network(context: Context) -> Found:
    """The network and device against the friends of other advocates."""
    number = context.network_advocates
    if number < 2:
        return None
    weight = 30 if number < 4 else 50
    return weight, f"From this network and device came, that day, the friends of {number} other advocates."


def burst(context: Context) -> Found:
    """Many friends of one advocate within minutes or hours."""
    limits = (
        (timedelta(minutes=5), 6, 50, "5 minutes"),
        (timedelta(minutes=5), 3, 35, "5 minutes"),
        (timedelta(hours=1), 8, 40, "an hour"),
        (timedelta(hours=24), 25, 30, "a day"),
    )
    for span, least, weight, words in limits:
        near = sum(abs(other.bound_at - context.bound_at) <= span for other in context.siblings)
        if near >= least:
            return weight, f"The advocate brought {near} others within {words} of this one."
    return None


def ring(context: Context) -> Found:
    """A circle: back to somebody above the advocate, by what they share or by a referral that has ended."""
    if context.returns:
        return 50, "The friend once brought the advocate, or one who brought the advocate."
    for person in context.above:
        if email_likeness(context.friend.email, person.email) in {"dots", "digits", "letter", "mailbox"}:
            return 60, "The friend's address looks like that of one who brought the advocate."
        if name_likeness(context.friend.name, person.name):
            return 50, "The friend's name is like that of one who brought the advocate."
    return None


def refund_heavy(context: Context) -> Found:
    """How the orders of the advocate's other friends ended."""
    decided = [other for other in context.siblings if other.state in DECIDED]
    gone = sum(other.state == REFUNDED for other in decided)
    if gone < 2 or gone * 2 < len(decided):
        return None
    weight = 30 if gone == 2 else 50
    return weight, f"Of {len(decided)} other friends who bought, {gone} gave everything back."


def public_code(context: Context) -> Found:
    """Whether the code stands where everybody finds it."""
    visit = context.visit
    if visit is not None and any(word in visit.source.casefold() for word in COUPON_SITES):
        return 50, "The link was followed from a site that collects codes."
    crowd = context.day_visitors
    words = f"{crowd} people followed this link within a day of this one."
    return (50 if crowd >= 75 else 35, words) if crowd >= 50 else None


def fast_conversion(context: Context) -> Found:
    """The time from the click to what qualifies."""
    if context.visit is None or context.converted_at is None:
        return None
    seconds = int((context.converted_at - context.visit.at).total_seconds())
    if seconds < 0 or seconds >= 300:
        return None
    return (25 if seconds < 120 else 10), f"It took {seconds} seconds from the click to what qualifies."


def watched(context: Context) -> Found:
    """The watch list that staff keep."""
    return (60, f"On the watch list: {context.watched[0]}") if context.watched else None


def _same_browser(one: Visit, other: Visit) -> bool:
    return bool(one.browser) and one.browser == other.browser


def _same_trace(one: Visit, other: Visit) -> bool:
    near = abs(one.at - other.at) < timedelta(days=1)  # the hash's key is another one each day
    return bool(one.trace) and one.trace == other.trace and near


def _others(number: int) -> str:
    return "another friend" if number == 1 else f"{number} other friends"


RULES: tuple[Rule, ...] = (
    Rule(
        "lookalike_email",
        "Look-alike address",
        "One person with two addresses: dots, digits or a letter differ, or the mailbox name is the same elsewhere.",
        "60 dots, 55 digits, 50 mailbox elsewhere, 45 one letter, 20 a short first name elsewhere",
        lookalike_email,
    ),
    Rule(
        "email_series",
        "Series of addresses",
        "Addresses made up in a row for one advocate's friends.",
        "60 like two others, 35 like one",
        email_series,
    ),
    Rule(
        "swapped_names",
        "Same or swapped name",
        "One person who wrote their name the other way round, or misspelt it on purpose.",
        "55 swapped, 40 the same, 40 one letter",
        swapped_names,
    ),
    Rule(
        "disposable_email",
        "Throw-away mailbox",
        "An address that was made for one use.",
        "50",
        disposable_email,
    ),
    Rule(
        "same_device",
        "The advocate's device",
        "The friend came with what the advocate used when they were a friend themselves.",
        "60 the browser, 45 network and device that day",
        same_device,
    ),
    Rule(
        "shared_device",
        "Shared device",
        "Several friends of one advocate on one device. One other may be a household.",
        "browser: 60 two others, 45 one; network and device that day: 55 three, 40 two, 20 one",
        shared_device,
    ),
    Rule(
        "busy_network",
        "Busy network",
        "One network and device with the friends of several advocates on a day.",
        "50 from four other advocates, 30 from two",
        busy_network,
    ),
    Rule(
        "burst",
        "Burst",
        "More friends at once than people usually have.",
        "50 six within 5 minutes, 40 eight within an hour, 35 three within 5 minutes, 30 twenty-five within a day",
        burst,
    ),
    Rule(
        "ring",
        "Ring",
        "Referrals that lead back to where they came from. A live circle is a hard stop; this finds the hidden one.",
        "60 a look-alike address above, 50 a like name above, 50 an ended referral back",
        ring,
    ),
    Rule(
        "refund_heavy",
        "Orders given back",
        "An advocate whose friends buy and give everything back.",
        "50 three or more and at least half, 30 two",
        refund_heavy,
    ),
    Rule(
        "public_code",
        "Code in public",
        "The code stands on a coupon site or was followed by a crowd.",
        "50 a coupon site or 75 visitors within a day, 35 from 50 visitors",
        public_code,
    ),
    Rule(
        "fast_conversion",
        "Bought within minutes",
        "Somebody who knew before the click what to buy.",
        "25 under 2 minutes, 10 under 5",
        fast_conversion,
    ),
    Rule(
        "watched",
        "Watch list",
        "Fits an entry that staff made.",
        "60",
        watched,
    ),
)


def score(context: Context, rules: Iterable[Rule] = RULES) -> Score:
    """Return what the rules see in the facts: the same facts and version give the same score."""
    signals = [Signal(rule.code, *found) for rule in rules if (found := rule.look(context)) is not None]
    signals.sort(key=lambda signal: (-signal.weight, signal.code))
    return Score(min(HIGHEST, sum(signal.weight for signal in signals)), tuple(signals))


def verdict_of(points: int, *, review_at: int | None, void_at: int | None) -> str:
    """Return what a program's bounds make of a score: `void`, `review` or `clear`; a missing bound never holds."""
    if void_at is not None and points >= void_at:
        return VOID
    return REVIEW if review_at is not None and points >= review_at else CLEAR
