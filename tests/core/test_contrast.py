import pytest
from django.test import override_settings
from django.urls import reverse

from core.brand import NIGHT, PAPER, brand_css
from core.checks import check_accent
from core.contrast import contrast_ratio, ink_on, mix, parse_hex, readable_on


def test_contrast_ratio_of_black_on_white_is_21():
    assert contrast_ratio("#000000", "#ffffff") == 21.0
    assert contrast_ratio("#ffffff", "#ffffff") == 1.0


def test_contrast_ratio_of_the_wcag_grey_is_just_enough():
    assert round(contrast_ratio("#767676", "#ffffff"), 2) == 4.54


def test_parse_hex_refuses_what_is_no_colour():
    with pytest.raises(ValueError, match="expected a colour"):
        parse_hex("green; } body { display: none")


def test_mix_moves_every_channel():
    assert mix("#000000", "#ffffff", 0.5) == "#808080"


def test_readable_on_keeps_a_readable_colour_and_moves_another():
    assert readable_on("#0b6b53", PAPER) == "#0b6b53"
    assert contrast_ratio(readable_on("#ffee00", PAPER), PAPER) >= 4.5
    assert contrast_ratio(readable_on("#0b6b53", NIGHT), NIGHT) >= 4.5


def test_ink_on_chooses_the_better_reading():
    assert ink_on("#0b6b53") == "#ffffff"
    assert ink_on("#ffee00") == "#14110f"


def test_brand_css_has_a_light_and_a_dark_accent():
    css = brand_css("#0b6b53")
    assert css.startswith(":root{--accent:#0b6b53;--accent-ink:#ffffff;")
    assert "@media (prefers-color-scheme:dark){:root{--accent:#" in css


@pytest.mark.parametrize(("accent", "ids"), [("#0b6b53", []), ("#ffee00", ["core.E002"]), ("red", ["core.E001"])])
def test_check_accent_refuses_what_cannot_be_read(accent, ids):
    with override_settings(BRAND_ACCENT=accent):
        assert [error.id for error in check_accent(None)] == ids


def test_brand_stylesheet_is_kept_under_its_version(client, settings):
    settings.BRAND_ACCENT = "#0b6b53"
    versioned, bare = client.get(reverse("brand_css"), {"v": "0b6b53"}), client.get(reverse("brand_css"))
    assert versioned["Content-Type"] == "text/css; charset=utf-8"
    assert versioned["Cache-Control"] == "public, max-age=31536000, immutable"
    assert bare["Cache-Control"] == "public, max-age=300"
