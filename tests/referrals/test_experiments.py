"""Experiments as customers meet them: the text of their variant, and who was shown what."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from accounts.origins import sign_identity
from accounts.services import create_api_key
from messaging.services import send_due
from referrals.models import Customer, Experiment, Exposure, ShareText
from referrals.queries import experiments as lookups
from referrals.queries.experiments import variant_of
from referrals.queries.links import SHARE_CHANNELS
from referrals.services import experiments as services
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.experiments import (
    AnotherRuns,
    NotReady,
    WrongState,
    end_experiment,
    note_exposures,
    start_experiment,
)
from referrals.services.links import ensure_link
from surveys.services.invitations import invite_customer
from surveys.services.surveys import ensure_default_survey
from surveys.tokens import token_of
from tests.factories import CustomerFactory, UserFactory, make_program, report
from tests.scenes import NOON, moment
from tests.trials import BOLD, draft, exposures, links_in, people_in, portal, running

pytestmark = pytest.mark.django_db
USUAL = "I like Goodword and think you will too. Here is my personal link:"


@pytest.fixture(autouse=True)
def _brand(settings):
    settings.BRAND_NAME = "Goodword"


@pytest.fixture
def program():
    return make_program()


# Starting and ending


def test_start_experiment_begins_once_and_keeps_what_was_expected(program):
    experiment = draft(program)

    start_experiment(experiment=experiment, expected="more clicks", at=NOON)

    assert (experiment.state, experiment.started_at, experiment.expected) == ("running", NOON, "more clicks")
    with pytest.raises(WrongState):
        start_experiment(experiment=experiment, expected="again", at=NOON + timedelta(days=1))
    experiment.refresh_from_db()
    assert (experiment.started_at, experiment.expected) == (NOON, "more clicks")


def test_start_experiment_says_what_is_missing_and_changes_nothing(program):
    experiment = draft(program, {"name": "today"}, {"name": "bold", "words": {"en": BOLD["en"]}})

    with pytest.raises(NotReady, match="bold has no words in “de”"):
        start_experiment(experiment=experiment, expected="", at=NOON)

    experiment.refresh_from_db()
    assert (experiment.state, experiment.started_at) == ("draft", None)


def test_one_experiment_runs_a_program_and_subject(program):
    first, second = draft(program), draft(program, slug="second")
    picture = draft(program, {"name": "today"}, {"name": "red", "colour": "#aa0000"}, subject="picture", slug="red")
    elsewhere = draft(make_program("other"), slug="elsewhere")
    for one in (first, picture, elsewhere):
        start_experiment(experiment=one, expected="", at=NOON)

    with pytest.raises(AnotherRuns):
        start_experiment(experiment=second, expected="", at=NOON)
    second.refresh_from_db()
    before = second.state
    end_experiment(experiment=first, learnt="nothing", at=NOON + timedelta(days=1))
    start_experiment(experiment=second, expected="", at=NOON + timedelta(days=1))

    assert (before, second.state, first.state, first.learnt) == ("draft", "running", "ended", "nothing")


def test_the_database_itself_keeps_a_second_one_from_running(program):
    running(program)
    second = draft(program, slug="second")

    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.filter(pk=second.pk).update(state="running", started_at=NOON)


def test_end_experiment_ends_only_what_runs(program):
    experiment = draft(program)

    with pytest.raises(WrongState):
        end_experiment(experiment=experiment, learnt="", at=NOON)

    experiment.refresh_from_db()
    assert (experiment.state, experiment.ended_at) == ("draft", None)


# The text


def test_portal_shows_each_advocate_the_text_of_their_variant_for_ever(program):
    experiment = running(program)
    [calm], [bold] = links_in(experiment, "today", 1), links_in(experiment, "bold", 1)

    pages = [portal(link.customer) for link in (calm, bold)]
    later = portal(bold.customer, at=NOON + timedelta(days=300))
    german = portal(bold.customer, language="de")

    dare = f"{bold.customer.first_name} dares you: Goodword"
    assert (USUAL in pages[0], "dares you" in pages[0]) == (True, False)
    assert (USUAL in pages[1], dare in pages[1]) == (False, True)
    assert "subject=A dare&" in pages[1]
    assert dare in later
    assert "Trau dich!" in german
    for link, page in zip((calm, bold), pages, strict=True):
        assert set(re.findall(rf"/r/{link.code}\?(\S*?p=\w+)", page)) == {
            f"c={channel}&p=portal" for channel in SHARE_CHANNELS if channel != "qr"
        }


def test_the_control_shows_the_companys_own_words_and_the_variant_goes_before_every_channel_of_them(program):
    ShareText.objects.create(program=program, language="en", channel="", text="Ours")
    ShareText.objects.create(program=program, language="en", channel="sms", text="Ours by text")
    experiment = running(program)

    calm, bold = (portal(next(people_in(experiment, name))) for name in ("today", "bold"))

    assert ("Ours by text" in calm, "whatsapp" in calm, "Ours http" in calm) == (True, True, True)
    assert "Ours" not in bold


def test_a_draft_or_an_ended_experiment_changes_nothing_for_customers(program):
    ann = CustomerFactory()
    draft(program, {"name": "a", "words": BOLD}, {"name": "b", "words": BOLD})
    before = portal(ann)
    experiment = running(program, {"name": "a", "words": BOLD}, {"name": "b", "words": BOLD}, slug="both")
    meanwhile = portal(ann)
    end_experiment(experiment=experiment, learnt="", at=NOON)

    after = portal(ann)

    assert ["dares you" in page for page in (before, meanwhile, after)] == [False, True, False]
    assert len(exposures()) == 1


def test_languages_that_are_not_tried_show_the_usual_words_and_expose_nobody(program):
    words = {"en": BOLD["en"]}
    running(program, {"name": "a", "words": words}, {"name": "b", "words": words})
    ann = CustomerFactory()

    page = portal(ann, language="de")

    assert "dares you" not in page
    assert exposures() == []


def test_a_lookup_that_forgets_the_state_would_show_drafts(program, monkeypatch):
    experiment = draft(program, {"name": "a", "words": BOLD}, {"name": "b", "words": BOLD})
    ready = Experiment.objects.filter(pk=experiment.pk)
    monkeypatch.setattr(lookups.Experiment.objects, "filter", lambda **_: ready)

    assert "dares you" in portal(CustomerFactory())


# Who was shown what


def test_an_advocate_is_exposed_once_by_whatever_they_see_first(program):
    experiment = running(program)
    ann = CustomerFactory(external_id="ann")
    arm = variant_of(experiment, ann.pk).name

    portal(ann)
    portal(ann, at=NOON + timedelta(days=1))
    [link] = ann.links.all()
    again = note_exposures(shown=[(link, variant_of(experiment, ann.pk))], placement="mail", at=NOON)

    assert again == 0
    assert exposures() == [("ann", arm, "portal", NOON)]


def test_exposures_that_do_not_look_are_still_kept_once_by_the_database(program, monkeypatch):
    experiment = running(program)
    link = ensure_link(customer=CustomerFactory(external_id="ann"), program=program)
    shown = [(link, variant_of(experiment, link.customer_id))]
    note_exposures(shown=shown, placement="portal", at=NOON)
    monkeypatch.setattr(services.Exposure.objects, "filter", lambda **_: Exposure.objects.none())

    note_exposures(shown=shown, placement="mail", at=NOON)

    assert [placement for _, _, placement, _ in exposures()] == ["portal"]


def test_widget_hands_out_the_variants_text_and_exposes(client, program):
    experiment = running(program)
    person = next(people_in(experiment, "bold"))
    row, key = create_api_key(name="web", publishable=True)
    token = sign_identity(person.external_id, until=NOON + timedelta(hours=1), secret=row.identity_secrets[0])

    with moment(NOON):
        headers = {"authorization": f"Bearer {key}", "x-goodword-identity": token}
        told = client.get("/api/v1/widget?placement=post_purchase", headers=headers).json()
        stranger = client.get("/api/v1/widget", headers={"authorization": f"Bearer {key}"})

    link = told["offers"][0]["link"]
    assert link["text"] == f"{person.first_name} dares you: Goodword"
    assert link["subject"] == "A dare"
    assert stranger.status_code == 200
    assert exposures() == [(person.external_id, "bold", "post_purchase", NOON)]


def test_the_page_after_a_promoters_answer_exposes(client, program):
    experiment = running(program)
    person = next(people_in(experiment, "bold"))
    with moment(NOON):
        invitation = invite_customer(survey=ensure_default_survey(), customer=person, at=NOON)
        path = f"/s/{token_of(invitation.token_id)}"
        client.post(path, {"score": "10", "comment": ""})

        page = unquote(unescape(client.get(f"{path}/thanks").text))

    assert "dares you: Goodword" in page
    assert exposures() == [(person.external_id, "bold", "survey", NOON)]


@pytest.mark.parametrize(("locale", "words"), [("en", "dares you: Goodword"), ("de", "Trau dich!")])
def test_the_mail_carries_the_variants_text_and_exposes_when_it_is_sent(program, locale, words):
    experiment = running(program)
    person = next(people_in(experiment, "bold"))
    Customer.objects.filter(pk=person.pk).update(locale=locale)
    with moment(NOON):
        report("purchase", Customer.objects.get(pk=person.pk), NOON)
    waiting = exposures()
    later = NOON + timedelta(hours=5)

    with moment(later):
        send_due(at=later)

    assert words in mail.outbox[0].body
    assert words in unescape(mail.outbox[0].alternatives[0].content)
    assert waiting == []
    assert exposures() == [(person.external_id, "bold", "mail", later)]


def test_a_mail_written_before_the_start_exposes_nobody(program):
    with moment(NOON - timedelta(hours=1)):
        report("purchase", CustomerFactory(), NOON - timedelta(hours=1))
    running(program)

    with moment(NOON + timedelta(hours=1)):
        send_due(at=NOON + timedelta(hours=1))

    assert len(mail.outbox) == 1
    assert exposures() == []


def test_exposures_are_exported_and_outlast_erasing(program):
    experiment = running(program)
    ann = CustomerFactory(external_id="ann")
    portal(ann)

    told = export_customer(customer=ann)["referrals"]["experiments"]
    erase_customer(customer=ann, by="boss", at=NOON)

    name = variant_of(experiment, ann.pk).name
    assert told == [{"experiment__slug": "bold", "variant__name": name, "at": NOON, "placement": "portal"}]
    assert exposures() == [("ann", name, "portal", NOON)]


def test_only_the_link_of_the_program_that_tries_something_is_exposed(program):
    other = make_program("other")
    running(other, {"name": "a", "words": BOLD}, {"name": "b", "words": BOLD})
    ann = CustomerFactory(external_id="ann")

    portal(ann)

    [link] = Exposure.objects.select_related("link__program").values_list("link__program__slug", flat=True)
    assert link == "other"


def test_portal_asks_as_often_for_many_experiments_as_for_one(program, django_assert_num_queries):
    ann = CustomerFactory()
    UserFactory(email=ann.email)
    running(program)
    client = Client()
    client.force_login(User.objects.get(email=ann.email))
    with moment(NOON):
        client.get("/")
        client.get("/")
        with django_assert_num_queries(34):
            client.get("/")
        running(program, {"name": "a"}, {"name": "b", "colour": "#aa0000"}, subject="picture", slug="p")
        client.get("/")
        with django_assert_num_queries(34):
            client.get("/")
