"""Binding a friend to an advocate by the evidence an event carries."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from referrals.attribution import Visit, credited_visit
from referrals.episodes import episodes
from referrals.freshness import IMPORTED
from referrals.judgement import BY_STAFF, REBINDABLE, UNDONE, Binding, Doubts, History, void_reason
from referrals.models import Assist, Click, Customer, Event, Link, NameSearch, Offer, Program, Referral, ReferralStep
from referrals.queries.blocks import is_blocked
from referrals.queries.claims import claim_of_coupon
from referrals.queries.links import link_of_code
from referrals.queries.programs import offer_live_at, program_runs_at, settled_offer
from referrals.queries.takeovers import program_in_charge
from referrals.terms import Terms, terms_from_json

BINDS = frozenset({Event.Type.SIGNUP, Event.Type.PURCHASE, Event.Type.LEAD, Event.Type.CUSTOM})
BY_HAND = "by_hand"
"""The source of facts that staff report."""
CLAIM = "claim"
"""The source of what a friend claims and the advocate confirms."""
REWARDED_ELSEWHERE = "rewarded_elsewhere"
"""The name of an imported fact whose referral the former tool has rewarded: it keeps the settled offer."""
METHOD_OF_SOURCE = {BY_HAND: "manual", CLAIM: "claim", IMPORTED: IMPORTED}
MAX_DEPTH = 50
SKEW = timedelta(hours=24)
"""How far a shop's clock may be behind ours: a click that the event names may seem to come after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What names an advocate: the link, by which method, with the click where there is one."""

    link: Link
    method: str
    click: Click | None = None
    outside_window: bool = False
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Evidence weighed against the friend: the binding it would make and the reason that voids it, if any.

    `program` is the one in charge at the touch: the link's own, or that which has taken over.
    """

    evidence: Evidence
    program: Program
    binding: Binding
    event: Event
    offer: Offer
    terms: Terms
    reason: str

    @property
    def places(self) -> frozenset[int]:
        """The programs in which the friend would take a place: the link's, and the one in charge."""
        return frozenset({self.evidence.link.program_id, self.program.pk})


def find_evidence(event: Event) -> tuple[list[Evidence], list[str]]:
    """Return the event's usable evidence, strongest first, and warnings on what could not be used."""
    found: list[Evidence] = []
    warnings: list[str] = []
    by_name = event.click_id.startswith("nam_")
    if event.click_id and not by_name:
        evidence = _by_click(event)
        found += [evidence] if evidence else []
        warnings += [] if evidence else ["unknown_click"]
    if event.code:
        link = link_of_code(event.code)
        method = METHOD_OF_SOURCE.get(event.source, "code")
        found += [Evidence(link=link, method=method, code=event.code)] if link else []
        warnings += [] if link else ["unknown_code"]
    if event.coupon:
        by_coupon = _by_coupon(event.coupon)
        found += [by_coupon] if by_coupon else []
        warnings += [] if by_coupon else ["unknown_coupon"]
    found += _by_name(event) if by_name else []
    return found, warnings


def _by_name(event: Event) -> list[Evidence]:
    """Return what a visitor's search by name found; it has no window, so its touch is the binding itself."""
    searches = NameSearch.objects.select_related("link__customer", "link__program")
    search = searches.filter(search_id=event.click_id, link__isnull=False).first()
    return [Evidence(link=search.link, method="name", code=search.link.code)] if search and search.link else []


def _by_coupon(coupon: str) -> Evidence | None:
    """Return what a coupon names: the advocate whose own code it is, or the link of the gift claimed with it."""
    link = link_of_code(coupon)
    if link is not None:
        return Evidence(link=link, method="coupon", code=link.code)
    claim = claim_of_coupon(coupon)
    return Evidence(link=claim.link, method="coupon", click=claim.click, code=claim.coupon) if claim else None


def _by_click(event: Event) -> Evidence | None:
    named = Click.objects.select_related("link__customer", "link__program").filter(click_id=event.click_id).first()
    if named is None or named.at - event.occurred_at > SKEW:
        return None
    in_charge = program_in_charge(named.link.program, named.at)
    terms = terms_from_json(offer_live_at(in_charge, event.occurred_at).terms)
    clicks = [named]
    if named.visitor:
        clicks = list(
            Click.objects.select_related("link__customer", "link__program").filter(
                visitor=named.visitor, program=named.program_id, verdict=Click.Verdict.PERSON
            )
        )
    by_pk = {click.pk: click for click in clicks if click.verdict == Click.Verdict.PERSON}
    visits = [Visit(pk=click.pk, at=click.at, link_pk=click.link_id) for click in by_pk.values()]
    credited = credited_visit(
        visits,
        model=terms.attribution_model,
        window_days=terms.attribution_window_days,
        at=max(event.occurred_at, named.at),
    )
    if credited is None:
        return None
    visit, inside = credited
    click = by_pk[visit.pk]
    return Evidence(link=click.link, method="link", click=click, outside_window=not inside, code=click.link.code)


