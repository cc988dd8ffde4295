"""Experiments as staff prepare, start and end them; what runs is not changed."""

from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from accounts.services import ensure_roles
from referrals.models import Experiment, ShareText, Variant
from referrals.pictures import clean_share_image
from referrals.services import experiments as services
from referrals.services.experiments import (
    WrongState,
    start_experiment,
)
from tests.factories import make_program
from tests.scenes import NOON, moment
from tests.trials import draft, png, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_program()


@pytest.fixture
def marketer(client):
    user = User.objects.create_user("mia@shop.example", is_staff=True)
    user.groups.add(*[group for group in ensure_roles() if group.name == "Marketer"])
    client.force_login(user)
    return client


def form(program, *variants, **changed):
    """What the admin's page sends."""
    sent = {"title": "Bold words", "slug": "bold", "program": program.pk, "subject": "share_text", **changed}
    sent |= {"variants-TOTAL_FORMS": len(variants), "variants-INITIAL_FORMS": 0, "variants-MIN_NUM_FORMS": 2}
    sent |= {"variants-MAX_NUM_FORMS": 5}
    for number, fields in enumerate(variants):
        sent |= {f"variants-{number}-{name}": value for name, value in {"weight": 1, **fields}.items()}
    return sent


def test_admin_prepares_starts_and_ends_an_experiment(marketer, program):
    today = {"name": "today"}
    bold = {"name": "bold", "weight": 3, "text_en": " Dare  {brand} ", "subject_en": "Hm", "text_de": "Trau dich"}
    added = marketer.post("/admin/referrals/experiment/add/", form(program, today, bold))
    experiment = Experiment.objects.get()
    path = f"/admin/referrals/experiment/{experiment.pk}"
    ready = marketer.get(f"{path}/change/").text
    with moment(NOON):
        asked = marketer.get(f"{path}/start/")
        started = marketer.post(f"{path}/start/", {"reason": "more friends"})

    assert (added.status_code, asked.status_code, started.status_code) == (302, 200, 302)
    assert "Nothing: it can start." in ready
    assert list(experiment.variants.values_list("position", "name", "weight", "words")) == [
        (0, "today", 1, {}),
        (1, "bold", 3, {"en": {"text": "Dare {brand}", "subject": "Hm"}, "de": {"text": "Trau dich", "subject": ""}}),
    ]
    experiment.refresh_from_db()
    assert (experiment.state, experiment.expected) == ("running", "more friends")
    running_page = marketer.get(f"{path}/change/")
    assert running_page.status_code == 200
    assert 'name="title"' not in running_page.text
    with moment(NOON):
        marketer.post(f"{path}/end/", {"reason": "dares work"})
    experiment.refresh_from_db()
    assert (experiment.state, experiment.learnt, experiment.ended_at) == ("ended", "dares work", NOON)


