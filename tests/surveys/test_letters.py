import re
from datetime import timedelta

import pytest

from messaging.models import Message
from surveys.models import Invitation, Response, SurveyClick
from surveys.services.invitations import invite_customer
from surveys.tokens import survey_url

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def paths_in(text):
    return re.findall(r"http://[^/\s\"']+(/s/[^\s\"'<>)]+)", text)


def test_letter_goes_out_when_it_is_due_and_the_invitation_knows(survey, ann, now, settle):
    invitation = invite_customer(survey=survey, customer=ann, at=now, send_at=now + DAY)

    settle(at=now + DAY - timedelta(seconds=1))
    assert Message.objects.get().state == "queued"
    settle(at=now + DAY)

    invitation.refresh_from_db()
    letter = Message.objects.get()
    assert (letter.state, invitation.state, invitation.sent_at) == ("sent", "sent", letter.sent_at)


def test_letter_has_every_score_as_a_link_and_as_words(invitation, now, settle):
    settle(at=now)

    letter = Message.objects.get()
    url = survey_url(invitation.token_id)
    for score in range(11):
        assert f"{url}?score={score}" in letter.text
        assert f"{url}?score={score}" in letter.html
    assert "How likely are you to recommend Goodword to a friend?" in letter.text
    assert "9 – very likely" in letter.text
    assert f"{url}/view" in letter.html


@pytest.mark.parametrize("method", ["get", "head"])
def test_letter_opening_every_link_three_times_answers_nothing(client, invitation, now, settle, method, answers):
    settle(at=now)
    letter = Message.objects.get()
    links = set(paths_in(letter.text) + paths_in(letter.html))
    before = answers()

    for _ in range(3):
        for link in links:
            assert getattr(client, method)(link).status_code == 200

    assert answers() == before
    assert Response.objects.count() == 0
    assert SurveyClick.objects.count() == 3 * len(links)


def test_letter_to_a_passing_survey_expires_and_makes_room(survey, invitation, now, settle, ann):
    settle(at=now)
    settle(at=now + 30 * DAY)

    invitation.refresh_from_db()
    assert invitation.state == "expired"
    assert invite_customer(survey=survey, customer=ann, at=now + 30 * DAY).state == "planned"
    assert Invitation.objects.count() == 2