def weigh_evidence(evidence: Evidence, *, event: Event, friend: Customer, history: History) -> Candidate:
    """Return the binding that the evidence would make at the event, with what voids it."""
    touch_at = min(evidence.click.at, event.occurred_at) if evidence.click else event.occurred_at
    settled = event.source == IMPORTED and event.name == REWARDED_ELSEWHERE
    program = evidence.link.program if settled else program_in_charge(evidence.link.program, touch_at)
    offer = settled_offer(program) if settled else offer_live_at(program, touch_at)
    binding = Binding(event_pk=event.pk, event_id=event.event_id, bound_at=event.occurred_at, touch_at=touch_at)
    advocate = evidence.link.customer
    doubts = Doubts(
        program_not_running=not settled and not program_runs_at(program, event.occurred_at),
        self_referral=is_same_person(advocate, friend),
        blocked=is_blocked(advocate, friend, at=event.occurred_at),
        cycle=advocate.pk != friend.pk and is_ancestor(friend, of=advocate),
        outside_window=evidence.outside_window,
        pardoned=settled,
    )
    reason = void_reason(binding, history, doubts)
    terms = terms_from_json(offer.terms)
    return Candidate(
        evidence=evidence, program=program, binding=binding, event=event, offer=offer, terms=terms, reason=reason
    )


def is_same_person(one: Customer, other: Customer) -> bool:
    """Return whether two customers are one person by the rules: the same id or the same normalised email."""
    return one.pk == other.pk or (bool(one.email_normalized) and one.email_normalized == other.email_normalized)


def is_ancestor(candidate: Customer, *, of: Customer) -> bool:
    """Return whether `candidate` referred `of`, directly or through others, by referrals that are live."""
    seen: set[int] = set()
    level = {of.pk}
    for _ in range(MAX_DEPTH):
        rows = Referral.objects.filter(friend_id__in=level, state__in=Referral.LIVE)
        level = set(rows.values_list("advocate_id", flat=True)) - seen
        if candidate.pk in level:
            return True
        if not level:
            return False
        seen |= level
    return True


def choose_candidate(candidates: list[Candidate]) -> Candidate | None:
    """Return the strongest evidence that holds; where none does, the strongest whose reason is kept."""
    return next((c for c in candidates if not c.reason), candidates[0] if candidates else None)


def binding_of(referral: Referral) -> Binding:
    """Return the binding a referral stands on."""
    event = referral.binding_event
    return Binding(
        event_pk=event.pk if event else 0,
        event_id=event.event_id if event else "",
        bound_at=referral.bound_at,
        touch_at=referral.touch_at,
    )


@dataclass
class Friend:
    """A friend as loaded for judging: locked, with history and every referral in which they are the friend.

    `rebound` holds, by primary key, the referrals that stand on another event now, with what voids them.
    """

    customer: Customer
    history: History
    referrals: list[Referral]
    rebound: dict[int, str] = field(default_factory=dict)


def weigh_event(event: Event, friend: Friend) -> tuple[Candidate | None, list[str]]:
    """Return the strongest evidence of an event that holds, else the strongest of all, and warnings."""
    found, warnings = find_evidence(event)
    weighed = [weigh_evidence(one, event=event, friend=friend.customer, history=friend.history) for one in found]
    return choose_candidate(weighed), warnings


def bind_friend(*, candidate: Candidate, event: Event, friend: Friend, at: datetime) -> None:
    """Bring the friend's referrals in the program in line with the event's evidence.

    One advocate's evidence binds as if it had arrived in its natural order; another advocate's, for a
    friend who was bound at that time, is recorded and ignored. Changed and new referrals stand in
    `friend.referrals`, unsaved until they are judged.
    """
    advocate = candidate.evidence.link.customer_id
    own = [r for r in friend.referrals if places_of(r) & candidate.places and not is_rebindable(r)]
    mine = [r for r in own if r.advocate_id == advocate]
    others = [r for r in own if r.advocate_id != advocate]
    if holding := _holding(others, event):
        _note_ignored(holding, candidate, event, at)
    elif not any(_is_by_staff(r) for r in own) and not _repeats(_holding(mine, event), candidate):
        _replay(candidate, mine, others, friend, at)


def places_of(referral: Referral) -> frozenset[int]:
    """Return the programs in which the friend has a place by the referral: what is bound keeps its offer."""
    return frozenset({referral.program_id, referral.instead_of_id or referral.program_id})


def is_rebindable(referral: Referral) -> bool:
    """Return whether later evidence may bind the friend anew: a click outside its window never held anybody."""
    if referral.state != Referral.State.VOIDED or referral.reason in BY_STAFF:
        return False
    window = timedelta(days=terms_from_json(referral.offer.terms).attribution_window_days)
    return referral.reason in REBINDABLE or referral.bound_at - referral.touch_at > window


def _is_by_staff(referral: Referral) -> bool:
    """Return whether staff, or the tool that rewarded it, have decided for good."""
    return referral.is_pardoned or (referral.state == Referral.State.VOIDED and referral.reason in BY_STAFF)


