"""VIP events: who is invited, who comes, who waits, who moves up, who is told."""

from datetime import timedelta

import pytest

from messaging.models import Message
from referrals.models import Customer
from referrals.services.erasing import erase_customer, export_customer
from rewards.models import DisplayName, EventInvitation, Perk, PerkEvent, Reward, TierStanding
from rewards.queries.perk_events import audience_of, place_in_line
from rewards.services import perk_events as service
from rewards.services.leaderboards import choose_display_name
from rewards.services.perk_events import (
    AnswersClosed,
    FewerPlacesThanGuests,
    WrongEventState,
    answer_invitation,
    cancel_event,
    change_places,
    note_attendance,
    open_events_due,
    publish_event,
)
from tests.factories import CustomerFactory, make_program
from tests.scenes import NOON, moment

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def program():
    return make_program()


def gold(program, number, *, level="Gold", vip=True, perks=()):
    customers = CustomerFactory.create_batch(number)
    for customer in customers:
        TierStanding.objects.create(
            customer=customer, program=program, level=level, vip=vip, perks=list(perks), since=NOON, updated_at=NOON
        )
    return customers


def plan(*, places=2, published=True, **more):
    event = PerkEvent.objects.create(
        **{
            "title": "Tasting",
            "starts_at": NOON + 10 * DAY,
            "ends_at": NOON + 10 * DAY + timedelta(hours=3),
            "opens_at": NOON,
            "closes_at": NOON + 8 * DAY,
            "places": places,
            "for_vips": True,
            **more,
        }
    )
    return publish_event(event=event) if published else event


def open_event(event, at=NOON):
    with moment(at):
        open_events_due(at=at)
    return list(event.invitations.order_by("pk"))


def answer(invitation, coming, at=NOON):
    with moment(at):
        return answer_invitation(invitation=invitation, coming=coming, at=at)


def states(event):
    return [(one.state, one.seat, one.waiting_number) for one in event.invitations.order_by("pk")]


def test_open_events_due_invites_its_audience_once_and_writes_to_each(program):
    gold(program, 3)
    gold(program, 1, level="Silver", vip=False)
    event = plan()

    before = open_events_due(at=NOON - DAY)
    first, second = open_events_due(at=NOON), open_events_due(at=NOON)

    assert (before, first, second) == (0, 1, 0)
    assert states(event) == [("invited", None, None)] * 3
    assert list(Message.objects.values_list("kind", "cause")) == [("event_invitation", f"perk_event:{event.pk}")] * 3


def test_open_events_due_leaves_drafts_and_cancelled_ones_alone(program):
    gold(program, 1)
    plan(published=False)
    cancel_event(event=plan())

    assert open_events_due(at=NOON) == 0
    assert EventInvitation.objects.count() == 0


def test_audience_of_is_by_vip_tier_perk_and_program(program):
    other = make_program("other", name="Other")
    (vip,), (silver,) = gold(program, 1), gold(program, 1, level="Silver", vip=False, perks=["early"])
    (elsewhere,) = gold(other, 1)
    holder = CustomerFactory()
    perk = Perk.objects.create(slug="early", title="Early access")
    Reward.objects.create(
        program=program,
        offer=program.offers.get(),
        recipient=holder,
        side="advocate",
        rule="gift",
        moment="qualified",
        kind="perk",
        cause="event:1",
        detail={"what": "early"},
        state="fulfilled",
        occurred_at=NOON,
        available_at=NOON,
    )

    def of(**more):
        return set(audience_of(PerkEvent(**({"for_vips": False, "tiers": []} | more))))

    assert of(for_vips=True) == {vip, elsewhere}
    assert of(for_vips=True, program=program) == {vip}
    assert of(tiers=["Silver"]) == {silver}
    assert of(perk=perk) == {silver, holder}
    assert of() == set()
    Customer.objects.filter(pk=vip.pk).update(erased_at=NOON)
    assert of(for_vips=True) == {elsewhere}


def test_answer_invitation_gives_places_in_order_then_the_waiting_list(program):
    gold(program, 4)
    event = plan(places=2)
    invitations = open_event(event)

    answered = [answer(one, True) for one in invitations]

    assert states(event) == [("coming", 1, None), ("coming", 2, None), ("waiting", None, 1), ("waiting", None, 2)]
    assert [place_in_line(one) for one in answered] == [0, 0, 1, 2]


def test_answer_invitation_moves_up_who_waits_longest_and_tells_them(program):
    gold(program, 4)
    event = plan(places=2)
    first, second, third, fourth = open_event(event)
    for one in (first, second, fourth, third):
        answer(one, True)

    answer(first, False, NOON + DAY)

    assert states(event) == [("declined", None, None), ("coming", 2, None), ("waiting", None, 2), ("coming", 1, None)]
    told = Message.objects.filter(kind="event_place_free")
    assert [message.recipient_key for message in told] == [f"customer:{fourth.customer_id}"]


