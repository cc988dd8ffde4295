"""Leaderboards: approved referrals alone count, ties share a rank, names are chosen, closed periods stay closed."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from messaging.models import Message
from referrals.models import Customer, Referral
from referrals.services.lifecycle import void_referral
from rewards.models import DisplayName, Leaderboard, LeaderboardPrize, LeaderboardResult
from rewards.queries import leaderboards as queries
from rewards.queries.leaderboards import count_places, running_period, show_board, show_result
from rewards.services.leaderboards import (
    NothingToClose,
    choose_display_name,
    close_leaderboard,
    close_leaderboards_due,
    leave_leaderboards,
    schedule_leaderboard,
)
from tests.factories import CustomerFactory, UserFactory, make_program
from tests.scenes import bring, do_due, moment

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def program():
    return make_program()


@pytest.fixture
def people(program):
    """Four advocates with 3, 2, 2 and 1 friends approved in May, and one more friend of the last who only qualified."""
    people = [CustomerFactory(name=name) for name in ("Ann Archer", "Ben Brown", "Cem Can", "Dora Day")]
    for advocate, friends in zip(people, (3, 2, 2, 1), strict=True):
        for number in range(friends):
            at = MAY + timedelta(days=number, hours=1)
            bring(advocate, f"Friend {number} of {advocate.name}", at, program=program, buys_after_days=1)
    bring(people[3], "Late Friend", MAY + 25 * DAY, program=program, buys_after_days=1)
    for day in range(15, 31):
        do_due(MAY + day * DAY)
    return people


def make_board(program, period="month", **more):
    board = Leaderboard.objects.create(
        program=program, title="Best", period=period, **{"starts_on": date(2026, 1, 1)} | more
    )
    LeaderboardPrize.objects.create(leaderboard=board, first_rank=1, last_rank=1, prize="Trip")
    LeaderboardPrize.objects.create(leaderboard=board, first_rank=2, last_rank=3, prize="Beans")
    return schedule_leaderboard(leaderboard=board, at=MAY)


def rows(board):
    return [(row.rank, row.name, row.count, row.is_you, row.prize) for row in board.rows]


def test_count_places_counts_approved_referrals_with_shared_ranks(program, people):
    board = make_board(program)

    places = count_places(board, MAY, JUNE)

    assert [(one.customer, one.rank, one.count) for one in places] == [
        (people[0].pk, 1, 3),
        (people[1].pk, 2, 2),
        (people[2].pk, 2, 2),
        (people[3].pk, 4, 1),
    ]
    assert Referral.objects.filter(state="qualified").count() == 1


def test_show_board_shows_names_only_of_those_who_chose_one(program, people):
    board = make_board(program)
    choose_display_name(customer=people[0], name="  Bean  Queen", at=MAY)

    seen = show_board(board, people[1], at=JUNE - DAY)

    assert rows(seen) == [
        (1, "Bean Queen", 3, False, ""),
        (2, "", 2, True, ""),
        (2, "", 2, False, ""),
        (4, "", 1, False, ""),
    ]
    assert (seen.ahead, seen.own, seen.people, seen.prizes) == (2, None, 4, ("1: Trip", "2–3: Beans"))
    assert (seen.starts_at, seen.ends_at) == (MAY, JUNE)


def test_show_board_adds_the_viewers_own_line_below_what_is_shown(program, people):
    board = make_board(program, shown=2)

    seen = show_board(board, people[3], at=JUNE - DAY)

    assert [row.rank for row in seen.rows] == [1, 2, 2]
    assert (seen.own.rank, seen.own.count, seen.own.is_you, seen.ahead) == (4, 1, True, 2)
    assert show_board(board, CustomerFactory(), at=JUNE - DAY).own is None


@pytest.mark.parametrize("how", ["leave", "erase"])
def test_leaving_and_erasing_takes_the_name_off_at_once_closed_periods_included(program, people, how):
    board = make_board(program)
    choose_display_name(customer=people[0], name="Bean Queen", at=MAY)
    close_leaderboards_due(at=JUNE)
    result = LeaderboardResult.objects.get()
    before = show_result(result, people[1]).rows[0].name

    if how == "leave":
        assert leave_leaderboards(customer=people[0]) is True
    else:
        Customer.objects.filter(pk=people[0].pk).update(erased_at=JUNE)

    assert before == "Bean Queen"
    assert show_result(result, people[1]).rows[0].name == ""
    assert show_board(board, people[1], at=JUNE - DAY).rows == ()
    assert leave_leaderboards(customer=people[0]) is (how == "erase")


def test_showing_names_sabotaged_would_name_the_erased(program, people, monkeypatch):
    """Were erased customers not left out, their name would still stand there."""
    make_board(program)
    choose_display_name(customer=people[0], name="Bean Queen", at=MAY)
    close_leaderboards_due(at=JUNE)
    Customer.objects.filter(pk=people[0].pk).update(erased_at=JUNE)
    monkeypatch.setattr(
        queries, "display_names", lambda _: dict(DisplayName.objects.values_list("customer_id", "name"))
    )

    assert show_result(LeaderboardResult.objects.get(), people[1]).rows[0].name == "Bean Queen"


def test_close_leaderboards_due_freezes_the_period_whatever_happens_later(program, people):
    board = make_board(program)

    closed = [close_leaderboards_due(at=at) for at in (JUNE - DAY, JUNE, JUNE)]
    with moment(JUNE + DAY):
        referral = people[0].referrals_made.first()
        void_referral(referral=referral, reason="fraud", note="", actor="staff", at=JUNE + DAY)

    board.refresh_from_db()
    result = LeaderboardResult.objects.get()
    assert closed == [0, 1, 0]
    assert (result.starts_at, result.ends_at, result.closed_by) == (MAY, JUNE, "")
    assert board.closes_at == datetime(2026, 7, 1, tzinfo=UTC)
    assert list(result.placed.order_by("rank", "pk").values_list("rank", "count", "prize")) == [
        (1, 3, "Trip"),
        (2, 2, "Beans"),
        (2, 2, "Beans"),
        (4, 1, ""),
    ]
    assert rows(show_result(result, people[0]))[0] == (1, "", 3, True, "Trip")


def test_close_leaderboards_due_catches_up_period_by_period(program, people):
    make_board(program)

    assert close_leaderboards_due(at=datetime(2026, 8, 15, tzinfo=UTC)) == 3
    ends = LeaderboardResult.objects.order_by("pk").values_list("ends_at", flat=True)
    assert [end.month for end in ends] == [6, 7, 8]


def test_close_leaderboard_by_hand_begins_a_new_period(program, people):
    board = make_board(program, "all")

    close_leaderboard(leaderboard=board, actor="boss", at=JUNE)

    assert board.closes_at is None
    assert running_period(board, JUNE + DAY) == (JUNE, None)
    assert show_board(board, people[0], at=JUNE + DAY).rows == ()
    with pytest.raises(NothingToClose):
        close_leaderboard(leaderboard=board, actor="boss", at=JUNE)
    assert LeaderboardResult.objects.count() == 1


def test_running_period_begins_no_earlier_than_the_leaderboard(program):
    board = make_board(program, starts_on=date(2026, 5, 10))

    assert running_period(board, MAY + 20 * DAY) == (datetime(2026, 5, 10, tzinfo=UTC), JUNE)


@pytest.mark.parametrize("number", [1, 3])
def test_show_board_asks_the_database_as_often_for_many_as_for_one(program, number, django_assert_num_queries):
    for advocate in CustomerFactory.create_batch(number):
        bring(advocate, f"Friend of {advocate.name}", MAY, program=program, buys_after_days=1)
    do_due(MAY + 15 * DAY)
    board, viewer = make_board(program), CustomerFactory()

    with django_assert_num_queries(4):
        assert len(show_board(board, viewer, at=JUNE - DAY).rows) == number


def close_may(program, **board):
    with time_machine.travel(JUNE + DAY, tick=False):
        make_board(program, **board)
        close_leaderboards_due(at=JUNE + DAY)
    return LeaderboardResult.objects.get()


def test_close_leaderboard_congratulates_who_won_and_tells_staff_once(program, people):
    keeper = UserFactory(is_staff=True, is_superuser=True)
    result = close_may(program)

    won = Message.objects.filter(kind="leaderboard_prize")
    assert {(one.email, one.context["prize"], one.context["rank"]) for one in won} == {
        (people[0].email, "Trip", 1),
        (people[1].email, "Beans", 2),
        (people[2].email, "Beans", 2),
    }
    alert = Message.objects.get(kind="staff_alert")
    assert alert.email == keeper.email
    assert "3 people have won something" in alert.context["details"]
    assert alert.context["page_url"].endswith(f"/admin/rewards/leaderboardresult/{result.pk}/change/")


def test_close_leaderboard_long_ago_or_without_prizes_mails_nobody(program, people):
    board = make_board(program)
    close_leaderboards_due(at=JUNE + 60 * DAY)
    board.prizes.all().delete()
    with time_machine.travel(JUNE + 75 * DAY, tick=False):
        close_leaderboard(leaderboard=board, actor="boss", at=JUNE + 75 * DAY)

    assert not Message.objects.filter(kind="leaderboard_prize").exists()
