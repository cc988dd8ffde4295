"""Who is credited: evidence, windows, touches, and who does not count."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.attribution import Visit, credited_visit
from referrals.models import Click, Customer, Link, Referral, ReferralStep
from referrals.people import normalize_email
from tests.shop import PROGRAM, Shop, day

FIRST_TOUCH = PROGRAM.replace("hold_days: 14", "attribution: {window_days: 30, model: first_touch}\nhold_days: 14")


@pytest.fixture
def shop(db):
    return Shop()


def click(shop, code, at, *, visitor="", verdict="person"):
    """Visit a link and return the click id that the landing page gets."""
    link = Link.objects.get(code=code)
    return Click.objects.create(link=link, program=link.program, at=at, visitor=visitor, verdict=verdict).click_id


def state_of(shop, who):
    referral = shop.referral(who)
    return referral.state, referral.reason


def test_bind_friend_by_click_touches_at_the_click(shop):
    found = click(shop, shop.code_of("ann"), day(0))

    shop.report(shop.signup("bob", day(3), click_id=found), at=day(3))

    referral = shop.referral("bob")
    assert (referral.advocate.external_id, referral.method, referral.touch_at, referral.bound_at) == (
        "ann",
        "link",
        day(0),
        day(3),
    )


@pytest.mark.parametrize(
    ("late", "expected"), [(timedelta(0), ("signed_up", "")), (timedelta(microseconds=1), ("voided", "outside_window"))]
)
def test_bind_friend_window_ends_with_its_last_instant(shop, late, expected):
    found = click(shop, shop.code_of("ann"), day(0))

    shop.report(shop.signup("bob", day(30) + late, click_id=found), at=day(31))

    assert state_of(shop, "bob") == expected


def test_bind_friend_by_code_has_no_window(shop):
    code = shop.code_of("ann")

    shop.report(shop.signup("bob", day(300), code=code.lower()), at=day(300))

    assert state_of(shop, "bob") == ("signed_up", "")


def test_bind_friend_after_outside_window_later_evidence_binds_anew(shop):
    code = shop.code_of("ann")
    found = click(shop, code, day(0))

    shop.report(
        shop.signup("bob", day(40), click_id=found), shop.purchase("bob", day(41), "1", "50.00", code=code), at=day(41)
    )

    assert list(Referral.objects.order_by("pk").values_list("state", "reason")) == [
        ("voided", "outside_window"),
        ("qualified", ""),
    ]


@pytest.mark.parametrize(("text", "credited"), [(PROGRAM, "cat"), (FIRST_TOUCH, "ann")])
def test_find_evidence_credits_by_the_model(db, text, credited):
    shop = Shop(text)
    click(shop, shop.code_of("ann"), day(0), visitor="v1")
    click(shop, shop.code_of("cat"), day(1), visitor="v1")
    click(shop, shop.code_of("dan"), day(1.5), visitor="v1", verdict="bot")
    named = click(shop, shop.code_of("cat"), day(2), visitor="v1")
    click(shop, shop.code_of("eve"), day(9), visitor="v1")

    shop.report(shop.signup("bob", day(3), click_id=named), at=day(3))

    assert shop.referral("bob").advocate.external_id == credited


@pytest.mark.parametrize(
    ("behind", "bound"), [(timedelta(milliseconds=400), True), (timedelta(hours=24, seconds=1), False)]
)
def test_find_evidence_forgives_a_clock_that_is_behind(shop, behind, bound):
    """Shops round to seconds and their clocks differ: the named click was there before the event, whatever they say."""
    found = click(shop, shop.code_of("ann"), day(1))

    one = shop.report(shop.signup("bob", day(1) - behind, click_id=found), at=day(1))[0]

    assert one.event.warnings == ([] if bound else ["unknown_click"])
    assert list(Referral.objects.values_list("state", "touch_at")) == (
        [("signed_up", day(1) - behind)] if bound else []
    )


def test_find_evidence_never_credits_a_bot(shop):
    found = click(shop, shop.code_of("ann"), day(0), verdict="bot")

    one = shop.report(shop.signup("bob", day(1), click_id=found), at=day(1))[0]

    assert one.event.warnings == ["unknown_click"]
    assert not Referral.objects.exists()


def test_bind_friend_second_code_is_recorded_and_ignored(shop):
    ann, cat = shop.code_of("ann"), shop.code_of("cat")

    shop.report(shop.signup("bob", day(0), code=ann), shop.purchase("bob", day(1), "1", "50.00", code=cat), at=day(1))

    assert shop.referral("bob").advocate.external_id == "ann"
    step = ReferralStep.objects.get(what="second_code_ignored")
    assert step.data["advocate"] == "cat"


@pytest.mark.parametrize("amount", ["0.00", "50.00"])
def test_judge_event_bought_before_is_an_existing_customer(shop, amount):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", amount), at=day(0))

    shop.report(shop.signup("bob", day(1), code=code), at=day(1))

    assert state_of(shop, "bob") == ("voided", "existing_customer")
    assert shop.rewards("bob") == []


def test_judge_event_bought_before_reported_late_takes_everything_back(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(5), "2", "50.00", code=code), at=day(5))

    shop.report(shop.purchase("bob", day(0), "1", "10.00"), at=day(6))

    assert state_of(shop, "bob") == ("voided", "existing_customer")
    assert (shop.points("ann"), shop.points("bob")) == ((0, 0, 0), (0, 0, 0))


def test_judge_event_bought_before_under_the_same_email_is_an_existing_customer(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("old-bob", day(0), "1", "50.00", email="b.ob+x@gmail.com"), at=day(0))

    shop.report(shop.signup("bob", day(1), code=code, email="bob@googlemail.com"), at=day(1))

    assert state_of(shop, "bob") == ("voided", "existing_customer")


def test_judge_event_bought_between_click_and_binding_counts(shop):
    found = click(shop, shop.code_of("ann"), day(0))
    shop.report(shop.purchase("bob", day(1), "1", "50.00"), at=day(1))

    shop.report(shop.signup("bob", day(2), click_id=found), at=day(2))

    assert (state_of(shop, "bob"), shop.referral("bob").qualified_at) == (("qualified", ""), day(1))


@pytest.mark.parametrize(
    ("ann", "friend"),
    [
        ("ann@example.com", "Ann@Example.com"),
        ("ann@example.com", "ann+shop@example.com"),
        ("a.nn@gmail.com", "ann@googlemail.com"),
    ],
)
def test_judge_event_same_person_is_a_self_referral(shop, ann, friend):
    code = shop.code_of("ann", email=ann)

    shop.report(shop.signup("second-account", day(0), code=code, email=friend), at=day(0))

    assert state_of(shop, "second-account") == ("voided", "self_referral")


def test_judge_event_dots_elsewhere_are_other_people(shop):
    code = shop.code_of("ann", email="a.nn@example.com")

    shop.report(shop.signup("bob", day(0), code=code, email="ann@example.com"), at=day(0))

    assert state_of(shop, "bob") == ("signed_up", "")


def test_judge_event_own_code_is_a_self_referral(shop):
    code = shop.code_of("ann")

    shop.report(shop.purchase("ann", day(0), "1", "50.00", code=code), at=day(0))

    assert state_of(shop, "ann") == ("voided", "self_referral")


def test_judge_event_circle_is_refused(shop):
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
    shop.report(shop.signup("cat", day(1), code=shop.code_of("bob")), at=day(1))

    shop.report(shop.signup("ann", day(2), code=shop.code_of("cat")), at=day(2))

    assert state_of(shop, "ann") == ("voided", "cycle")


def test_bind_friend_outside_the_program_binds_nothing(db):
    shop = Shop(PROGRAM + "starts: 2026-03-02\nends: 2026-03-05\n")
    code = shop.code_of("ann")

    shop.report(
        shop.signup("early", day(0), code=code),
        shop.signup("within", day(2), code=code),
        shop.signup("late", day(4), code=code),
        at=day(4),
    )

    assert [state_of(shop, who) for who in ("early", "within", "late")] == [
        ("voided", "program_not_running"),
        ("signed_up", ""),
        ("voided", "program_not_running"),
    ]


def test_judge_event_conversion_window_ends_with_its_last_instant(shop):
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(0), code=code), shop.signup("cat", day(0), code=code), at=day(0))

    shop.report(shop.purchase("bob", day(180), "1", "50.00"), at=day(180))
    shop.pass_time(day(181))
    shop.report(shop.purchase("cat", day(180) + timedelta(seconds=1), "2", "50.00"), at=day(181))

    assert (shop.referral("bob").state, shop.referral("cat").state) == ("qualified", "expired")


def test_expire_due_is_not_final(shop):
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(0), code=code), at=day(0))
    shop.pass_time(day(181))
    before = shop.referral("bob").state

    shop.report(shop.purchase("bob", day(179), "1", "50.00"), at=day(182))

    assert (before, shop.referral("bob").state) == ("expired", "qualified")


def test_judge_event_expired_friend_may_be_bound_by_somebody_else(shop):
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
    shop.pass_time(day(181))

    shop.report(shop.purchase("bob", day(200), "1", "50.00", code=shop.code_of("cat")), at=day(200))

    referral = shop.referral("bob")
    assert (referral.advocate.external_id, referral.state) == ("cat", "qualified")
    assert [r for r in shop.rewards("bob") if r[2] != "refused"] == [("friend-welcome", 100, "available")]


def test_judge_event_expired_advocate_keeps_the_friend_for_what_happened_before_the_end(shop):
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
    shop.pass_time(day(181))

    shop.report(shop.signup("bob", day(179), code=shop.code_of("cat")), at=day(182))

    assert (shop.referral("bob").advocate.external_id, shop.referral("bob").state) == ("ann", "expired")
    assert [assist.advocate.external_id for assist in shop.referral("bob").assists.all()] == ["cat"]


def test_judge_event_of_who_took_over_moves_the_binding_back_to_the_first_ones_end(shop):
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
    shop.report(shop.signup("bob", day(200), code=shop.code_of("cat")), at=day(200))

    shop.report(shop.signup("bob", day(190), code=shop.code_of("cat")), at=day(200))
    moved = shop.referral("bob").bound_at
    shop.report(shop.signup("bob", day(170), code=shop.code_of("cat")), at=day(200))

    assert moved == shop.referral("bob").bound_at == day(190)


def test_judge_event_is_paid_by_the_offer_live_at_the_click(shop):
    from tests.shop import apply_text

    found = click(shop, shop.code_of("ann"), day(0))
    apply_text(PROGRAM.replace("points: 500", "points: 50"), at=day(1))

    shop.report(shop.purchase("bob", day(2), "1", "50.00", click_id=found), at=day(2))
    shop.report(shop.purchase("cat", day(2), "2", "50.00", code=shop.code_of("ann")), at=day(2))

    fixed = [points for rule, points, _ in shop.rewards("ann") if rule == "advocate-fixed"]
    assert fixed == [500, 50]


def test_refund_in_another_currency_or_beyond_paid_is_listed_not_subtracted(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "50.00", code=code), at=day(0))

    results = shop.report(
        shop.refund("bob", day(1), "1", "50.00", "USD"),
        shop.refund("bob", day(1), "nothing", "1.00"),
        shop.refund("bob", day(1), "1", "80.00"),
        at=day(1),
    )

    assert [one.event.warnings for one in results] == [
        ["refund_in_other_currency"],
        ["unknown_order"],
        ["refunded_beyond_paid"],
    ]
    assert shop.referral("bob").state == "reversed"


def test_purchase_in_another_currency_is_refused_for_rewards(shop):
    code = shop.code_of("ann")

    shop.report(shop.purchase("bob", day(0), "1", "50.00", "USD", code=code), at=day(0))

    assert state_of(shop, "bob") == ("signed_up", "")
    assert shop.rewards("ann") == [("advocate-fixed", 0, "refused"), ("advocate-share", 0, "refused")]


LEADS = PROGRAM.replace('{on: purchase, min_amount: "20.00"}', '{on: lead_won, min_amount: "1000.00"}')


@pytest.mark.parametrize(("value", "state"), [("999.99", "signed_up"), ("1000.00", "qualified")])
def test_judge_event_won_lead_qualifies_by_its_value(db, value, state):
    shop = Shop(LEADS)
    shop.report(
        shop.fact(
            "lead",
            "bob",
            day(0),
            code=shop.code_of("ann"),
            lead={"id": "L1", "stage": "enquiry", "value": value, "currency": "EUR"},
        ),
        shop.fact("lead_stage", "bob", day(5), lead={"id": "L1", "stage": "won"}),
        at=day(5),
    )

    assert shop.referral("bob").state == state


def test_judge_event_custom_event_qualifies_by_its_name(db):
    shop = Shop(PROGRAM.replace('{on: purchase, min_amount: "20.00"}', '{on: "custom:demo_booked"}'))
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))

    shop.report(shop.fact("custom", "bob", day(1), name="demo_missed"), at=day(1))
    before = shop.referral("bob").state
    shop.report(shop.fact("custom", "bob", day(2), name="demo_booked"), at=day(2))

    assert (before, shop.referral("bob").state) == ("signed_up", "qualified")


def test_judge_event_signup_program_qualifies_at_the_binding_and_pays_purchases(db):
    shop = Shop(PROGRAM.replace('{on: purchase, min_amount: "20.00"}', "{on: signup}"))
    shop.report(
        shop.signup("bob", day(0), code=shop.code_of("ann")), shop.purchase("bob", day(1), "1", "100.00"), at=day(1)
    )
    shop.report(shop.refund("bob", day(2), "1", "100.00"), at=day(2))

    assert shop.referral("bob").state == "qualified"
    assert shop.rewards("ann") == [("advocate-fixed", 500, "pending")]


def test_learn_contact_keeps_what_was_told_last_by_its_moment(shop):
    shop.report(
        shop.signup("bob", day(5), email="new@example.com"),
        shop.signup("bob", day(1), email="old@example.com"),
        at=day(6),
    )

    assert Customer.objects.get(external_id="bob").email == "new@example.com"


@given(st.lists(st.floats(-60, 60), max_size=12), st.sampled_from(["first_touch", "last_touch"]))
def test_credited_visit_is_the_edge_of_what_lies_inside(offsets, model):
    visits = [Visit(pk=number, at=day(offset), link_pk=1) for number, offset in enumerate(offsets)]

    found = credited_visit(visits, model=model, window_days=30, at=day(0))

    past = [visit.at for visit in visits if visit.at <= day(0)]
    inside = [at for at in past if at >= day(-30)]
    if inside:
        assert found is not None
        assert (found[0].at, found[1]) == (min(inside) if model == "first_touch" else max(inside), True)
    else:
        assert (found[0].at, found[1]) == (max(past), False) if past else found is None


@given(st.emails())
def test_normalize_email_is_stable_and_ignores_case_and_tags(email):
    local, _, domain = email.rpartition("@")
    once = normalize_email(email)

    assert normalize_email(once) == once
    assert normalize_email(f"{local}+tag@{domain}".upper()) == normalize_email(f"{local}@{domain}".lower())
