"""The customer's own pages, as the customer gets them."""

import re

import pytest
import time_machine
from allauth.account.models import EmailAddress

from referrals.models import Customer, Link, Referral
from referrals.services.links import ensure_link
from rewards.models import Account
from rewards.queries.portal import points_lines, purse_of, referral_counts, transfers_of
from tests.factories import CustomerFactory, UserFactory, make_program, report
from tests.rewards.programs import program
from tests.scenes import NOON, bring, brought_friends, do_due, moment
from tests.shop import apply_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return CustomerFactory(external_id="ann", name="Ann Ackermann", email="ann@shop.example")


@pytest.fixture
def user():
    return UserFactory(email="ann@shop.example")


@pytest.fixture
def signed_in(client, ann, user):
    client.force_login(user)
    return client


def text_of(response) -> str:
    """The words of a page, without tags and with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def test_show_portal_names_the_promise_the_link_and_the_code(signed_in, ann):
    program = make_program()

    page = signed_in.get("/")

    link = Link.objects.get(customer=ann, program=program)
    words = text_of(page)
    assert page.status_code == 200
    assert "You get 500 points when your friend first orders" in words
    assert "Your friend gets 100 points as soon as they join" in words
    assert f"or tell them your code {link.code}" in words
    assert f"/r/{link.code}?c=copy" in page.text
    for channel in ("whatsapp", "email", "sms", "telegram", "facebook", "x", "linkedin", "reddit"):
        assert f"%2Fr%2F{link.code}%3Fc%3D{channel}" in page.text


def test_show_portal_names_gifts_that_are_no_points(signed_in):
    apply_text(
        program(
            "{id: a, to: advocate, on: qualified, credit: '10.00', when: {order.amount: {gte: '50'}}}",
            "{id: b, to: friend, on: claim, coupon: WELCOME10}",
            "{id: c, to: advocate, on: assist, points: 5}",
        )
    )

    words = text_of(signed_in.get("/"))

    assert "You get €10 store credit when your friend first orders, under conditions Your" in words
    assert "Your friend gets a coupon at once, on the page that your link opens" in words


def test_show_portal_tells_each_referral_with_dates_and_reasons(signed_in, ann):
    with time_machine.travel(NOON):
        brought_friends(ann)
        words = text_of(signed_in.get("/"))

    assert "Hannah L. Joined Joined through you. The first order counts until 24 October." in words
    assert (
        "Ben A. On its way +500 points Will be approved on 6 May, when the return period ends. "
        "Joined 19 April First order 22 April Approved 6 May" in words
    )
    assert "Mia O. Approved +500 points" in words
    assert "Liam N. Order did not stand The order did not stand, so its points went back." in words
    assert "Sofia R. Did not count Already a customer of Goodword before your link" in words
    assert "Emma C. Time ran out Nothing had happened by 1 April" in words
    assert "agreed by phone" not in words


def test_show_portal_tells_nothing_of_a_friend_but_name_and_states(signed_in, ann):
    with time_machine.travel(NOON):
        brought_friends(ann)
        page = signed_in.get("/").text

    for friend in Customer.objects.exclude(pk=ann.pk):
        assert friend.email not in page
        assert friend.external_id not in page
        assert friend.name.split()[-1] not in page
    assert "59.90" not in page
    assert "refund" not in page.lower()


def test_show_portal_counts_points_available_and_on_their_way(signed_in, ann):
    with time_machine.travel(NOON):
        brought_friends(ann)
        words = text_of(signed_in.get("/"))

    assert "Your points 1,000" in words
    assert "On their way 500" in words
    assert "The next 500 points are yours on 6 May." in words
    assert "even that out" not in words


def test_show_portal_speaks_of_debt_only_where_there_is_one(signed_in, ann):
    make_program()
    Account.objects.create(customer=ann, kind=Account.Kind.DEBT, balance=40)

    assert "so your next 40 points even that out" in text_of(signed_in.get("/"))


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("", 8),
        ("open", ["Hannah L.", "Ben A."]),
        ("done", ["Mia O.", "Noah F."]),
        ("off", ["Sofia R.", "Otto K.", "Liam N.", "Emma C."]),
        ("nonsense", 8),
    ],
)
def test_show_portal_filters_friends(show, names, signed_in, ann):
    with time_machine.travel(NOON):
        brought_friends(ann)
        found = re.findall(r'item-name">([^<]+)<', signed_in.get("/", {"show": show}).text)

    assert (len(found) if isinstance(names, int) else found) == names


def test_show_portal_pages_through_many_friends(signed_in, ann):
    program = make_program()
    with time_machine.travel(NOON):
        for number in range(12):
            bring(ann, f"Friend{number:02} Example", NOON, program=program)
        first, second = signed_in.get("/").text, signed_in.get("/", {"page": 2, "show": "open"}).text

    assert len(re.findall("item-name", first)) == 10
    assert "Page 1 of 2" in first
    assert len(re.findall("item-name", second)) == 2
    assert 'href="?show=open&amp;page=1#friends"' in second


@pytest.mark.parametrize("friends", [1, 3])
def test_show_portal_asks_the_database_as_often_for_many_as_for_one(friends, signed_in, ann, django_assert_num_queries):
    program = make_program()
    make_program("b-second") if friends > 1 else None
    with time_machine.travel(NOON):
        for number in range(friends):
            bring(ann, f"Friend{number} Example", NOON, program=program, buys_after_days=0)
        signed_in.get("/")
        with django_assert_num_queries(36):
            signed_in.get("/")


@pytest.mark.parametrize("friends", [1, 3])
def test_show_points_asks_the_database_as_often_for_many_as_for_one(friends, signed_in, ann, django_assert_num_queries):
    program = make_program()
    with time_machine.travel(NOON):
        for number in range(friends):
            bring(ann, f"Friend{number} Example", NOON, program=program, buys_after_days=0)
        with django_assert_num_queries(10):
            signed_in.get("/points/")


def test_show_portal_of_a_new_advocate_says_what_to_do(signed_in):
    make_program()

    words = text_of(signed_in.get("/"))

    assert "Send your link to one friend who would like us." in words
    assert "No points yet" in words


def test_show_portal_has_a_section_for_each_program(signed_in, ann):
    make_program("a", name="Spring")
    make_program("b", name="Summer")

    page = signed_in.get("/").text

    assert [name for name in ("Spring", "Summer") if f">{name}</h2>" in page] == ["Spring", "Summer"]
    assert Link.objects.filter(customer=ann).count() == 2


def test_show_portal_without_a_running_program_says_so(signed_in, ann):
    make_program(status="paused")

    assert "No program is running right now" in text_of(signed_in.get("/"))
    assert Link.objects.count() == 0


def test_show_portal_shows_a_friend_who_brought_them_and_their_gift(client):
    carol = CustomerFactory(name="Carol Danvers")
    with time_machine.travel(NOON):
        bring(carol, "Dan Brown", NOON, program=make_program())
        dan = Customer.objects.get(name="Dan Brown")
        client.force_login(UserFactory(email=dan.email))
        words = text_of(client.get("/"))

    assert "Carol recommended us to you Welcome gift +100" in words
    assert "Danvers" not in words


def test_show_portal_welcomes_a_stranger_with_the_promise(client):
    make_program()

    page = client.get("/")

    assert page.status_code == 200
    assert "500 points" in page.text
    assert 'href="/accounts/login/"' in page.text


def test_show_portal_is_kind_to_somebody_unknown(client):
    make_program()
    client.force_login(UserFactory(email="else@where.example"))

    page = client.get("/")

    assert "knows no customer with this address" in page.text
    assert Link.objects.count() == 0


def test_show_portal_lets_staff_go_to_their_pages(client):
    client.force_login(UserFactory(email="staff@shop.example", is_staff=True))

    assert 'href="/dashboard/"' in client.get("/").text


def test_customer_of_trusts_verified_addresses_only(client, ann):
    user = UserFactory(email="ann@shop.example", proven=False)
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=True)
    client.force_login(user)

    assert "knows no customer" in client.get("/").text


def test_customer_of_would_open_the_account_without_the_verification(client, ann):
    """The twin of the test above: the mark of verification is what keeps the stranger out."""
    user = UserFactory(email="ann@shop.example", proven=False)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    client.force_login(user)

    assert "knows no customer" not in client.get("/").text


@pytest.mark.parametrize("theirs", ["ann+shop@shop.example", "a.n.n@shop.example", "ann@shop.example.org"])
def test_customer_of_takes_no_address_that_is_merely_alike(theirs, client, ann):
    client.force_login(UserFactory(email=theirs))

    assert "knows no customer" in client.get("/").text


def test_customer_of_ignores_upper_case_and_the_erased(client, user):
    CustomerFactory(external_id="gone", email="ann@shop.example", name="Gone", erased_at=NOON)
    CustomerFactory(external_id="ann", email="Ann@Shop.example", name="Ann")
    client.force_login(user)
    make_program()

    assert "Ann, share Goodword with a friend" in text_of(client.get("/"))


def test_choose_customer_keeps_the_choice_for_the_session(signed_in, ann):
    make_program()
    other = CustomerFactory(external_id="ann-2", name="Anton", email="ANN@shop.example")

    asked = signed_in.get("/")
    choice = signed_in.get("/who/")
    chosen = signed_in.post("/who/", {"customer": other.pk})
    portal = signed_in.get("/")

    assert (asked.status_code, asked["Location"]) == (302, "/who/")
    assert "Anton" in choice.text
    assert "Ann Ackermann" in choice.text
    assert (chosen.status_code, chosen["Location"]) == (302, "/")
    assert "Anton, share Goodword" in text_of(portal)
    assert 'href="/who/"' in portal.text


def test_choose_customer_refuses_somebody_elses(signed_in):
    make_program()
    other = CustomerFactory(external_id="bob")

    answer = signed_in.post("/who/", {"customer": other.pk})

    assert answer.status_code == 404
    assert "customer" not in signed_in.session


@pytest.mark.parametrize("path", ["/points/", "/who/"])
def test_own_pages_send_strangers_to_sign_in(path, client):
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


def test_points_lines_add_up_to_the_purse_whatever_happened(ann):
    program = make_program()
    order = bring(ann, "Bob Moss", NOON, program=program, buys_after_days=0)
    bring(ann, "Cleo Ruiz", NOON, program=program, buys_after_days=0)
    bob = Customer.objects.get(name="Bob Moss")
    after = NOON.replace(month=6)
    do_due(after)
    spent_all = Account.objects.get(customer=ann, kind=Account.Kind.AVAILABLE).balance
    with moment(after):
        report("refund", bob, after, order=order)

    purse = purse_of(ann)
    lines = points_lines(transfers_of(ann))

    assert spent_all == 1000
    assert (purse.available, purse.pending, purse.debt) == (500, 0, 0)
    assert [(line.kind, line.points, line.who) for line in lines] == [
        ("revoke", -500, "Bob M."),
        ("release", 500, "Cleo R."),
        ("release", 500, "Bob M."),
    ]
    assert sum(line.points for line in lines) == purse.available + purse.pending - purse.debt


def test_referral_counts_count_each_state_once(ann):
    with time_machine.travel(NOON):
        brought_friends(ann)

    assert Referral.objects.count() == 8
    assert referral_counts(ann) == {"all": 8, "open": 2, "done": 2, "off": 4}


def test_show_portal_speaks_german(signed_in, ann):
    ensure_link(customer=ann, program=make_program())

    page = signed_in.get("/", headers={"accept-language": "de"})

    assert '<html lang="de"' in page.text
    words = text_of(page)
    assert "Du bekommst 500 Punkte bei der ersten Bestellung" in words
    assert "Zum ersten Mal und für mindestens 20" in words
    assert "Noch niemand – mach den Anfang" in words
