"""A cheaper program takes over new friends from the moment it is in charge; who is bound keeps their offer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from referrals.bots import Verdict
from referrals.models import Click, Program, Referral, Takeover
from referrals.queries.sharing import share_cards
from referrals.queries.takeovers import program_in_charge, programs_in_charge
from referrals.redirect import Knock, open_link
from referrals.services import takeovers
from referrals.services.clicks import Visit, record_click
from referrals.services.links import ensure_links
from referrals.services.takeovers import TakeoverRefused, end_takeover, start_takeover
from rewards.models import Reward
from rewards.queries.budgets import granted_points
from tests.shop import PROGRAM, Shop, apply_text, assert_books_balance, day

pytestmark = pytest.mark.django_db

CHEAP = (
    PROGRAM.replace("program: refer-a-friend", "program: small-thanks")
    .replace("name: Refer a friend", "name: A smaller thanks")
    .replace("points: 500", "points: 50")
    .replace("shop.example/welcome", "shop.example/small")
)
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "accept-language": "en"}


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def cheap(shop):
    return apply_text(CHEAP)


def take_over(shop, to, at=0):
    return start_takeover(program=shop.program, to=to, why="spent", budget_points=1000, granted_points=900, at=day(at))


def bound(who):
    return [
        (r.program.slug, r.instead_of.slug if r.instead_of else None, str(r.state))
        for r in Referral.objects.filter(friend__external_id=who).order_by("pk")
    ]


def test_start_takeover_binds_new_friends_to_the_other_program(shop, cheap):
    code = shop.code_of("ann")
    take_over(shop, cheap, at=5)

    shop.report(shop.purchase("bob", day(6), "1", "50.00", code=code), at=day(6))

    assert bound("bob") == [("small-thanks", "refer-a-friend", "qualified")]
    assert ("advocate-fixed", 50, "pending") in shop.rewards("ann")
    assert_books_balance()


def test_start_takeover_leaves_who_is_bound_with_their_offer(shop, cheap):
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(1), code=code), at=day(1))
    take_over(shop, cheap, at=5)

    shop.report(shop.purchase("bob", day(6), "1", "50.00", code=code), at=day(6))

    assert bound("bob") == [("refer-a-friend", None, "qualified")]
    assert ("advocate-fixed", 500, "pending") in shop.rewards("ann")


def test_start_takeover_counts_from_the_touch(shop, cheap):
    """Who clicked before the takeover saw the old offer and gets it."""
    link = ensure_links(customer=_customer(shop, "ann"))[0]
    click = record_click(link=link, visit=Visit(verdict=Verdict("person", "")), at=day(4))
    take_over(shop, cheap, at=5)

    shop.report(shop.purchase("bob", day(6), "1", "50.00", click_id=click.click_id), at=day(6))

    assert bound("bob") == [("refer-a-friend", None, "qualified")]


def test_start_takeover_ends_equal_in_any_order(shop, cheap):
    """The purchase with the code arrives first, the sign-up from before the takeover after it."""
    code = shop.code_of("ann")
    take_over(shop, cheap, at=5)
    shop.report(shop.purchase("bob", day(6), "1", "50.00", code=code), at=day(7))

    shop.report(shop.signup("bob", day(1), code=code), at=day(7))

    assert bound("bob") == [("refer-a-friend", None, "qualified")]
    standing = [(points, state) for rule, points, state in shop.rewards("ann") if rule == "advocate-fixed"]
    assert standing == [(500, "pending")]
    assert_books_balance()


def test_start_takeover_undone_by_an_earlier_event_moves_every_reward_to_the_first_program(shop, cheap):
    """What comes out the same is not posted again, but belongs to the program and the offer that pay it."""
    code = shop.code_of("ann")
    take_over(shop, cheap, at=5)
    shop.report(shop.purchase("bob", day(6), "1", "50.00", code=code), at=day(7))
    standing = Reward.objects.filter(state__in=Reward.STANDING)
    before = set(standing.values_list("program__slug", "offer__program__slug"))

    shop.report(shop.signup("bob", day(1), code=code), at=day(7))

    assert before == {("small-thanks", "small-thanks")}
    assert set(standing.values_list("program__slug", "offer__program__slug")) == {("refer-a-friend", "refer-a-friend")}
    assert (granted_points(cheap), granted_points(shop.program)) == (0, sum(r.points for r in standing))


def test_end_takeover_gives_new_friends_back(shop, cheap):
    code = shop.code_of("ann")
    takeover = take_over(shop, cheap, at=5)
    shop.report(shop.signup("bob", day(6), code=code), at=day(6))

    assert end_takeover(takeover=takeover, why="raised", at=day(7)) is True
    assert end_takeover(takeover=takeover, why="raised", at=day(8)) is False

    shop.report(shop.signup("carl", day(8), code=code), at=day(8))
    shop.report(shop.purchase("bob", day(9), "1", "50.00", code=code), at=day(9))
    assert bound("carl") == [("refer-a-friend", None, "signed_up")]
    assert bound("bob") == [("small-thanks", "refer-a-friend", "qualified")]


def test_start_takeover_twice_is_one(shop, cheap):
    assert take_over(shop, cheap, at=5) == take_over(shop, cheap, at=6)
    assert Takeover.objects.count() == 1


def test_start_takeover_by_another_ends_the_first(shop, cheap):
    take_over(shop, cheap, at=5)
    third = apply_text(CHEAP.replace("small-thanks", "smallest"))

    take_over(shop, third, at=6)

    assert list(Takeover.objects.order_by("pk").values_list("to__slug", "until", "ended_why")) == [
        ("small-thanks", day(6), "smallest takes its place"),
        ("smallest", None, ""),
    ]


def test_start_takeover_chains(shop, cheap):
    third = apply_text(CHEAP.replace("small-thanks", "smallest"))
    take_over(shop, cheap)
    start_takeover(program=cheap, to=third, why="spent", budget_points=1, granted_points=1, at=day(0))

    assert program_in_charge(shop.program, day(1)) == third


def test_start_takeover_refuses_a_circle(shop, cheap):
    take_over(shop, cheap)

    with pytest.raises(TakeoverRefused, match="circle"):
        start_takeover(program=cheap, to=shop.program, why="spent", budget_points=1, granted_points=1, at=day(1))

    assert Takeover.objects.count() == 1


def test_start_takeover_refuses_a_circle_sabotaged(shop, cheap, monkeypatch):
    """Were the circle not seen, both programs would point at each other; reading still comes to an end."""
    monkeypatch.setattr(takeovers, "_leads_to", lambda *_: False)
    take_over(shop, cheap)

    start_takeover(program=cheap, to=shop.program, why="spent", budget_points=1, granted_points=1, at=day(1))

    assert program_in_charge(shop.program, day(2)) == cheap
    assert program_in_charge(cheap, day(2)) == shop.program


def test_start_takeover_refuses_a_program_that_does_not_run(shop, cheap):
    apply_text(CHEAP.replace("status: active", "status: paused"), at=day(1))

    with pytest.raises(TakeoverRefused, match="does not run"):
        take_over(shop, Program.objects.get(slug="small-thanks"), at=2)

    assert not Takeover.objects.exists()


def test_program_in_charge_is_the_own_where_the_other_stopped_running(shop, cheap):
    take_over(shop, cheap)
    apply_text(CHEAP.replace("status: active", "status: ended"), at=day(3))

    assert program_in_charge(shop.program, day(2)) == cheap
    assert program_in_charge(shop.program, day(4)) == shop.program


def test_programs_in_charge_asks_once_for_many(shop, cheap, django_assert_num_queries):
    programs = list(Program.objects.order_by("pk"))

    with django_assert_num_queries(1):
        programs_in_charge(programs, day(1))


def test_takeover_is_one_at_a_time_in_the_database(shop, cheap):
    take_over(shop, cheap)

    with pytest.raises(IntegrityError), transaction.atomic():
        Takeover.objects.create(
            program=shop.program, to=cheap, at=day(1), why="again", budget_points=1, granted_points=1
        )


def test_open_link_leads_to_the_landing_page_in_charge(shop, cheap):
    code = shop.code_of("ann")
    take_over(shop, cheap, at=5)

    before = open_link(Knock(code=code, headers=BROWSER), at=day(4))
    after = open_link(Knock(code=code, headers=BROWSER), at=day(6))

    assert before.location.startswith("https://shop.example/welcome?")
    assert after.location.startswith("https://shop.example/small?")
    assert f"ref={code}" in after.location
    assert set(Click.objects.values_list("program__slug", flat=True)) == {"refer-a-friend"}


def test_share_cards_show_the_promise_in_charge_once(shop, cheap):
    """The link that the customer knows stays, with the new promise; the other program's own is not shown twice."""
    links = ensure_links(customer=_customer(shop, "ann"))
    take_over(shop, cheap, at=0)

    (card,) = share_cards(links, at=day(1))

    assert card.code == next(link.code for link in links if link.program == shop.program)
    assert card.offer.slug == "small-thanks"
    assert [one.offer.slug for one in share_cards(links, at=day(0) - timedelta(1))] == [
        "refer-a-friend",
        "small-thanks",
    ]


def _customer(shop, name):
    shop.code_of(name)
    return shop.program.links.get(customer__external_id=name).customer
