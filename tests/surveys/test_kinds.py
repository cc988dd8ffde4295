"""Surveys of every kind and language, from the mail to the answer."""

import re
from dataclasses import replace

import pytest
from django.core import mail

from messaging.models import Preference, PreferenceChange
from messaging.services import send_due
from surveys.models import Response
from surveys.services.invitations import invite_customer
from surveys.services.surveys import create_survey, publish_wording
from surveys.tokens import token_of
from surveys.words import SHIPPED

pytestmark = pytest.mark.django_db
KINDS = [("nps", "numbers", range(11)), ("csat", "faces", range(1, 6)), ("csat", "stars", range(1, 6))]
KINDS += [("csat", "numbers", range(1, 6)), ("ces", "numbers", range(1, 8))]


def ask(person, now, *, kind, style="numbers", locale="en", wording=None):
    survey = create_survey(slug="s", name="S", kind=kind, style=style, wording=wording)
    return invite_customer(survey=survey, customer=person("c-9", locale=locale), at=now)


def page_of(invitation):
    return f"/s/{token_of(invitation.token_id)}"


@pytest.mark.parametrize(("kind", "style", "steps"), KINDS)
def test_every_step_of_the_mail_leads_to_the_page_with_it_chosen(client, person, now, kind, style, steps):
    invitation = ask(person, now, kind=kind, style=style)
    send_due(at=now)

    text, html = mail.outbox[0].body, mail.outbox[0].alternatives[0].content
    links = dict(re.findall(r"^(\d+) – [^:]+: \S+(/s/\S+)$", text, re.M))
    assert [int(score) for score in links] == list(steps)
    assert all(link in html.replace("&amp;", "&") for link in links.values())
    for score, link in links.items():
        found = re.search(r'value="(\d+)" required checked', client.get(link).content.decode())
        assert found
        assert found.group(1) == score
    assert page_of(invitation) in text


@pytest.mark.parametrize(("kind", "style", "steps"), KINDS)
def test_answer_keeps_its_scale_and_the_language_it_was_read_in(client, person, now, kind, style, steps):
    invitation = ask(person, now, kind=kind, style=style)

    refused = client.post(page_of(invitation), {"score": steps.stop})
    assert (refused.status_code, Response.objects.count()) == (422, 0)
    client.post(page_of(invitation), {"score": steps.start}, headers={"Accept-Language": "de"})

    answer = Response.objects.get()
    assert (answer.kind, answer.score, answer.language) == (kind, steps.start, "de")


@pytest.mark.parametrize(
    ("kind", "score", "asked"),
    [
        ("nps", 7, "what would have made it a 10?"),
        ("nps", 2, "what went wrong"),
        ("csat", 3, "What would have made it perfect?"),
        ("csat", 1, "what went wrong"),
        ("ces", 4, "What would have made it perfect?"),
        ("ces", 3, "what went wrong"),
    ],
)
def test_second_question_fits_the_score(client, person, now, kind, score, asked):
    invitation = ask(person, now, kind=kind)
    client.post(page_of(invitation), {"score": score})

    assert asked in client.get(f"{page_of(invitation)}/thanks").content.decode()


def test_own_second_question_is_asked_and_its_answer_kept(client, person, now):
    wording = replace(SHIPPED["csat"], follow_ups={"high": "What do you love about {brand}?"})
    invitation = ask(person, now, kind="csat", wording=wording)
    client.post(page_of(invitation), {"score": 5})

    assert "What do you love about Goodword?" in client.get(f"{page_of(invitation)}/thanks").content.decode()
    client.post(f"{page_of(invitation)}/more", {"more": "The socks"})
    assert Response.objects.get().comment == "The socks"


def test_shipped_words_are_spoken_in_the_language_of_the_reader(client, person, now):
    invitation = ask(person, now, kind="csat", locale="de-AT")
    send_due(at=now)

    assert "Wie zufrieden bist du mit Goodword?" in mail.outbox[0].body
    assert "5 – sehr zufrieden" in mail.outbox[0].body
    shown = client.get(page_of(invitation), headers={"Accept-Language": "de"}).content.decode()
    assert "Wie zufrieden bist du mit Goodword?" in shown


def test_own_words_are_spoken_in_their_translation_and_else_as_they_are(client, person, now):
    own = replace(SHIPPED["ces"], question="Was it easy?", translations={"de": {"question": "War es leicht?"}})
    invitation = ask(person, now, kind="ces", wording=own)
    german = client.get(page_of(invitation), headers={"Accept-Language": "de"}).content.decode()
    english = client.get(page_of(invitation), headers={"Accept-Language": "en"}).content.decode()

    assert ("War es leicht?" in german, "Was it easy?" in german) == (True, False)
    assert "Was it easy?" in english


def test_answer_shows_the_wording_it_answered_after_another_was_published(client, person, now):
    invitation = ask(person, now, kind="ces")
    publish_wording(survey=invitation.survey, wording=replace(SHIPPED["ces"], question="Quite another?"))

    assert "Quite another?" not in client.get(page_of(invitation)).content.decode()


def test_survey_with_its_own_colour_wears_it_on_page_and_mail(client, person, now):
    invitation = ask(person, now, kind="csat")
    type(invitation.survey).objects.update(accent="#7a1fa2")
    assert "/surveys/s/theme.css" in client.get(page_of(invitation)).content.decode()
    client.post(page_of(invitation), {"score": 3})
    assert "/surveys/s/theme.css" in client.get(f"{page_of(invitation)}/thanks").content.decode()
    assert "--accent:#7a1fa2" in client.get("/surveys/s/theme.css").content.decode()

    other = invite_customer(survey=type(invitation.survey).objects.get(), customer=person("c-10"), at=now)
    send_due(at=now)
    letter = next(one for one in mail.outbox if other.customer.email in one.to[0])
    assert "#7a1fa2" in letter.alternatives[0].content


@pytest.mark.parametrize("path", ["", "page", "mail"])
def test_preview_shows_page_and_mail_and_counts_nothing(admin_client, client, person, now, answers, path):
    invitation = ask(person, now, kind="csat", style="stars")
    before = answers(), invitation.clicks.count()

    shown = admin_client.get(f"/surveys/s/preview/{path}?lang=de")

    assert shown.status_code == 200
    html = shown.content.decode()
    expected = ["Wie zufrieden bist du mit Goodword?"] if path else ['preview/page?lang=de"', 'preview/mail?lang=de"']
    assert all(one in html for one in expected)
    assert (answers(), invitation.clicks.count()) == before
    client.logout()
    assert client.get(f"/surveys/s/preview/{path}").status_code in (302, 403, 404)


@pytest.mark.parametrize(("kind", "style", "steps"), KINDS)
def test_every_link_of_the_mail_opened_three_times_changes_no_answer_wish_or_consent(
    client, person, now, answers, kind, style, steps
):
    ask(person, now, kind=kind, style=style)
    send_due(at=now)
    html, text = mail.outbox[0].alternatives[0].content, mail.outbox[0].body
    links = set(re.findall(r'href="([^"]+)"', html.replace("&amp;", "&"))) | set(re.findall(r"https?://\S+", text))
    kept = answers(), list(Preference.objects.values()), list(PreferenceChange.objects.values())

    for link in sorted(links) * 3:
        path = link.removeprefix("http://127.0.0.1:8000")
        assert client.get(path).status_code < 400
        assert client.head(path).status_code < 400

    assert len(links) >= len(steps) + 3
    assert (answers(), list(Preference.objects.values()), list(PreferenceChange.objects.values())) == kept
