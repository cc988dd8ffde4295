"""Drawn badges: the same name makes the same picture, safe and named."""

from xml.etree import ElementTree

import pytest

from rewards.badge_art import draw_badge, title_from_slug


def test_draw_badge_is_the_same_for_the_same_name():
    one, again = (draw_badge("connector", title="Connector", accent="#0b6b53") for _ in range(2))

    assert one == again
    assert draw_badge("legend", title="Connector", accent="#0b6b53") != one
    assert draw_badge("connector", title="Connector", accent="#803366") != one


def test_draw_badge_is_well_formed_and_has_a_title():
    title = 'A "<b>&</b>" badge'

    root = ElementTree.fromstring(draw_badge("x", title=title, accent="#0b6b53"))

    assert root.findtext("{http://www.w3.org/2000/svg}title") == title
    assert root.get("aria-label") == title
    assert root.get("role") == "img"


@pytest.mark.parametrize(
    ("slug", "title"),
    [("first-referral", "First referral"), ("VIP_2026.gold", "VIP 2026 gold"), ("x", "X")],
)
def test_title_from_slug_reads_as_words(slug, title):
    assert title_from_slug(slug) == title
