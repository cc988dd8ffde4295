"""What a referral earns: decided in order of receipt, taken back before anything is granted (rules 1 to 14)."""

from datetime import datetime
from decimal import Decimal
from math import floor

from tests.rewards.model.binding import qualifying, rebind, revive
from tests.rewards.model.giving import grant, release_due, take_back, take_points
from tests.rewards.model.promises import DAY, Rule, holds, period_of
from tests.rewards.model.things import Program, Purchase, Referral, Reward, World, place, when

Wanted = tuple[dict, Rule]


def judge(world: World, program: Program, friend: str, now: datetime) -> None:
    """Bring a friend's referrals in one program to what their events say at `now`."""
    chain = program.chains.get(friend)
    if chain is None:
        return
    last = chain.last
    if last is None or not (last.by_staff or last.pardoned):
        first = chain.current[0] if chain.current else None
        before = list(chain.current)
        rebind(world, program, friend)
        _carry_signup_rewards(first, before, chain.current)
    gives_back_first = sorted(chain.current, key=lambda one: not one.reason)
    for referral in gives_back_first:
        settle(world, program, referral, now)
    standing = chain.current
    revive(world, program, friend)
    if chain.current is not standing:
        settle(world, program, chain.current[0], now)


def _carry_signup_rewards(first: Referral | None, before: list[Referral], after: list[Referral]) -> None:
    """Sign-up rewards belong to the first binding, whichever referral that is now."""
    if first is None or not after or after[0] is first:
        return
    for referral in before:
        moving = [one for one in referral.rewards if one.moment == "signup"]
        if referral is not after[0]:
            referral.rewards = [one for one in referral.rewards if one.moment != "signup"]
            after[0].rewards += moving


def settle(world: World, program: Program, referral: Referral, now: datetime) -> None:
    """Give one referral its state, take back what no longer stands, decide what is new, release what is ripe."""
    was_paying = referral.paying
    had = referral.qualifying
    _set_state(world, program, referral, now)
    if not referral.flagged:  # what staff let go during a review is no answer to the next one
        for reward in referral.standing("signup", "qualified", "purchase"):
            reward.cleared = False
    if referral.state == "voided":
        take_back(world, referral.standing("signup", "qualified", "purchase"))
        referral.signup_decided = ""
    keep = _decide(world, program, referral, had, now)
    _let_milestones_go(world, program, referral.advocate)
    for reward in keep:
        grant(world, program, referral, reward)
    if referral.paying and referral.qualifying != had:
        _redate_milestones(world, program, referral, now)
    if referral.paying and not was_paying:
        _reach_milestone(world, program, referral)
    release_due(world, [referral], now)


def _set_state(world: World, program: Program, referral: Referral, now: datetime) -> None:
    chain = program.chains[referral.friend]
    if referral.by_staff or (referral.reason and not referral.pardoned):
        referral.state, referral.qualifying, referral.qualified_at = "voided", "", None
        return
    referral.reason = ""
    found = qualifying(world, referral.promise, referral.friend, referral.binding)
    if referral is not chain.last or not found:
        referral.qualifying, referral.qualified_at = "", None
        once = qualifying(world, referral.promise, referral.friend, referral.binding, undone=True)
        over = now > referral.bound_at + referral.promise.conversion * DAY
        referral.state = "reversed" if once else "expired" if over else "signed_up"
        return
    referral.qualifying, referral.qualified_at = found[0]["event_id"], when(found[0])
    if referral.flagged:
        referral.state = "flagged"
    else:
        ripe = referral.qualified_at + referral.promise.hold * DAY <= now
        referral.state = "approved" if ripe else "qualified"


def _decide(world: World, program: Program, referral: Referral, had: str, now: datetime) -> list[Reward]:
    """Return what is to be granted or refused now; what no longer stands has been taken back."""
    orders = {order.id: order for order in world.purchases(referral.friend)}
    anew = referral.qualifying != had
    kept: list[Reward] = []
    aside: list[Reward] = []
    wanted: list[Wanted] = []
    if referral.state != "voided":
        aside += _signup(world, program, referral, wanted)
    if anew:
        referral.decided = set()
        aside += referral.standing("qualified", "purchase")
    else:
        _shrink(world, referral, orders)
    if referral.qualifying:
        _wanted_of_conversion(world, referral, orders, anew, wanted)
    for reward in aside:
        reward.state = f"aside:{reward.state}"
    if anew and referral.qualifying:
        referral.limited = _over_limit(program, referral)
    for reward in _answers(world, program, referral, orders, wanted):
        if reward.state == "unneeded":
            continue
        same = next((one for one in aside if _same(one, reward, now)), None)
        if same is None:
            kept.append(reward)
        else:
            same.state, same.multiplier = same.state.removeprefix("aside:"), reward.multiplier
            same.cause, same.available_at = reward.cause, reward.available_at
            reward.state = "unneeded"
        if reward.state == "planned":
            referral.rewards.append(reward)
    for reward in aside:
        if reward.state.startswith("aside:"):
            reward.state = reward.state.removeprefix("aside:")
            take_back(world, [reward])
    return kept


