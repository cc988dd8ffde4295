"""Segments: one definition over fields of every app, counted live, offered to, and kept while in use."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Invalid
from messaging.services import set_preference
from referrals.models import Customer, Link, Segment
from referrals.queries import segments as queries
from referrals.queries.audiences import audience_in_words, offered_programs, public_programs
from referrals.segments import SegmentFamily, SegmentTextRefused, grammar_of, read_segment
from referrals.services.links import ensure_links
from referrals.services.segments import SegmentInUse, delete_segment, save_segment
from rewards.models import TierStanding
from surveys.models import Response
from tests.factories import CustomerFactory, make_program, report
from tests.scenes import NOON, bring, do_due, moment

pytestmark = pytest.mark.django_db

AUDIENCE = """\
program: {slug}
name: {name}
status: {status}
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {{on: purchase}}
audience: loyal
rewards:
  - {{id: advocate-fixed, to: advocate, on: qualified, points: 500}}
"""


def make(text: str, slug: str = "loyal") -> Segment:
    return save_segment(segment=None, slug=slug, title=slug.title(), description="", text=text, at=NOON)


def members(text: str, *, at: datetime = NOON) -> list[str]:
    condition = read_segment(text, grammar_of(queries.segment_fields()))
    return [Customer.objects.get(pk=pk).external_id for pk in queries.keys_matching(condition, at=at)]


@pytest.fixture
def company():
    """Ann bought twice and brought Bob, who bought once; Cid never bought and was erased customer's namesake."""
    ann = CustomerFactory(external_id="ann", email="ann@Shop.Example", locale="de-AT", attributes={"city": "Graz"})
    cid = CustomerFactory(external_id="cid", email="", attributes={"age": 41, "tags": ["a"]})
    CustomerFactory(external_id="gone", erased_at=NOON)
    program = make_program()
    with moment(NOON - timedelta(days=40)):
        report("purchase", ann, NOON - timedelta(days=40), order="o1", amount="30.00")
    with moment(NOON - timedelta(days=4)):
        report("purchase", ann, NOON - timedelta(days=4), order="o2", amount="20.50")
        report("refund", cid, NOON - timedelta(days=4), order="o2", amount="0.50")
    bring(ann, "Bob Martin", NOON - timedelta(days=30), program=program, buys_after_days=2)
    Customer.objects.filter(name="Bob Martin").update(external_id="bob", created_at=NOON - timedelta(days=30))
    Customer.objects.filter(external_id__in=["ann", "cid"]).update(created_at=NOON - timedelta(days=400))
    do_due(NOON)
    given = {"offer": program.offers.get(), "level": "Gold", "vip": True, "since": NOON, "updated_at": NOON}
    TierStanding.objects.update_or_create(customer=ann, program=program, defaults=given)
    return ann


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders.count: {gte: 2}", ["ann"]),
        ("orders.count: 0", ["cid"]),
        ("orders.revenue.EUR: 50", ["ann"]),
        ("orders.revenue.EUR: {gt: 50}", ["bob"]),
        ("orders.revenue.USD: 0", ["ann", "cid", "bob"]),
        ("orders.last_at: {within_days: 10}", ["ann"]),
        ("orders.first_at: {exists: false}", ["cid"]),
        ("customer.email_domain: shop.example", ["ann", "bob"]),
        ("customer.locale: {starts_with: de}", ["ann"]),
        ("customer.created_at: {within_days: 100}", ["bob"]),
        ("customer.attributes.city: Graz", ["ann"]),
        ("customer.attributes.age: {gte: 40}", ["cid"]),
        ("customer.attributes.tags: {exists: true}", []),
        ("events.count: {gte: 1}", ["ann", "cid", "bob"]),
        ("events.custom.visit: 0", ["ann", "cid", "bob"]),
        ("referrals.made: 1", ["ann"]),
        ("referrals.counted: {gte: 1}", ["ann"]),
        ("referrals.in.refer-a-friend: 1", ["ann"]),
        ("referrals.in.another: 1", []),
        ("referrals.is_friend: true", ["bob"]),
        ("link.visits: 0", ["ann", "cid", "bob"]),
        ("points.available: {gte: 500}", ["ann"]),
        ("points.lifetime: 100", ["bob"]),
        ("rewards.count: 0", ["cid"]),
        ("badges.connector: true", []),
        ("tier.refer-a-friend: Gold", ["ann"]),
        ("tier.another: Gold", []),
        ("vip: true", ["ann"]),
        ("vip: false", ["cid", "bob"]),
        ("wishes.news: true", ["ann", "cid", "bob"]),
        ("nps.score: {exists: true}", []),
        ("any: [{orders.count: 0}, {referrals.made: 1}]", ["ann", "cid"]),
        ("not: {any: [{orders.count: 0}, {referrals.made: 1}]}", ["bob"]),
        ('{"orders.count": {"gte": 2}}', ["ann"]),
    ],
)
def test_keys_matching_reads_every_field(company, text, expected):
    found = members(text)

    assert found == expected


