"""Binding a friend to an advocate by the evidence an event carries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from referrals.attribution import Visit, credited_visit
from referrals.judgement import REBINDABLE, Before, Binding, Doubts, History, judge, void_reason
from referrals.models import Click, Customer, Event, Link, Offer, Program, Referral, ReferralStep
from referrals.queries.links import link_of_code
from referrals.queries.programs import offer_live_at, program_runs_at
from referrals.terms import Terms, terms_from_json

BINDS = frozenset({Event.Type.SIGNUP, Event.Type.PURCHASE, Event.Type.LEAD, Event.Type.CUSTOM})
MAX_DEPTH = 50


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
    """Evidence weighed against the friend: the binding it would make and the reason that voids it, if any."""

    evidence: Evidence
    binding: Binding
    offer: Offer
    terms: Terms
    reason: str


def find_evidence(event: Event) -> tuple[list[Evidence], list[str]]:
    """Return the event's usable evidence, strongest first, and warnings on what could not be used."""
    found: list[Evidence] = []
    warnings: list[str] = []
    if event.click_id:
        evidence = _by_click(event)
        found += [evidence] if evidence else []
        warnings += [] if evidence else ["unknown_click"]
    if event.code:
        link = link_of_code(event.code)
        found += [Evidence(link=link, method="code", code=event.code)] if link else []
        warnings += [] if link else ["unknown_code"]
    if event.coupon:
        warnings.append("unknown_coupon")
    return found, warnings


def _by_click(event: Event) -> Evidence | None:
    named = Click.objects.select_related("link__customer", "link__program").filter(click_id=event.click_id).first()
    if named is None:
        return None
    offer = offer_live_at(named.program, event.occurred_at)
    if offer is None:
        return None
    terms = terms_from_json(offer.terms)
    clicks = [named]
    if named.visitor:
        clicks = list(
            Click.objects.select_related("link__customer", "link__program").filter(
                visitor=named.visitor, program=named.program, verdict=Click.Verdict.PERSON
            )
        )
    by_pk = {click.pk: click for click in clicks if click.verdict == Click.Verdict.PERSON}
    visits = [Visit(pk=click.pk, at=click.at, link_pk=click.link_id) for click in by_pk.values()]
    credited = credited_visit(
        visits, model=terms.attribution_model, window_days=terms.attribution_window_days, at=event.occurred_at
    )
    if credited is None:
        return None
    visit, inside = credited
    click = by_pk[visit.pk]
    return Evidence(link=click.link, method="link", click=click, outside_window=not inside, code=click.link.code)


def weigh_evidence(evidence: Evidence, *, event: Event, friend: Customer, history: History) -> Candidate | None:
    """Return the binding that the evidence would make at the event, with what voids it; None without an offer."""
    program = evidence.link.program
    touch_at = evidence.click.at if evidence.click else event.occurred_at
    offer = offer_live_at(program, touch_at)
    if offer is None:
        return None
    binding = Binding(event_pk=event.pk, event_id=event.event_id, bound_at=event.occurred_at, touch_at=touch_at)
    advocate = evidence.link.customer
    doubts = Doubts(
        program_not_running=not program_runs_at(program, event.occurred_at),
        self_referral=is_same_person(advocate, friend),
        cycle=advocate.pk != friend.pk and is_ancestor(friend, of=advocate),
        outside_window=evidence.outside_window,
    )
    reason = void_reason(binding, history, doubts)
    return Candidate(
        evidence=evidence, binding=binding, offer=offer, terms=terms_from_json(offer.terms), reason=reason
    )


def is_same_person(one: Customer, other: Customer) -> bool:
    """Return whether two customers are one person by the rules: the same id or the same normalised email."""
    return one.pk == other.pk or bool(one.email_normalized) and one.email_normalized == other.email_normalized


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


def bind_friend(
    *, candidate: Candidate, event: Event, friend: Customer, referrals: list[Referral], history: History, at: datetime
) -> Referral | None:
    """Bind by the chosen evidence: a new referral, an earlier binding of the same one, or None where nothing moves.

    A second code for a bound friend is recorded and ignored. The returned referral is unsaved in its
    judgement: whoever calls judges and saves it.
    """
    program = candidate.evidence.link.program
    standing = _standing(referrals, program, event)
    if standing is None:
        return None if _repeats_void(candidate, referrals, at) else _new_referral(candidate, event, friend)
    if standing.advocate_id != candidate.evidence.link.customer_id:
        _note_ignored(standing, candidate, event, at)
        return None
    return _move_back(standing, candidate, history, at)


def _standing(referrals: list[Referral], program: Program, event: Event) -> Referral | None:
    """Return the referral that keeps the friend from being bound anew in the program, if any."""
    own = [referral for referral in referrals if referral.program_id == program.pk]
    for referral in own:
        lapsed = referral.state == Referral.State.SIGNED_UP and event.occurred_at > referral.expires_at
        if referral.state in Referral.LIVE and not lapsed:
            return referral
    return next((r for r in own if r.state == Referral.State.VOIDED and r.reason not in REBINDABLE), None)


def _repeats_void(candidate: Candidate, referrals: list[Referral], at: datetime) -> bool:
    link = candidate.evidence.link
    for referral in referrals:
        same = (referral.program_id, referral.advocate_id) == (link.program_id, link.customer_id)
        if candidate.reason and same and referral.state == Referral.State.VOIDED and referral.reason == candidate.reason:
            return True
    return False


def _new_referral(candidate: Candidate, event: Event, friend: Customer) -> Referral:
    evidence = candidate.evidence
    referral = Referral(program=evidence.link.program, advocate=evidence.link.customer, friend=friend)
    _stand_on(referral, candidate)
    return referral


def _stand_on(referral: Referral, candidate: Candidate) -> None:
    evidence, binding = candidate.evidence, candidate.binding
    event = Event.objects.get(pk=binding.event_pk)
    referral.offer = candidate.offer
    referral.method = evidence.method
    referral.code = evidence.code
    referral.click = evidence.click
    referral.channel = (evidence.click.channel if evidence.click else "") or event.channel
    referral.binding_event = event
    referral.touch_at = binding.touch_at
    referral.bound_at = binding.bound_at
    referral.expires_at = binding.bound_at + timedelta(days=candidate.terms.conversion_window_days)


def _move_back(referral: Referral, candidate: Candidate, history: History, at: datetime) -> Referral | None:
    now_on, then = binding_of(referral), candidate.binding
    earlier = (then.bound_at, then.event_id.encode()) < (now_on.bound_at, now_on.event_id.encode())
    if candidate.reason or not earlier:
        return None
    lapsed = judge(candidate.terms, then, history, Doubts(), before=Before(), at=now_on.bound_at).state == "expired"
    if lapsed:
        return None
    _stand_on(referral, candidate)
    ReferralStep.objects.create(
        referral=referral,
        at=at,
        what="binding_moved_back",
        why="an earlier event of the same advocate was reported",
        event=referral.binding_event,
        data={"from": now_on.bound_at.isoformat(), "to": then.bound_at.isoformat()},
    )
    return referral


def _note_ignored(referral: Referral, candidate: Candidate, event: Event, at: datetime) -> None:
    ReferralStep.objects.create(
        referral=referral,
        at=at,
        what="second_code_ignored",
        why="the friend was already bound when this evidence came",
        event=event,
        data={
            "advocate": candidate.evidence.link.customer.external_id,
            "code": candidate.evidence.code,
            "method": candidate.evidence.method,
        },
    )
