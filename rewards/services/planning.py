"""Comparing what is due of a referral with what stands: what to grant, refuse, withdraw, reduce or leave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from referrals.models import Referral
from referrals.terms import terms_from_json
from rewards.calculation import signup_cause
from rewards.deciding import MILESTONE, STAYS_REFUSED, Due, Prior, gift_of
from rewards.models import Reward

State = Reward.State
Key = tuple[str, int, str]
BY_STAFF = "by_staff"


@dataclass
class Plan:
    """What to write for one referral."""

    grant: list[Reward] = field(default_factory=list)
    refuse: list[Reward] = field(default_factory=list)
    withdraw: list[Reward] = field(default_factory=list)
    reduce: list[tuple[Reward, int]] = field(default_factory=list)
    redate: list[Reward] = field(default_factory=list)
    reweigh: list[Reward] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.grant or self.refuse or self.withdraw or self.reduce or self.redate or self.reweigh)

    def add(self, rewards: Iterable[Reward]) -> None:
        """Add new rewards that nothing stands in place of."""
        for reward in rewards:
            (self.refuse if reward.reason else self.grant).append(reward)


def key_of(reward: Reward) -> Key:
    """Return what is paid once: rule, recipient and cause (rule 14)."""
    return reward.rule, reward.recipient_id, reward.cause


def priors_of(rewards: Iterable[Reward]) -> dict[Key, Prior]:
    """Return what was decided of a referral's rewards, in the order of their keys; what stands goes first."""
    found: dict[Key, Prior] = {}
    for reward in sorted(rewards, key=lambda one: (one.state in Reward.STANDING, one.pk)):
        stands = reward.state in Reward.STANDING
        if not stands and not (reward.state == State.REFUSED and reward.reason in STAYS_REFUSED):
            continue
        found[key_of(reward)] = Prior(
            event_pk=reward.event_id,
            points=reward.points,
            multiplier=Decimal(reward.inputs.get("multiplier", "1")),
            reason="" if stands else reward.reason,
            inputs=reward.inputs,
        )
    return found


def stopped_of(rewards: Iterable[Reward]) -> set[Key]:
    """Return what staff took back for good, by its key."""
    return {key_of(reward) for reward in rewards if reward.reason == BY_STAFF}


def make_plan(referral: Referral, due: Sequence[Due], rewards: Sequence[Reward], at: datetime) -> Plan:
    """Return what brings the referral's rewards in line with what is due."""
    plan = Plan()
    standing = {key_of(reward): reward for reward in rewards if reward.state in Reward.STANDING}
    refused = {(key_of(reward), reward.event_id, reward.reason) for reward in rewards if reward.state == State.REFUSED}
    stopped = stopped_of(rewards)
    held = _held(rewards)
    elsewhere = _paid_elsewhere(referral) if any(one.moment == "signup" for one in due) else set()
    for one in due:
        if one.key in stopped:
            continue
        reason = one.reason or ("duplicate" if one.key in elsewhere else "")
        fresh = new_reward(referral, one, reason=reason)
        fresh.held = not reason and one.key in held
        if reason:
            plan.refuse += [] if (one.key, fresh.event_id, reason) in refused else [fresh]
        elif (kept := standing.pop(one.key, None)) is not None:
            _compare(plan, kept, one, fresh, at)
        else:
            plan.grant.append(fresh)
    plan.withdraw += standing.values()
    return plan


def _held(rewards: Sequence[Reward]) -> set[Key]:
    """Return what staff hold: a hold outlasts the reward that it was laid upon."""
    given = sorted((reward for reward in rewards if reward.state != State.REFUSED), key=lambda one: one.pk)
    return {key for key, held in {key_of(reward): reward.held for reward in given}.items() if held}


