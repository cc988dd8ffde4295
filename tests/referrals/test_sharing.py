from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.utils import translation

from referrals.models import ShareText
from referrals.queries.links import SHARE_CHANNELS
from referrals.queries.sharing import gift_words, share_card
from referrals.services.links import ensure_link
from referrals.sharing import fill_text, share_targets, text_problem, title_of
from referrals.terms import RewardRule
from tests.factories import CustomerFactory, make_program


def targets():
    def url_of(channel):
        return f"https://good.example/r/ABC?c={channel}"

    made = share_targets(url_of, lambda channel: ("Tea & cake?", "Täglich 5 % Freude: #1"))
    return {target.channel: target for target in made}


def test_share_targets_cover_the_channels_that_open_an_app():
    assert set(targets()) == set(SHARE_CHANNELS) - {"copy", "qr", "native"}


def test_share_targets_carry_the_link_of_their_own_channel_unharmed():
    for channel, target in targets().items():
        values = [value for values in parse_qs(urlsplit(target.href).query).values() for value in values]
        assert any(f"https://good.example/r/ABC?c={channel}" in value for value in values), channel


def test_share_targets_keep_the_words_as_they_are():
    assert parse_qs(urlsplit(targets()["whatsapp"].href).query) == {
        "text": ["Täglich 5 % Freude: #1 https://good.example/r/ABC?c=whatsapp"]
    }
    assert parse_qs(urlsplit(targets()["email"].href).query)["subject"] == ["Tea & cake?"]


def test_share_targets_tell_pages_from_apps_of_the_device():
    assert {channel for channel, target in targets().items() if not target.opens_page} == {"email", "sms"}


@pytest.mark.parametrize(
    ("gift", "words"),
    [
        ({"points": 5}, ""),
        ({"kind": "coupon", "what": "WELCOME10"}, "a coupon"),
        ({"kind": "credit", "amount_minor": 1000}, "€10 store credit"),
        ({"kind": "gift_card", "amount_minor": 2550}, "a gift card of €25.50"),
        ({"kind": "cash", "amount_minor": 500}, "€5 in cash"),
        ({"kind": "perk", "what": "early-access"}, "Early access"),
        ({"kind": "badge", "what": "first_referral"}, "the badge “First referral”"),
        ({"kind": "choice", "what": "gifts"}, "a gift of choice"),
        ({"kind": "manual", "what": "A mug by post"}, "A mug by post"),
    ],
)
def test_gift_words_say_what_is_no_points(gift, words):
    assert gift_words(RewardRule(id="r", to="friend", on="qualified", **gift), "EUR") == words


def test_title_of_makes_words_of_a_slug():
    assert title_of("early-access") == "Early access"


@pytest.mark.parametrize("text", ["Hi {friend}", "{", "a } b", "{{name}}", "{brand"])
def test_text_problem_names_the_placeholders_there_are(text):
    assert text_problem(text) == "expected only {brand}, {name}, {code} in braces"


def test_fill_text_leaves_no_hole_where_a_name_is_not_known():
    assert fill_text("Hi, {name} here: {code}", {"name": "", "code": "ABC"}) == "Hi, here: ABC"
    assert text_problem("Hi, {name} here: {code}") == ""


@pytest.fixture
def link(db, settings):
    settings.BRAND_NAME = "Beans"
    return ensure_link(customer=CustomerFactory(name="Ann Archer"), program=make_program())


def test_share_card_uses_the_companys_words_by_channel_and_language(link):
    for language, channel, text in (
        ("en", "", "{name} loves {brand}"),
        ("en", "sms", "Try {code}"),
        ("de", "", "{name} liebt {brand}"),
    ):
        ShareText.objects.create(program=link.program, language=language, channel=channel, subject="", text=text)

    card = share_card(link)
    with translation.override("de"):
        german = share_card(link)
    texts = {one.channel: unquote(one.href) for one in card.targets}

    assert (card.text, german.text) == ("Ann loves Beans", "Ann liebt Beans")
    assert f"Try {link.code} " in texts["sms"]
    assert "Ann loves Beans" in texts["whatsapp"]
    assert "A recommendation: Beans" in texts["email"]


def test_share_card_without_the_companys_words_uses_the_usual_ones(link):
    assert share_card(link).text == "I like Beans and think you will too. Here is my personal link:"


def test_admin_takes_share_texts_and_refuses_unknown_placeholders(admin_client, link):
    form = {"program": link.program.pk, "language": "en", "channel": "x", "subject": "", "text": "Hi {friend}"}
    wrong = admin_client.post("/admin/referrals/sharetext/add/", form)
    right = admin_client.post("/admin/referrals/sharetext/add/", form | {"text": "Hi from {name}"})

    assert "expected only {brand}, {name}, {code} in braces" in wrong.text
    assert right.status_code == 302
    assert ShareText.objects.get().text == "Hi from {name}"
