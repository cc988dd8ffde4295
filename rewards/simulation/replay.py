"""Replaying facts in the order in which they arrived, deciding each by the rules that pay."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from referrals.conditions import Value
from referrals.judgement import COUNTED, EARNING, Before, Doubts, History, Judgement, judge
from referrals.terms import Milestone
from rewards.calculation import Standing, signup_cause
from rewards.deciding import MILESTONE, STAYS_REFUSED, Due, Prior, decide, milestone_cause, milestone_number
from rewards.limits import period_bounds
from rewards.simulation.facts import Case, Fact, Link, Person
from rewards.simulation.friends import BINDS, LIVE, Acquaintance, Friend, Key, Tie


class Replay:
    """A back-test under way: everybody, every referral, all that was given and what of it stands."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.people = Acquaintance(case)
        self.facts: dict[int, Fact] = {}
        self.milestones: dict[int, dict[Key, Due]] = defaultdict(dict)
        self._reached_by: dict[Key, Tie] = {}
        self.refused_milestones: list[Due] = []
        self.granted = 0
        self._of_advocate: dict[int, set[Tie]] = defaultdict(set)
        self._qualified: dict[int, list[datetime]] = defaultdict(list)

    @property
    def ties(self) -> list[Tie]:
        """Every referral of the back-test."""
        return [tie for friend in self.people.friends.values() for tie in friend.ties]

    def take(self, fact: Fact) -> None:
        """Keep the fact, bind and judge all it touches, and decide what that gives and takes back."""
        self.facts[fact.pk] = fact
        for friend in self.people.take(fact):
            binds = friend.person.pk == fact.customer_id and fact.type in BINDS and fact.pk in self.case.named
            if not binds and not friend.ties:
                continue
            history = self.people.history_of(friend)
            self._expire(friend, fact.received_at)
            if binds:
                self.people.bind(friend, fact, history)
            self._judge(friend, history, fact.received_at)

    def _expire(self, friend: Friend, at: datetime) -> None:
        """End the conversion windows that had ended by then, as the worker would have."""
        for tie in friend.ties:
            if tie.state == "signed_up" and tie.expires_at < at:
                tie.state = "expired"

    def _judge(self, friend: Friend, history: History, at: datetime) -> None:
        moving = [tie for tie in friend.ties if tie.state != "voided" or tie.pk in friend.rebound]
        verdicts = [(tie, self._verdict(tie, friend, history, at)) for tie in moving]
        live = any(verdict.state in LIVE and tie.state != "expired" for tie, verdict in verdicts)
        for tie, verdict in sorted(verdicts, key=lambda pair: pair[0].binding.bound_at):
            if tie.state == "expired" and live:
                verdict = Judgement(state="expired", reason="", expires_at=tie.expires_at)
            live = live or verdict.state in LIVE
            self._move(tie, verdict)
        friend.rebound.clear()
        moving.sort(key=lambda tie: (tie.state in EARNING, tie.binding.bound_at))
        for tie in moving:
            self._settle(tie, history)

    def _verdict(self, tie: Tie, friend: Friend, history: History, at: datetime) -> Judgement:
        new, anew = not tie.state, tie.pk in friend.rebound
        reason = tie.reason if new else friend.rebound.get(tie.pk, "")
        if reason:
            return Judgement(state="voided", reason=reason, expires_at=tie.expires_at)
        ended = anew and tie.state in {"expired", "voided"}
        before = Before(state="" if ended else tie.state, reason=tie.reason, qualifying_pk=tie.qualifying_pk)
        pair = (tie.advocate, tie.friend)
        doubts = Doubts(
            self_referral=self.people.is_same_person(*pair), pardoned=tie.settled or pair in self.case.pardoned
        )
        verdict = judge(tie.terms, tie.binding, history, doubts, before=before, at=at)
        waits = verdict.state in COUNTED and pair in self.case.held
        return replace(verdict, state="flagged") if waits else verdict

    def _move(self, tie: Tie, verdict: Judgement) -> None:
        counts, moment = tie.state in COUNTED, tie.qualified_at
        tie.state, tie.reason, tie.expires_at = verdict.state, verdict.reason, verdict.expires_at
        tie.qualifying_pk, tie.qualified_at = verdict.qualifying_pk, verdict.qualified_at
        self._of_advocate[tie.advocate].add(tie)
        moments = self._qualified[tie.advocate]
        if counts and moment is not None:
            del moments[bisect_left(moments, moment)]
        if tie.state in COUNTED and tie.qualified_at is not None:
            insort(moments, tie.qualified_at)

    def _settle(self, tie: Tie, history: History) -> None:
        terms = tie.terms
        standing = self._standing(tie, history)
        if not (tie.stands or tie.refused or terms.rewards or terms.milestones):
            return
        reached, fallen = self._climb(tie, standing)
        anew = standing.earns and tie.decided_for != standing.qualifying_pk
        decision = decide(
            terms,
            standing,
            history.purchases,
            prior={**tie.refused, **{key: _prior(due) for key, due in tie.stands.items()}},
            anew=anew,
            limited=tie.limited,
            reached=reached,
            world=_World(self, tie),
        )
        self._keep(tie, [due for due in decision.due if due.moment != MILESTONE])
        for key in fallen:
            self.granted -= self.milestones[tie.advocate].pop(key).points
        if anew and standing.counts:
            self._redate_milestones(tie, standing)
        self._keep_milestones(tie, [due for due in decision.due if due.moment == MILESTONE])
        tie.decided_for = standing.qualifying_pk if standing.earns else None
        tie.limited = decision.limited and standing.earns
        tie.counted = standing.counts

    def _standing(self, tie: Tie, history: History) -> Standing:
        qualifying = next((p for p in history.purchases if p.pk == tie.qualifying_pk), None)
        fact = self.facts.get(tie.qualifying_pk) if tie.qualifying_pk else None
        told = (fact.amount_minor or 0) if fact else 0
        return Standing(
            referral_pk=tie.pk,
            advocate_pk=tie.advocate,
            friend_pk=tie.friend,
            state=tie.state,
            binding_pk=tie.binding.event_pk,
            bound_at=tie.binding.bound_at,
            touch_at=tie.binding.touch_at,
            qualifying_pk=tie.qualifying_pk,
            qualifying_id=fact.event_id if fact else "",
            qualified_at=tie.qualified_at,
            qualifying_minor=qualifying.net_minor if qualifying else told,
            assistants=tuple(tie.assistants) if tie.terms.rules_on("assist") else (),
        )

    def _climb(self, tie: Tie, standing: Standing) -> tuple[list[Milestone], list[Key]]:
        """Return the milestones that the advocate reaches by this referral, and the keys of those that fall."""
        if standing.counts == tie.counted:
            return [], []
        held = self.milestones[tie.advocate]
        counted = len(self._qualified[tie.advocate])
        if not standing.counts:
            return [], [key for key in held if milestone_number(key[2]) > counted]
        causes = {key[2] for key in held}
        return [
            one
            for one in tie.terms.milestones
            if one.referrals == counted and milestone_cause(one.referrals) not in causes
        ], []

    def _keep(self, tie: Tie, due: list[Due]) -> None:
        elsewhere = self._paid_elsewhere(tie) if any(one.moment == "signup" for one in due) else set()
        stands: dict[Key, Due] = {}
        for one in due:
            reason = one.reason or ("duplicate" if one.key in elsewhere else "")
            if not reason:
                stands[one.key] = one
            elif (one.key, one.event_pk, reason) not in tie.refusals:
                tie.refusals[one.key, one.event_pk, reason] = one
                if reason in STAYS_REFUSED:
                    tie.refused[one.key] = Prior(event_pk=one.event_pk, reason=reason, inputs=one.inputs)
        points = sum(one.points for one in stands.values())
        self.granted += points - tie.points
        tie.stands, tie.points = stands, points

    def _keep_milestones(self, tie: Tie, due: list[Due]) -> None:
        for one in due:
            if one.reason:
                self.refused_milestones.append(one)
            else:
                self.milestones[tie.advocate][one.key] = one
                self._reached_by[one.key] = tie
                self.granted += one.points

    def _redate_milestones(self, tie: Tie, standing: Standing) -> None:
        """Date what the advocate reached by this referral by the event that qualifies it now (rule 13)."""
        moment, event_pk = standing.qualified_at or standing.bound_at, standing.qualifying_pk or 0
        ends = moment + timedelta(days=self.case.terms.hold_days)
        held = self.milestones[tie.advocate]
        for key in [key for key in held if self._reached_by[key] is tie]:
            held[key] = replace(held[key], event_pk=event_pk, occurred_at=moment, available_at=ends)

    def _paid_elsewhere(self, tie: Tie) -> set[Key]:
        """Return the sign-up rewards that belong to an earlier binding of the same friend."""
        ties = self.people.friends[tie.friend].ties
        if len(ties) == 1:
            return set()
        mine = (tie.binding.bound_at, tie.pk)
        earlier = [one for one in ties if one.state != "voided" and (one.binding.bound_at, one.pk) < mine]
        return {
            (rule.id, one.advocate if rule.to == "advocate" else one.friend, signup_cause(one.friend))
            for one in earlier
            for rule in one.terms.rules_on("signup")
        }

    def counted_of(self, tie: Tie, since: datetime, until: datetime) -> int:
        """Return how many other referrals of its advocate count for the tier, qualified in [since, until]."""
        moments = self._qualified[tie.advocate]
        found = bisect_right(moments, until) - bisect_left(moments, since)
        itself = tie.state in COUNTED and tie.qualified_at is not None and since <= tie.qualified_at <= until
        return found - itself

    def rewarded_of(self, tie: Tie, at: datetime, period: str) -> int:
        """Return how many other referrals of its advocate count against the limit in the period of `at`."""
        start, end = period_bounds(at, period, self.case.zone)
        return sum(
            1
            for other in self._of_advocate[tie.advocate]
            if other is not tie
            and other.state in EARNING
            and not other.limited
            and (start is None or end is None or (other.qualified_at is not None and start <= other.qualified_at < end))
        )