def _compare(plan: Plan, kept: Reward, one: Due, fresh: Reward, at: datetime) -> None:
    moved = (kept.available_at, kept.occurred_at, kept.event_id) != (
        fresh.available_at,
        fresh.occurred_at,
        fresh.event_id,
    )
    no_longer_ripe = kept.state == State.AVAILABLE and kept.available_at < fresh.available_at > at
    replaced = no_longer_ripe or _promised_otherwise(kept, fresh)
    if replaced or one.points > kept.points or (one.points < kept.points and moved):
        plan.withdraw.append(kept)
        plan.grant.append(fresh)
        return
    if one.points < kept.points:
        plan.reduce.append((kept, kept.points - one.points))
    if moved:
        kept.available_at, kept.occurred_at, kept.event_id = fresh.available_at, fresh.occurred_at, fresh.event_id
        plan.redate.append(kept)
    elif kept.offer_id != fresh.offer_id or kept.inputs.get("multiplier") != fresh.inputs.get("multiplier"):
        plan.reweigh.append(kept)
    kept.program_id, kept.offer = fresh.program_id, fresh.offer
    kept.inputs = fresh.inputs


def redate_milestones(plan: Plan, referral: Referral, at: datetime) -> list[Reward]:
    """Date the milestones that the referral reached by the event that qualifies it now (rule 13); return those kept.

    What was available, or is held as a badge, and would have to wait again is taken back and granted anew.
    """
    moment = referral.qualified_at or referral.bound_at
    reached = Reward.objects.filter(referral=referral, moment=MILESTONE, state__in=Reward.STANDING)
    moved = []
    for kept in reached.exclude(event=referral.qualifying_event_id).select_related("offer").order_by("pk"):
        if kept in plan.withdraw:
            continue
        available_at = moment + timedelta(days=terms_from_json(kept.offer.terms).hold_days)
        out = kept.state in (State.AVAILABLE, State.FULFILLED)
        early = out and kept.available_at < available_at > at
        one = _anew(kept) if early else kept
        one.available_at, one.occurred_at, one.event_id = available_at, moment, referral.qualifying_event_id
        if early:
            plan.withdraw.append(kept)
            plan.grant.append(one)
        else:
            moved.append(one)
    plan.redate += moved
    return moved


def _anew(kept: Reward) -> Reward:
    """Return the same reward once more, unsaved and pending."""
    names = ("program_id", "offer", "referral", "recipient_id", "side", "rule", "moment", "kind", "cause", "detail")
    same = {name: getattr(kept, name) for name in (*names, "inputs", "points")}
    return Reward(**same, granted_points=kept.points, state=State.PENDING)


def _promised_otherwise(kept: Reward, fresh: Reward) -> bool:
    """Return whether the offer that counts now, after the binding moved, promises something else than was given."""
    if kept.offer_id == fresh.offer_id:
        return False
    terms = terms_from_json(kept.offer.terms)
    rule = next((rule for rule in terms.rewards if rule.id == kept.rule), None)
    return rule is None or kept.kind != fresh.kind or gift_of(rule, terms) != fresh.detail


def _paid_elsewhere(referral: Referral) -> set[Key]:
    """Return the sign-up rewards that belong to an earlier binding of the same friend in the program."""
    others = Referral.objects.filter(program=referral.program_id, friend=referral.friend_id).exclude(pk=referral.pk)
    earlier = [
        other
        for other in others.exclude(state=Referral.State.VOIDED).select_related("offer")
        if (other.bound_at, other.pk) < (referral.bound_at, referral.pk)
    ]
    return {
        (rule.id, other.advocate_id if rule.to == "advocate" else other.friend_id, signup_cause(other.friend_id))
        for other in earlier
        for rule in terms_from_json(other.offer.terms).rules_on("signup")
    }


def new_reward(referral: Referral, one: Due, *, reason: str = "") -> Reward:
    """Return the unsaved reward that is due, refused for its own reason or for `reason`."""
    reason = reason or one.reason
    return Reward(
        program_id=referral.program_id,
        offer=referral.offer,
        referral=referral,
        recipient_id=one.recipient_pk,
        side=one.side,
        rule=one.rule,
        moment=one.moment,
        kind=one.kind,
        cause=one.cause,
        event_id=one.event_pk or None,
        points=0 if reason else one.points,
        granted_points=0 if reason else one.points,
        detail=one.detail,
        inputs=one.inputs,
        state=State.REFUSED if reason else State.PENDING,
        reason=reason,
        occurred_at=one.occurred_at,
        available_at=one.available_at,
    )


def split_milestones(due: Sequence[Due]) -> tuple[list[Due], list[Due]]:
    """Return what the referral's own rules give and what milestones give."""
    return [one for one in due if one.moment != MILESTONE], [one for one in due if one.moment == MILESTONE]
