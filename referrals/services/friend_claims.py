"""A friend says who told them of the company; it is evidence once that customer says so too."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min

from core.dispatch import publish
from core.errors import Refused
from core.ids import new_id
from referrals.events import FriendClaimed
from referrals.facts import fact_from_json
from referrals.models import Customer, Event, FriendClaim, Link, NameSearch, Program, Referral
from referrals.people import normalize_email
from referrals.queries.links import link_of_code
from referrals.queries.people import living_customers
from referrals.services.binding import CLAIM
from referrals.services.events import record_event
from referrals.services.links import ensure_link

NAME = "referral_claimed"
MAY_CLAIM, MAY_ANSWER = timedelta(days=30), timedelta(days=14)
State = FriendClaim.State


class CannotClaim(Refused):
    """The friend has an advocate in the program, has asked already, or came too long ago; `detail` is which."""

    code = "cannot_claim"


class AlreadyAnswered(Refused):
    """The claim was answered, or has waited too long for an answer."""

    code = "already_answered"


@transaction.atomic
def claim_advocate(*, program: Program, friend: Customer, given: str, at: datetime) -> FriendClaim:
    """Ask the customer whom a friend names by email or code, if there is one; the friend cannot tell.

    At most 30 days after the friend's first event, once at a time, and again only after a no. Raises `CannotClaim`.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=friend.pk)
    since = claimable_since(program=program, friend=friend, at=at)
    advocate = _named(given, program)
    if advocate is not None and advocate.pk == friend.pk:
        advocate = None
    return _open(program, friend, advocate, given=given, since=since, at=at)


def claimable_since(*, program: Program, friend: Customer, at: datetime) -> datetime:
    """Return from when on a confirmed claim would count: the friend's first event. Raises `CannotClaim`."""
    if Referral.objects.filter(program=program, friend=friend, state__in=Referral.LIVE).exists():
        raise CannotClaim("has_advocate")
    mine = FriendClaim.objects.filter(program=program, friend=friend)
    if mine.filter(state=State.ASKED).exists():
        raise CannotClaim("asked_already")
    if mine.count() >= 3:
        raise CannotClaim("asked_too_often")
    first: datetime | None = Event.objects.filter(customer=friend).aggregate(first=Min("occurred_at"))["first"]
    if first is not None and first < at - MAY_CLAIM:
        raise CannotClaim("too_late")
    return min(first, at) if first else at


def _named(given: str, program: Program) -> Customer | None:
    if "@" in given:
        same = living_customers().filter(email_normalized=normalize_email(given))[:2]
        return same[0] if len(same) == 1 else None
    link = link_of_code(given)
    return link.customer if link and link.program_id == program.pk else None


def _open(
    program: Program, friend: Customer, advocate: Customer | None, *, given: str, since: datetime, at: datetime
) -> FriendClaim:
    claim = FriendClaim.objects.create(
        program=program, friend=friend, advocate=advocate, given=given.strip()[:254], since=since, at=at
    )
    if advocate is not None and not _wants_no_questions(advocate, program):
        publish(FriendClaimed(subject=f"friend_claim:{claim.pk}", claim=claim.pk))
    return claim


def _wants_no_questions(advocate: Customer, program: Program) -> bool:
    return Link.objects.filter(customer=advocate, program=program, asks=False).exists()


@transaction.atomic(savepoint=False)
def ask_named(*, event: Event, at: datetime) -> FriendClaim | None:
    """Ask the customer whom a name search named by address, now that the visitor is known; None where none is to be."""
    search = NameSearch.objects.select_related("program").filter(search_id=event.click_id, asked__isnull=False).first()
    if search is None or search.asked_id == event.customer_id or search.asked is None:
        return None
    try:
        claimable_since(program=search.program, friend=event.customer, at=at)
    except CannotClaim:
        return None
    since = min(event.occurred_at, at)
    return _open(search.program, event.customer, search.asked, given=search.email, since=since, at=at)


@transaction.atomic
def answer_claim(
    *, claim: FriendClaim, yes: bool, ask_again: bool = True, actor: str = "", at: datetime
) -> FriendClaim:
    """Keep the advocate's answer; a yes is evidence by which the rules decide. Raises `AlreadyAnswered`."""
    state = State.CONFIRMED if yes else State.DENIED
    asked = FriendClaim.objects.filter(pk=claim.pk, state=State.ASKED, advocate__erased_at=None)
    asked = asked.filter(advocate__isnull=False, at__gte=at - MAY_ANSWER)
    if asked.update(state=state, answered_at=at) != 1:
        raise AlreadyAnswered("this question is closed")
    claim = FriendClaim.objects.select_related("program", "friend", "advocate").get(pk=claim.pk)
    if claim.advocate is None:
        raise AlreadyAnswered("nobody is asked")
    link = ensure_link(customer=claim.advocate, program=claim.program)
    if not ask_again:
        Link.objects.filter(pk=link.pk).update(asks=False)
    if yes:
        claim.event = _evidence(claim, link, actor=actor, at=at)
        claim.save(update_fields=["event"])
    return claim


def _evidence(claim: FriendClaim, link: Link, *, actor: str, at: datetime) -> Event | None:
    body = {
        "event_id": new_id("claim"),
        "type": Event.Type.CUSTOM,
        "name": NAME,
        "occurred_at": claim.since.isoformat(),
        "customer": {"external_id": claim.friend.external_id},
        "referral": {"code": link.code},
        "attributes": {"claim": claim.public_id, "by": actor or f"customer:{claim.advocate_id}"},
    }
    return record_event(fact=fact_from_json(body, now=at), at=at, source=CLAIM).event


def end_silent_claims(*, at: datetime) -> int:
    """Close the claims that nobody answered for 14 days; return how many."""
    silent = FriendClaim.objects.filter(state=State.ASKED, at__lt=at - MAY_ANSWER)
    return silent.update(state=State.SILENT, answered_at=at)
