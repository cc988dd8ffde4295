import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from messaging.models import Message
from referrals.models import Customer, Link
from surveys import tokens
from surveys.models import Invitation, Response, ResponseRevision, SurveyClick
from surveys.tokens import token_of
from tests.factories import make_program

pytestmark = pytest.mark.django_db


def answer(client, page, score, comment=""):
    return client.post(page, {"score": score, "comment": comment})


# --- opening never answers ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("query", ["", *[f"?score={score}" for score in range(11)]])
def test_answer_survey_opening_a_link_never_answers(client, page, answers, method, query):
    before = answers()

    for _ in range(3):
        assert getattr(client, method)(page + query).status_code == 200

    assert answers() == before
    assert Response.objects.count() == 0


def test_answer_survey_twin_a_get_handled_as_a_press_would_answer(client, page, answers):
    """What the guard prevents: were the link's GET sent on as a POST, an answer would stand."""
    before = answers()

    client.post(page, {"score": "9"})

    assert answers() != before


def test_answer_survey_shows_the_score_of_the_link_chosen(client, page):
    html = client.get(f"{page}?score=9").content.decode()

    assert re.findall(r'value="(\d+)" required checked', html) == ["9"]
    assert "How likely are you to recommend Goodword to a friend?" in html


@pytest.mark.parametrize("text", ["11", "-1", "x", "9.5", "", "9" * 400, "%00", "٩"])
def test_answer_survey_chooses_nothing_for_a_score_off_the_scale(client, page, text):
    response = client.get(f"{page}?score={text}")

    assert response.status_code == 200
    assert " checked" not in response.content.decode()
    assert SurveyClick.objects.get().score is None


def test_answer_survey_keeps_the_click_as_evidence(client, page, invitation, now, time_machine):
    Message.objects.update(state="sent", sent_at=now)
    time_machine.move_to(now + timedelta(seconds=42), tick=False)

    client.get(f"{page}?score=9", headers={"Sec-Purpose": "prefetch;prerender", "Cookie": "secret"})

    click = SurveyClick.objects.get()
    assert (click.invitation, click.score, click.method, click.at) == (
        invitation,
        9,
        "GET",
        now + timedelta(seconds=42),
    )
    assert (click.seconds_since_sent, click.prefetch, click.trap) == (42, True, False)
    assert click.headers == {"Sec-Purpose": "prefetch;prerender"}


def test_open_hidden_link_marks_a_machine_and_never_answers(client, page, answers):
    before = answers()

    response = client.get(f"{page}/view")

    assert response.status_code == 200
    assert SurveyClick.objects.get().trap
    assert answers() == before


def test_answer_survey_stops_keeping_clicks_of_a_flood(client, page, invitation, now):
    SurveyClick.objects.bulk_create(SurveyClick(invitation=invitation, at=now, method="GET") for _ in range(200))

    assert client.get(page).status_code == 200
    assert SurveyClick.objects.count() == 200


# --- pressing answers ------------------------------------------------------------------------------


def test_answer_survey_press_confirms_and_survives_a_reload(client, page, invitation, now):
    response = answer(client, page, 8, "Fast")

    assert (response.status_code, response["Location"]) == (302, f"{page}/thanks")
    kept = Response.objects.get()
    assert (kept.score, kept.comment, kept.state, kept.confirmed_by, kept.at) == (
        8,
        "Fast",
        "confirmed",
        "comment",
        now,
    )
    assert kept.version == invitation.version
    invitation.refresh_from_db()
    assert (invitation.state, invitation.answered_at) == ("answered", now)
    for _ in range(2):
        assert client.get(f"{page}/thanks").status_code == 200
    assert Response.objects.count() == 1


def test_answer_survey_works_in_a_fresh_browser_that_checks_csrf_and_keeps_no_cookie(page):
    response = Client(enforce_csrf_checks=True).post(page, {"score": "7"})

    assert response.status_code == 302
    assert Response.objects.get().score == 7


def test_answer_survey_same_press_twice_is_one_answer(client, page):
    answer(client, page, 9, "Nice")
    answer(client, page, 9, "Nice")

    assert (Response.objects.count(), ResponseRevision.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    "data", [{}, {"score": "11"}, {"score": "-1"}, {"score": "x"}, {"score": "9", "comment": "\x00"}]
)
def test_answer_survey_refuses_what_is_not_an_answer(client, page, answers, data):
    before = answers()

    response = client.post(page, data)

    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert answers() == before


