"""Budgets: what burnt down, who is told and when, and who takes over."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command

from messaging.models import Message
from referrals.models import Takeover
from rewards.models import BudgetAlert, Reward
from rewards.queries.budgets import budget_of, budgeted_programs, burn_down
from rewards.services import budgets
from rewards.services.budgets import project_budgets, watch_budgets
from tests.factories import UserFactory
from tests.referrals.test_takeovers import CHEAP
from tests.scenes import moment
from tests.shop import PROGRAM, Shop, apply_text, assert_books_balance, day

pytestmark = pytest.mark.django_db

FIXED = """
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
"""
LIMITED = (
    PROGRAM.split("rewards:")[0] + "rewards:" + FIXED + "limits: {budget_points: 5000, then_offer: small-thanks}\n"
)


@pytest.fixture
def shop(db):
    UserFactory(email="chief@shop.example", is_staff=True, is_superuser=True)
    UserFactory(email="clerk@shop.example", is_staff=True)
    apply_text(CHEAP)
    return Shop(LIMITED)


def convert(shop, number, at, *, amount="50.00", code=""):
    code = code or shop.code_of("ann")
    shop.report(shop.purchase(f"f{number}", at, f"o{number}", amount, code=code), at=at)


def watch(at):
    with moment(at):
        return watch_budgets(at=at)


def mails():
    return [(m.kind, m.email, m.context["stage"]) for m in Message.objects.filter(kind="budget_alert").order_by("pk")]


def test_budget_of_counts_what_was_granted_and_not_taken_back(shop):
    for number in range(3):
        convert(shop, number, day(number))
    shop.report(shop.refund("f0", day(4), "o0", "50.00"), at=day(4))

    found = budget_of(shop.program, at=day(5))

    assert (found.budget, found.granted, found.left, found.typical, found.stages) == (5000, 1000, 4000, 500, ())


def test_burn_down_by_day_and_week(shop):
    for number, at in enumerate([0, 0, 1, 8]):
        convert(shop, number, day(at))
    shop.report(shop.refund("f0", day(3), "o0", "50.00"), at=day(3))

    days = burn_down(shop.program, budget=5000, today=date(2026, 3, 10))
    weeks = burn_down(shop.program, budget=5000, today=date(2026, 3, 10), weekly=True)

    assert [(b.day.day, b.points, b.granted, b.left) for b in days] == [
        (1, 1000, 1000, 4000),
        (2, 500, 1500, 3500),
        (3, 0, 1500, 3500),
        (4, -500, 1000, 4000),
        *[(d, 0, 1000, 4000) for d in (5, 6, 7, 8)],
        (9, 500, 1500, 3500),
        (10, 0, 1500, 3500),
    ]
    assert [(b.day.isoformat(), b.points, b.left) for b in weeks] == [
        ("2026-02-23", 1000, 4000),
        ("2026-03-02", 0, 4000),
        ("2026-03-09", 500, 3500),
    ]


def test_burn_down_of_an_untouched_program_is_empty(shop):
    assert burn_down(shop.program, budget=5000, today=date(2026, 3, 1)) == []
    assert budget_of(shop.program, at=day(0)).run_out is None


def test_watch_budgets_tells_staff_of_each_stage_once(shop):
    for number in range(7):
        convert(shop, number, day(number))
    assert watch(day(7)) == 0

    convert(shop, 7, day(8))
    assert watch(day(8)) == 1
    assert watch(day(8)) == 0

    assert mails() == [("budget_alert", "chief@shop.example", "80")]


def test_watch_budgets_tells_the_gravest_of_several_stages(shop):
    for number in range(10):
        convert(shop, number, day(number))

    watch(day(11))

    assert sorted(BudgetAlert.objects.values_list("stage", flat=True)) == ["80", "95", "spent"]
    assert [stage for _, _, stage in mails()] == ["spent"]
    assert Message.objects.get(kind="budget_alert").context["heir"] == "A smaller thanks"


def test_watch_budgets_tells_anew_of_a_raised_budget(shop):
    for number in range(8):
        convert(shop, number, day(number))
    watch(day(8))
    apply_text(LIMITED.replace("5000", "4900"), at=day(9))

    watch(day(9))

    assert [(m.context["stage"], m.context["budget"]) for m in Message.objects.filter(kind="budget_alert")] == [
        ("80", 5000),
        ("80", 4900),
    ]


def test_watch_budgets_hands_over_where_a_typical_referral_no_longer_fits(shop):
    for number in range(9):
        convert(shop, number, day(number))
    assert not Takeover.objects.exists()
    watch(day(9))
    assert not Takeover.objects.exists()

    convert(shop, 9, day(10))
    watch(day(10))

    takeover = Takeover.objects.get()
    assert (takeover.to.slug, takeover.at, takeover.granted_points) == ("small-thanks", day(10), 5000)
    assert takeover.why == "0 points are left; a referral usually takes 500"


def test_watch_budgets_hands_over_new_friends_after_a_refusal(shop):
    """The whole way: refused for the budget, handed over, the next friend gets the cheaper offer, then back again."""
    for number in range(11):
        convert(shop, number, day(number))
    assert Reward.objects.filter(reason="budget_exhausted").count() == 1
    watch(day(11))

    convert(shop, 11, day(12))
    assert shop.referral("f11").program.slug == "small-thanks"
    apply_text(LIMITED.replace("5000", "9000"), at=day(13))
    watch(day(13))
    convert(shop, 12, day(14))

    assert shop.referral("f12").program.slug == "refer-a-friend"
    assert shop.referral("f11").program.slug == "small-thanks"
    assert Takeover.objects.get().ended_why == "the budget was raised to 9000 points"
    assert_books_balance()


def test_watch_budgets_does_not_flap_when_a_refund_frees_a_little(shop):
    for number in range(10):
        convert(shop, number, day(number))
    watch(day(10))

    shop.report(shop.refund("f0", day(11), "o0", "50.00"), at=day(11))
    watch(day(11))

    assert Takeover.objects.get().until is None


def test_watch_budgets_ends_the_takeover_when_enough_came_back(shop):
    for number in range(10):
        convert(shop, number, day(number))
    watch(day(10))

    for number in range(10):
        shop.report(shop.refund(f"f{number}", day(11), f"o{number}", "50.00"), at=day(11))
    watch(day(11))

    assert Takeover.objects.get().ended_why == "points came back: 5000 are left"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LIMITED.replace(", then_offer: small-thanks", ""), "then_offer was removed"),
        (LIMITED.split("limits:")[0], "then_offer was removed"),
        (LIMITED.replace("small-thanks", "other"), "then_offer was changed"),
    ],
    ids=["no heir", "no limits", "another heir"],
)
def test_watch_budgets_ends_the_takeover_with_what_it_rested_on(shop, text, why):
    for number in range(10):
        convert(shop, number, day(number))
    watch(day(10))
    apply_text(text, at=day(11))

    watch(day(11))

    assert Takeover.objects.get().ended_why == why


def test_watch_budgets_without_a_fit_heir_hands_nothing_over(shop):
    """An unknown program, itself, or one that does not run: the hard stop stays."""
    for number in range(10):
        convert(shop, number, day(number))
    for heir in ("nobody", "refer-a-friend"):
        apply_text(LIMITED.replace("small-thanks", heir), at=day(10))
        watch(day(10))
    apply_text(CHEAP.replace("status: active", "status: draft"), at=day(10))
    apply_text(LIMITED, at=day(10))
    watch(day(11))

    assert not Takeover.objects.exists()


def test_watch_budgets_never_lets_two_programs_take_each_other_over(shop):
    spent = "limits: {budget_points: 10, then_offer: refer-a-friend}\n"
    for number in range(10):
        convert(shop, number, day(number))
    apply_text(CHEAP + spent, at=day(10))

    watch(day(11))
    watch(day(12))

    assert Takeover.objects.filter(until=None).count() == 1


def test_project_budgets_tells_of_a_run_out_within_a_fortnight(shop):
    apply_text(LIMITED.replace("5000", "20000"), at=day(0))
    for number in range(20):
        convert(shop, number, day(number))

    with moment(day(20)):
        assert watch_budgets(at=day(20)) == 0
        assert project_budgets(at=day(20)) == 0
    for number in range(20, 28):
        convert(shop, number, day(number))
    with moment(day(28)):
        assert project_budgets(at=day(28)) == 1
        assert project_budgets(at=day(28)) == 0

    (mail,) = Message.objects.filter(kind="budget_alert")
    assert mail.context["stage"] == "soon"
    assert mail.context["run_out"] == (day(28) + timedelta(days=12)).date().isoformat()


def test_watch_budgets_is_part_of_what_is_due(shop):
    for number in range(10):
        convert(shop, number, day(number))

    call_command("run_due", "--as-of", day(10).isoformat())

    assert Takeover.objects.get().at == day(10)


def test_watch_budgets_sabotaged(shop, monkeypatch):
    """Did nobody look whether staff were told, they would be written to every twenty seconds."""
    for number in range(8):
        convert(shop, number, day(number))
    watch(day(8))
    monkeypatch.setattr(budgets.BudgetAlert.objects, "filter", lambda **_: BudgetAlert.objects.none())

    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        watch(day(8))


def test_budgeted_programs_are_those_with_a_budget(shop):
    assert [program.slug for program in budgeted_programs()] == ["refer-a-friend"]
