from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.services import ensure_roles
from referrals.bots import Verdict
from referrals.forms import EXAMPLE
from referrals.models import Click, Customer, Event, Link, Offer, Program, Referral
from referrals.program_file import parse_program
from referrals.program_text import render_program
from referrals.program_words import describe_terms
from referrals.services.clicks import Visit, record_click
from referrals.services.links import ensure_link
from tests.factories import CustomerFactory, make_program, report

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = [Program, Customer, Link, Click, Event, Referral]

pytestmark = pytest.mark.django_db


def address(model, page, *args):
    return reverse(f"admin:referrals_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def staff(client):
    """Return a function that signs in as somebody with that role ('' for everything)."""

    def sign_in(role=""):
        user = User.objects.create_user(f"{role or 'root'}@shop.example", is_staff=True, is_superuser=not role)
        if role:
            user.groups.add(*[group for group in ensure_roles() if group.name == role])
        client.force_login(user)
        return client

    return sign_in


def make_story(number, program):
    """An advocate with a link, a click, and a friend who signed up and bought."""
    advocate = CustomerFactory(name=f"Ann {number}")
    friend = CustomerFactory(name=f"<b>Bob {number}</b>")
    link = ensure_link(customer=advocate, program=program)
    record_click(link=link, visit=Visit(verdict=Verdict("person"), utm={"utm_source": "<b>"}), at=NOON)
    report("signup", friend, NOON, code=link.code)
    report("purchase", friend, NOON)
    return link


@pytest.mark.parametrize("model", MODELS)
def test_changelist_takes_as_many_queries_for_three_rows_as_for_one(model, staff):
    client, program = staff(), make_program()
    make_story(1, program)
    client.get(address(model, "changelist"))
    with CaptureQueriesContext(connection) as one:
        client.get(address(model, "changelist"))
    make_story(2, program)
    make_story(3, program)
    with CaptureQueriesContext(connection) as three:
        response = client.get(address(model, "changelist"))

    assert response.status_code == 200
    assert len(three) == len(one)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("role", ["", "Marketer", "Analyst"])
def test_every_row_can_be_looked_at(model, role, staff):
    make_story(1, make_program())
    client = staff(role)

    for row in model.objects.all():
        response = client.get(address(model, "change", row.pk))
        assert response.status_code == 200
        assert "<b>Bob" not in response.content.decode()


@pytest.mark.parametrize("model", [Customer, Click, Event, Referral])
def test_facts_and_decisions_are_read_only_even_for_administrators(model, staff):
    make_story(1, make_program())
    client, row = staff(), model.objects.first()

    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert client.post(address(model, "change", row.pk), {"name": "x"}).status_code == 403
    assert model.objects.filter(pk=row.pk).values().get() == model.objects.filter(pk=row.pk).values().first()


def test_every_model_of_the_slice_is_in_the_admin():
    assert set(MODELS) <= set(admin.site._registry)


@pytest.mark.parametrize("query", ["ann 1", "shop.example"])
def test_customers_are_found_by_what_staff_know(query, staff):
    link = make_story(1, make_program())
    Customer.objects.filter(pk=link.customer_id).update(external_id="shop-77")
    client = staff("Support")

    for text in (query, "shop-77", link.code):
        assert "Ann 1" in client.get(address(Customer, "changelist"), {"q": text}).content.decode()
    assert "Ann 1" not in client.get(address(Customer, "changelist"), {"q": "nobody"}).content.decode()


def history():
    """The (empty) forms of a program's read-only rows."""
    return {f"{rows}-{key}": 0 for rows in ("offers", "statuses") for key in ("TOTAL_FORMS", "INITIAL_FORMS")}


def test_a_new_program_starts_from_an_example(staff):
    client = staff("Marketer")
    page = client.get(address(Program, "add"))
    assert "program: refer-a-friend" in page.content.decode()

    response = client.post(address(Program, "add"), {"file": EXAMPLE})

    assert response.status_code == 302
    program = Program.objects.get()
    assert (program.slug, program.status, program.offers.count()) == ("refer-a-friend", "draft", 1)


def test_a_changed_file_publishes_a_new_offer_and_says_what_changed(staff):
    client = staff("Marketer")
    client.post(address(Program, "add"), {"file": EXAMPLE})
    program = Program.objects.get()

    response = client.post(
        address(Program, "change", program.pk), {"file": EXAMPLE.replace("500", "600"), **history()}, follow=True
    )

    page = response.content.decode()
    assert "reward advocate-fixed.points: 500 -&gt; 600" in page
    assert "a new offer is live" in page
    assert Offer.objects.count() == 2


def test_the_same_file_again_publishes_nothing(staff):
    client = staff("Marketer")
    client.post(address(Program, "add"), {"file": EXAMPLE})
    program = Program.objects.get()

    client.post(address(Program, "change", program.pk), {"file": render_program(parse_program(EXAMPLE)), **history()})

    assert Offer.objects.count() == 1


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (EXAMPLE.replace("points: 500", "points: -5"), "Line 13: expected points to be a whole number"),
        (EXAMPLE.replace("program: refer-a-friend ", "program: other "), "expected refer-a-friend; it is the identity"),
        ("{", "Line 1: expected YAML or JSON"),
        (EXAMPLE + "tiers: {window_days: 30, levels: [{name: Gold}]}\n", "level: missing from"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_changes_nothing(file, told, staff):
    client = staff("Marketer")
    client.post(address(Program, "add"), {"file": EXAMPLE})
    program = Program.objects.get()

    page = client.post(address(Program, "change", program.pk), {"file": file, **history()}).content.decode()

    assert told in page.replace("&#x27;", "'")
    assert (Program.objects.count(), Offer.objects.count()) == (1, 1)


def test_a_second_program_of_the_same_name_is_refused(staff):
    client = staff()
    client.post(address(Program, "add"), {"file": EXAMPLE})

    page = client.post(address(Program, "add"), {"file": EXAMPLE.replace("500", "600")}).content.decode()

    assert "exists already" in page
    assert Offer.objects.count() == 1


@pytest.mark.parametrize("role", ["Analyst", "Support"])
def test_who_may_only_look_cannot_change_a_program(role, staff):
    program = make_program()
    client = staff(role)

    assert client.get(address(Program, "add")).status_code == 403
    assert client.post(address(Program, "change", program.pk), {"file": EXAMPLE}).status_code == 403
    assert (Program.objects.count(), Offer.objects.count()) == (1, 1)


def test_a_code_is_renamed_and_the_old_one_stays(staff):
    link = make_story(1, make_program())
    client = staff("Support")

    client.post(
        address(Link, "change", link.pk), {"new_code": "ann-2026", "codes-TOTAL_FORMS": 0, "codes-INITIAL_FORMS": 0}
    )

    assert Link.objects.get().code == "ANN2026"
    assert set(link.codes.values_list("code", flat=True)) == {"ANN2026", link.code}


@pytest.mark.parametrize(("code", "told"), [("admin", "reserved"), ("a", "4 to 20 letters"), ("TAKEN", "is taken")])
def test_a_code_that_may_not_be_is_refused(code, told, staff):
    program = make_program()
    link = make_story(1, program)
    other = make_story(2, program)
    client = staff()
    management = {"codes-TOTAL_FORMS": 0, "codes-INITIAL_FORMS": 0}
    client.post(address(Link, "change", other.pk), {"new_code": "taken", **management})

    page = client.post(address(Link, "change", link.pk), {"new_code": code, **management}).content.decode()

    assert told in page
    assert Link.objects.get(pk=link.pk).code == link.code


def test_describe_terms_says_what_the_example_promises():
    assert describe_terms(parse_program(EXAMPLE).terms) == [
        "The advocate gets 500 points when the friend qualifies; available after 14 days. (advocate-fixed)",
        "The friend gets 100 points when the friend signs up; available at once. (friend-welcome)",
        "The advocate gets 5 % as points (1 a EUR), at most 200 points for every purchase of the friend, until 365 "
        "days after qualifying; available after 14 days. (advocate-share)",
        "A friend qualifies by a first purchase of at least 20.00 EUR, within 180 days of being bound.",
        "A click counts for 30 days (last touch).",
        "A referral is approved 14 days after the event that qualified it.",
    ]


def test_merge_in_the_admin_asks_shows_and_merges(staff):
    program = make_program()
    ann, anna = CustomerFactory(external_id="ann"), CustomerFactory(external_id="anna")
    ensure_link(customer=anna, program=program)
    page = f"/admin/referrals/customer/{anna.pk}/merge/"
    browser = staff()
    asked = browser.get(page)
    shown = browser.post(page, {"into": "ann", "reason": "two accounts"})
    refused = browser.post(page, {"into": "anna", "reason": "two accounts", "merge": "1"})
    nothing_yet = Customer.objects.filter(merged_into__isnull=False).exists()
    browser.post(page, {"into": ann.email, "reason": "two accounts", "merge": "1"})

    assert asked.status_code == 200
    assert "1 link and 0 friends become theirs" in " ".join(shown.content.decode().split())
    assert "Name the other one." in refused.content.decode()
    assert not nothing_yet
    anna.refresh_from_db()
    assert (anna.merged_into, Link.objects.get().customer) == (ann, ann)
    assert browser.get(page).status_code == 404
    assert "anna" in browser.get(address(Customer, "change", ann.pk)).content.decode()


def test_merge_in_the_admin_is_for_those_who_may_delete_customers(staff):
    CustomerFactory(external_id="ann")
    anna = CustomerFactory(external_id="anna")

    answer = staff("Support").post(
        f"/admin/referrals/customer/{anna.pk}/merge/", {"into": "ann", "reason": "x", "merge": "1"}
    )

    assert answer.status_code == 403
    assert not Customer.objects.filter(merged_into__isnull=False).exists()
