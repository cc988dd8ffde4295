from urllib.parse import parse_qs, urlsplit

from referrals.queries.links import SHARE_CHANNELS
from referrals.sharing import share_targets


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