def test_answer_invitation_again_changes_nothing_and_tells_nobody(program):
    gold(program, 3)
    event = plan(places=1)
    invitations = open_event(event)
    for one in invitations:
        answer(one, True)
    before = states(event)

    for one in invitations:
        answer(one, True, NOON + DAY)

    assert states(event) == before == [("coming", 1, None), ("waiting", None, 1), ("waiting", None, 2)]
    assert not Message.objects.filter(kind="event_place_free").exists()


def test_answer_invitation_who_comes_back_waits_at_the_end(program):
    gold(program, 3)
    event = plan(places=1)
    first, second, third = open_event(event)
    for one in (first, second, third):
        answer(one, True)

    answer(first, False)
    answer(first, True)

    assert states(event) == [("waiting", None, 3), ("coming", 1, None), ("waiting", None, 2)]


def test_answer_invitation_after_the_end_is_refused_but_a_no_frees_the_place_until_it_starts(program):
    gold(program, 2)
    event = plan(places=1)
    first, second = open_event(event)
    answer(first, True)
    answer(second, True)

    with pytest.raises(AnswersClosed):
        answer(second, False, NOON + 10 * DAY)
    late = CustomerFactory()
    invitation = EventInvitation.objects.create(event=event, customer=late, invited_at=NOON)
    with pytest.raises(AnswersClosed):
        answer(invitation, True, NOON + 8 * DAY)
    before = states(event)
    answer(first, False, NOON + 9 * DAY)

    assert before == [("coming", 1, None), ("waiting", None, 1), ("invited", None, None)]
    assert states(event) == [("declined", None, None), ("coming", 1, None), ("invited", None, None)]


def test_answer_invitation_to_an_event_without_bound_always_has_a_place(program):
    gold(program, 5)
    event = plan(places=None)

    for one in open_event(event):
        answer(one, True)

    assert states(event) == [("coming", number, None) for number in range(1, 6)]


def test_change_places_moves_up_and_never_takes_a_place_away(program):
    gold(program, 4)
    event = plan(places=1)
    for one in open_event(event):
        answer(one, True)

    with moment(NOON):
        change_places(event=event, places=3, at=NOON)
        grown = states(event)
        with pytest.raises(FewerPlacesThanGuests):
            change_places(event=event, places=2, at=NOON)

    assert grown == states(event) == [*(("coming", seat, None) for seat in (1, 2, 3)), ("waiting", None, 3)]
    assert Message.objects.filter(kind="event_place_free").count() == 2


def test_change_places_closes_ranks(program):
    gold(program, 3)
    event = plan(places=3)
    first, *_ = open_event(event)
    for one in event.invitations.order_by("pk"):
        answer(one, True)
    answer(first, False)

    change_places(event=event, places=2, at=NOON)

    assert states(event) == [("declined", None, None), ("coming", 2, None), ("coming", 1, None)]


def test_cancel_event_tells_who_comes_or_waits_and_ends_answers(program):
    gold(program, 3)
    event = plan(places=1)
    first, second, third = open_event(event)
    answer(first, True)
    answer(second, True)

    with moment(NOON):
        cancel_event(event=event)

    told = Message.objects.filter(kind="event_cancelled").values_list("recipient_key", flat=True)
    assert sorted(told) == sorted(f"customer:{one.customer_id}" for one in (first, second))
    with pytest.raises(AnswersClosed):
        answer(third, True)
    with pytest.raises(WrongEventState):
        cancel_event(event=event)
    with pytest.raises(WrongEventState):
        publish_event(event=event)


def test_note_attendance_is_of_guests_only(program):
    gold(program, 2)
    event = plan(places=1)
    for one in open_event(event):
        answer(one, True)

    assert note_attendance(invitations=event.invitations.all(), came=True) == 1
    assert [one.came for one in event.invitations.order_by("pk")] == [True, None]


def test_erased_customers_do_not_move_up(program):
    gold(program, 3)
    event = plan(places=1)
    first, second, third = open_event(event)
    for one in (first, second, third):
        answer(one, True)
    Customer.objects.filter(pk=second.customer_id).update(erased_at=NOON)

    answer(first, False)

    assert states(event) == [("declined", None, None), ("waiting", None, 1), ("coming", 1, None)]


def test_answer_invitation_sabotaged_would_overbook(program, monkeypatch):
    """Were free seats not counted against the places, more would come than fit."""
    monkeypatch.setattr(service, "_free_seat", lambda event: event.invitations.filter(state="coming").count() + 1)
    gold(program, 3)
    event = plan(places=1)

    for one in open_event(event):
        answer(one, True)

    assert event.invitations.filter(state="coming").count() == 3


def test_erase_customer_gives_back_places_and_the_name_and_exports_them_before(program):
    gold(program, 2)
    event = plan(places=1)
    first, second = open_event(event)
    answer(first, True)
    answer(second, True)
    choose_display_name(customer=first.customer, name="Bean Queen", at=NOON)
    before = export_customer(customer=first.customer)["standing"]

    with moment(NOON):
        erase_customer(customer=first.customer, by="staff", at=NOON)

    assert (before["display_name"], before["tiers"][0]["tier"], before["events"][0]["answer"]) == (
        "Bean Queen",
        "Gold",
        "coming",
    )
    assert states(event) == [("declined", None, None), ("coming", 1, None)]
    assert not DisplayName.objects.exists()
