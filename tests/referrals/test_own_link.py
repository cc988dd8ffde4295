"""A customer's own link: a word for it, a greeting, and what friends and their apps see."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image

from referrals import pictures
from referrals.models import Click, Code, Link
from referrals.services import clicks, links
from referrals.services.links import TooManyRenames, ensure_link, rename_code, rename_own_code
from tests.factories import CustomerFactory, UserFactory, make_program

pytestmark = pytest.mark.django_db

PREVIEW = {"user-agent": "WhatsApp/2.23.20.0"}


@pytest.fixture
def link(db, settings):
    settings.BRAND_NAME = "Beans"
    ann = CustomerFactory(name="Ann Archer", email="ann@shop.example")
    return ensure_link(customer=ann, program=make_program())


@pytest.fixture
def ann(client, link):
    client.force_login(UserFactory(email="ann@shop.example"))
    return client


def post(ann, link, **told):
    return ann.post(f"/link/{link.code}/", told, follow=True)


def test_own_link_takes_a_word_and_keeps_the_old_code(ann, link):
    former = link.code

    page = post(ann, link, action="rename", code=" ann-s tip ")

    assert "Your code is changed." in page.text
    assert Link.objects.get().code == "ANNSTIP"
    assert ann.get(f"/r/{former}")["Location"].startswith("https://shop.example/welcome")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AB", "Please choose 4 to 20 letters"),
        ("ADMIN", "Please choose 4 to 20 letters"),
        ("SH1THEAD", "Please choose 4 to 20 letters"),
        ("WICHS3R99", "Please choose 4 to 20 letters"),
        ("TAKEN", "Somebody has this word already."),
    ],
)
def test_own_link_says_why_a_word_cannot_be_had(ann, link, code, words):
    rename_code(link=ensure_link(customer=CustomerFactory(), program=link.program), code="TAKEN")

    page = post(ann, link, action="rename", code=code)

    assert words in page.text
    assert f'value="{code}"' in page.text
    assert Link.objects.get(pk=link.pk).code == link.code


def test_rename_own_code_allows_three_new_words_in_thirty_days_and_any_old_one(link):
    now = timezone.now()
    for word in ("FIRST", "SECOND", "THIRD"):
        rename_own_code(link=link, code=word, at=now)

    with pytest.raises(TooManyRenames):
        rename_own_code(link=link, code="FOURTH", at=now)

    assert rename_own_code(link=link, code="first", at=now).code == "FIRST"
    Code.objects.filter(code="FIRST").update(created_at=now - timedelta(days=31))
    assert rename_own_code(link=link, code="FOURTH", at=now).code == "FOURTH"


def test_rename_own_code_that_counts_nothing_would_take_word_after_word(link, monkeypatch):
    monkeypatch.setattr(links, "RENAMES", 10**6)
    now = timezone.now()

    for word in ("FIRST", "SECOND", "THIRD", "FOURTH"):
        rename_own_code(link=link, code=word, at=now)

    assert Code.objects.filter(link=link).count() == 5


def test_own_link_limits_how_many_taken_words_one_may_try(ann, link, monkeypatch):
    monkeypatch.setattr(clicks, "MISSES", 2)
    rename_code(link=ensure_link(customer=CustomerFactory(), program=link.program), code="TAKEN")

    pages = [post(ann, link, action="rename", code="TAKEN").text for _ in range(4)]

    assert "Somebody has this word already." in pages[2]
    assert "Too many words were tried from here." in pages[3]


def test_own_link_greets_by_name_and_note_only_with_consent(ann, client, link):
    before = client.get(f"/hello/{link.code}/").text

    post(ann, link, action="greet", greets="on", note=" The  best coffee! ")
    after = client.get(f"/hello/{link.code}/").text
    post(ann, link, action="greet", note="The best coffee!")
    taken_back = client.get(f"/hello/{link.code}/").text

    assert "Ann recommends Beans" in after
    assert "“The best coffee!”" in after
    for page in (before, taken_back):
        assert "A friend recommends Beans" in page
        assert "Ann" not in page
        assert "coffee" not in page


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("see www.evil.example", "without addresses"),
        ("you shit", "friendlier words"),
        ("a" * 161, "at most 160 characters"),
    ],
)
def test_own_link_refuses_notes_that_nobody_should_read(ann, link, note, words):
    assert words in post(ann, link, action="greet", greets="on", note=note).text
    assert Link.objects.get().note == ""


@pytest.mark.parametrize(("guard", "note"), [("safe_text", "see www.evil.example"), ("is_rude", "you shit")])
def test_own_link_whose_notes_nobody_looks_at_would_take_them(ann, link, monkeypatch, guard, note):
    monkeypatch.setattr(links, guard, {"safe_text": str, "is_rude": lambda text: False}[guard])

    post(ann, link, action="greet", greets="on", note=note)

    assert Link.objects.get().note == note


def test_own_link_of_somebody_else_is_404(ann, link):
    other = ensure_link(customer=CustomerFactory(), program=link.program)

    assert ann.get(f"/link/{other.code}/").status_code == 404
    assert post(ann, other, action="greet", greets="on").status_code == 404
    assert ann.get("/link/NOTHERE/").status_code == 404


def test_hello_tells_apps_what_to_show_and_friends_what_they_get(client, link, settings):
    page = client.get(f"/hello/{link.code}/").text

    assert '<meta property="og:title" content="A friend recommends Beans">' in page
    assert f'<meta property="og:image" content="{settings.PUBLIC_BASE_URL}/hello/{link.code}.png?l=en&amp;v=0">' in page
    assert "100 points as soon as you join" in page
    assert f'href="{settings.PUBLIC_BASE_URL}/r/{link.code}"' in page


def test_follow_link_sends_an_app_that_looks_ahead_to_the_greeting_where_that_is_wanted(client, link, settings):
    usual = client.get(f"/r/{link.code}?c=whatsapp", headers=PREVIEW)
    settings.GREETING_PREVIEWS = True
    answer = client.get(f"/r/{link.code}?c=whatsapp", headers=PREVIEW)

    assert usual["Location"].startswith("https://shop.example/welcome?ref=")
    assert (answer.status_code, answer["Location"]) == (302, f"{settings.PUBLIC_BASE_URL}/hello/{link.code}/")
    assert {click.verdict for click in Click.objects.all()} == {"preview"}


def test_hello_of_a_program_that_rests_or_of_nobody_is_404(client, link):
    make_program(status="paused")

    assert client.get(f"/hello/{link.code}/").status_code == 404
    for path in ("/hello/NOTHERE/", "/hello/NOTHERE.png", "/q/NOTHERE.png", "/q/NOTHERE.pdf"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("letter", "ößŁşЖΩ")
def test_font_of_the_pictures_has_the_letters_of_names(letter):
    font = pictures._font(40)

    assert bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff"))


@pytest.mark.parametrize("name", ["Ann Archer", "Jürgen Größe", "Ольга", "X" * 200, ""])
def test_pictures_of_a_link_have_their_sizes_and_may_be_kept(client, link, name):
    link.customer.name = name
    link.customer.save()
    Link.objects.update(greets=True)

    shown = client.get(f"/hello/{link.code}.png?l=de")
    square = client.get(f"/q/{link.code}.png?download=1")
    card = client.get(f"/q/{link.code}.pdf")

    assert Image.open(BytesIO(shown.content)).size == (1200, 630)
    assert square["Content-Disposition"] == f'attachment; filename="{link.code}.png"'
    assert min(Image.open(BytesIO(square.content)).size) > 500
    assert (card["Content-Type"], card.content[:5]) == ("application/pdf", b"%PDF-")
    assert shown["Cache-Control"] == "public, max-age=86400"