def _prior(due: Due) -> Prior:
    multiplier = Decimal(str(due.inputs.get("multiplier") or "1"))
    return Prior(event_pk=due.event_pk, points=due.points, multiplier=multiplier, inputs=due.inputs)


class _World:
    """The world of one referral in the back-test, as production asks it of the database."""

    def __init__(self, replay: Replay, tie: Tie) -> None:
        self._replay = replay
        self._tie = tie

    def _person(self, pk: int) -> Person:
        return self._replay.case.people.get(pk) or Person(pk=pk)

    def values_of(self, event_pk: int) -> Mapping[str, Value]:
        fact, tie = self._replay.facts.get(event_pk), self._tie
        if fact is None:
            return {}
        link = Link(
            channel=tie.channel,
            method=tie.method,
            friend=self._person(tie.friend),
            advocate=self._person(tie.advocate),
        )
        return self._replay.case.values(fact, link)

    def advocate_values(self) -> Mapping[str, Value]:
        return self._replay.case.advocate_values(self._person(self._tie.advocate))

    def referrals_counted(self, since: datetime, until: datetime) -> int:
        return self._replay.counted_of(self._tie, since, until)

    def referrals_rewarded(self, at: datetime, period: str) -> int:
        return self._replay.rewarded_of(self._tie, at, period)

    def budget_left(self) -> int | None:
        budget = self._replay.case.terms.limits.budget_points
        return None if budget is None else budget - (self._replay.granted - self._tie.points)