def _same(old: Reward, new: Reward, now: datetime) -> bool:
    """Whether a decision comes out the same: a sign-up's and a conversion's cause is the referral, whatever the event.

    What was available by another event and would have to wait again is not the same.
    """
    shape = ["rule", "recipient", "points"] + (["cause"] if new.moment == "purchase" else [])
    early = old.state == "aside:available" and new.available_at > now
    return new.state == "planned" and not early and all(getattr(old, name) == getattr(new, name) for name in shape)


def _signup(world: World, program: Program, referral: Referral, wanted: list[Wanted]) -> list[Reward]:
    """Ask for the sign-up rewards of the first binding; return those of another binding, to be set aside."""
    chain = program.chains[referral.friend]
    if referral is not chain.current[0]:
        return []
    event = referral.binding.fact
    mine = [one for one in referral.rewards if one.moment == "signup" and one.stands]
    if event["event_id"] == referral.signup_decided:
        return []
    referral.signup_decided = event["event_id"]
    for rule in referral.promise.rules:
        if rule.on == "signup":
            wanted.append((event, rule))
    return mine


def _wanted_of_conversion(
    world: World, referral: Referral, orders: dict[str, Purchase], anew: bool, wanted: list[Wanted]
) -> None:
    first = world.facts[referral.qualifying]
    if anew:
        wanted += [(first, rule) for rule in referral.promise.rules if rule.on == "qualified"]
    for order in orders.values():
        if _before(referral, order, first) or order.id in referral.decided or order.net == 0:
            continue
        referral.decided.add(order.id)
        for rule in referral.promise.rules:
            if rule.on == "purchase" and _repeats(rule, order, first):
                wanted.append((order.fact, rule))


def _before(referral: Referral, order: Purchase, first: dict) -> bool:
    """Whether a purchase came before the qualifying event: where that is no purchase by its nature, by the instant."""
    return place(order.fact) < place(first) if referral.promise.on == "purchase" else order.at < when(first)


def _repeats(rule: Rule, order: Purchase, first: dict) -> bool:
    if rule.repeat_days == 0:
        return order.id == first["event_id"]
    return rule.repeat_days is None or order.at <= when(first) + rule.repeat_days * DAY


def _answers(
    world: World, program: Program, referral: Referral, orders: dict[str, Purchase], wanted: list[Wanted]
) -> list[Reward]:
    """Decide in the order of the events, of one event in the order of the file (rule 11)."""
    answers = []
    left = None if program.budget is None else program.budget - program.granted()
    matched: set[tuple[str, str]] = set()
    received = {event_id: number for number, event_id in enumerate(world.facts)}
    for fact, rule in sorted(wanted, key=lambda one: (when(one[0]), received[one[0]["event_id"]], one[1].place)):
        group = (rule.first_match, fact["event_id"])
        answer = _answer(program, referral, orders, fact, rule)
        if rule.first_match and group in matched:
            answer.state, answer.reason, answer.points = "refused", "condition", 0
        elif rule.first_match and holds(rule.when, fact):
            matched.add(group)
        chain = program.chains[referral.friend]
        before = [one for old in chain.past for one in old.rewards if one.moment == "signup"]
        if any(_is_gone(old, answer) for old in [*referral.rewards, *before]):
            answer.state = "unneeded"
        if answer.state == "planned" and left is not None and rule.kind == "points":
            if answer.points > left:
                answer.state, answer.reason, answer.points = "refused", "budget_exhausted", 0
            else:
                left -= answer.points
        answers.append(answer)
    return answers


def _is_gone(old: Reward, new: Reward) -> bool:
    """Whether staff took back for good what would be decided again."""
    same = (old.rule, old.recipient) == (new.rule, new.recipient)
    return old.by_staff and same and (new.moment != "purchase" or old.cause == new.cause)


def _recipient(referral: Referral, rule: Rule) -> str:
    return referral.advocate if rule.to == "advocate" else referral.friend


def _answer(program: Program, referral: Referral, orders: dict[str, Purchase], fact: dict, rule: Rule) -> Reward:
    reward = Reward(rule.id, rule.on, _recipient(referral, rule), rule.to, fact["event_id"], "planned")
    reward.rule_in_file, reward.expires = rule, referral.promise.expires
    reward.available_at = when(fact) + referral.promise.hold_of(rule) * DAY
    order = orders.get(fact["event_id"])
    reason = ""
    if rule.on == "signup" and _paid_before(program, referral, reward):
        reason = "duplicate"
    elif order and rule.on == "purchase" and order.currency != referral.promise.currency:
        reason = "currency_mismatch"
    elif not holds(rule.when, fact):
        reason = "condition"
    elif referral.limited and rule.to == "advocate" and rule.on in ("qualified", "purchase"):
        reason = "limit_reached"
    if reason:
        reward.state, reward.reason = "refused", reason
    elif rule.kind == "points":
        if rule.to == "advocate":
            reward.multiplier = _multiplier(program, referral, when(fact))
        reward.points = points_of(referral, rule, order.net if order else Decimal(0), reward.multiplier)
    return reward


