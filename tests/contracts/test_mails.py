"""Every mail the product can send: readable, light, safe, and harmless to whoever opens its links."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from messaging.kinds import KINDS
from messaging.rendering import LANGUAGES, PARTS
from messaging.services import Recipient, send_due
from referrals.models import Link
from tests.factories import CustomerFactory, make_program, report
from tests.messaging import samples

pytestmark = pytest.mark.django_db
SIZES = {"shortest": samples.shortest, "ordinary": samples.ordinary, "longest": samples.longest}
MAX_BYTES = 60_000
EVERY_MAIL = [(kind, language, size) for kind in KINDS for language in LANGUAGES for size in SIZES]


class Page(HTMLParser):
    """What of a mail can be clicked, run or fetched, and what is read."""

    def __init__(self, html):
        super().__init__()
        self.links, self.tags, self.attributes, self.words = [], set(), set(), []
        self.language = ""
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        if tag == "html":
            self.language = given.get("lang")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self._silent += tag in ("style", "title")

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "title")

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)


def render(kind, language="en", size="ordinary"):
    person = Recipient(key="customer:1", email="ann@shop.example", name="Ann", locale=language)
    samples.queue(kind, recipient=person, cause=f"{size}:{language}", **SIZES[size]()[kind])
    assert send_due(at=timezone.now()) == 1
    return mail.outbox[-1]


def html_of(sent):
    return sent.alternatives[0].content


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_templates_in_every_language(kind):
    for language in LANGUAGES:
        folder = settings.EMAIL_TEMPLATES / kind / ("" if language == "en" else language)
        assert [part for part in PARTS if not (folder / part).is_file()] == []


@pytest.mark.parametrize(("kind", "language", "size"), EVERY_MAIL)
def test_every_mail_is_readable_and_light(kind, language, size):
    sent = render(kind, language, size)
    page = Page(html_of(sent))

    assert len(sent.message().as_bytes()) < MAX_BYTES
    assert sent.subject.strip()
    assert len(sent.subject) <= 150
    assert page.language == language
    assert "prefers-color-scheme: dark" in html_of(sent)
    assert len(sent.body.split()) > 8
    assert size == "longest" or not re.search(r"\{\{|\{%|<[a-z]", sent.body)
    assert "mj-" not in re.sub(r"mj-(column|outlook)[\w-]*", "", html_of(sent))


@pytest.mark.parametrize(("kind", "language", "size"), EVERY_MAIL)
def test_every_mail_runs_nothing_and_links_to_this_installation_alone(kind, language, size):
    sent = render(kind, language, size)
    page = Page(html_of(sent))

    assert page.tags.isdisjoint({"script", "iframe", "form", "object", "img", "b"})
    assert [name for name in page.attributes if name.startswith("on")] == []
    for link in [*page.links, *re.findall(r"\w+://\S+", sent.body)]:
        assert link.startswith(f"{settings.PUBLIC_BASE_URL}/")


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_says_the_same_in_both_parts(kind):
    sent = render(kind)
    page = Page(html_of(sent))
    trap = SIZES["ordinary"]()[kind].get("trap_url")

    assert set(re.findall(r"\w+://\S+", sent.body)) == {link for link in page.links if link != trap}


@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_carries_one_click_unsubscribe_unless_transactional(kind):
    sent = render(kind)
    headers = sent.extra_headers

    if KINDS[kind].transactional:
        assert "List-Unsubscribe" not in headers
    else:
        address = headers["List-Unsubscribe"].strip("<>")
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert address in sent.body
        assert address in html_of(sent)
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(urlsplit(address).path, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert samples.queue(kind, cause="afterwards").reason == "unsubscribed"


def rows():
    """Every row of the product's own tables, by table, but for those that count visits of links."""
    ours = ("accounts", "messaging", "referrals", "rewards", "surveys", "analytics")
    models = [model for app in ours for model in apps.get_app_config(app).get_models()]
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for model in models
        if model._meta.label not in ("referrals.Click", "referrals.CodeMisses", "referrals.DailyKey")
    }


def open_all_links(sent):
    """Open everything in a mail as a security gateway does; return the statuses."""
    scanner = Client()
    links = [*Page(html_of(sent)).links, *re.findall(r"\w+://\S+", sent.body)]
    paths = [f"{urlsplit(link).path}?{urlsplit(link).query}" for link in links]
    return {method(path).status_code for path in paths for method in (scanner.get, scanner.head)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_of_every_mail_opened_by_a_scanner_changes_nothing(kind):
    sent = render(kind)
    before = rows()

    statuses = open_all_links(sent)

    assert max(statuses, default=200) < 500
    assert rows() == before


def test_every_link_of_the_mails_of_a_real_referral_leads_somewhere_and_changes_nothing(settle):
    make_program()
    ann, bob = CustomerFactory(name="Ann Example"), CustomerFactory(name="Bob Martin")
    now = timezone.now()
    report("purchase", ann, now)
    report("signup", bob, now, code=Link.objects.get(customer=ann).code)
    report("purchase", bob, now)
    settle(at=now + timedelta(days=15))
    kinds = {sent.extra_headers["X-Goodword-Kind"] for sent in mail.outbox}
    assert kinds == {"purchase_thanks", "friend_joined", "reward_available"}
    before = rows()

    statuses = set().union(*(open_all_links(sent) for sent in mail.outbox))

    assert statuses <= {200, 302}
    assert rows() == before


LURES = [
    "You won! Claim at https://evil.example/prize",
    "evil.example",
    "www.evil.example",
    "ann@evil.example",
    "<a href='https://evil.example'>Ann</a>",
    "Ann\r\nBcc: all@evil.example",
    "[Ann](https://evil.example)",
    "evil\u3002example",
    "evil\uff0eexample",
    "evil\u200b.example",
    "hxxps://evil.example",
    '"><img src=https://evil.example/x>',
    "{{ brand.url }}{% include '_layout.txt' %}",
    "</mj-text><mj-button href='https://evil.example'>Click</mj-button>",
    "javascript:fetch('//evil.example')",
]


@pytest.mark.parametrize("lure", LURES)
@pytest.mark.parametrize(
    "kind", [kind for kind, spec in KINDS.items() if {"name", "text"} & set(spec.variables.values())]
)
def test_no_name_becomes_a_link_markup_or_header(kind, lure):
    typed = {name: lure for name, declared in KINDS[kind].variables.items() if declared in ("name", "text")}
    person = Recipient(key="customer:1", email="ann@shop.example", name=lure, locale="en")
    samples.queue(kind, recipient=person, **typed)
    send_due(at=timezone.now())
    sent = mail.outbox[-1]
    page = Page(html_of(sent))
    shown = f"{sent.subject} {sent.body} {' '.join(page.words)} {sent.to[0]}"

    assert not re.search(r"evil\S*[.\u3002\uff0e@]\S*example", shown)
    assert not re.search(r"[/@]\s*evil|www\.|javascript:", shown)
    assert page.tags.isdisjoint({"img", "mj-button"})
    assert sent.to[0].count("@") == 1
    assert sent.message()["Bcc"] is None