def test_answer_survey_refuses_a_comment_that_is_too_long_and_keeps_the_words(client, page, answers):
    before = answers()

    response = answer(client, page, 9, "a" * 2001)

    assert response.status_code == 422
    assert "a" * 2001 in response.content.decode()
    assert answers() == before


def test_answer_survey_change_of_mind_within_a_day_replaces_and_keeps_both(client, page, now, time_machine):
    answer(client, page, 3, "Late")
    time_machine.move_to(now + timedelta(hours=23, minutes=59), tick=False)

    shown = client.get(page).content.decode()
    response = answer(client, page, 9, "Sorted out")

    assert "You answered 3" in shown
    assert "Late" in shown
    assert response.status_code == 302
    kept = Response.objects.get()
    assert (kept.score, kept.comment, kept.revision) == (9, "Sorted out", 2)
    assert list(ResponseRevision.objects.order_by("number").values_list("number", "score", "comment")) == [
        (1, 3, "Late"),
        (2, 9, "Sorted out"),
    ]


def test_answer_survey_after_a_day_the_answer_stands(client, page, now, time_machine, answers):
    answer(client, page, 3)
    before = answers()
    time_machine.move_to(now + timedelta(hours=24), tick=False)

    response = answer(client, page, 10)

    assert response.status_code == 409
    assert "can no longer be changed" in response.content.decode()
    assert client.get(page)["Location"] == f"{page}/thanks"
    assert answers() == before


# --- tokens -----------------------------------------------------------------------------------------


def bad_tokens(invitation):
    token = token_of(invitation.token_id)
    return {
        "forged": invitation.token_id + "." + "A" * 43,
        "unsigned": invitation.token_id,
        "cut off": token[:-1],
        "changed": ("B" if token[0] == "A" else "A") + token[1:],
        "other purpose": signing.Signer(salt="messaging.preferences", sep=".").sign(invitation.token_id),
        "no salt": signing.Signer(sep=".").sign(invitation.token_id),
        "of nobody": token_of("x" * 22),
        "longer": token + "A",
        "nothing": ".",
    }


@pytest.mark.parametrize("what", list(bad_tokens(Invitation(token_id="t" * 22))))
def test_answer_survey_bad_token_gets_a_kind_page_and_changes_nothing(client, invitation, answers, what):
    before = answers()
    page = f"/s/{bad_tokens(invitation)[what]}"

    pages = [client.get(page), client.get(f"{page}?score=9"), answer(client, page, 9), client.get(f"{page}/thanks")]
    pages += [client.post(f"{page}/more", {"more": "x"}), client.post(f"{page}/fresh"), client.get(f"{page}/view")]

    assert [response.status_code for response in pages] == [404] * 7
    assert all("This link leads nowhere" in response.content.decode() for response in pages)
    assert answers() == before
    assert SurveyClick.objects.count() == 0
    assert Message.objects.count() == 1


def test_token_twin_without_its_own_salt_a_token_of_another_purpose_opens(client, invitation, monkeypatch):
    other = signing.Signer(salt="messaging.preferences", sep=".").sign(invitation.token_id)
    monkeypatch.setattr(tokens, "SALT", "messaging.preferences")

    assert client.get(f"/s/{other}").status_code == 200


def test_token_survives_a_key_rotation_until_the_old_key_is_dropped(client, page, settings):
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-key", [old]
    rotated = client.get(page).status_code
    settings.SECRET_KEY_FALLBACKS = []
    dropped = client.get(page).status_code

    assert (rotated, dropped) == (200, 404)


def test_answer_survey_of_an_erased_customer_leads_nowhere(client, page, ann, now, answers):
    Customer.objects.filter(pk=ann.pk).update(erased_at=now)
    before = answers()

    assert answer(client, page, 9).status_code == 404
    assert answers() == before


# --- expired -----------------------------------------------------------------------------------------


def test_answer_survey_expired_gets_a_kind_page_with_a_fresh_link_and_no_change(
    client, page, now, time_machine, answers
):
    before = answers()
    time_machine.move_to(now + timedelta(days=30), tick=False)

    pages = [client.get(f"{page}?score=9"), answer(client, page, 9)]

    assert [response.status_code for response in pages] == [410, 410]
    assert all(f'action="{page}/fresh"' in response.content.decode() for response in pages)
    assert answers() == before


