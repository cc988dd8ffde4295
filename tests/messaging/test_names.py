import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.names import MAX_NAME, MAX_TEXT, safe_name, safe_text

# Whatever a mail program might turn into something to click: a scheme, an address, a domain, www.
CLICKABLE = re.compile(r"://|@|\bwww\b|[^\W\d_]\.[^\W\d_]|\d\.[^\W\d_]|[^\W\d_]\.\d", re.IGNORECASE)


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Ann", "Ann"),
        ("Bob M.", "Bob M."),
        ("  Ann \n  Example\t", "Ann Example"),
        ("Dr. Ann-Marie O'Neill", "Dr. Ann-Marie O'Neill"),
        ("J.R. Smith", "J. R. Smith"),
        ("José Ångström", "José Ångström"),
        ("王小明", "王小明"),
        ("محمد", "محمد"),
        ("", ""),
    ],
)
def test_safe_name_keeps_names(given_name, shown):
    assert safe_name(given_name) == shown


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("https://evil.example/win", "evil. example win"),
        ("You won! evil.com", "You won! evil. com"),
        ("www.evil.com", "evil. com"),
        ("ann@evil.com", "ann evil. com"),
        ("evil\u3002com", "evil. com"),
        ("evil\uff0ecom", "evil. com"),
        ("ev\u200bil.com", "evil. com"),
        ("\u202emoc.live", "moc. live"),
        ("Ann\r\nBcc: all@evil.com", "Ann Bcc all evil. com"),
        ("Call 0800 123 456 now", "Call now"),
        ("<a href=x>Ann</a>", "a href x Ann a"),
        ("{{ brand.url }}", "brand. url"),
        ("javascript:alert(1)", "alert(1)"),
        ("mailto:ann", "ann"),
    ],
)
def test_safe_name_leaves_nothing_to_click(given_name, shown):
    assert safe_name(given_name) == shown


def test_safe_name_is_at_most_sixty_characters_long():
    assert safe_name("x" * 61) == "x" * 59 + "…"
    assert safe_name("x" * 60) == "x" * 60


def test_safe_text_keeps_numbers_and_sentences():
    text = "Bob M. made a first purchase: 1.5 times 500 points."
    assert safe_text(text) == text


@given(st.text(max_size=200))
def test_safe_words_never_hold_a_link_a_control_or_too_much(text):
    for cleaned, most in ((safe_name(text), MAX_NAME), (safe_text(text), MAX_TEXT)):
        assert not CLICKABLE.search(cleaned)
        assert not any(unicodedata.category(c) in {"Cc", "Cf"} for c in cleaned)
        assert len(cleaned) <= most


@given(st.from_regex(r"[a-z]{1,8}(\.|@|://|/|\u3002|\uff0e)[a-z]{2,8}(\.[a-z]{2,3})?", fullmatch=True))
def test_safe_words_never_hold_an_address(text):
    assert not CLICKABLE.search(safe_name(text))
    assert not CLICKABLE.search(safe_text(text))