def test_admin_shows_a_draft_as_it_was_written_and_takes_changes(marketer, program):
    experiment = draft(program)
    today, bold = experiment.variants.all()
    path = f"/admin/referrals/experiment/{experiment.pk}/change/"
    shown = marketer.get(path).text
    known = {"id": today.pk, "name": "today"}, {"id": bold.pk, "name": "bold", "text_en": "New", "text_de": "Neu"}
    sent = form(program, *known, {"name": "third", "text_en": "Third", "text_de": "Dritter"})

    answer = marketer.post(path, sent | {"variants-INITIAL_FORMS": 2})

    assert "{name} dares you: {brand}" in shown
    assert answer.status_code == 302
    assert list(experiment.variants.values_list("position", "name", "words__en__text")) == [
        (0, "today", None),
        (1, "bold", "New"),
        (2, "third", "Third"),
    ]


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ({"name": "bold", "text_en": "Hi {friend}"}, "expected only {brand}, {name}, {code} in braces"),
        ({"name": "bold", "subject_en": "alone"}, "a subject needs its text"),
        ({"name": "bold", "weight": 0}, "expected a whole number from 1 to 1,000"),
        ({"name": "bold", "colour": "red"}, "expected a colour such as #0b6b4f"),
        ({"name": "bold", "upload": SimpleUploadedFile("x.png", b"GIF89a")}, "This is no PNG picture"),
        ({"name": "today"}, "Please correct the duplicate data for name"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_admin_refuses_variants_that_make_no_sense(marketer, program, variant, words):
    answer = marketer.post("/admin/referrals/experiment/add/", form(program, {"name": "today"}, variant))

    assert answer.status_code == 200
    assert words in unescape(answer.text)
    assert not Experiment.objects.exists()


def test_admin_keeps_an_uploaded_picture(marketer, program):
    upload = SimpleUploadedFile("own.png", png("#123456"), "image/png")

    marketer.post(
        "/admin/referrals/experiment/add/",
        form(program, {"name": "today"}, {"name": "own", "upload": upload}, subject="picture"),
    )

    assert bytes(Variant.objects.get(name="own").picture) == clean_share_image(png("#123456"))


def test_admin_says_why_an_experiment_does_not_start(marketer, program):
    experiment = draft(program, {"name": "today"}, {"name": "bold"})
    path = f"/admin/referrals/experiment/{experiment.pk}"

    shown = marketer.get(f"{path}/change/").text
    told = marketer.post(f"{path}/start/", {"reason": "why not"}, follow=True).text

    for page in (shown, told):
        assert "bold has no words in “de”" in page
    experiment.refresh_from_db()
    assert experiment.state == "draft"


def test_admin_changes_and_deletes_nothing_of_what_has_begun(marketer, program):
    experiment = running(program)
    path = f"/admin/referrals/experiment/{experiment.pk}"
    before = list(experiment.variants.values("name", "weight", "words"))

    changed = marketer.post(f"{path}/change/", form(program, {"name": "x"}, {"name": "y"}, title="Other"))
    deleted = marketer.post(f"{path}/delete/", {"post": "yes"})

    assert (changed.status_code, deleted.status_code) == (403, 403)
    experiment.refresh_from_db()
    assert (experiment.title, list(experiment.variants.values("name", "weight", "words"))) == ("Try bold", before)


def test_admin_that_asked_no_lock_would_change_what_another_has_just_started(program):
    experiment = draft(program)
    stale = Experiment.objects.get(pk=experiment.pk)
    start_experiment(experiment=experiment, expected="", at=NOON)

    with pytest.raises(WrongState):
        services.lock_draft(experiment=stale)


def test_admin_keeps_the_texts_that_are_compared_as_they_are(marketer, program):
    text = ShareText.objects.create(program=program, language="en", text="Ours")
    running(program)
    page = f"/admin/referrals/sharetext/{text.pk}"

    changed = marketer.post(f"{page}/change/", {"program": program.pk, "language": "en", "channel": "", "text": "New"})
    deleted = marketer.post(f"{page}/delete/", {"post": "yes"})

    assert "is running; end it first" in unescape(changed.text)
    assert deleted.status_code == 403
    assert ShareText.objects.get().text == "Ours"


def test_analysts_see_experiments_and_run_none(client, program):
    user = User.objects.create_user("ana@shop.example", is_staff=True)
    user.groups.add(*[group for group in ensure_roles() if group.name == "Analyst"])
    client.force_login(user)
    experiment = draft(program)
    path = f"/admin/referrals/experiment/{experiment.pk}"

    shown = client.get(f"{path}/change/")
    started = client.post(f"{path}/start/", {"reason": "me"})

    assert (shown.status_code, started.status_code) == (200, 403)
    experiment.refresh_from_db()
    assert experiment.state == "draft"


def test_admin_of_an_experiment_that_is_not_there_refuses(marketer):
    for number in ("7", "nope"):
        assert marketer.post(f"/admin/referrals/experiment/{number}/start/", {"reason": "me"}).status_code == 403
