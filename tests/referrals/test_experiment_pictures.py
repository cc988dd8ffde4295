"""Experiments with the picture that apps show with a link."""

import re
from io import BytesIO

import pytest
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from messaging.services import send_due
from referrals.models import Variant
from referrals.pictures import BadShareImage, clean_share_image
from referrals.queries.experiments import variant_of
from referrals.services.experiments import (
    end_experiment,
    start_experiment,
)
from tests.factories import CustomerFactory, make_program, report
from tests.scenes import NOON, moment
from tests.trials import draft, exposures, links_in, png, portal, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def program():
    return make_program()


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
    said, dirty = PngInfo(), BytesIO()
    said.add_text("Comment", "secret")
    Image.new("RGB", (1200, 630), "#123456").save(dirty, "PNG", pnginfo=said)

    clean = clean_share_image(dirty.getvalue() + b"<?php evil")

    assert b"secret" in dirty.getvalue()
    assert b"secret" not in clean
    assert b"evil" not in clean
    assert Image.open(BytesIO(clean)).getpixel((5, 5)) == (18, 52, 86)
