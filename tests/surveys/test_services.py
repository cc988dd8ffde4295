from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import Invalid
from messaging.models import Message, Preference, Suppression
from surveys import eligibility
from surveys.models import Invitation, Survey
from surveys.services.answers import confirm_answer
from surveys.services.invitations import (
    NotAsked,
    expire_invitations,
    invite_customer,
    invite_customers,
    note_sent_invitations,
)
from surveys.services.surveys import (
    create_survey,
    ensure_default_survey,
    publish_wording,
)
from surveys.tokens import survey_url
from surveys.words import SHIPPED
from tests.surveys.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


# --- surveys -----------------------------------------------------------------------------------------


def test_ensure_default_survey_is_made_once():
    first, second = ensure_default_survey(), ensure_default_survey()

    assert first == second
    assert (first.slug, first.kind, first.active, first.versions.count()) == ("nps", "nps", True, 1)


@pytest.mark.parametrize("style", ["faces", "stars"])
@pytest.mark.parametrize("kind", ["nps", "ces"])
def test_create_survey_refuses_faces_on_another_scale_than_five_steps(kind, style):
    with pytest.raises(Invalid, match="expected numbers"):
        create_survey(slug="s", name="S", kind=kind, style=style)

    assert Survey.objects.count() == 0


def test_publish_wording_answers_keep_the_wording_they_answered(survey, invitation, now, person):
    asked = invitation.version
    newer = publish_wording(survey=survey, wording=replace(SHIPPED["nps"], question="Would you?"))
    same = publish_wording(survey=survey, wording=replace(SHIPPED["nps"], question="Would you?"))

    response = confirm_answer(invitation=invitation, score=9, comment="", at=now)
    later = invite_customer(survey=survey, customer=person("c-2"), at=now)

    assert same == newer
    assert (asked.number, newer.number) == (1, 2)
    assert (response.version, later.version) == (asked, newer)


# --- invitations -------------------------------------------------------------------------------------


def test_invite_customer_queues_the_mail_with_the_invitation(survey, ann, now):
    invitation = invite_customer(survey=survey, customer=ann, at=now)

    letter = Message.objects.get()
    assert (letter.kind, letter.recipient_key, letter.email) == ("survey_invitation", f"customer:{ann.pk}", ann.email)
    assert letter.cause == f"invitation:{invitation.public_id}"
    assert letter.due_at == now
    assert letter.context["first_name"] == "Ann"
    assert letter.context["question"] == "How likely are you to recommend Goodword to a friend?"
    assert [link["score"] for link in letter.context["score_links"]] == list(range(11))
    url = survey_url(invitation.token_id)
    assert letter.context["score_links"][9] == {
        "score": 9,
        "mark": "9",
        "label": "9 – very likely",
        "url": f"{url}?score=9",
    }
    assert (letter.context["survey_url"], letter.context["trap_url"]) == (url, f"{url}/view")
    assert (invitation.state, invitation.expires_at) == ("planned", now + 30 * DAY)


def test_invite_customer_later_is_due_later(survey, ann, now):
    invitation = invite_customer(survey=survey, customer=ann, at=now, send_at=now + 3 * DAY)

    assert Message.objects.get().due_at == now + 3 * DAY
    assert (invitation.send_at, invitation.expires_at) == (now + 3 * DAY, now + 33 * DAY)


def test_invite_customer_at_a_moment_gone_by_means_now(survey, ann, now):
    assert invite_customer(survey=survey, customer=ann, at=now, send_at=now - DAY).send_at == now


def refused(survey, customer, at, **more):
    """Assert that nothing but the decision is kept; return the refusal."""
    asked = Invitation.objects.exclude(state="not_asked").count()
    letters = Message.objects.count()
    with pytest.raises(NotAsked) as caught:
        invite_customer(survey=survey, customer=customer, at=at, **more)
    assert (Invitation.objects.exclude(state="not_asked").count(), Message.objects.count()) == (asked, letters)
    kept = Invitation.objects.latest("pk")
    assert (kept.state, kept.reason, kept.next_at) == ("not_asked", caught.value.code, caught.value.next_at)
    return caught.value


def test_invite_customer_again_waits_thirty_days(survey, ann, now, invitation):
    refusal = refused(survey, ann, now + 30 * DAY - timedelta(microseconds=1))

    assert (refusal.code, refusal.next_at) == ("throttled", now + 30 * DAY)
    assert invite_customer(survey=survey, customer=ann, at=now + 30 * DAY).state == "planned"


def test_invite_customer_after_an_answer_waits_ninety_days(survey, ann, now, invitation):
    confirm_answer(invitation=invitation, score=9, comment="", at=now + DAY)

    refusal = refused(survey, ann, now + 91 * DAY - timedelta(microseconds=1))

    assert (refusal.code, refusal.next_at) == ("throttled", now + 91 * DAY)
    assert invite_customer(survey=survey, customer=ann, at=now + 91 * DAY).state == "planned"


