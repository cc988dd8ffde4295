"""A code told by phone or at the till, typed in as it was heard."""

import pytest

from referrals.services import clicks
from referrals.services.links import ensure_link, rename_code
from tests.factories import CustomerFactory, make_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return ensure_link(customer=CustomerFactory(), program=make_program())


def enter(client, code):
    return client.post("/code/", {"code": code})


def test_enter_code_takes_it_in_any_spelling_and_leads_to_the_greeting(client, link):
    spelled = f" {link.code[:3].lower()}-{link.code[3:]} "
    former = link.code
    rename_code(link=link, code="SUNSHINE")

    assert "You were told a code?" in client.get("/code/").text
    for code in (spelled, former, "sun shine"):
        answer = enter(client, code)
        assert (answer.status_code, answer["Location"]) == (302, "/hello/SUNSHINE/")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda code: code[:-1] + ("A" if code[-1] != "A" else "C"), "one of its characters seems to be misheard"),
        (lambda code: "0I" + code[2:], "Our own codes have no 0, I."),
        (lambda code: "NOBODY", "Our own codes have no B, O."),
        (lambda code: "ACDE", "Please ask your friend again."),
    ],
)
def test_enter_code_says_what_may_have_been_misheard(client, link, change, words):
    typed = change(link.code)

    answer = enter(client, typed)

    assert answer.status_code == 404
    assert words in answer.text
    assert f'value="{typed}"' in answer.text


def test_enter_code_of_nothing_asks_for_it_and_counts_as_no_guess(client, link, monkeypatch):
    monkeypatch.setattr(clicks, "MISSES", 0)

    answers = [enter(client, " ") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert "Please enter the code you were told." in answers[0].text
    assert enter(client, link.code).status_code == 302


def test_enter_code_limits_guesses(client, link, monkeypatch):
    monkeypatch.setattr(clicks, "MISSES", 2)

    answers = [enter(client, "ZZZZZZZ").status_code for _ in range(3)]
    honest = enter(client, link.code)

    assert answers == [404, 404, 404]
    assert honest.status_code == 429
    assert int(honest["Retry-After"]) > 0
