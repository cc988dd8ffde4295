"""Friends in a back-test: their history as it was known, and whom their evidence binds them to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from referrals.attribution import credited_visit
from referrals.episodes import episodes
from referrals.happenings import happenings_of
from referrals.judgement import BY_STAFF, REBINDABLE, Binding, Doubts, History, Purchase, void_reason
from referrals.terms import Terms, settled_terms
from rewards.deciding import Due, Prior
from rewards.simulation.facts import Case, Fact, Named, Person

BINDS = frozenset({"signup", "purchase", "lead", "custom"})
LIVE = frozenset({"signed_up", "qualified", "approved", "reversed", "flagged"})
SKEW = timedelta(hours=24)
DEEPEST = 50
Key = tuple[str, int, str]


@dataclass(slots=True, eq=False)
class Tie:
    """A referral of the back-test: pair, binding, state, and what its rules gave and refused so far."""

    pk: int
    advocate: int
    friend: int
    binding: Binding
    method: str
    channel: str
    expires_at: datetime
    terms: Terms
    settled: bool = False
    state: str = ""
    reason: str = ""
    qualifying_pk: int | None = None
    qualified_at: datetime | None = None
    decided_for: int | None = None
    limited: bool = False
    counted: bool = False
    assistants: list[int] = field(default_factory=list)
    stands: dict[Key, Due] = field(default_factory=dict)
    refused: dict[Key, Prior] = field(default_factory=dict)
    refusals: dict[tuple[Key, int, str], Due] = field(default_factory=dict)
    points: int = 0
    """What its own rules gave that stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Evidence weighed: the binding it would make and what voids it ('' if nothing)."""

    advocate: int
    method: str
    channel: str
    binding: Binding
    terms: Terms
    reason: str
    settled: bool = False


@dataclass(slots=True, eq=False)
class Friend:
    """A person with all facts about them that have arrived so far."""

    person: Person
    facts: list[Fact] = field(default_factory=list)
    carrying: list[Fact] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    rebound: dict[int, str] = field(default_factory=dict)


class Acquaintance:
    """Everybody of a back-test, and who is bound to whom."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.friends: dict[int, Friend] = {}
        self.refunds: dict[str, list[tuple[str, int]]] = {}
        self.buyer_of: dict[str, int] = {}
        self.namesakes: dict[str, set[int]] = {}
        self.first_bought: dict[str, datetime] = {}
        self._ties = 0

    def friend_of(self, pk: int) -> Friend:
        """Return the person's record, a new one at their first fact."""
        if pk not in self.friends:
            person = self.case.people.get(pk) or Person(pk=pk)
            self.friends[pk] = Friend(person)
            if person.email_normalized:
                self.namesakes.setdefault(person.email_normalized, set()).add(pk)
        return self.friends[pk]

    def take(self, fact: Fact) -> list[Friend]:
        """Keep the fact and return, by primary key, the people whose referrals it may move."""
        friend = self.friend_of(fact.customer_id)
        touched = {fact.customer_id}
        if fact.type == "refund":
            self.refunds.setdefault(fact.order_id, []).append((fact.currency, fact.amount_minor or 0))
            touched = {buyer for buyer in (self.buyer_of.get(fact.order_id), fact.customer_id) if buyer is not None}
        else:
            friend.facts.append(fact)
        if fact.type == "purchase":
            self.buyer_of[fact.order_id] = fact.customer_id
            email = friend.person.email_normalized
            if email:
                self.first_bought[email] = min(self.first_bought.get(email, fact.occurred_at), fact.occurred_at)
                touched |= self.namesakes[email]
        if fact.type in BINDS and self.case.named.get(fact.pk):
            friend.carrying.append(fact)
        return [self.friends[pk] for pk in sorted(touched)]

    def history_of(self, friend: Friend) -> History:
        """Return what is known of the friend so far, as the rules judge it."""
        told = sorted(friend.facts, key=lambda fact: (fact.occurred_at, fact.event_id))
        purchases = tuple(self._purchase(fact) for fact in told if fact.type == "purchase")
        bought = [purchase.occurred_at for purchase in purchases]
        namesake = self.first_bought.get(friend.person.email_normalized)
        return History(
            purchases=purchases,
            happenings=tuple(happenings_of(f for f in told if f.type in {"lead", "lead_stage", "custom"})),
            first_purchase_at=min((at for at in [*bought, namesake] if at is not None), default=None),
            listed_at=self.case.listed.get(friend.person.pk),
        )

    def _purchase(self, fact: Fact) -> Purchase:
        given = self.refunds.get(fact.order_id, ())
        return Purchase(
            pk=fact.pk,
            event_id=fact.event_id,
            occurred_at=fact.occurred_at,
            amount_minor=fact.amount_minor or 0,
            refunded_minor=sum(minor for currency, minor in given if currency == fact.currency),
            currency=fact.currency,
        )

    def bind(self, friend: Friend, fact: Fact, history: History) -> None:
        """Bring the friend's ties in line with the fact's evidence, as if it had come in its natural order."""
        offered = self._weigh(friend, fact, history)
        if offered is None:
            return
        own = [tie for tie in friend.ties if not self._is_rebindable(tie)]
        mine = [tie for tie in own if tie.advocate == offered.advocate]
        others = [tie for tie in own if tie.advocate != offered.advocate]
        if holding := _holding(others, fact.occurred_at):
            self._assist(holding, offered, friend)
        elif not self._is_by_staff(own) and not _comes_later(_holding(mine, fact.occurred_at), offered):
            self._replay(friend, mine, others, offered, history)

    def _is_rebindable(self, tie: Tie) -> bool:
        if tie.state != "voided" or tie.reason in BY_STAFF:
            return False
        window = timedelta(days=tie.terms.attribution_window_days)
        return tie.reason in REBINDABLE or tie.binding.bound_at - tie.binding.touch_at > window

    def _is_by_staff(self, own: Iterable[Tie]) -> bool:
        return any(
            tie.settled or tie.reason in BY_STAFF or (tie.advocate, tie.friend) in self.case.pardoned for tie in own
        )

    def _weigh(self, friend: Friend, fact: Fact, history: History) -> Offered | None:
        """Return the strongest evidence of the fact that holds; where none does, the strongest."""
        named = self.case.named.get(fact.pk, ())
        found = [one for one in (self._offer(one, friend, fact, history) for one in named) if one is not None]
        return next((one for one in found if not one.reason), found[0] if found else None)

    def _offer(self, named: Named, friend: Friend, fact: Fact, history: History) -> Offered | None:
        terms, outside, touch_at = self.case.terms, False, fact.occurred_at
        if named.settled:
            terms = settled_terms(terms.currency)
        advocate, channel = named.advocate, ""
        if named.named_at is not None:
            if named.named_at - fact.occurred_at > SKEW:
                return None
            credited = credited_visit(
                named.visits,
                model=terms.attribution_model,
                window_days=terms.attribution_window_days,
                at=max(fact.occurred_at, named.named_at),
            )
            if credited is None:
                return None
            visit, inside = credited
            advocate, channel = named.by_visit[visit.pk]
            outside, touch_at = not inside, min(visit.at, fact.occurred_at)
        binding = Binding(event_pk=fact.pk, event_id=fact.event_id, bound_at=fact.occurred_at, touch_at=touch_at)
        return Offered(
            advocate=advocate,
            method=named.method,
            channel=channel or fact.channel,
            binding=binding,
            terms=terms,
            reason=self._reason(advocate, friend, binding, history, outside=outside, settled=named.settled),
            settled=named.settled,
        )

    def _reason(
        self, advocate: int, friend: Friend, binding: Binding, history: History, *, outside: bool, settled: bool
    ) -> str:
        pair = (advocate, friend.person.pk)
        if pair in self.case.ruled:
            return self.case.ruled[pair]
        if pair in self.case.pardoned:
            return void_reason(binding, history, Doubts(pardoned=True))
        doubts = Doubts(
            program_not_running=not settled and not self.case.runs_at(binding.bound_at),
            self_referral=self.is_same_person(advocate, friend.person.pk),
            cycle=advocate != friend.person.pk and self._is_ancestor(friend.person.pk, of=advocate),
            outside_window=outside,
            pardoned=settled,
        )
        return void_reason(binding, history, doubts)

    def is_same_person(self, one: int, other: int) -> bool:
        """Return whether two customers are one person by the rules."""
        people = self.case.people
        first, second = people.get(one) or Person(pk=one), people.get(other) or Person(pk=other)
        same = first.email_normalized == second.email_normalized
        return one == other or (bool(first.email_normalized) and same)

    def _is_ancestor(self, candidate: int, *, of: int) -> bool:
        seen: set[int] = set()
        level = {of}
        for _ in range(DEEPEST):
            level = {advocate for friend in level for advocate in self._advocates_of(friend)} - seen
            if candidate in level or not level:
                return candidate in level
            seen |= level
        return True

    def _advocates_of(self, friend: int) -> Iterable[int]:
        known = self.friends.get(friend)
        here = [tie.advocate for tie in known.ties if tie.state in LIVE] if known else []
        return [*here, *self.case.elsewhere.get(friend, ())]

    def _assist(self, holding: Tie, offered: Offered, friend: Friend) -> None:
        if offered.advocate in holding.assistants or holding.state not in (*LIVE, "expired") or offered.reason:
            return
        if not any(self.is_same_person(offered.advocate, other) for other in (friend.person.pk, holding.advocate)):
            holding.assistants.append(offered.advocate)

    def _replay(self, friend: Friend, own: list[Tie], others: list[Tie], offered: Offered, history: History) -> None:
        stood_on = {tie.binding.event_pk for tie in own}
        weighed = [self._weigh(friend, fact, history) for fact in friend.carrying]
        evidence = [
            one
            for one in weighed
            if one is not None
            and one.advocate == offered.advocate
            and (one.binding.event_pk in stood_on or not _holding(others, one.binding.bound_at))
        ]
        bound = episodes(evidence, history)
        if not bound and not _is_known(offered, friend.ties):
            self._add(friend, offered)
        own.sort(key=lambda tie: (tie.binding.bound_at, tie.pk))
        for number, one in enumerate(bound):
            if number >= len(own):
                self._add(friend, one)
            elif own[number].binding.event_pk != one.binding.event_pk:
                _stand_on(own[number], one)
                friend.rebound[own[number].pk] = one.reason

    def _add(self, friend: Friend, offered: Offered) -> None:
        self._ties += 1
        tie = Tie(
            pk=self._ties,
            advocate=offered.advocate,
            friend=friend.person.pk,
            binding=offered.binding,
            method=offered.method,
            channel=offered.channel,
            expires_at=offered.binding.bound_at,
            terms=offered.terms,
            settled=offered.settled,
        )
        _stand_on(tie, offered)
        tie.reason = offered.reason
        friend.ties.append(tie)


def _holding(own: Sequence[Tie], at: datetime) -> Tie | None:
    return next((tie for tie in own if tie.state not in ("signed_up", "expired") or at <= tie.expires_at), None)


def _comes_later(holding: Tie | None, offered: Offered) -> bool:
    if holding is None or holding.state == "voided":
        return False
    return _moment(holding.binding) <= _moment(offered.binding)


def _moment(binding: Binding) -> tuple[datetime, bytes]:
    return binding.bound_at, binding.event_id.encode()


def _is_known(offered: Offered, ties: Iterable[Tie]) -> bool:
    return bool(offered.reason) and any(
        tie.advocate == offered.advocate and tie.state == "voided" and tie.reason == offered.reason for tie in ties
    )


def _stand_on(tie: Tie, offered: Offered) -> None:
    tie.binding, tie.method, tie.channel = offered.binding, offered.method, offered.channel
    tie.expires_at = offered.binding.bound_at + timedelta(days=offered.terms.conversion_window_days)
