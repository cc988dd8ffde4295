from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from messaging.models import Message
from surveys.models import Invitation, Response, Survey
from surveys.services.answers import confirm_answer
from surveys.services.settling import settle_answers, take_up_taps

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss@example.com", "pw"))
    return client


@pytest.fixture
def staff(client):
    """Return a function that signs in somebody who has the permissions."""

    def sign_in(*codenames):
        user = User.objects.create_user("staff@example.com", "pw", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


FORM = {
    "name": "How are we doing",
    "slug": "doing",
    "kind": "nps",
    "style": "numbers",
    "active": "on",
    "days_after_answer": 90,
    "days_after_silence": 30,
    "hours_between": 24,
    "open_days": 30,
    "edit_hours": 24,
    "write_from": 8,
    "write_until": 20,
    "question": "Would you recommend {brand}?",
    "low_label": "No",
    "high_label": "Yes",
    "why": "Why?",
    "triggers-TOTAL_FORMS": 0,
    "triggers-INITIAL_FORMS": 0,
    "versions-TOTAL_FORMS": 0,
    "versions-INITIAL_FORMS": 0,
}


@pytest.mark.parametrize("model", ["survey", "invitation", "response", "respondent"])
def test_every_list_and_row_opens(boss, invitation, now, model):
    response = confirm_answer(invitation=invitation, score=9, comment="Words", at=now)
    rows = {
        "survey": invitation.survey,
        "invitation": invitation,
        "response": response,
        "respondent": invitation.customer,
    }

    assert boss.get(f"/admin/surveys/{model}/?q=x").status_code == 200
    assert boss.get(f"/admin/surveys/{model}/{rows[model].pk}/change/").status_code == 200


def test_survey_list_always_has_the_default_one(boss):
    assert "Net Promoter Score" in boss.get("/admin/surveys/survey/").content.decode()
    assert Survey.objects.get().slug == "nps"


def test_survey_is_made_with_its_wording(boss):
    boss.post("/admin/surveys/survey/add/", FORM)

    survey = Survey.objects.get(slug="doing")
    assert list(survey.versions.values_list("number", "question")) == [(1, "Would you recommend {brand}?")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"style": "stars"}, "expected numbers"),
        ({"accent": "green"}, "expected a colour such as"),
        ({"write_from": 9, "write_until": 9}, "Expected an hour after the first one"),
        ({"write_until": 25}, "Expected an hour after the first one"),
    ],
)
def test_survey_whose_look_or_hours_do_not_fit_is_refused(boss, wrong, words):
    response = boss.post("/admin/surveys/survey/add/", FORM | wrong)

    assert words in response.content.decode()
    assert not Survey.objects.filter(slug="doing").exists()


def test_survey_without_words_says_the_usual_ones_of_its_kind(boss):
    silent = {"question": "", "low_label": "", "high_label": "", "why": ""}
    boss.post("/admin/surveys/survey/add/", FORM | silent | {"kind": "csat", "style": "faces"})

    survey = Survey.objects.get(slug="doing")
    assert (survey.kind, survey.style, survey.versions.get().question) == (
        "csat",
        "faces",
        "How satisfied are you with {brand}?",
    )


TRIGGER = {
    "triggers-TOTAL_FORMS": 1,
    "triggers-0-after": "custom",
    "triggers-0-event_name": "order.delivered",
    "triggers-0-delay_hours": 24,
    "triggers-0-sample_percent": 50,
    "triggers-0-active": "on",
}


def test_survey_is_told_after_what_to_ask(boss):
    boss.post("/admin/surveys/survey/add/", FORM | TRIGGER)

    made = Survey.objects.get(slug="doing").triggers.get()
    assert (made.after, made.event_name, made.delay_hours, made.sample_percent) == ("custom", "order.delivered", 24, 50)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"triggers-0-event_name": ""}, "name for a custom event"),
        ({"triggers-0-after": "purchase"}, "none for any other"),
        ({"triggers-0-sample_percent": 101}, "less than or equal to 100"),
        ({"triggers-0-segment": "gone"}, "There is no segment"),
    ],
)
def test_trigger_that_makes_no_sense_is_refused(boss, wrong, words):
    answer = boss.post("/admin/surveys/survey/add/", FORM | TRIGGER | wrong)

    assert words in answer.content.decode()
    assert not Survey.objects.filter(slug="doing").exists()


def test_survey_keeps_translations_and_second_questions(boss):
    german = {"question_de": "Würdest du {brand} empfehlen?", "follow_low_de": "Was war los?"}
    boss.post("/admin/surveys/survey/add/", FORM | german | {"follow_low": "What went wrong?"})

    version = Survey.objects.get(slug="doing").versions.get()
    assert version.follow_ups == {"low": "What went wrong?"}
    assert version.translations == {
        "de": {"question": "Würdest du {brand} empfehlen?", "follow_ups": {"low": "Was war los?"}}
    }
    form = boss.get(f"/admin/surveys/survey/{version.survey_id}/change/").context["adminform"].form
    assert (form["question_de"].initial, form["follow_low"].initial) == (
        "Würdest du {brand} empfehlen?",
        "What went wrong?",
    )


