from urllib.parse import parse_qs, urlsplit

import pytest

from referrals.queries.links import SHARE_CHANNELS
from referrals.queries.sharing import gift_words
from referrals.sharing import share_targets, title_of
from referrals.terms import RewardRule


def targets():
    def url_of(channel):
        return f"https://good.example/r/ABC?c={channel}"

    made = share_targets(url_of, subject="Tea & cake?", text="Täglich 5 % Freude: #1")
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
