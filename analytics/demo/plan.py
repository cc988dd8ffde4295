"""The story of a company over eighteen months: who comes, through whom, what they buy, return and say."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from math import exp
from random import Random
from typing import TypeVar

from analytics.demo import words
from analytics.demo.cast import PAIR, SIZE, tell_ann, tell_pair
from analytics.demo.people import make_people
from analytics.demo.story import Answered, Asked, Evidence, Happening, Joined, Person, Reported, Visited

DAYS = 548
FEWEST = 40

_REFERRED = 0.27  # share of the customers who came through an advocate
_ALIASES = 0.012  # second accounts of people who refer themselves
_STRENGTHS = {0.0: 78, 1.0: 15, 6.0: 5, 30.0: 2}  # how much better some advocates are than others
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)

T = TypeVar("T")


@dataclass(slots=True)
class _Life:
    """A customer as planned so far."""

    person: Person
    since: datetime
    strength: float
    orders: list[Reported] = field(default_factory=list)
    is_advocate: bool = False
    is_unhappy: bool = False


def plan_story(*, customers: int, seed: int, end: datetime) -> list[Happening]:
    """Return what happens in the eighteen months before `end`, in order; the same for the same arguments.

    `customers` people become known, `FEWEST` at least.
    """
    planner = _Planner(Random(f"story {seed}"), end=end)
    aliases = max(1, round(customers * _ALIASES))
    planner.people_join(make_people(customers - SIZE - len(PAIR) - aliases, seed=seed))
    planner.advocates_share()
    planner.some_refer_themselves(aliases)
    planner.customers_are_asked()
    happenings = [*planner.happenings, *tell_ann(end=end), *tell_pair(end=end)]
    rounded = (replace(one, at=one.at.replace(microsecond=0)) for one in happenings if one.at < end)
    return sorted(rounded, key=lambda one: one.at)


class _Planner:
    """Throws the dice; every number of the story comes from here."""

    def __init__(self, dice: Random, *, end: datetime) -> None:
        self.dice = dice
        self.end = end
        self.start = end - DAYS * _DAY
        self.happenings: list[Happening] = []
        self.lives: list[_Life] = []
        self._visits = count(1)
        self._orders = count(10_001)

    def people_join(self, people: Sequence[Person]) -> None:
        """Let the people become known one after the other, more of them as the company grows."""
        moments = sorted(self._hour(self.start + DAYS * self.dice.random() ** 0.75 * _DAY) for _ in people)
        advocates: list[_Life] = []
        since: list[datetime] = []
        for person, at in zip(people, moments, strict=True):
            life = _Life(person, at, self._pick(_STRENGTHS))
            known = advocates[: bisect_left(since, at - 10 * _DAY)]
            if known and self.dice.random() < _REFERRED:
                self._come_through(life, self.dice.choices(known, [one.strength for one in known])[0])
            else:
                self._come_alone(life, known)
            if life.strength and life.orders:
                advocates.append(life)
                since.append(at)
            self.lives.append(life)

    def advocates_share(self) -> None:
        """Add the visits that lead to nothing, and the machines that follow every shared link."""
        for life in self.lives:
            if life.strength:
                for _ in range(int(self.dice.expovariate(1 / (2 + 1.5 * life.strength)))):
                    self._visit_in_vain(life)

    def some_refer_themselves(self, number: int) -> None:
        """Let a few try their own link with a second account and a tag in the address."""
        able = [life for life in self.lives if life.orders and life.since < self.end - 20 * _DAY] or self.lives[:1]
        for index in range(number):
            life = able[self.dice.randrange(len(able))]
            name, _, domain = life.person.email.partition("@")
            alias = replace(life.person, external_id=f"c-again-{index + 1}", email=f"{name}+bonus@{domain}")
            at = life.since + self.dice.uniform(0.05, 15) * _DAY
            self.happen(Joined(at=at - _MINUTE, person=alias))
            evidence = Evidence(code_of=life.person.external_id)
            self.happen(Reported(at=at, type="signup", who=alias.external_id, evidence=evidence))

    def customers_are_asked(self) -> None:
        """Ask after the first order, and again every few months; about two in five answer."""
        for life in self.lives:
            at = life.orders[0].at + self.dice.uniform(12, 17) * _DAY if life.orders else self.end
            while at < self.end and self.dice.random() < 0.66:
                self._ask(life, self._hour(at))
                at += self.dice.uniform(120, 160) * _DAY

    def happen(self, happening: Happening) -> None:
        """Keep what happens."""
        self.happenings.append(happening)

    def _come_alone(self, life: _Life, known: Sequence[_Life]) -> None:
        self.happen(Joined(at=life.since, person=life.person))
        self._sign_up(life, None)
        if self.dice.random() < 0.13:
            return
        self._buy_for_a_while(life, life.since + self.dice.uniform(1, 30) * _MINUTE)
        later = [order for order in life.orders[1:] if order.evidence is None]
        if known and later and self.dice.random() < 0.06:  # a customer already when the friend's code comes
            self._add_evidence(life, later[0], Evidence(code_of=self.dice.choice(known).person.external_id))

    def _come_through(self, life: _Life, advocate: _Life) -> None:
        advocate.is_advocate = True
        channel, agent = self._pick(words.SHARED_BY), self._pick(words.PEOPLE)
        late = self.dice.random() < 0.03  # too late for the attribution window
        number = next(self._visits)
        clicked = life.since - (self.dice.uniform(32, 50) * _DAY if late else self.dice.expovariate(1 / 1.2) * _DAY)
        clicked = max(clicked, advocate.since + 60 * _MINUTE)
        by_code = self.dice.random() < 0.14
        evidence = Evidence(code_of=advocate.person.external_id) if by_code else Evidence(visit=number)
        visitor = f"demo-{number:06d}"
        self.happen(
            Visited(
                at=min(clicked, life.since - _MINUTE),
                advocate=advocate.person.external_id,
                channel=channel,
                agent=agent,
                visitor=visitor,
                number=number,
            )
        )
        self.happen(Joined(at=life.since, person=life.person))
        as_guest = self.dice.random() < 0.1
        if not as_guest:
            self._sign_up(life, evidence)
        if as_guest or self.dice.random() < 0.76:
            at = life.since + self.dice.uniform(5, 60) * _MINUTE
            if not as_guest and self.dice.random() < 0.7:
                at = self._hour(life.since + _DAY + self.dice.expovariate(1 / 7) * _DAY)
            self._buy_for_a_while(life, at, channel=channel)
            if as_guest and life.orders:
                self._add_evidence(life, life.orders[0], evidence)

    def _sign_up(self, life: _Life, evidence: Evidence | None) -> None:
        who = life.person.external_id
        self.happen(Reported(at=life.since + _MINUTE, type="signup", who=who, evidence=evidence))

    def _buy_for_a_while(self, life: _Life, at: datetime, *, channel: str = "") -> None:
        usual = exp(self.dice.gauss(3.85, 0.42))
        gap = self.dice.uniform(28, 130)
        channel = channel or self._pick(words.FOUND_BY)
        for number in range(12):
            if at >= self.end:
                return
            self._buy(life, at, usual * exp(self.dice.gauss(0, 0.35)), channel if number == 0 else "")
            if self.dice.random() < 0.34:
                return
            at = self._hour(at + max(2.0, self.dice.expovariate(1 / gap)) * _DAY)

    def _buy(self, life: _Life, at: datetime, amount: float, channel: str) -> None:
        minor = int(min(max(amount, 6.0), 420.0)) * 100 + self.dice.choice((0, 50, 90))
        order = str(next(self._orders))
        unknown = Evidence(code=self.dice.choice(words.UNKNOWN_CODES)) if self.dice.random() < 0.012 else None
        bought = Reported(
            at=at,
            type="purchase",
            who=life.person.external_id,
            evidence=unknown,
            order=order,
            amount_minor=minor,
            channel=channel or self._pick(words.FOUND_BY),
        )
        life.orders.append(bought)
        self.happen(bought)
        if self.dice.random() < 0.055:
            self._give_back(life, bought)

    def _give_back(self, life: _Life, bought: Reported) -> None:
        late = self.dice.random() < 0.15
        at = self._hour(
            bought.at + self.dice.uniform(18, 40) * _DAY if late else bought.at + self.dice.uniform(3, 12) * _DAY
        )
        whole = self.dice.random() < 0.6
        part = bought.amount_minor if whole else bought.amount_minor * self.dice.randint(20, 60) // 100
        life.is_unhappy = life.is_unhappy or whole
        self.happen(replace(bought, at=at, type="refund", amount_minor=part, evidence=None, channel=""))

    def _add_evidence(self, life: _Life, order: Reported, evidence: Evidence) -> None:
        told = replace(order, evidence=evidence)
        life.orders[life.orders.index(order)] = told
        self.happenings[self.happenings.index(order)] = told

    def _visit_in_vain(self, life: _Life) -> None:
        at = self._hour(life.since + self.dice.random() ** 1.5 * max((self.end - life.since) / _DAY - 1, 0.1) * _DAY)
        at = max(at, life.since + 5 * _MINUTE)
        channel = self._pick(words.SHARED_BY)
        who = life.person.external_id
        visitor = f"demo-{next(self._visits):06d}" if self.dice.random() < 0.9 else ""
        self.happen(Visited(at=at, advocate=who, channel=channel, agent=self._pick(words.PEOPLE), visitor=visitor))
        if channel in words.PREVIEWS and self.dice.random() < 0.5:
            self.happen(Visited(at=at - _MINUTE, advocate=who, channel=channel, agent=words.PREVIEWS[channel]))
        if self.dice.random() < 0.05:
            self.happen(Visited(at=at + 3 * _MINUTE, advocate=who, channel="", agent=self.dice.choice(words.BOTS)))

    def _ask(self, life: _Life, at: datetime) -> None:
        self.happen(Asked(at=at, who=life.person.external_id))
        if self.dice.random() > 0.42:
            return
        score = self._pick(words.SCORES)
        if life.is_unhappy and self.dice.random() < 0.4:
            score = max(0, score - self.dice.randint(2, 6))
        elif life.is_advocate and self.dice.random() < 0.7:
            score = max(score, 9)
        mood = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
        comment = self.dice.choice(words.COMMENTS[life.person.locale][mood]) if self.dice.random() < 0.4 else ""
        answers_at = at + self.dice.expovariate(1 / 1.1) * _DAY + 4 * _MINUTE
        self.happen(Answered(at=answers_at, who=life.person.external_id, score=score, comment=comment))

    def _hour(self, at: datetime) -> datetime:
        """Return a moment of the same UTC day at which people are awake, evenings preferred."""
        hour = self.dice.choices(range(7, 23), (2, 3, 4, 5, 5, 6, 6, 5, 5, 6, 7, 8, 10, 10, 7, 3))[0]
        return at.replace(hour=hour, minute=self.dice.randrange(60), second=self.dice.randrange(60), microsecond=0)

    def _pick(self, weighted: Mapping[T, int]) -> T:
        return self.dice.choices(list(weighted), list(weighted.values()))[0]
