from datetime import UTC, datetime, timedelta

import pytest

from messaging.models import Message
from surveys.eligibility import Limits
from surveys.models import Invitation, Response
from surveys.satisfaction import nps_change
from surveys.scoring import Tally
from surveys.services.answers import confirm_answer
from surveys.services.invitations import invite_customer, plan_invitation
from surveys.services.surveys import create_survey
from surveys.tokens import survey_url

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
INVITE = "/surveys/nps/invitations"


def counts():
    return Invitation.objects.exclude(state="not_asked").count(), Message.objects.count(), Response.objects.count()


# --- invitations -------------------------------------------------------------------------------------


def test_post_invitations_asks_one_person(api, ann, now):
    response = api("post", INVITE, {"customer": "c-1"})

    invitation = Invitation.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": invitation.public_id,
        "survey": "nps",
        "customer": "c-1",
        "state": "planned",
        "send_at": "2026-06-01T12:00:00Z",
        "sent_at": None,
        "expires_at": "2026-07-01T12:00:00Z",
        "answered_at": None,
        "url": survey_url(invitation.token_id),
    }
    assert Message.objects.get().cause == f"invitation:{invitation.public_id}"


def test_post_invitations_at_a_moment(api, ann, now):
    response = api("post", INVITE, {"customer": "c-1", "send_at": "2026-06-08T09:00:00+02:00"})

    assert response.json()["send_at"] == "2026-06-08T07:00:00Z"
    assert Message.objects.get().due_at == datetime(2026, 6, 8, 7, tzinfo=UTC)


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k-1"}])
def test_post_invitations_says_why_not_and_when_next_and_keeps_it(api, ann, now, key):
    api("post", INVITE, {"customer": "c-1"})
    before = counts()

    answers = [api("post", INVITE, {"customer": "c-1"}, **key) for _ in range(2 if key else 1)]

    for response in answers:
        assert response.status_code == 409
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert (problem["code"], problem["status"], problem["next_at"]) == ("throttled", 409, "2026-07-01T12:00:00Z")
    assert counts() == before
    assert Invitation.objects.get(state="not_asked").reason == "throttled"


def test_post_invitations_by_force_asks_again(api, ann, now):
    api("post", INVITE, {"customer": "c-1"})

    assert api("post", INVITE, {"customer": "c-1", "force": True}).status_code == 201
    assert counts() == (2, 2, 0)


def test_post_invitations_with_a_key_twice_asks_once(api, ann, now):
    first, second = (api("post", INVITE, {"customer": "c-1"}, **{"Idempotency-Key": "k-1"}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert counts() == (1, 1, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/customer"),
        ({"customer": ""}, "/customer"),
        ({"customer": None}, "/customer"),
        ({"customer": "nobody"}, "/customer"),
        ({"customer": "c-1", "send_at": "tomorrow"}, "/send_at"),
        ({"customer": "c-1", "send_at": "2027-06-02T12:00:00Z"}, "/send_at"),
        ({"customer": "c-1", "force": "perhaps"}, "/force"),
        ({"customer": "c-1", "sendat": "2026-06-08T09:00:00Z"}, "/sendat"),
    ],
)
def test_post_invitations_refuses_bad_input_with_its_pointer(api, ann, now, body, pointer):
    response = api("post", INVITE, body)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert (Invitation.objects.count(), Message.objects.count()) == (0, 0)


@pytest.mark.parametrize("path", ["invitations", "responses", "score"])
def test_survey_addresses_of_an_unknown_survey_are_404(api, ann, path):
    method, body = ("post", {"customer": "c-1"}) if path == "invitations" else ("get", None)

    assert api(method, f"/surveys/nothing/{path}", body).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "wrong"),
    [("post", INVITE, "read"), ("get", "/surveys/nps/responses", "write"), ("get", "/surveys/nps/score", "write")],
)
def test_survey_addresses_demand_their_scope(api, client, ann, method, path, wrong):
    body = {"customer": "c-1"} if method == "post" else None

    assert api(method, path, body, scopes=(wrong,)).status_code == 403
    assert getattr(client, method)(f"/api/v1{path}").status_code == 401
    assert Invitation.objects.count() == 0


# --- responses ---------------------------------------------------------------------------------------


@pytest.fixture
def say(survey, person):
    """Return a function that has somebody answer at a moment; the same name is the same person."""
    people = {}

    def do(name, score, at, comment="", to=survey):
        customer = people.get(name) or people.setdefault(name, person(name))
        invitation = plan_invitation(survey=to, customer=customer, at=at, cause="test", limits=Limits.NONE)
        return confirm_answer(invitation=invitation, score=score, comment=comment, at=at)

    return do


