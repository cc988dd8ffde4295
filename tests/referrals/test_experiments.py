"""Experiments as staff start them and customers meet them: text, picture, who was shown what."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from urllib.parse import unquote

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from PIL import Image

from accounts.models import User
from accounts.origins import sign_identity
from accounts.services import create_api_key, ensure_roles
from messaging.services import send_due
from referrals.models import Customer, Experiment, Exposure, ShareText, Variant
from referrals.pictures import BadShareImage, clean_share_image
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
from tests.trials import BOLD, draft, links_in, people_in, running

pytestmark = pytest.mark.django_db
USUAL = "I like Goodword and think you will too. Here is my personal link:"


@pytest.fixture(autouse=True)
def _brand(settings):
    settings.BRAND_NAME = "Goodword"


@pytest.fixture
def program():
    return make_program()


def portal(customer, *, at=NOON, language="en"):
    """The customer's portal, with what the share links say."""
    user = User.objects.filter(email=customer.email).first() or UserFactory(email=customer.email)
    client = Client()
    with moment(at):
        client.force_login(user)
        return unquote(unescape(client.get("/", headers={"accept-language": language}).text))


def exposures():
    return list(
        Exposure.objects.order_by("pk").values_list("customer__external_id", "variant__name", "placement", "at")
    )


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


# The picture


def png(colour, size=(1200, 630)):
    picture = BytesIO()
    Image.new("RGB", size, colour).save(picture, "PNG")
    return picture.getvalue()


def corner_of(link, language="en"):
    """The colour of the picture's lower right corner."""
    with moment(NOON):
        answer = Client().get(f"/hello/{link.code}.png?l={language}")
    assert answer["Content-Type"] == "image/png"
    return Image.open(BytesIO(answer.content)).convert("RGB").getpixel((1190, 620))


def test_friends_see_the_picture_of_their_advocates_variant(program, settings):
    settings.BRAND_ACCENT = "#0b6b4f"
    experiment = running(
        program,
        {"name": "today"},
        {"name": "red", "colour": "#aa0000"},
        {"name": "own", "picture": png("#123456")},
        subject="picture",
    )
    links = {name: links_in(experiment, name, 2) for name in ("today", "red", "own")}

    seen = {name: {corner_of(link) for link in found} for name, found in links.items()}

    assert seen == {"today": {(11, 107, 79)}, "red": {(170, 0, 0)}, "own": {(18, 52, 86)}}
    assert exposures() == [], "who looks at a picture is no advocate"
    end_experiment(experiment=experiment, learnt="", at=NOON)
    assert corner_of(links["red"][0]) == (11, 107, 79)


def test_a_title_line_is_drawn_in_the_language_asked_for(program):
    words = {code: {"text": f"{code} {{brand}} {{name}}", "subject": ""} for code in ("en", "de")}
    experiment = running(program, {"name": "today"}, {"name": "said", "words": words}, subject="picture")
    [said] = links_in(experiment, "said", 1)
    with moment(NOON):
        english, german, again = (Client().get(f"/hello/{said.code}.png?l={one}").content for one in ("en", "de", "en"))
    end_experiment(experiment=experiment, learnt="", at=NOON)

    with moment(NOON):
        usual = Client().get(f"/hello/{said.code}.png?l=en").content

    assert english == again
    assert len({english, german, usual}) == 3


def test_the_greeting_names_another_picture_while_one_is_tried_and_the_link_stays_as_it_is(program):
    a, b = {"name": "a", "colour": "#aa0000"}, {"name": "b", "colour": "#00aa00"}
    experiment = draft(program, a, b, subject="picture")
    [before] = links_in(experiment, "a", 1)

    def greeted():
        with moment(NOON):
            page = Client().get(f"/hello/{before.code}/").text
        return re.search(r'og:image" content="([^"]*)"', page)[1], re.search(r'og:url" content="([^"]*)"', page)[1]

    usual = greeted()
    start_experiment(experiment=experiment, expected="", at=NOON)
    tried = greeted()

    assert usual[0].endswith("v=0")
    assert tried[0].endswith(f"v=0.{Variant.objects.get(name='a').pk}")
    assert usual[1] == tried[1]


def test_an_experiment_on_pictures_exposes_whoever_gets_their_link(program):
    experiment = running(program, {"name": "today"}, {"name": "red", "colour": "#aa0000"}, subject="picture")
    ann, bob = CustomerFactory(external_id="ann"), CustomerFactory(external_id="bob")
    portal(ann)
    with moment(NOON):
        report("purchase", bob, NOON)
        send_due(at=NOON)

    assert exposures() == [
        ("ann", variant_of(experiment, ann.pk).name, "portal", NOON),
        ("bob", variant_of(experiment, bob.pk).name, "mail", NOON),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no PNG"),
        (b"<svg onload=alert(1)>", "no PNG"),
        (png("red")[:200], "damaged"),
        (png("red", (1200, 631)), "1200 × 631 pixels; expected 1200 × 630"),
        (png("red", (32, 32)), "expected 1200 × 630"),
    ],
)
def test_clean_share_image_refuses_what_apps_would_not_show(data, words):
    with pytest.raises(BadShareImage, match=words):
        clean_share_image(data)


def test_clean_share_image_keeps_the_picture_and_nothing_else():
    picture = png("#123456")
    dirty = picture[:-12] + b"\x00\x00\x00\x09tEXtsecret=42\x00\x00\x00\x00" + picture[-12:]

    clean = clean_share_image(dirty if b"secret" in dirty else picture)

    assert b"secret" not in clean
    assert Image.open(BytesIO(clean)).getpixel((5, 5)) == (18, 52, 86)


# The admin


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


def test_portal_asks_as_often_for_many_experiments_as_for_one(program, django_assert_num_queries):
    ann = CustomerFactory()
    UserFactory(email=ann.email)
    running(program)
    client = Client()
    client.force_login(User.objects.get(email=ann.email))
    with moment(NOON):
        client.get("/")
        client.get("/")
        with django_assert_num_queries(33):
            client.get("/")
        running(program, {"name": "a"}, {"name": "b", "colour": "#aa0000"}, subject="picture", slug="p")
        client.get("/")
        with django_assert_num_queries(33):
            client.get("/")
