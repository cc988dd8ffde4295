"""The public page of a program: conditions, limits and versions, read from the offer itself."""

from datetime import timedelta

import pytest

from referrals.services.takeovers import start_takeover
from tests.shop import PROGRAM, apply_text, day

pytestmark = pytest.mark.django_db

PAGE = "/programs/refer-a-friend/"
LIMITED = (
    PROGRAM
    + """\
expires_days: 365
limits: {per_advocate: {referrals: 12, period: year}}
milestones:
  - {referrals: 5, points: 1200}
tiers:
  window_days: 365
  levels:
    - {name: Bronze, from: 0}
    - {name: Gold, from: 10, multiplier: "1.5"}
"""
)


def test_how_it_works_says_steps_promises_and_conditions(client):
    apply_text()

    page = client.get(PAGE).text

    assert "How “Refer a friend” works" in page
    assert "500 points" in page
    assert "After 14 days, when the return period has ended." in page
    assert "It is worth at least €20, after anything that was given back." in page
    assert "A link counts for 30 days after it was opened" in page
    assert "You are rewarded for" not in page
    assert "Points can be used for" not in page


def test_how_it_works_names_every_limit_of_the_offer(client):
    apply_text(LIMITED)

    page = client.get(PAGE).text

    assert "You are rewarded for at most 12 friends a year. Your friends get theirs all the same." in page
    assert "Points can be used for 365 days. We write to you before they end." in page
    assert "With 5 friends you reach a milestone: 1,200 points." in page
    assert "Gold: from 10 friends in 365 days on, your points count 1.5 times." in page
    assert "Bronze" not in page


def test_how_it_works_keeps_earlier_versions_readable(client):
    apply_text()
    apply_text(PROGRAM.replace("points: 500", "points: 50"), at=day(3))

    now, before = client.get(PAGE).text, client.get(PAGE + "?version=1").text

    assert "500 points" not in now
    assert "This is an earlier version" not in now
    assert "500 points" in before
    assert "This is an earlier version" in before
    assert "since 4 March 2026" in now


@pytest.mark.parametrize("version", ["2", "0", "one", ""])
def test_how_it_works_knows_no_version_that_never_was(client, version):
    apply_text()

    assert client.get(PAGE, {"version": version}).status_code == 404


def test_how_it_works_shows_no_draft(client):
    apply_text(PROGRAM.replace("status: active", "status: draft"))

    assert client.get(PAGE).status_code == 404
    assert client.get("/programs/nothing/").status_code == 404


def test_how_it_works_says_that_a_program_rests(client):
    apply_text()
    apply_text(PROGRAM.replace("status: active", "status: paused"), at=day(3))

    assert "This program takes no new friends at the moment." in client.get(PAGE).text


def test_how_it_works_leads_on_where_another_program_took_over(client):
    program = apply_text()
    other = apply_text(PROGRAM.replace("program: refer-a-friend", "program: small-thanks"))
    start_takeover(
        program=program, to=other, why="spent", budget_points=1, granted_points=1, at=day(0) - timedelta(days=1)
    )

    assert 'href="/programs/small-thanks/"' in client.get(PAGE).text


def test_how_it_works_speaks_german(client):
    apply_text(LIMITED)

    page = client.get(PAGE, headers={"accept-language": "de"}).text

    assert "So funktioniert „Refer a friend“" in page
    assert "Belohnt wirst du für höchstens 12 Freunde im Jahr." in page
    assert "Gold: ab 10 Freunden in 365 Tagen, deine Punkte zählen 1,5-fach." in page


def test_how_it_works_is_linked_from_the_portals_welcome(client):
    apply_text()

    assert f'href="{PAGE}"' in client.get("/").text