def test_get_responses_lists_the_newest_first_in_pages(api, say, now, client):
    rows = [say(f"p-{n}", n, now, comment="Words" if n == 2 else "") for n in range(3)]

    first = api("get", "/surveys/nps/responses?limit=2").json()
    rest = api("get", first["next"].split("/api/v1")[1]).json()

    assert [row["id"] for row in first["results"] + rest["results"]] == [row.public_id for row in reversed(rows)]
    assert rest["next"] is None
    assert first["results"][0] == {
        "id": rows[2].public_id,
        "invitation": rows[2].invitation.public_id,
        "customer": "p-2",
        "kind": "nps",
        "language": "",
        "question": "How likely are you to recommend Goodword to a friend?",
        "score": 2,
        "band": "detractor",
        "comment": "Words",
        "state": "confirmed",
        "confirmed_by": "button",
        "first_at": "2026-06-01T12:00:00Z",
        "at": "2026-06-01T12:00:00Z",
    }


def test_get_responses_needs_no_more_queries_for_more_rows(api, say, now, django_assert_max_num_queries):
    say("p-1", 1, now)
    with django_assert_max_num_queries(20) as one:
        api("get", "/surveys/nps/responses")
    for n in range(2, 6):
        say(f"p-{n}", n, now)

    with django_assert_max_num_queries(len(one.captured_queries)):
        assert len(api("get", "/surveys/nps/responses").json()["results"]) == 5


def test_get_responses_filters_by_state(api, say, now):
    say("p-1", 1, now)

    assert len(api("get", "/surveys/nps/responses?state=confirmed").json()["results"]) == 1
    assert api("get", "/surveys/nps/responses?state=discarded").json()["results"] == []
    assert api("get", "/surveys/nps/responses?state=x").status_code == 422


# --- score -------------------------------------------------------------------------------------------


def test_get_score_of_nobody_is_null(api, now):
    assert api("get", "/surveys/nps/score").json() == {
        "kind": "nps",
        "satisfied": None,
        "enough": False,
        "n": 0,
        "promoters": 0,
        "passives": 0,
        "detractors": 0,
        "score": None,
        "interval": None,
        "discarded": {"bot": 0, "provisional": 0},
    }


def test_get_score_is_exactly_the_worked_example(api, say, now):
    for n in range(20):
        say(f"p-{n}", 10 if n < 10 else 7 if n < 15 else 0, now)

    assert api("get", "/surveys/nps/score").json() == {
        "kind": "nps",
        "satisfied": None,
        "enough": False,
        "n": 20,
        "promoters": 10,
        "passives": 5,
        "detractors": 5,
        "score": 25,
        "interval": [-11.7, 55.2],
        "discarded": {"bot": 0, "provisional": 0},
    }


def test_get_score_takes_the_latest_confirmed_answer_of_each_person_in_the_range(api, say, now):
    say("p-1", 0, now - 40 * DAY)
    say("p-1", 10, now - 5 * DAY)
    say("p-2", 9, now - 40 * DAY)
    bot = say("p-3", 0, now - 4 * DAY)
    Response.objects.filter(pk=bot.pk).update(state="discarded")
    open_one = say("p-4", 0, now - 4 * DAY)
    Response.objects.filter(pk=open_one.pk).update(state="provisional", confirmed_by="")

    whole = api("get", "/surveys/nps/score").json()
    early = api("get", "/surveys/nps/score?from=2026-04-01&to=2026-05-01").json()

    assert (whole["n"], whole["promoters"], whole["score"]) == (2, 2, 100)
    assert whole["discarded"] == {"bot": 1, "provisional": 1}
    assert (early["n"], early["promoters"], early["detractors"], early["score"]) == (2, 1, 1, 0)
    assert early["discarded"] == {"bot": 0, "provisional": 0}


def test_get_score_of_another_survey_is_not_mixed_in(api, say, now, survey):
    say("p-1", 0, now, to=create_survey(slug="other", name="Other"))
    say("p-1", 10, now - DAY)

    assert api("get", "/surveys/nps/score").json()["score"] == 100
    assert api("get", "/surveys/other/score").json()["score"] == -100


