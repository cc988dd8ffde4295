"""VIP events: who is invited, who comes, who waits, and who moves up."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from core.dispatch import publish
from core.errors import Refused
from referrals.models import Customer
from rewards.events import CustomersInvited, PerkEventCancelled, PlacesFreed
from rewards.models import EventInvitation, PerkEvent
from rewards.queries.perk_events import audience_of

State = EventInvitation.State
CHUNK = 500


class AnswersClosed(Refused):
    """The time for answers is over, or the event is cancelled or not yet published."""

    code = "answers_closed"


class WrongEventState(Refused):
    """The event is in a state from which this step is not possible."""

    code = "wrong_state"


class FewerPlacesThanGuests(Refused):
    """More people already come than the places asked for."""

    code = "fewer_places_than_guests"


@transaction.atomic
def publish_event(*, event: PerkEvent) -> PerkEvent:
    """Let invitations go out once its opening has come; a cancelled one stays cancelled. Raises `WrongEventState`."""
    if PerkEvent.objects.filter(pk=event.pk, state=PerkEvent.State.DRAFT).update(state=PerkEvent.State.PUBLISHED) != 1:
        raise WrongEventState(f"only a draft can be published; this one is {event.get_state_display()}")
    event.refresh_from_db()
    return event


@transaction.atomic
def cancel_event(*, event: PerkEvent) -> PerkEvent:
    """Call the event off for good; who comes or waits is told. Raises `WrongEventState`."""
    live = PerkEvent.objects.filter(pk=event.pk, state__in=[PerkEvent.State.DRAFT, PerkEvent.State.PUBLISHED])
    if live.update(state=PerkEvent.State.CANCELLED) != 1:
        raise WrongEventState("the event is already cancelled")
    event.refresh_from_db()
    publish(PerkEventCancelled(subject=f"perk_event:{event.pk}", event=event.pk))
    return event


def open_events_due(*, at: datetime) -> int:
    """Invite to the published events whose opening has come by `at`; return how many events."""
    due = PerkEvent.objects.filter(
        state=PerkEvent.State.PUBLISHED, invited_at=None, opens_at__lte=at, closes_at__gt=at
    ).values_list("pk", flat=True)
    return sum(_open_event(pk, at=at) for pk in list(due))


@transaction.atomic
def _open_event(pk: int, *, at: datetime) -> bool:
    if PerkEvent.objects.filter(pk=pk, invited_at=None).update(invited_at=at) != 1:
        return False
    event = PerkEvent.objects.get(pk=pk)
    invite_customers(event=event, customers=audience_of(event), at=at)
    return True


@transaction.atomic
def invite_customers(*, event: PerkEvent, customers: "QuerySet[Customer]", at: datetime) -> int:
    """Invite those who are not invited yet; return how many."""
    have = set(EventInvitation.objects.filter(event=event).values_list("customer_id", flat=True))
    fresh = [pk for pk in customers.order_by("pk").values_list("pk", flat=True) if pk not in have]
    for start in range(0, len(fresh), CHUNK):
        chunk = fresh[start : start + CHUNK]
        rows = [EventInvitation(event=event, customer_id=pk, invited_at=at) for pk in chunk]
        EventInvitation.objects.bulk_create(rows, ignore_conflicts=True)
        made = EventInvitation.objects.filter(public_id__in=[row.public_id for row in rows])
        publish(
            CustomersInvited(subject=f"perk_event:{event.pk}", invitations=tuple(made.values_list("pk", flat=True)))
        )
    return len(fresh)


@transaction.atomic
def invite_to_open_events(*, customer: Customer, at: datetime) -> int:
    """Invite a customer to the events under way that they belong to since now; return how many."""
    under_way = PerkEvent.objects.filter(
        state=PerkEvent.State.PUBLISHED, invited_at__isnull=False, closes_at__gt=at
    ).exclude(invitations__customer=customer)
    chosen = [event for event in under_way if audience_of(event).filter(pk=customer.pk).exists()]
    for event in chosen:
        invite_customers(event=event, customers=Customer.objects.filter(pk=customer.pk), at=at)
    return len(chosen)


@transaction.atomic
def answer_invitation(*, invitation: EventInvitation, coming: bool, at: datetime) -> EventInvitation:
    """Keep the customer's answer: a place where one is free, else the end of the waiting list, or a no.

    The same answer again changes nothing; a no gives the place to who waits longest. Raises `AnswersClosed`.
    """
    event = _lock_event(invitation.event_id)
    if event.state != PerkEvent.State.PUBLISHED or not event.opens_at <= at < _last_moment(event, coming):
        raise AnswersClosed("the time for answers is over")
    invitation = EventInvitation.objects.select_related("customer", "event").get(pk=invitation.pk)
    if not coming:
        return _decline(invitation, event, at)
    if invitation.state in (State.COMING, State.WAITING):
        return invitation
    seat = _free_seat(event) if not _somebody_waits(event) else None
    if seat is None:
        number = (event.invitations.aggregate(last=Max("waiting_number"))["last"] or 0) + 1
        _move(invitation, State.WAITING, at, waiting_number=number)
    else:
        _move(invitation, State.COMING, at, seat=seat)
    return invitation


def _last_moment(event: PerkEvent, coming: bool) -> datetime:
    """Until when an answer is taken: who must cancel may do so until it starts, so that somebody else can come."""
    return event.closes_at if coming else event.starts_at


@transaction.atomic
def change_places(*, event: PerkEvent, places: int | None, at: datetime) -> PerkEvent:
    """Set how many places there are; with more of them who waits moves up. Raises `FewerPlacesThanGuests`."""
    locked = _lock_event(event.pk)
    coming = locked.invitations.filter(state=State.COMING)
    guests = coming.count()
    if places is not None and places < guests:
        raise FewerPlacesThanGuests(f"{guests} people already come; expected at least {guests} places")
    PerkEvent.objects.filter(pk=event.pk).update(places=places)
    if places is not None:
        _close_ranks(coming, places)
    event.places = places
    _move_up(PerkEvent.objects.get(pk=event.pk), at)
    return event


def _close_ranks(coming: "QuerySet[EventInvitation]", places: int) -> None:
    """Give those beyond the last place a free one further in front."""
    taken = set(coming.filter(seat__lte=places).values_list("seat", flat=True))
    free = iter(seat for seat in range(1, places + 1) if seat not in taken)
    for row in coming.filter(seat__gt=places).order_by("seat"):
        EventInvitation.objects.filter(pk=row.pk).update(seat=next(free))


@transaction.atomic
def note_attendance(*, invitations: Iterable[EventInvitation], came: bool) -> int:
    """Note who came; return how many were noted. Only who had a place can have come."""
    pks = [row.pk for row in invitations]
    return EventInvitation.objects.filter(pk__in=pks, state=State.COMING).update(came=came)


def _lock_event(pk: int) -> PerkEvent:
    """Return the event with its row locked: whoever gives or takes places does it one after the other."""
    return PerkEvent.objects.select_for_update().get(pk=pk)


def _decline(invitation: EventInvitation, event: PerkEvent, at: datetime) -> EventInvitation:
    if invitation.state == State.DECLINED:
        return invitation
    had_place = invitation.state == State.COMING
    _move(invitation, State.DECLINED, at)
    if had_place:
        _move_up(event, at)
    return invitation


def _move(
    invitation: EventInvitation,
    state: EventInvitation.State,
    at: datetime,
    *,
    seat: int | None = None,
    waiting_number: int | None = None,
) -> None:
    changes = {"state": state, "seat": seat, "waiting_number": waiting_number, "answered_at": at}
    if EventInvitation.objects.filter(pk=invitation.pk, state=invitation.state).update(**changes) != 1:
        raise RuntimeError("an invitation was answered while its event was locked")
    for name, value in changes.items():
        setattr(invitation, name, value)


def _somebody_waits(event: PerkEvent) -> bool:
    return event.invitations.filter(state=State.WAITING).exists()


def _free_seat(event: PerkEvent) -> int | None:
    """Return the lowest seat that is free, or None where all places are taken."""
    taken = set(event.invitations.filter(state=State.COMING).values_list("seat", flat=True))
    seat = next(number for number in range(1, len(taken) + 2) if number not in taken)
    return seat if event.places is None or seat <= event.places else None


def _move_up(event: PerkEvent, at: datetime) -> None:
    """Give free places to who waits, first come first served, until the event starts."""
    if at >= event.starts_at:
        return
    moved = []
    waiting = event.invitations.filter(state=State.WAITING, customer__erased_at=None)
    for row in waiting.order_by("waiting_number"):
        seat = _free_seat(event)
        if seat is None:
            break
        # The answer is still theirs, from when they gave it.
        if EventInvitation.objects.filter(pk=row.pk, state=State.WAITING).update(
            state=State.COMING, seat=seat, waiting_number=None
        ):
            moved.append(row.pk)
    _tell_moved(event, moved)


def _tell_moved(event: PerkEvent, moved: Sequence[int]) -> None:
    if moved:
        publish(PlacesFreed(subject=f"perk_event:{event.pk}", invitations=tuple(moved)))