def test_keys_matching_heeds_wishes(company):
    set_preference(recipient_key=f"customer:{company.pk}", purpose="news", allowed=False, source="test")

    assert members("wishes.news: false") == ["ann"]
    assert members("wishes.nonsense: {exists: true}") == []


def test_keys_matching_reads_the_latest_confirmed_score(company, survey_answers):
    survey_answers(company, 6, NOON - timedelta(days=20))
    survey_answers(company, 9, NOON - timedelta(days=5))
    survey_answers(company, 0, NOON - timedelta(days=1), state="provisional")

    assert members("nps.score: 9") == ["ann"]
    assert members("nps.group: promoter") == ["ann"]
    assert members("nps.answered_at: {within_days: 6}") == ["ann"]


@pytest.fixture
def survey_answers():
    from surveys.models import Invitation
    from surveys.services.surveys import ensure_default_survey

    def answer(customer, score, at, state="confirmed"):
        survey = ensure_default_survey()
        version = survey.versions.latest("number")
        asked = Invitation.objects.create(
            survey=survey,
            version=version,
            customer=customer,
            state="answered",
            cause="test",
            decided_at=at,
            send_at=at,
            sent_at=at,
            expires_at=at,
        )
        Response.objects.create(
            invitation=asked,
            survey=survey,
            version=version,
            customer=customer,
            kind="nps",
            score=score,
            state=state,
            first_at=at,
            at=at,
        )

    return answer


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("all:\n  - orders.count: {gte: 2}\n  - orders.cuont: 1\n", 3, "unknown field 'orders.cuont'"),
        ("orders.count: {gte: many}\n", 1, "expected a number"),
        ("any:\n  - orders.last_at: {gte: 3}\n", 2, "unknown 'gte', expected one of before, after"),
        ("all: []", 1, "expected all to be a list"),
        ("", 1, "expected a condition"),
        ("all: [", 1, "expected YAML or JSON"),
    ],
)
def test_read_segment_names_the_wrong_line(text, line, told):
    with pytest.raises(SegmentTextRefused) as refused:
        read_segment(text, grammar_of(queries.segment_fields()))

    assert refused.value.problems[0][0] == line
    assert told in refused.value.problems[0][1]


def test_save_segment_refuses_a_definition_that_is_none():
    with pytest.raises(Invalid, match="line 1: when: unknown field 'nonsense'"):
        make("nonsense: 1")

    assert Segment.objects.count() == 0


def test_every_registered_field_can_be_asked_of_many_in_a_fixed_number_of_queries(company):
    def asked() -> int:
        keys = list(Customer.objects.filter(erased_at=None).values_list("pk", flat=True))
        with CaptureQueriesContext(
            connection,
        ) as queried:
            for field in queries.segment_fields():
                (field.values(keys, ["EUR"]) if isinstance(field, SegmentFamily) else field.values(keys))
        return len(queried)

    few = asked()
    CustomerFactory.create_batch(7)

    assert asked() == few


def test_keys_matching_goes_on_over_chunks(monkeypatch):
    monkeypatch.setattr(queries, "CHUNK", 2)
    CustomerFactory.create_batch(5)
    segment = make("orders.count: 0")

    assert queries.count_members(segment) == 5
    assert [one.pk for one in queries.members_of(segment)] == sorted(Customer.objects.values_list("pk", flat=True))


def test_is_member_asks_of_one(company):
    segment = make("orders.count: {gte: 2}")

    assert queries.is_member(segment, company)
    assert not queries.is_member(segment, Customer.objects.get(external_id="cid"))
    assert not queries.is_member(make("orders.count: 0", "none"), Customer.objects.get(external_id="gone"))
    assert queries.members_among(segment, Customer.objects.all()) == {company.pk}


def test_offered_programs_are_for_the_audience_alone(company):
    make("orders.count: {gte: 2}")
    make_program("vip", name="VIP", text=AUDIENCE)
    bob = Customer.objects.get(external_id="bob")

    assert [one.slug for one in offered_programs(company)] == ["refer-a-friend", "vip"]
    assert [one.slug for one in offered_programs(bob)] == ["refer-a-friend"]
    assert [link.program.slug for link in ensure_links(customer=bob)] == ["refer-a-friend"]
    assert [one.slug for one in public_programs()] == ["refer-a-friend"]
    assert not Link.objects.filter(customer=bob, program__slug="vip").exists()


def test_offered_programs_of_a_missing_segment_are_for_nobody(company):
    program = make_program("vip", name="VIP", text=AUDIENCE)

    assert [one.slug for one in offered_programs(company)] == ["refer-a-friend"]
    assert audience_in_words(program) == "nobody: there is no segment 'loyal'"