def _paid_before(program: Program, referral: Referral, reward: Reward) -> bool:
    """A sign-up is paid once, also where another advocate's evidence bound the friend before."""
    paid = [one for old in program.chains[referral.friend].past for one in old.standing("signup")]
    return any((one.rule, one.recipient) == (reward.rule, reward.recipient) for one in paid)


def points_of(referral: Referral, rule: Rule, net: Decimal, multiplier: Decimal) -> int:
    """Rule 2: one floor at the end, then the cap."""
    if rule.percent is None:
        return floor((rule.points or 0) * multiplier)
    points = floor(net * rule.percent / 100 * referral.promise.per_unit * multiplier)
    return points if rule.max_points is None else min(points, rule.max_points)


def _multiplier(program: Program, referral: Referral, at: datetime) -> Decimal:
    """Rule 3: by the advocate's other referrals that pay, in the window up to and including the deciding event."""
    since = at - referral.promise.level_window * DAY
    others = sum(
        since <= other.qualified_at <= at
        for other in program.referrals()
        if other is not referral and other.advocate == referral.advocate and other.paying and other.qualified_at
    )
    reached = [multiplier for least, multiplier in referral.promise.levels if least <= others]
    return reached[-1] if reached else Decimal(1)


def _over_limit(program: Program, referral: Referral) -> bool:
    """Rule 10: the advocate's referrals of the same period that were not refused by it, flagged ones included."""
    if referral.promise.limit is None or referral.qualified_at is None:
        return False
    period = referral.promise.period
    mine = period_of(referral.qualified_at, period)
    others = sum(
        period_of(other.qualified_at, period) == mine
        for other in program.referrals()
        if other is not referral
        and other.advocate == referral.advocate
        and other.state in ("qualified", "approved", "flagged")
        and not other.limited
        and other.qualified_at
    )
    return others >= referral.promise.limit


def _shrink(world: World, referral: Referral, orders: dict[str, Purchase]) -> None:
    """Rule 7: percent rewards of a refunded purchase follow its net; a `purchase` reward goes with its last cent."""
    for reward in referral.standing("qualified", "purchase"):
        order, rule = orders.get(reward.cause), reward.rule_in_file
        if order is None or rule is None:
            continue
        if order.net == 0 and reward.moment == "purchase":
            take_back(world, [reward])
        elif rule.percent is not None:
            stays = points_of(referral, rule, order.net, reward.multiplier)
            take_points(world, reward, reward.points - stays)


def _paying(program: Program, advocate: str) -> int:
    return sum(one.paying for one in program.referrals() if one.advocate == advocate)


def _let_milestones_go(world: World, program: Program, advocate: str) -> None:
    """Rule 9: what the count has fallen below is taken back."""
    count = _paying(program, advocate)
    for referral in list(program.referrals()):
        if referral.advocate == advocate:
            take_back(world, [one for one in referral.standing("milestone") if one.reached > count])


def _redate_milestones(world: World, program: Program, referral: Referral, now: datetime) -> None:
    """Rule 13: a milestone waits for the hold of the event that qualifies the referral which reached it."""
    fact = world.facts[referral.qualifying]
    for reward in referral.standing("milestone"):
        ends = when(fact) + referral.promise.hold * DAY
        points = reward.points
        if reward.state == "available" and ends > max(now, reward.available_at or now):
            take_back(world, [reward])
            again = Reward(reward.rule, "milestone", referral.advocate, "advocate", fact["event_id"], "planned")
            again.reached, again.points, again.expires = reward.reached, points, reward.expires
            again.available_at = ends
            grant(world, program, referral, again)
        else:
            reward.cause, reward.available_at = fact["event_id"], ends


def _reach_milestone(world: World, program: Program, referral: Referral) -> None:
    """Rule 9: the referral that brings the count to n is granted milestone n, points before badge."""
    count = _paying(program, referral.advocate)
    fact = world.facts[referral.qualifying]
    for milestone in referral.promise.milestones:
        if milestone["referrals"] != count:
            continue
        parts = [("", milestone.get("points"))] if milestone.get("points") else []
        parts += [("-badge", 0)] if milestone.get("badge") else []
        for suffix, points in parts:
            reward = Reward(
                f"milestone-{count}{suffix}", "milestone", referral.advocate, "advocate", fact["event_id"], "planned"
            )
            reward.reached, reward.points, reward.expires = count, points, referral.promise.expires
            reward.available_at = when(fact) + referral.promise.hold * DAY
            if not holds(milestone.get("when"), fact):
                reward.state, reward.reason, reward.points = "refused", "condition", 0
            elif program.budget is not None and points > program.budget - program.granted():
                reward.state, reward.reason, reward.points = "refused", "budget_exhausted", 0
            grant(world, program, referral, reward)