def test_get_score_counts_days_of_the_installations_zone_from_inclusive_to_exclusive(api, say, settings, now):
    settings.TIME_ZONE = "Europe/Berlin"
    say("before", 0, datetime(2026, 4, 30, 21, 59, 59, 999999, tzinfo=UTC))
    say("first", 10, datetime(2026, 4, 30, 22, tzinfo=UTC))
    say("last", 9, datetime(2026, 5, 31, 21, 59, 59, 999999, tzinfo=UTC))
    say("after", 0, datetime(2026, 5, 31, 22, tzinfo=UTC))

    numbers = api("get", "/surveys/nps/score?from=2026-05-01&to=2026-06-01").json()

    assert (numbers["n"], numbers["promoters"], numbers["score"]) == (2, 2, 100)


def test_get_score_by_month_week_and_day(api, say, now):
    say("p-1", 0, datetime(2026, 4, 30, 12, tzinfo=UTC))
    say("p-1", 10, datetime(2026, 5, 4, 12, tzinfo=UTC))
    say("p-2", 7, datetime(2026, 5, 10, 12, tzinfo=UTC))
    span = "from=2026-04-15&to=2026-05-12"

    def points(by):
        answer = api("get", f"/surveys/nps/score?{span}&by={by}").json()
        assert (answer["n"], answer["score"]) == (2, 50)
        return [(point["from"], point["to"], point["n"], point["score"]) for point in answer["points"]]

    assert points("month") == [("2026-04-15", "2026-05-01", 1, -100), ("2026-05-01", "2026-05-12", 2, 50)]
    assert points("week") == [
        ("2026-04-15", "2026-04-20", 0, None),
        ("2026-04-20", "2026-04-27", 0, None),
        ("2026-04-27", "2026-05-04", 1, -100),
        ("2026-05-04", "2026-05-11", 2, 50),
        ("2026-05-11", "2026-05-12", 0, None),
    ]
    assert len(points("day")) == 27


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=yesterday", "/from"),
        ("to=2026-13-01", "/to"),
        ("from=20260101", "/from"),
        ("from=0001-01-01", "/from"),
        ("to=9999-12-31", "/to"),
        ("from=2026-05-02&to=2026-05-01", "/to"),
        ("by=channel", "/by"),
        ("by=day", "/by"),
        ("by=day&from=2020-01-01&to=2026-01-01", "/by"),
    ],
)
def test_get_score_refuses_a_range_it_cannot_read(api, now, query, pointer):
    response = api("get", f"/surveys/nps/score?{query}")

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("csat", [5] * 40 + [4] * 35 + [3] * 25, {"n": 100, "satisfied": 75, "score": 75, "interval": [65.7, 82.5]}),
        (
            "ces",
            [1] * 2 + [2] * 3 + [3] * 5 + [4] * 10 + [5] * 30 + [6] * 30 + [7] * 20,
            {"n": 100, "satisfied": None, "score": 5.33, "interval": [5.06, 5.6]},
        ),
    ],
)
def test_get_score_of_the_other_scales_is_exactly_the_worked_example(api, person, now, kind, given, told):
    survey = create_survey(slug="s", name="S", kind=kind)
    for number, score in enumerate(given):
        asked = invite_customer(survey=survey, customer=person(f"k-{number}"), at=now)
        confirm_answer(invitation=asked, score=score, comment="", at=now)

    numbers = api("get", "/surveys/s/score").json()

    assert {name: numbers[name] for name in told} == told
    assert (numbers["kind"], numbers["enough"], numbers["promoters"]) == (kind, True, None)


def test_get_score_tells_the_change_against_an_earlier_range(api, say, now):
    for name, day, counts in (("a", 40, (24, 12, 8)), ("b", 10, (20, 14, 14))):
        scores = [10] * counts[0] + [8] * counts[1] + [3] * counts[2]
        for number, score in enumerate(scores):
            say(f"{name}-{number}", score, now - day * DAY)

    told = api("get", "/surveys/nps/score?from=2026-05-01&against_from=2026-04-01&against_to=2026-05-01").json()

    expected = nps_change(Tally(24, 12, 8), Tally(20, 14, 14))
    assert told["change"] == {
        "difference": expected.difference,
        "interval": list(expected.interval),
        "real": False,
        "enough": True,
    }
    assert "change" not in api("get", "/surveys/nps/score").json()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-05-01&against_from=2026-04-01&against_to=2026-05-02", "/against_to"),
        ("against_from=2026-04-01&against_to=2026-05-02", "/against_to"),
        ("from=2026-05-01&against_to=2026-05-01", "/against_to"),
        ("from=2026-05-01&against_from=2026-04-31&against_to=2026-05-01", "/against_from"),
    ],
)
def test_get_score_refuses_ranges_that_share_answers(api, survey, now, query, field):
    refused = api("get", f"/surveys/nps/score?{query}")

    assert (refused.status_code, field in refused.content.decode()) == (422, True)