def test_answer_survey_just_before_it_expires_counts(client, page, now, time_machine):
    time_machine.move_to(now + timedelta(days=30) - timedelta(microseconds=1), tick=False)

    assert answer(client, page, 9).status_code == 302
    assert Response.objects.get().score == 9


def test_request_fresh_link_mails_the_same_customer_once(client, page, ann, now, time_machine):
    time_machine.move_to(now + timedelta(days=31), tick=False)

    pages = [client.post(f"{page}/fresh", follow=True) for _ in range(3)]

    assert [response.status_code for response in pages] == [200] * 3
    words = [re.sub(r'csrfmiddlewaretoken" value="\w+', "", response.content.decode()) for response in pages]
    assert len(set(words)) == 1
    assert "example.com" not in words[0]
    assert list(Message.objects.order_by("pk").values_list("email", flat=True)) == [ann.email, ann.email]
    fresh = Invitation.objects.latest("pk")
    assert client.get(f"/s/{token_of(fresh.token_id)}").status_code == 200
    assert client.get(page).status_code == 410


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(days=31)])
def test_request_fresh_link_for_an_answered_or_open_invitation_mails_nothing(client, page, now, time_machine, later):
    if later > timedelta(days=30):
        answer(client, page, 9)
    time_machine.move_to(now + later, tick=False)

    response = client.post(f"{page}/fresh", follow=True)

    assert response.status_code == 200
    assert (Message.objects.count(), Invitation.objects.count()) == (1, 1)


def test_request_fresh_link_opening_the_address_mails_nothing(client, page, now, time_machine):
    time_machine.move_to(now + timedelta(days=31), tick=False)

    client.get(f"{page}/fresh")

    assert Message.objects.count() == 1


# --- after the answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [9, 10])
def test_thank_promoter_lands_on_the_referral_page(client, page, ann, score):
    program = make_program()

    html = client.post(page, {"score": score}, follow=True).content.decode()

    link = Link.objects.get(customer=ann, program=program)
    assert "Thank you, Ann!" in html
    assert f"/r/{link.code}" in html
    assert f"/q/{link.code}.svg" in html
    assert "https://wa.me/" in html


def test_thank_promoter_without_a_program_still_thanks(client, page):
    html = client.post(page, {"score": 10}, follow=True).content.decode()

    assert "Thank you, Ann!" in html
    assert "/r/" not in html


@pytest.mark.parametrize(
    ("score", "words"),
    [(0, "sorry"), (6, "sorry"), (7, "what would have made it a 10?"), (8, "what would have made it a 10?")],
)
def test_thank_others_are_asked_one_thing_more_and_offered_no_link(client, page, ann, score, words):
    make_program()

    html = client.post(page, {"score": score}, follow=True).content.decode()

    assert words in html
    assert "/r/" not in html
    assert Link.objects.filter(customer=ann).count() == 0


def test_thank_before_an_answer_leads_to_the_question(client, page):
    assert client.get(f"{page}/thanks")["Location"] == page


def test_tell_more_adds_to_the_comment(client, page):
    answer(client, page, 4, "Slow.")

    html = client.post(f"{page}/more", {"more": "Two weeks!"}, follow=True).content.decode()

    kept = Response.objects.get()
    assert (kept.score, kept.comment, kept.revision) == (4, "Slow.\n\nTwo weeks!", 2)
    assert "We read every word" in html


@pytest.mark.parametrize("more", ["", "   ", "x" * 2001])
def test_tell_more_ignores_nothing_and_too_much(client, page, answers, more):
    answer(client, page, 4, "Slow.")
    before = answers()

    client.post(f"{page}/more", {"more": more})

    assert answers() == before


def test_tell_more_before_an_answer_changes_nothing(client, page, answers):
    before = answers()

    client.post(f"{page}/more", {"more": "Hello"})

    assert answers() == before


def test_pages_are_not_indexed_nor_cached(client, page):
    response = client.get(page)

    assert response["X-Robots-Tag"] == "noindex"
    assert "no-store" in response["Cache-Control"]


def test_pages_escape_what_people_wrote(client, person, survey, now, page, ann):
    Customer.objects.filter(pk=ann.pk).update(name="<script>x</script>")
    answer(client, page, 8, "<img src=x>")

    html = client.get(page).content.decode() + client.get(f"{page}/thanks").content.decode()

    assert "<script>x" not in html
    assert "<img src=x>" not in html
