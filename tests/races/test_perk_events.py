"""Places of VIP events under real threads: never one too many, and nobody lost."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection

from rewards.models import EventInvitation, PerkEvent
from rewards.services import perk_events as service
from rewards.services.perk_events import answer_invitation
from tests.factories import CustomerFactory
from tests.races.threads import at_once
from tests.scenes import NOON

pytestmark = pytest.mark.django_db(transaction=True)
GUESTS, PLACES = 12, 5


@pytest.fixture
def event():
    event = PerkEvent.objects.create(
        title="Tasting",
        starts_at=NOON + timedelta(days=10),
        ends_at=NOON + timedelta(days=11),
        opens_at=NOON,
        closes_at=NOON + timedelta(days=8),
        places=PLACES,
        for_vips=True,
        state="published",
        invited_at=NOON,
    )
    EventInvitation.objects.bulk_create(
        EventInvitation(event=event, customer=customer, invited_at=NOON)
        for customer in CustomerFactory.create_batch(GUESTS)
    )
    return event


def answers(event, coming):
    return [partial(answer_invitation, invitation=one, coming=coming, at=NOON) for one in event.invitations.all()]


def seats(event):
    return sorted(event.invitations.filter(state="coming").values_list("seat", flat=True))


def waiting(event):
    return sorted(event.invitations.filter(state="waiting").values_list("waiting_number", flat=True))


def test_answer_invitation_at_once_gives_each_place_once_and_a_line_without_gaps(event):
    results = at_once(answers(event, True))

    assert [one for one in results if isinstance(one, Exception)] == []
    assert seats(event) == list(range(1, PLACES + 1))
    assert waiting(event) == list(range(1, GUESTS - PLACES + 1))


def test_answer_invitation_yes_and_no_at_once_leaves_no_place_empty_while_somebody_waits(event):
    at_once(answers(event, True))
    coming = list(event.invitations.filter(state="coming"))
    noes = [partial(answer_invitation, invitation=one, coming=False, at=NOON) for one in coming[:3]]
    again = [partial(answer_invitation, invitation=one, coming=True, at=NOON) for one in coming[3:]]

    results = at_once([*noes, *again])

    assert [one for one in results if isinstance(one, Exception)] == []
    assert seats(event) == list(range(1, PLACES + 1))
    assert len(waiting(event)) == GUESTS - PLACES - 3


def test_answer_invitation_at_once_sabotaged_collides(event, monkeypatch):
    """Without the event's lock two would take the same place; the database's own constraint is the last guard."""
    monkeypatch.setattr(service, "_lock_event", lambda pk: PerkEvent.objects.get(pk=pk))

    results = at_once(answers(event, True))

    if connection.vendor == "postgresql":
        assert any(isinstance(one, IntegrityError) for one in results)
    else:  # SQLite lets one writer in at a time, lock or not
        assert seats(event) == list(range(1, PLACES + 1))
