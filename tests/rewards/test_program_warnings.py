"""A program that names what does not exist yet is applied, and says so."""

import pytest
from django.core.management import call_command

from referrals.models import Program, Segment
from referrals.program_file import parse_program
from referrals.queries.program_warnings import program_warnings
from rewards.models import Badge, ChoiceGroup, ChoiceOption, Perk
from tests.rewards.fulfilment.conftest import make_pool
from tests.shop import PROGRAM, apply_text

pytestmark = pytest.mark.django_db

NAMING = (
    PROGRAM.split("rewards:")[0]
    + """audience: loyal
rewards:
  - {id: hello, to: friend, on: qualified, coupon: WELCOME10}
  - {id: thanks, to: advocate, on: qualified, choice: thank-you}
  - {id: access, to: advocate, on: qualified, perk: lounge}
milestones:
  - {referrals: 5, badge: connector}
limits: {budget_points: 1000, then_offer: small-thanks}
"""
)
TOLD = [
    "audience: offered to nobody: there is no segment 'loyal'",
    "limits.then_offer: there is no program 'small-thanks'; when the budget is spent nobody takes over",
    "there is no coupon pool 'WELCOME10': rewards wait until there is one",
    "there is nothing to choose in 'thank-you': rewards wait until there is one",
    "there is no badge 'connector': it is shown by its name until it has words of its own",
    "there is no perk 'lounge': it is shown by its name until it has words of its own",
]


def test_program_warnings_name_all_that_is_missing():
    assert program_warnings(parse_program(NAMING)) == TOLD


def test_program_warnings_are_silent_once_everything_is_there():
    make_pool("WELCOME10")
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose")
    ChoiceOption.objects.create(group=group, name="The lounge", kind="perk", what="lounge")
    Perk.objects.create(slug="lounge", title="Lounge")
    Badge.objects.create(slug="connector", title="Connector")
    Segment.objects.create(slug="loyal", title="Loyal", when="orders.count >= 3")
    apply_text(PROGRAM.replace("program: refer-a-friend", "program: small-thanks"))

    assert program_warnings(parse_program(NAMING)) == []


def test_apply_program_prints_the_warnings_and_applies(tmp_path, capsys):
    file = tmp_path / "program.yaml"
    file.write_text(NAMING, encoding="utf-8")

    call_command("apply_program", str(file))

    printed = capsys.readouterr().out
    assert [told for told in TOLD if f"  {told}" in printed] == TOLD
    assert Program.objects.filter(slug="refer-a-friend").exists()


def test_save_program_in_the_admin_says_them(admin_client):
    page = admin_client.post("/admin/referrals/program/add/", {"file": NAMING}, follow=True)

    assert [str(one) for one in page.context["messages"] if one.level_tag == "warning"] == TOLD
