"""Who brought the friend: evidence in its natural order, for one advocate at a time (rules 4 and 15)."""

from datetime import datetime

from tests.rewards.model.promises import DAY, Promise
from tests.rewards.model.things import Chain, Evidence, Program, Referral, World, place, when

BINDING_TYPES = ("signup", "purchase", "lead", "custom")
BINDS_ANEW_AFTER = ("self_referral", "outside_window", "program_not_running")


def read_evidence(world: World, fact: dict) -> tuple[str, Evidence] | None:
    """Return the program's slug and the evidence that an event carries: a known click first, then a known code."""
    given = fact.get("referral") or {}
    if fact["type"] not in BINDING_TYPES:
        return None
    if given.get("click_id") in world.clicks:
        code, touch = world.clicks[given["click_id"]]
    elif given.get("code") in world.codes:
        code, touch = given["code"], when(fact)
    else:
        return None
    slug, advocate = world.codes[code]
    return slug, Evidence(fact, touch, advocate, is_ancestor(world, fact["customer"]["external_id"], advocate))


def is_ancestor(world: World, friend: str, advocate: str) -> bool:
    """Whether the friend brought the advocate, or whoever brought them, and so on, in any program."""
    referrals = [one for program in world.programs.values() for one in program.referrals() if one.live]
    above, seen = {advocate}, set[str]()
    while above - seen:
        seen |= above
        above = {one.advocate for one in referrals if one.friend in seen}
    return friend in seen - {advocate}


def accept(world: World, chain: Chain, evidence: Evidence) -> bool:
    """Take the evidence in where it may count: the first valid advocate to arrive binds and stays."""
    last = chain.last
    if last is not None:
        others = [one for one in (*chain.past, *chain.current) if one.advocate != evidence.advocate]
        if last.by_staff or last.pardoned or any(holds(world, one, when(evidence.fact)) for one in others):
            return False
    if evidence.advocate != chain.owner:
        chain.past += chain.current
        chain.owner, chain.current = evidence.advocate, []
    chain.evidence.append(evidence)
    return True


def holds(world: World, referral: Referral, at: datetime) -> bool:
    """Whether the referral keeps other advocates out at `at`: one that expires does until then."""
    program = world.programs[referral.program]
    if referral.state == "voided":
        return not (referral.reason in BINDS_ANEW_AFTER or is_outside_window(program, referral.binding))
    return referral.state not in ("signed_up", "expired") or within_window(program, referral.binding, at)


def episodes(world: World, program: Program, friend: str, chain: Chain) -> list[tuple[Evidence, str]]:
    """Return the bindings that the owner's evidence makes in natural order, each with its void reason or ''."""
    found: list[tuple[Evidence, str]] = []
    bound: Evidence | None = None
    for one in sorted(chain.evidence, key=lambda each: place(each.fact)):
        if bound and (within_window(program, bound, when(one.fact)) or lived(world, program, friend, bound)):
            continue
        reason = void_reason(world, program, friend, one)
        if reason in BINDS_ANEW_AFTER:
            if not bound:
                found = [(one, reason)]
            continue
        if found and found[-1][1]:
            found.pop()
        found.append((one, reason))
        if reason:
            break
        bound = one
    return found


def void_reason(world: World, program: Program, friend: str, evidence: Evidence) -> str:
    """The first of the hard reasons that holds, in the order of the domain."""
    if friend == evidence.advocate:
        return "self_referral"
    if evidence.cycle:
        return "cycle"
    if any(order.at < evidence.touch for order in world.purchases(friend)):
        return "existing_customer"
    return "outside_window" if is_outside_window(program, evidence) else ""


def is_outside_window(program: Program, evidence: Evidence) -> bool:
    return when(evidence.fact) - evidence.touch > program.offer_at(evidence.touch).window * DAY


def within_window(program: Program, bound: Evidence, at: datetime) -> bool:
    return at <= when(bound.fact) + program.offer_at(bound.touch).conversion * DAY


def lived(world: World, program: Program, friend: str, bound: Evidence) -> bool:
    """Whether something that qualified, undone since or not, keeps the binding from expiring."""
    return bool(qualifying(world, program.offer_at(bound.touch), friend, bound, undone=True))


def qualifying(world: World, promise: Promise, friend: str, bound: Evidence, *, undone: bool = False) -> list[dict]:
    """Return the friend's events that qualify, the earliest first (rule 4); `undone`: as if nothing were refunded."""
    if promise.on == "signup":
        return [bound.fact]
    end = when(bound.fact) + promise.conversion * DAY
    if promise.on.startswith("custom:"):
        name = promise.on.removeprefix("custom:")
        return [fact for fact in world.named(friend, name) if bound.touch <= when(fact) <= end]
    found = []
    for order in world.purchases(friend):
        worth = order.paid if undone else order.net
        inside = bound.touch <= order.at <= end and order.currency == promise.currency
        if inside and worth > 0 and worth >= promise.least:
            found.append(order.fact)
    return found


def rebind(world: World, program: Program, friend: str) -> list[Referral]:
    """Bring the friend's current referrals in line with the evidence; return them, the newest last."""
    chain = program.chains[friend]
    wanted = episodes(world, program, friend, chain)
    while len(chain.current) < len(wanted):
        first = wanted[0][0]
        chain.current.insert(0, Referral(program.slug, friend, first.advocate, first, program.offer_at(first.touch)))
    while len(chain.current) > len(wanted):
        chain.past.insert(0, chain.current.pop(0))
    for referral, (evidence, reason) in zip(chain.current, wanted, strict=True):
        referral.binding, referral.promise = evidence, program.offer_at(evidence.touch)
        referral.reason = reason
    return chain.current


def revive(world: World, program: Program, friend: str) -> None:
    """Take up an expired referral to another advocate where it qualifies after all and nothing else is live."""
    chain = program.chains[friend]
    if chain.last is None or chain.last.live:
        return
    taken = [one.binding.fact for one in chain.current]
    for old in reversed(chain.past):
        expired = old.state == "expired" and old.binding.fact not in taken
        if expired and qualifying(world, old.promise, friend, old.binding):
            chain.past = [*(one for one in chain.past if one is not old), *chain.current]
            chain.owner, chain.current = old.advocate, [old]
            return
