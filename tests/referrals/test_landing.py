from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.landing import host_of, landing_problem, with_query

OFF_LIST = [
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "/evil",
    "https:evil.example", "https:/evil.example", "https:///evil.example", "https:\\\\evil.example",
    "https://evil.example", "https://evil.example/shop.example", "https://evil.example?shop.example",
    "https://evil.example#shop.example", "https://shop.example.evil.example", "https://shop.example@evil.example",
    "https://shop.example:443@evil.example", "https://shop.example%40evil.example", "https://evil.example\\@shop.example",
    "https://evil.example\\shop.example", "https://shop.example\\.evil.example", "https://shop.example%2eevil.example",
    "https://shop.example%00.evil.example", "https://shop.example\x00.evil.example", "https://shop.example\t.evil.example",
    "https://shop.example\n.evil.example", "https://shop.example\r\nLocation: https://evil.example",
    "https://shop.example/\r\nSet-Cookie: a=b", " https://shop.example", "https://shop.example ", "\thttps://shop.example",
    "https://sh\u043ep.example", "https://shop\u3002example", "https://shop.example\uff0f.evil.example",
    "https://\u24e2hop.example", "https://shop.example\u2044", "https://evilshop.example", "https://xshop.example",
    "https://shop.exampl", "https://shop.example.", "https://.shop.example", "https://shop..example", "https://-shop.example",
    "https://", "https://?", "https://#", "https://:443", "https://@", "https://user@shop.example", "https://user:p@shop.example",
    "https://@shop.example", "https://shop.example:port", "https://shop.example:99999", "https://[::1", "https://[shop.example]",
    "http://shop.example", "HTTP://shop.example", "ftp://shop.example", "file:///etc/passwd", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "javascript://shop.example/%0aalert(1)", "data:text/html,x", "vbscript:x", "blob:https://shop.example",
    "about:blank", "ws://shop.example", "java\nscript:alert(1)", "\x01javascript:alert(1)", "mailto:a@shop.example",
    "https;//shop.example", "https//shop.example", "http\u017f://shop.example", "https://shop.example\u202e", "https://127.0.0.1",
    "https://2130706433", "https://0x7f.1", "https://localhost", "shop.example", "", "?", "#", ".", "..", "/",
]  # fmt: skip
ON_LIST = [
    "https://shop.example", "https://shop.example/", "HTTPS://SHOP.EXAMPLE/Welcome", "https://shop.example:8443/a?b=c#d",
    "https://shop.example/%2f%2fevil.example", "https://shop.example//evil.example", "https://shop.example/?u=//evil.example",
    "https://shop.example/@evil.example",
]  # fmt: skip


@pytest.mark.parametrize("url", OFF_LIST)
def test_landing_problem_refuses_what_leads_elsewhere(url):
    assert landing_problem(url, ("shop.example",)) != ""


@pytest.mark.parametrize("url", ON_LIST)
def test_landing_problem_allows_the_listed_host(url):
    assert landing_problem(url, ("shop.example",)) == ""


def test_corpus_is_large_enough():
    assert len(OFF_LIST) >= 80


def test_a_naive_host_check_would_let_evil_through():
    """The twin: comparing beginnings, as a quick check would, sends visitors off the list."""
    let_through = [url for url in OFF_LIST if url.lower().startswith("https://shop.example")]

    assert "https://shop.example.evil.example" in let_through
    assert "https://shop.example@evil.example" in let_through


def test_with_query_keeps_the_landing_pages_own_query_and_fragment():
    assert with_query("https://s.example/a?x=1&y=%20z&x=2#part", {"ref": "A", "click": "c"}) == (
        "https://s.example/a?x=1&y=%20z&x=2&ref=A&click=c#part"
    )


def test_with_query_never_gives_a_name_twice():
    assert with_query("https://s.example/?ref=old&%72ef=o&a=1&utm_source=site", {"ref": "A", "utm_source": "x"}) == (
        "https://s.example/?a=1&ref=A&utm_source=x"
    )


@given(st.dictionaries(st.sampled_from(["ref", "utm_source", "utm_term"]), st.text(max_size=30)))
def test_with_query_never_changes_the_host_and_says_exactly_what_was_added(added):
    url = with_query("https://shop.example/welcome?own=1#end", added)

    parts = urlsplit(url)
    assert (host_of(url), parts.path, parts.fragment) == ("shop.example", "/welcome", "end")
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == {"own": "1", **added}
