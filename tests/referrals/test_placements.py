"""Where links are taken from: whoever shows a link says so in its address, and its clicks count there."""

import re
from html import unescape
from urllib.parse import unquote

import pytest

from analytics.services.rollups import refresh_rollups
from referrals import redirect
from referrals.models import Click, Placement
from referrals.queries.links import share_url
from referrals.services.links import ensure_link
from tests.analytics.ask import grouped, values
from tests.analytics.test_rollups import snapshot
from tests.factories import CustomerFactory, UserFactory, make_program
from tests.scenes import NOON, moment

pytestmark = pytest.mark.django_db
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
BOT = {"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}
DAY = ("2026-05-01", "2026-05-02")


@pytest.fixture
def link():
    with moment(NOON):
        ann = CustomerFactory(external_id="ann", email="ann@shop.example")
        return ensure_link(customer=ann, program=make_program())


@pytest.fixture
def visit(client, link):
    def follow(query="", headers=PERSON):
        with moment(NOON):
            return client.get(f"/r/{link.code}{query}", headers=headers)

    return follow


def test_share_url_names_channel_and_placement(link, settings):
    address = f"{settings.PUBLIC_BASE_URL}/r/{link.code}"

    assert share_url(link, "copy", Placement.PORTAL) == f"{address}?c=copy&p=portal"
    assert share_url(link, placement=Placement.TILL) == f"{address}?p=till"


@pytest.mark.parametrize(
    ("query", "placement"),
    [
        ("?p=newsletter", "newsletter"),
        ("?c=whatsapp&p=Portal", "portal"),
        ("", ""),
        ("?c=copy", ""),
        ("?p=", ""),
        ("?p=moon", ""),
        ("?p=portal%00", ""),
        ("?p=' or 1", ""),
        (f"?p={'x' * 5000}", ""),
    ],
)
def test_follow_link_keeps_the_placement_and_ignores_what_it_does_not_know(visit, query, placement):
    answer = visit(query)

    assert answer.status_code == 302
    assert "p=" not in answer["Location"].replace("shop.example", "")
    assert Click.objects.get().placement == placement


def test_follow_link_that_believed_every_placement_would_keep_nonsense(visit, monkeypatch):
    monkeypatch.setattr(redirect, "placement_of", lambda query: query.get("p", ""))

    visit("?p=moon")

    assert Click.objects.get().placement == "moon"


def test_clicks_count_by_placement_without_machines_and_alike_in_full(visit, client, link):
    for query in ("?c=copy&p=portal", "?p=portal", "?p=mail", "", "?p=moon"):
        visit(query)
    visit("?p=mail", BOT)
    with moment(NOON):
        client.head(f"/r/{link.code}?p=mail", headers=PERSON)
    refresh_rollups(at=NOON)
    incremental = snapshot()

    refresh_rollups(at=NOON, full=True)

    assert snapshot() == incremental
    assert values("clicks", *DAY) == [5]
    assert grouped("clicks", *DAY, group="placement") == {"mail": 1, "portal": 2, "unknown": 2}
    assert grouped("clicks", *DAY, group="placement", program="refer-a-friend") == {
        "mail": 1,
        "portal": 2,
        "unknown": 2,
    }
    assert grouped("clicks", *DAY, group="channel") == {"copy": 1, "unknown": 4}


def test_the_portals_links_say_that_they_are_the_portals(client, link):
    client.force_login(UserFactory(email="ann@shop.example"))

    page = unescape(client.get("/").text)
    own = unescape(client.get(f"/link/{link.code}/").text)

    shown = re.findall(rf"/r/{link.code}\?[^\s\"&]*&p=\w+", unquote(page))
    assert len(shown) >= 10
    assert {one.rpartition("&p=")[2] for one in shown} == {"portal"}
    assert f'src="/q/{link.code}.svg?p=portal"' in page
    for kind in ("svg", "png", "pdf"):
        assert f"/q/{link.code}.{kind}?p=portal&download=1" in own


def test_qr_code_carries_the_placement_it_stands_in(client, link):
    plain, known, unknown = (client.get(f"/q/{link.code}.svg{query}").text for query in ("", "?p=till", "?p=moon"))

    assert known != plain
    assert unknown == plain


def test_hello_hands_the_placement_on_to_the_shop(client, link):
    page = unescape(client.get(f"/hello/{link.code}/?c=whatsapp&p=mail").text)

    assert f"/r/{link.code}?c=whatsapp&p=mail" in page