def _holding(own: list[Referral], event: Event) -> Referral | None:
    """Return the first referral that holds the friend at the event: one that expires does until then, however late
    the event is reported."""
    ends = (Referral.State.SIGNED_UP, Referral.State.EXPIRED)
    return next((r for r in own if r.state not in ends or event.occurred_at <= r.expires_at), None)


def _repeats(holding: Referral | None, candidate: Candidate) -> bool:
    """Return whether the evidence comes after a binding that already holds, so that nothing can move."""
    if holding is None or holding.state == Referral.State.VOIDED:
        return False
    stands, new = binding_of(holding), candidate.binding
    return (stands.bound_at, stands.event_id.encode()) <= (new.bound_at, new.event_id.encode())


def _replay(candidate: Candidate, own: list[Referral], others: list[Referral], friend: Friend, at: datetime) -> None:
    """Bind as all evidence of the advocate says in its natural order: move referrals, add those that are missing.

    What came while another advocate held the friend stays ignored.
    """
    stood_on = {r.binding_event_id for r in own}
    evidence = [
        one
        for one in _evidence_of(candidate, friend)
        if one.binding.event_pk in stood_on or not _holding(others, one.event)
    ]
    bound = episodes(evidence, friend.history)
    if not bound and not _is_known_void(candidate, friend.referrals):
        friend.referrals.append(_new_referral(candidate, friend.customer))
    own.sort(key=lambda r: (r.bound_at, r.pk))
    for number, one in enumerate(bound):
        if number >= len(own):
            friend.referrals.append(_new_referral(one, friend.customer))
        elif own[number].binding_event_id != one.binding.event_pk:
            _rebind(own[number], one, at)
            friend.rebound[own[number].pk] = one.reason


def _evidence_of(candidate: Candidate, friend: Friend) -> list[Candidate]:
    """Return the event's evidence and all that other events of the friend carry for the same advocate and place."""
    advocate = candidate.evidence.link.customer_id
    carrying = Event.objects.filter(customer=friend.customer, type__in=BINDS).exclude(code="", click_id="", coupon="")
    carrying = carrying.exclude(bound_referrals__reason=UNDONE)
    found = [candidate]
    for event in carrying.exclude(pk=candidate.binding.event_pk).select_related("customer"):
        other, _ = weigh_event(event, friend)
        if other and other.evidence.link.customer_id == advocate and other.places & candidate.places:
            found.append(other)
    return found


def _is_known_void(candidate: Candidate, referrals: list[Referral]) -> bool:
    link = candidate.evidence.link
    for referral in referrals:
        same = (referral.program_id, referral.advocate_id) == (candidate.program.pk, link.customer_id)
        if (
            candidate.reason
            and same
            and referral.state == Referral.State.VOIDED
            and referral.reason == candidate.reason
        ):
            return True
    return False


def _new_referral(candidate: Candidate, friend: Customer) -> Referral:
    referral = Referral(advocate=candidate.evidence.link.customer, friend=friend)
    _stand_on(referral, candidate)
    if candidate.reason:
        referral.state, referral.reason = Referral.State.VOIDED, candidate.reason
    return referral


def _stand_on(referral: Referral, candidate: Candidate) -> None:
    evidence, binding = candidate.evidence, candidate.binding
    link = evidence.link
    referral.program = candidate.program
    referral.instead_of = link.program if link.program_id != candidate.program.pk else None
    referral.offer = candidate.offer
    referral.method = evidence.method
    referral.code = evidence.code
    referral.click = evidence.click
    referral.channel = (evidence.click.channel if evidence.click else "") or candidate.event.channel
    referral.binding_event = candidate.event
    referral.touch_at = binding.touch_at
    referral.bound_at = binding.bound_at
    referral.expires_at = binding.bound_at + timedelta(days=candidate.terms.conversion_window_days)


def _rebind(referral: Referral, candidate: Candidate, at: datetime) -> None:
    before = referral.bound_at
    _stand_on(referral, candidate)
    ReferralStep.objects.create(
        referral=referral,
        at=at,
        what="binding_moved",
        why="another event of the same advocate was reported, out of order",
        event=referral.binding_event,
        data={"from": before.isoformat(), "to": referral.bound_at.isoformat()},
    )


def _note_ignored(referral: Referral, candidate: Candidate, event: Event, at: datetime) -> None:
    """Keep that the friend used another advocate too; the first time, where it could have bound, it is an assist."""
    evidence = candidate.evidence
    advocate = evidence.link.customer
    ReferralStep.objects.create(
        referral=referral,
        at=at,
        what="second_code_ignored",
        why="the friend was already bound when this evidence came",
        event=event,
        data={"advocate": advocate.external_id, "code": evidence.code, "method": evidence.method},
    )
    own = is_same_person(advocate, referral.friend) or is_same_person(advocate, referral.advocate)
    if referral.state in (*Referral.LIVE, Referral.State.EXPIRED) and not own and not candidate.reason:
        Assist.objects.get_or_create(
            referral=referral,
            advocate=advocate,
            defaults={"event": event, "code": evidence.code, "method": evidence.method, "at": event.occurred_at},
        )