def test_invite_customer_throttle_holds_over_all_surveys_and_rows_of_the_person(survey, ann, now, invitation, person):
    other = create_survey(slug="other", name="Other")
    twin = person("c-9", email=ann.email)

    assert refused(other, ann, now + DAY).code == "throttled"
    assert refused(survey, twin, now + DAY).code == "throttled"


def test_invite_customer_twin_without_a_throttle_asks_twice(survey, ann, now, invitation, monkeypatch):
    monkeypatch.setattr(eligibility, "next_allowed", lambda **_: None)

    assert invite_customer(survey=survey, customer=ann, at=now).state == "planned"


def test_invite_customer_decisions_not_to_ask_do_not_throttle(survey, ann, now):
    Survey.objects.update(active=False)
    survey.refresh_from_db()
    assert refused(survey, ann, now).code == "survey_inactive"
    Survey.objects.update(active=True)
    survey.refresh_from_db()

    assert invite_customer(survey=survey, customer=ann, at=now).state == "planned"


def test_invite_customer_by_force_lifts_the_throttle(survey, ann, now, invitation):
    forced = invite_customer(survey=survey, customer=ann, at=now, force=True)

    assert (forced.state, forced.forced) == ("planned", True)
    assert Message.objects.count() == 2


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("fields", "code"),
    [({"email": ""}, "no_email"), ({"erased_at": NOW}, "erased")],
)
def test_invite_customer_refuses_who_cannot_be_written_to(survey, person, now, fields, code, force):
    customer = person(**fields)

    refusal = refused(survey, customer, now, force=force)

    assert (refusal.code, refusal.next_at) == (code, None)


@pytest.mark.parametrize("force", [False, True])
def test_invite_customer_refuses_a_suppressed_address(survey, ann, now, force):
    Suppression.objects.create(email=ann.email, reason="complaint")

    assert refused(survey, ann, now, force=force).code == "suppressed"


@pytest.mark.parametrize("force", [False, True])
def test_invite_customer_refuses_who_wants_no_surveys(survey, ann, now, force):
    Preference.objects.create(recipient_key=f"customer:{ann.pk}", purpose="surveys", allowed=False, at=now)

    assert refused(survey, ann, now, force=force).code == "unsubscribed"


def test_invite_customer_with_an_unusable_address_is_not_asked(survey, person, now):
    with pytest.raises(NotAsked) as caught:
        invite_customer(survey=survey, customer=person(email="not an address"), at=now)

    assert caught.value.code == "no_email"
    assert Invitation.objects.get().state == "not_asked"


def test_invite_customers_counts_who_was_asked_and_why_not(survey, person, now):
    people = [person("c-1"), person("c-2"), person("c-3", email=""), person("c-4", email="c-1@example.com")]

    counts = invite_customers(survey=survey, customers=people, at=now)

    assert (counts.asked, counts.not_asked) == (2, {"no_email": 1, "throttled": 1})
    assert str(counts) == "2 asked, 1 not asked: no_email, 1 not asked: throttled"


def test_note_sent_invitations_takes_over_what_became_of_the_mails(survey, person, now):
    states = ["sent", "unknown", "dead", "not_sent", "queued"]
    found = []
    for number, state in enumerate(states):
        invitation = invite_customer(survey=survey, customer=person(f"c-{number}"), at=now)
        reason = "unsubscribed" if state == "not_sent" else ""
        letter = Message.objects.filter(cause=f"invitation:{invitation.public_id}")
        letter.update(state=state, reason=reason, sent_at=now + DAY if state == "sent" else None)
        found.append(invitation)

    counts = [note_sent_invitations(at=now + DAY) for _ in range(2)]

    for invitation in found:
        invitation.refresh_from_db()
    assert counts == [4, 0]
    assert [(row.state, row.reason, row.sent_at) for row in found] == [
        ("sent", "", now + DAY),
        ("sent", "", None),
        ("not_asked", "undelivered", None),
        ("not_asked", "unsubscribed", None),
        ("planned", "", None),
    ]


def test_expire_invitations_closes_only_the_unanswered_ones_that_are_over(survey, person, now):
    early = invite_customer(survey=survey, customer=person("c-1"), at=now)
    answered = invite_customer(survey=survey, customer=person("c-2"), at=now)
    later = invite_customer(survey=survey, customer=person("c-3"), at=now + DAY)
    confirm_answer(invitation=answered, score=1, comment="", at=now)

    counts = [expire_invitations(at=now + 30 * DAY) for _ in range(2)]

    assert counts == [1, 0]
    assert dict(Invitation.objects.values_list("pk", "state")) == {
        early.pk: "expired",
        answered.pk: "answered",
        later.pk: "planned",
    }
