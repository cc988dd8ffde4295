"""What everybody may see: QR codes, and kind words where a code leads nowhere."""

from xml.etree import ElementTree

import pytest

from referrals.models import OfferView, Share
from referrals.services.links import ensure_link, rename_code
from tests.factories import CustomerFactory, make_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return ensure_link(customer=CustomerFactory(), program=make_program())


def test_qr_code_is_a_picture_that_caches_may_keep(client, link):
    answer = client.get(f"/q/{link.code}.svg")

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert ElementTree.fromstring(answer.content).tag == "{http://www.w3.org/2000/svg}svg"
    assert "Content-Disposition" not in answer


def test_qr_code_can_be_saved(client, link):
    answer = client.get(f"/q/{link.code}.svg?download=1")

    assert answer["Content-Disposition"] == f'attachment; filename="{link.code}.svg"'


def test_qr_code_of_a_former_code_leads_on_to_the_current_one(client, link):
    former = link.code
    rename_code(link=link, code="SUNSHINE")

    assert client.get(f"/q/{former}.svg").content == client.get("/q/SUNSHINE.svg").content


@pytest.mark.parametrize("code", ["NOTHERE", "%00", "x" * 300])
def test_qr_code_of_nobody_is_a_kind_page(client, code):
    answer = client.get(f"/q/{code}.svg")

    assert answer.status_code == 404
    assert "Cache-Control" not in answer
    assert "We do not know this code" in answer.text


def test_qr_code_takes_no_post(client, link):
    assert client.post(f"/q/{link.code}.svg").status_code == 405


PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}


def note(client, link, *, agent=PERSON["user-agent"], **told):
    body = {"code": link.code, "placement": "portal"} | told
    return client.post("/noted/", body, headers={"user-agent": agent})


def test_note_offer_counts_what_is_seen_and_passed_on_our_own_pages(client, link):
    answers = [note(client, link), note(client, link, channel="whatsapp", placement="survey")]

    assert [one.status_code for one in answers] == [204, 204]
    assert list(OfferView.objects.values_list("program__slug", "kind", "placement")) == [
        ("refer-a-friend", "view", "portal")
    ]
    share = Share.objects.get()
    assert (share.link, share.channel, share.placement) == (link, "whatsapp", "survey")


@pytest.mark.parametrize(
    "told",
    [
        {"code": "ZZZZZZZ"},
        {"placement": "till"},
        {"placement": ""},
        {"channel": "pigeon"},
        {"agent": "curl/8"},
        {"code": ""},
    ],
)
def test_note_offer_counts_nothing_else_and_tells_nobody(client, link, told):
    assert note(client, link, **told).status_code == 204
    assert not OfferView.objects.exists()
    assert not Share.objects.exists()