def test_survey_with_other_words_gets_a_new_version(boss, survey):
    boss.post(f"/admin/surveys/survey/{survey.pk}/change/", FORM | {"versions-INITIAL_FORMS": 0})

    assert list(survey.versions.order_by("number").values_list("number", "why")) == [(1, "Why?"), (2, "Why?")]
    survey.refresh_from_db()
    assert (survey.slug, survey.kind, survey.name) == ("nps", "nps", "How are we doing")


@pytest.mark.parametrize(("band", "found"), [("promoter", {9, 10}), ("passive", {7, 8}), ("detractor", {0, 6})])
def test_responses_filter_by_score_band(boss, survey, person, now, band, found):
    from surveys.services.invitations import invite_customer

    for score in (0, 6, 7, 8, 9, 10):
        asked = invite_customer(survey=survey, customer=person(f"p-{score}"), at=now)
        confirm_answer(invitation=asked, score=score, comment="", at=now)

    page = boss.get(f"/admin/surveys/response/?band={band}")

    assert {row.score for row in page.context["cl"].queryset} == found


def test_responses_are_searched_by_comment(boss, invitation, now):
    confirm_answer(invitation=invitation, score=9, comment="wonderful socks", at=now)

    assert len(boss.get("/admin/surveys/response/?q=socks").context["cl"].queryset) == 1
    assert len(boss.get("/admin/surveys/response/?q=shoes").context["cl"].queryset) == 0


@pytest.mark.parametrize("model", ["response", "invitation", "respondent"])
@pytest.mark.parametrize("act", ["add", "change", "delete"])
def test_answers_and_decisions_are_never_written_by_hand(boss, invitation, now, answers, model, act):
    response = confirm_answer(invitation=invitation, score=9, comment="", at=now)
    row = {"response": response, "invitation": invitation, "respondent": invitation.customer}[model]
    before = answers()
    path = f"/admin/surveys/{model}/" + ("add/" if act == "add" else f"{row.pk}/{act}/")

    assert boss.post(path, {"score": 0, "state": "discarded", "post": "yes"}).status_code == 403
    assert answers() == before


def invite(client, *people):
    chosen = [person.pk for person in people]
    data = {"action": "invite_to_nps", "_selected_action": chosen, "index": 0}
    return client.post("/admin/surveys/respondent/", data, follow=True).content.decode()


def test_action_invites_the_selected_and_counts_the_others(boss, survey, person, now):
    html = invite(boss, person("c-1"), person("c-2"), person("c-3", email=""))

    assert "2 asked, 1 not asked: no_email" in html
    assert Message.objects.count() == 2
    assert set(Invitation.objects.values_list("cause", flat=True)) == {"staff"}


def test_action_is_for_those_who_may_change_surveys(staff, survey, person, now):
    client = staff("view_respondent")

    html = invite(client, person("c-1"))

    assert "Invite selected customers" not in html
    assert Invitation.objects.count() == 0


def test_action_works_for_a_role_without_all_powers(staff, survey, person, now):
    invite(staff("view_respondent", "change_survey"), person("c-1"))

    assert Invitation.objects.get().state == "planned"


def test_lists_are_closed_to_staff_without_permission(staff, invitation):
    client = staff()

    for model in ("survey", "invitation", "response", "respondent"):
        assert client.get(f"/admin/surveys/{model}/").status_code == 403


@pytest.mark.parametrize("model", ["invitation", "response", "respondent"])
def test_lists_need_no_more_queries_for_more_rows(boss, survey, person, now, model, django_assert_max_num_queries):
    from surveys.services.invitations import invite_customer

    def one(number):
        asked = invite_customer(survey=survey, customer=person(f"p-{number}"), at=now)
        confirm_answer(invitation=asked, score=9, comment="", at=now)

    one(1)
    boss.get(f"/admin/surveys/{model}/")
    with django_assert_max_num_queries(60) as few:
        boss.get(f"/admin/surveys/{model}/")
    one(2)
    one(3)

    with django_assert_max_num_queries(len(few.captured_queries)):
        boss.get(f"/admin/surveys/{model}/")
    assert Response.objects.count() == 3


def test_staff_see_why_and_judge_again(client, page, invitation, now, time_machine, monkeypatch, admin_user):
    Invitation.objects.update(sent_at=now, state="sent")
    time_machine.move_to(now + timedelta(minutes=4), tick=False)
    client.get(f"{page}?score=9")
    take_up_taps(at=now + timedelta(minutes=20))
    settle_answers(at=now + timedelta(days=2))
    client.force_login(admin_user)
    assert "within five minutes of the mail" in client.get("/admin/surveys/response/").content.decode()
    monkeypatch.setattr("surveys.answers.EARLY", timedelta(minutes=3))

    chosen = {"action": "judge_again_action", "_selected_action": [Response.objects.get().pk]}
    told = client.post("/admin/surveys/response/", chosen, follow=True).content.decode()

    assert "1 of 1 are judged otherwise now." in told
    assert Response.objects.get().state == "confirmed"
