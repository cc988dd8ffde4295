from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from referrals.models import Offer, Program, ProgramStatus
from referrals.program_file import parse_program
from referrals.queries.programs import offer_live_at, program_runs_at, running_programs, terms_of
from referrals.services.programs import apply_program, apply_programs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILE = """\
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase, min_amount: "20.00"}
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
"""

pytestmark = pytest.mark.django_db


def apply(text=FILE, at=NOON):
    return apply_program(document=parse_program(text), at=at)


def test_apply_program_publishes_a_first_offer_live_since_ever():
    program = apply()

    assert list(program.offers.values_list("number", "live_from")) == [(1, None)]
    assert list(program.statuses.values_list("status", "at")) == [("active", None)]
    assert terms_of(program.offers.get()) == parse_program(FILE).terms


def test_apply_program_unchanged_writes_nothing(django_assert_num_queries):
    apply()

    with django_assert_num_queries(4):  # savepoint, the program, its offers, release
        apply(at=NOON + HOUR)

    assert (Offer.objects.count(), ProgramStatus.objects.count()) == (1, 1)


def test_apply_program_with_other_terms_publishes_a_new_offer():
    apply()
    program = apply(FILE.replace("500", "600"), at=NOON + HOUR)

    assert list(program.offers.order_by("number").values_list("number", "live_from")) == [(1, None), (2, NOON + HOUR)]
    assert offer_live_at(program, NOON - HOUR * 10_000).number == 1
    assert offer_live_at(program, NOON + HOUR - timedelta(microseconds=1)).number == 1
    assert offer_live_at(program, NOON + HOUR).number == 2


def test_apply_program_with_another_name_publishes_no_offer():
    apply()
    program = apply(FILE.replace("name: Refer a friend", "name: Tell a friend"), at=NOON + HOUR)

    assert Program.objects.get().name == "Tell a friend"
    assert program.offers.count() == 1


def test_apply_program_keeps_every_status_with_its_moment():
    apply()
    apply(FILE.replace("active", "paused"), at=NOON + HOUR)
    program = apply(at=NOON + 2 * HOUR)

    moments = [NOON - HOUR * 9999, NOON, NOON + HOUR, NOON + 2 * HOUR - timedelta(seconds=1), NOON + 2 * HOUR]
    assert [program_runs_at(program, moment) for moment in moments] == [True, True, False, False, True]
    assert [running_programs(moment).count() for moment in moments] == [1, 1, 0, 0, 1]


def test_program_runs_at_no_moment_before_it_left_its_draft():
    apply(FILE.replace("active", "draft"))
    program = apply(at=NOON + HOUR)

    assert not program_runs_at(program, NOON)
    assert program_runs_at(program, NOON + HOUR)


def test_program_runs_at_days_of_the_installations_zone(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    program = apply(FILE + "starts: 2026-07-01\nends: 2026-07-02\n")
    first = datetime(2026, 6, 30, 22, tzinfo=UTC)

    moments = [first - timedelta(seconds=1), first, first + 24 * HOUR - timedelta(seconds=1), first + 24 * HOUR]
    assert [program_runs_at(program, moment) for moment in moments] == [False, True, True, False]
    assert [running_programs(moment).exists() for moment in moments] == [False, True, True, False]


def test_apply_programs_is_all_or_nothing():
    first = parse_program(FILE)
    second = parse_program(FILE.replace("program: refer-a-friend", "program: other"))
    object.__setattr__(second, "status", "much too long a status")
    object.__setattr__(second, "name", None)

    with pytest.raises(Exception, match=r"(?i)null|too long"):
        apply_programs(documents=[first, second], at=NOON)

    assert Program.objects.count() == 0


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "program.yaml"
    path.write_text(FILE)
    return path


def test_apply_program_command_prints_the_difference_and_applies(file, capsys):
    call_command("apply_program", file)
    assert capsys.readouterr().out.startswith("refer-a-friend: new program\n  program: refer-a-friend\n")

    file.write_text(FILE.replace("500", "600"))
    call_command("apply_program", file)

    assert capsys.readouterr().out == (
        "refer-a-friend: changes\n"
        "  reward advocate-fixed.points: 500 -> 600\n"
        "  the terms differ: a new offer, for referrals from now on\n"
    )
    assert Offer.objects.count() == 2


def test_apply_program_command_check_only_prints(file, capsys):
    with pytest.raises(SystemExit) as exit_:
        call_command("apply_program", file, "--check")

    assert exit_.value.code == 1
    assert "new program" in capsys.readouterr().out
    assert Program.objects.count() == 0


def test_apply_program_command_refuses_with_file_and_line_and_applies_nothing(file, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(FILE.replace("500", "-5"))

    with pytest.raises(CommandError) as error:
        call_command("apply_program", file, broken)

    assert f"{broken}:8: expected points to be a whole number" in str(error.value)
    assert error.value.returncode == 1
    assert Program.objects.count() == 0


@pytest.mark.parametrize("content", [None, b"name: \xff"])
def test_apply_program_command_refuses_an_unreadable_file(content, tmp_path):
    path = tmp_path / "p.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=r"p\.yaml:1: expected a readable UTF-8 file"):
        call_command("apply_program", path)


def test_export_program_gives_a_file_on_which_check_finds_nothing(file, tmp_path, capsys):
    file.write_text(FILE + "starts: 2026-01-01\nhold_days: 3\n")
    call_command("apply_program", file)
    capsys.readouterr()
    call_command("export_program", "refer-a-friend")
    exported = tmp_path / "exported.yaml"
    exported.write_text(capsys.readouterr().out)

    call_command("apply_program", exported, "--check")

    assert capsys.readouterr().out == "refer-a-friend: no change\n"
    assert parse_program(exported.read_text()).starts == date(2026, 1, 1)


def test_export_program_refuses_an_unknown_slug():
    with pytest.raises(CommandError, match="no program 'nope'"):
        call_command("export_program", "nope")
