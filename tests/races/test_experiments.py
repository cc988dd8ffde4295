"""Experiments under real threads: one starts, and nobody is exposed twice."""

import pytest

from referrals.models import Experiment, Exposure
from referrals.queries.experiments import variant_of
from referrals.services.experiments import AnotherRuns, WrongState, note_exposures, start_experiment
from referrals.services.links import ensure_link
from tests.factories import CustomerFactory, make_program
from tests.races.test_links import THREADS, at_once
from tests.scenes import NOON
from tests.trials import draft, running

pytestmark = pytest.mark.django_db(transaction=True)


def test_start_experiment_at_once_lets_one_of_several_run():
    program = make_program()
    drafts = [draft(program, slug=f"try-{number}") for number in range(THREADS)]

    def start(number):
        try:
            return start_experiment(experiment=drafts[number], expected="", at=NOON).state
        except AnotherRuns:
            return "another"

    assert sorted(at_once(start)) == [*["another"] * (THREADS - 1), "running"]
    assert Experiment.objects.filter(state="running").count() == 1


def test_start_experiment_pressed_several_times_at_once_starts_it_once():
    experiment = draft(make_program())

    def start(_):
        try:
            return start_experiment(experiment=Experiment.objects.get(pk=experiment.pk), expected="", at=NOON).state
        except WrongState:
            return "begun"

    assert sorted(at_once(start)) == [*["begun"] * (THREADS - 1), "running"]


def test_note_exposures_at_once_keeps_one():
    program = make_program()
    experiment = running(program)
    link = ensure_link(customer=CustomerFactory(), program=program)
    shown = [(link, variant_of(experiment, link.customer_id))]

    at_once(lambda _: note_exposures(shown=shown, placement="portal", at=NOON))

    assert Exposure.objects.count() == 1