def test_offered_programs_sabotaged_without_the_audience_everybody_gets_it(company, monkeypatch):
    make("orders.count: {gte: 2}")
    make_program("vip", name="VIP", text=AUDIENCE)
    monkeypatch.setattr("referrals.queries.audiences.is_member", lambda *_, **__: True)

    assert [one.slug for one in offered_programs(Customer.objects.get(external_id="bob"))] == ["refer-a-friend", "vip"]


def test_a_link_of_somebody_who_left_the_audience_keeps_binding(company):
    make("orders.count: {gte: 2}")
    program = make_program("vip", name="VIP", text=AUDIENCE)
    code = next(link.code for link in ensure_links(customer=company) if link.program.slug == "vip")
    save_segment(
        segment=queries.find_segment("loyal"), slug="loyal", title="L", description="", text="orders.count: 9", at=NOON
    )
    dan = CustomerFactory(external_id="dan")

    report("signup", dan, NOON, code=code)

    assert dan.referrals_received.get().program == program
    assert [one.slug for one in offered_programs(company)] == ["refer-a-friend"]


def test_delete_segment_in_use_is_refused(company):
    segment = make("orders.count: {gte: 2}")
    make_program("vip", name="VIP", text=AUDIENCE)

    with pytest.raises(SegmentInUse, match=r"loyal is used by program vip \(audience\)"):
        delete_segment(segment=segment)

    assert Segment.objects.get() == segment


def test_delete_segment_unused_goes():
    delete_segment(segment=make("orders.count: 1"))

    assert Segment.objects.count() == 0


def form(**changes):
    return {"title": "Loyal", "slug": "loyal", "description": "", "text": "orders.count: {gte: 2}"} | changes


def test_segment_page_check_counts_without_saving(company, admin_client):
    page = admin_client.post("/admin/referrals/segment/add/", form(_check="1")).text

    assert "1 of 3 customers now. Nothing has been saved." in page
    assert str(company) in page
    assert Segment.objects.count() == 0


def test_segment_page_saves_shows_and_changes(company, admin_client):
    admin_client.post("/admin/referrals/segment/add/", form(_save="1"))
    segment = Segment.objects.get()
    shown = admin_client.get(f"/admin/referrals/segment/{segment.pk}/change/").text
    admin_client.post(f"/admin/referrals/segment/{segment.pk}/change/", form(text="orders.count: 0", _save="1"))

    segment.refresh_from_db()
    assert ">1</a>" in shown
    assert "nothing yet" in shown
    assert segment.when == {"orders.count": {"eq": "0"}}
    assert "Loyal" in admin_client.get("/admin/referrals/segment/").text


def test_segment_page_names_the_wrong_line_and_saves_nothing(admin_client):
    page = admin_client.post("/admin/referrals/segment/add/", form(text="all:\n  - nope: 1", _save="1")).text

    assert "Line 2: when: unknown field" in page
    assert Segment.objects.count() == 0


def test_segment_page_members_are_listed_and_downloaded(company, admin_client):
    Customer.objects.filter(pk=company.pk).update(name="=HYPERLINK(1)")
    segment = make("orders.count: {gte: 2}")

    page = admin_client.get(f"/admin/referrals/segment/{segment.pk}/members/").text
    table = admin_client.get(f"/admin/referrals/segment/{segment.pk}/members/?format=csv").text

    assert "ann@Shop.Example" in page
    assert table.splitlines()[1].startswith("ann,ann@Shop.Example,'=HYPERLINK(1),")


def test_segment_page_refuses_to_delete_what_is_used(company, admin_client):
    segment = make("orders.count: {gte: 2}")
    make_program("vip", name="VIP", text=AUDIENCE)

    page = admin_client.post(f"/admin/referrals/segment/{segment.pk}/delete/", {"post": "yes"}, follow=True).text

    assert "cannot be deleted, it is used by program vip (audience)" in page
    assert Segment.objects.count() == 1


def test_program_page_says_whom_it_is_offered_to(company, admin_client):
    program = make_program("vip", name="VIP", text=AUDIENCE)

    before = admin_client.get(f"/admin/referrals/program/{program.pk}/change/").text
    make("orders.count: {gte: 2}")
    after = admin_client.get(f"/admin/referrals/program/{program.pk}/change/").text

    assert "nobody: there is no segment" in before
    assert "the segment Loyal: 1 customers now" in after


@pytest.mark.parametrize("moment_", [datetime(2026, 1, 1, tzinfo=UTC)])
def test_keys_matching_dates_by_the_given_moment(company, moment_):
    assert members("orders.last_at: {older_than_days: 1}", at=moment_) == []
