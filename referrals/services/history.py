"""Referrals of a former tool: bound as facts it kept, and taken back where the import was a mistake."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from core.errors import Refused
from referrals.facts import fact_from_json
from referrals.freshness import IMPORTED
from referrals.judgement import UNDONE, Judgement
from referrals.models import Customer, Event, Offer, Program, Referral
from referrals.queries.people import current_id
from referrals.queries.programs import current_offer, terms_of
from referrals.services.binding import REWARDED_ELSEWHERE
from referrals.services.by_hand import NotBound
from referrals.services.events import record_event
from referrals.services.identities import guest_keys
from referrals.services.judging import move_referral
from referrals.services.lifecycle import lock_referral
from referrals.services.links import ensure_link
from referrals.terms import settled_terms

OPEN_ELSEWHERE = "referred_elsewhere"


class VoidByRules(Refused):
    """The program's rules would void the referral; nothing was stored. The detail is their reason."""

    code = "voided"


class MovedOn(Refused):
    """Something has happened to the referral since it was imported; it stays."""

    code = "moved_on"


@transaction.atomic
def ensure_settled_offer(*, program: Program) -> Offer:
    """Return the program's offer that promises nothing and is live for nobody, made where there is none yet."""
    terms = settled_terms(terms_of(current_offer(program)).currency)
    offer, _ = Offer.objects.get_or_create(program=program, number=Offer.SETTLED, defaults={"terms": terms.to_json()})
    return offer


@transaction.atomic
def bind_from_history(
    *,
    program: Program,
    advocate: Customer,
    friend: dict[str, str],
    settled: bool,
    key: str,
    reason: str,
    actor: str,
    occurred_at: datetime,
    at: datetime,
) -> tuple[Referral, bool]:
    """Bind a friend (`external_id`, or `email` of a guest) as the former tool had it; return whether that is new.

    An open one is bound by the program's rules as if by hand; a `settled` one, rewarded by the former tool,
    counts and gives nothing. `key` names the fact once for ever. Raises `NotBound`, `VoidByRules`, `Erased`, `BadFact`.
    """
    if (known := _known(program, advocate, friend, settled=settled)) is not None:
        return known, False
    if settled:
        ensure_settled_offer(program=program)
    body = {
        "event_id": key,
        "type": Event.Type.CUSTOM,
        "name": REWARDED_ELSEWHERE if settled else OPEN_ELSEWHERE,
        "occurred_at": occurred_at.isoformat(),
        "customer": friend,
        "referral": {"code": ensure_link(customer=advocate, program=program).code},
        "attributes": {"reason": reason, "by": actor},
    }
    event = record_event(fact=fact_from_json(body, now=at), at=at, source=IMPORTED).event
    referral = Referral.objects.filter(binding_event=event).order_by("-pk").first()
    if referral is None:
        raise NotBound("this friend has an advocate in the program, or staff decided on them", pointer="/friend")
    if referral.state == Referral.State.VOIDED:
        raise VoidByRules(f"the program's rules void it: {referral.reason}", pointer="/friend")
    return referral, True


def _known(program: Program, advocate: Customer, friend: dict[str, str], *, settled: bool) -> Referral | None:
    """Return the referral that binds the two already, in the same way; `NotBound` where otherwise."""
    known_as = friend.get("external_id", "")
    theirs = Q(friend__external_id=current_id(known_as)) if known_as else _of_guest(friend["email"])
    places = Q(program=program) | Q(instead_of=program)
    bound = Referral.objects.filter(theirs, places, state__in=(*Referral.LIVE, Referral.State.EXPIRED))
    referral = bound.select_related("offer", "advocate").order_by("-pk").first()
    if referral is None or (referral.state == Referral.State.EXPIRED and referral.advocate_id != advocate.pk):
        return None
    if referral.advocate_id != advocate.pk:
        raise NotBound("this friend has another advocate in the program already", pointer="/friend")
    if referral.offer.is_settled != settled:
        stands = "completed" if referral.offer.is_settled else "open"
        raise NotBound(f"this friend is bound to this advocate already, as {stands}", pointer="/state")
    return referral


def _of_guest(email: str) -> Q:
    return Q(friend__guest_key__in=guest_keys(email))


@transaction.atomic
def undo_history(*, referral: Referral, note: str, actor: str, at: datetime) -> bool:
    """Void an imported referral, what it gave goes back; return whether this call did it.

    Later evidence may bind the friend anew. Raises `MovedOn` where it is no longer as it was imported.
    """
    referral = lock_referral(pk=referral.pk)
    if referral.state == Referral.State.VOIDED:
        return False
    if why := moved_on(referral):
        raise MovedOn(why)
    verdict = Judgement(state="voided", reason=UNDONE, expires_at=referral.expires_at)
    move_referral(referral, verdict, event=None, at=at, actor=actor, why=note)
    return True


def moved_on(referral: Referral) -> str:
    """Return what has happened to an imported referral since, so that it cannot be taken back, or ''."""
    if referral.binding_event is None or referral.binding_event.source != IMPORTED:
        return "another event binds the friend since"
    if referral.pardoned_at is not None or referral.held:
        return "staff have decided on it since"
    if not referral.offer.is_settled and referral.qualifying_event_id is not None:
        return "the friend has qualified since"
    return ""
