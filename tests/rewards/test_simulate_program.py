"""The command that back-tests a program file."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.rewards.test_simulation import four_friends
from tests.shop import PROGRAM, Shop, day

pytestmark = pytest.mark.django_db


def run_command(tmp_path, text, *arguments):
    file = tmp_path / "program.yaml"
    file.write_text(text)
    out = StringIO()
    call_command("simulate_program", str(file), *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_simulate_program_prints_what_would_have_been(tmp_path):
    now = four_friends(Shop(PROGRAM))
    assert now

    told = run_command(
        tmp_path, PROGRAM.replace("points: 500", "points: 700"), "--from", "2026-03-01", "--to", "2026-04-01"
    )

    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert lines[0] == "refer-a-friend: events from 2026-03-01 to 2026-03-31, had this file been in force"
    assert "points 3208 (really 2408, +800)" in lines
    assert "conversions 4 (really 4)" in lines
    assert "cost unknown: no POINT_VALUE" in lines
    assert "ann 2808 points (really 2008, +800)" in lines
    assert lines[-1] == "hold of 14 days: not enough yet (0 refunds)"


@pytest.mark.parametrize(
    ("text", "arguments", "problem"),
    [
        (PROGRAM.replace("EUR", "EURO"), (), "currency"),
        (PROGRAM.replace("refer-a-friend", "unheard-of"), (), "no program unheard-of"),
        (PROGRAM, ("--from", "2026-04-01", "--to", "2026-03-01"), "--from before --to"),
    ],
)
def test_simulate_program_says_what_is_wrong(tmp_path, text, arguments, problem):
    Shop(PROGRAM)

    with pytest.raises(CommandError, match=problem):
        run_command(tmp_path, text, *arguments)


def test_simulate_program_prints_the_risk_of_the_hold(tmp_path):
    shop = Shop(PROGRAM)
    for number in range(40):
        shop.report(shop.purchase(f"b{number}", day(0), f"p{number}", "50.00"), at=day(0))
    for number in range(35):
        at = day(1 if number % 2 else 20)
        shop.report(shop.refund(f"b{number}", at, f"p{number}", "50.00"), at=at)

    told = run_command(tmp_path, PROGRAM)

    assert "a hold of 14 days risks 78.3 % (60.1..92.1)" in told
