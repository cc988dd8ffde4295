"""/u/TOKEN through the front door, as people, mail programs and scanners use it."""

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from messaging import tokens
from messaging.composing import preferences_url
from messaging.models import Preference, PreferenceChange
from messaging.queries import wishes_of
from messaging.tokens import preference_token
from tests.messaging.samples import queue

pytestmark = pytest.mark.django_db
KEY = "customer:1"
EVERYTHING = {"rewards": True, "referral_tips": True, "surveys": True, "news": True}


def address(purpose="rewards", key=KEY):
    return reverse("messaging:preferences", args=[preference_token(key, purpose)])


@pytest.fixture
def strict():
    """A client without cookies that would be refused where a CSRF token is needed."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("method", ["get", "head"])
def test_show_preferences_changes_nothing(strict, method):
    answer = getattr(strict, method)(address())

    assert answer.status_code == 200
    assert not Preference.objects.exists()


def test_show_preferences_names_each_purpose(client):
    text = client.get(address()).content.decode()

    assert text.count('type="checkbox"') == text.count("checked") == 4
    assert "Send me no more of these" in text


def test_post_one_click_unsubscribes_at_once_without_cookie_or_redirect(strict):
    answer = strict.post(address("surveys"), {"List-Unsubscribe": "One-Click"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert wishes_of(KEY) == EVERYTHING | {"surveys": False}
    change = PreferenceChange.objects.get()
    assert (change.recipient_key, change.purpose, change.allowed, change.source) == (KEY, "surveys", False, "one-click")
    assert "Surveys" in change.wording


def test_post_one_click_body_as_the_standard_writes_it(strict):
    answer = strict.post(address(), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    multipart = strict.post(address("news"), {"List-Unsubscribe": "One-Click"})  # RFC 8058 allows both

    assert (answer.status_code, multipart.status_code) == (200, 200)
    assert wishes_of(KEY) == EVERYTHING | {"rewards": False, "news": False}


def test_post_one_click_twice_is_one_change(strict):
    for _ in range(2):
        assert strict.post(address(), {"List-Unsubscribe": "One-Click"}).status_code == 200

    assert PreferenceChange.objects.count() == 1


def test_post_choices_keeps_those_ticked(strict):
    answer = strict.post(address(), {"action": "save", "purpose": ["rewards", "news"]})

    assert answer.status_code == 302
    assert wishes_of(KEY) == {"rewards": True, "referral_tips": False, "surveys": False, "news": True}


def test_post_stop_and_undo(strict):
    stopped = strict.post(address(), {"action": "stop"})
    page = strict.get(stopped["Location"]).content.decode()

    assert wishes_of(KEY)["rewards"] is False
    assert "You will get no more mails about: Rewards and friends." in page
    assert "Undo" in page

    again = strict.post(address(), {"action": "undo", "purpose": "rewards"})
    assert wishes_of(KEY) == EVERYTHING
    assert "Welcome back!" in strict.get(again["Location"]).content.decode()
    assert list(PreferenceChange.objects.order_by("pk").values_list("allowed", flat=True)) == [False, True]


def test_post_none_unsubscribes_from_all(strict):
    strict.post(address(), {"action": "none"})

    assert wishes_of(KEY) == dict.fromkeys(EVERYTHING, False)
    assert queue("survey_invitation").reason == "unsubscribed"


def test_post_unchanged_choice_says_so(strict):
    answer = strict.post(address(), {"action": "save", "purpose": list(EVERYTHING)})

    assert "same=1" in answer["Location"]
    assert not Preference.objects.exists()


def test_post_changes_only_the_person_of_the_token(strict):
    strict.post(address(), {"action": "none", "recipient_key": "customer:2"})

    assert wishes_of("customer:2") == EVERYTHING


def bad_tokens():
    good = preference_token(KEY, "rewards")
    payload, _, signature = good.rpartition(":")
    other = preference_token("customer:2", "rewards").rpartition(":")[0]
    return {
        "forged": f"{other}:{signature}",
        "cut": good[:-1],
        "longer": f"{good}A",
        "unsigned": payload,
        "another salt": signing.Signer(salt="goodword.surveys.answer").sign_object([KEY, "rewards"]),
        "another key": signing.Signer(key="x" * 50, salt=tokens.SALT).sign_object([KEY, "rewards"]),
        "another shape": signing.Signer(salt=tokens.SALT).sign_object({"a": 1}),
        "unknown purpose": preference_token(KEY, "secrets"),
        "no purpose": preference_token(KEY, ""),
        "rubbish": "x",
        "not ascii": "ü:é",
    }


@pytest.mark.parametrize("name", list(bad_tokens()))
def test_bad_token_gets_a_kind_page_and_changes_nothing(strict, name):
    path = reverse("messaging:preferences", args=[bad_tokens()[name]])

    answers = [
        strict.get(path),
        strict.post(path, {"List-Unsubscribe": "One-Click"}),
        strict.post(path, {"action": "none"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert "This link is not complete" in answers[0].content.decode()
    assert not Preference.objects.exists()


def test_token_of_another_purpose_would_be_taken_if_salts_were_shared(strict, monkeypatch):
    """The sabotage twin of the salt."""
    path = reverse("messaging:preferences", args=[bad_tokens()["another salt"]])
    monkeypatch.setattr(tokens, "SALT", "goodword.surveys.answer")

    strict.post(path, {"List-Unsubscribe": "One-Click"})

    assert wishes_of(KEY)["rewards"] is False


def test_token_outlives_a_change_of_the_secret_key(strict, settings):
    path, before = address(), settings.SECRET_KEY
    settings.SECRET_KEY = "another-" * 8
    assert strict.get(path).status_code == 404

    settings.SECRET_KEY_FALLBACKS = [before]

    assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert wishes_of(KEY)["rewards"] is False


def test_preferences_url_is_below_the_public_address(settings):
    settings.PUBLIC_BASE_URL = "https://hello.shop.example"

    assert preferences_url(KEY, "rewards").startswith("https://hello.shop.example/u/")
