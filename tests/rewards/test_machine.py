"""The whole machine of rewards against the rules written once more: random stories, compared after every step.

`MACHINE_STEPS` sets how many steps are played on each database (5,000 unless told otherwise: other stories on the
one than on the other), `MACHINE_SEED` which stories.
"""

import os
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.rewards.drawn_programs import CHANGES, programs
from tests.rewards.stage import Stage, outcome_of, shortest

pytestmark = pytest.mark.django_db

STEPS = int(os.environ.get("MACHINE_STEPS", "5000"))
SEED = int(os.environ.get("MACHINE_SEED", "1"))
STEPS_A_STORY = 50
PARTS = 4
AUDIT_EVERY = 25
SECONDS_TO_SHORTEN = 60

advocates = st.sampled_from(["ann", "abe"])
friends = st.sampled_from(["bob", "bea", "ben", "abe"])
purchasers = st.sampled_from(["bob", "bea", "ben", "abe"])
which = st.integers(0, 1)
agos = st.sampled_from([0, 0, 0, 1, 5, 20, 59, 60, 61, 90])
evidences = st.one_of(
    st.none(),
    st.tuples(st.just("code"), advocates, which),
    st.tuples(st.just("code"), advocates, which),
    st.tuples(st.just("click"), advocates, which, st.sampled_from([0, 2, 30, 31])),
)
amounts = st.sampled_from(["0.00", "19.99", "20.00", "33.33", "60.00", "150.00", "5000.00"])
backs = st.sampled_from(["", "", "1.00", "5.55", "19.00"])
indices = st.integers(0, 30)
owners = st.sampled_from(["ann", "abe", "bob"])
points = st.sampled_from([1, 50, 100, 300, 700])


class Machine(RuleBasedStateMachine):
    """Steps as a shop, its staff and its customers take them; `failed` is the story that did."""

    failed: tuple[list[dict], list[tuple]] | None = None
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.stage: Stage | None = None

    def play(self, *step: object) -> None:
        assert self.stage is not None
        try:
            type(self).steps += 1
            self.stage.play(*step)
            if len(self.stage.played) % AUDIT_EVERY == 0:
                self.stage.audit()
        except Exception:
            type(self).failed = (self.stage.beginning, self.stage.played)
            raise

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize(files=programs())
    def start(self, files: list[dict]) -> None:
        self.stage = Stage(files)

    @rule(who=friends, ago=agos, evidence=evidences)
    def signup(self, who: str, ago: int, evidence: tuple | None) -> None:
        self.play("signup", who, ago, evidence)

    @rule(who=purchasers, ago=agos, amount=amounts, evidence=evidences)
    def purchase(self, who: str, ago: int, amount: str, evidence: tuple | None) -> None:
        self.play("purchase", who, ago, amount, evidence)

    @rule(who=purchasers, ago=agos, amount=amounts, channel=st.sampled_from(["whatsapp", "email"]))
    def purchase_again(self, who: str, ago: int, amount: str, channel: str) -> None:
        self.play("purchase", who, ago, amount, None, "EUR", channel)

    @rule(who=purchasers, ago=agos, amount=amounts)
    def purchase_in_dollars(self, who: str, ago: int, amount: str) -> None:
        self.play("purchase", who, ago, amount, None, "USD")

    @rule(who=friends, ago=agos, evidence=evidences)
    def custom(self, who: str, ago: int, evidence: tuple | None) -> None:
        self.play("custom", who, ago, evidence)

    @rule(number=indices, ago=agos, amount=backs, who=st.sampled_from(["", "eve"]))
    def refund(self, number: int, ago: int, amount: str, who: str) -> None:
        self.play("refund", number, ago, amount, who)

    @rule(number=indices)
    def again(self, number: int) -> None:
        self.play("again", number)

    @rule(days=st.sampled_from([1, 7, 14, 15, 31, 61]))
    def wait(self, days: int) -> None:
        self.play("wait", days)

    @rule(program=which, friend=friends)
    def void(self, program: int, friend: str) -> None:
        self.play("void", program, friend)

    @rule(program=which, friend=friends)
    def reopen(self, program: int, friend: str) -> None:
        self.play("reopen", program, friend)

    @rule(program=which, friend=friends)
    def flag(self, program: int, friend: str) -> None:
        self.play("flag", program, friend)

    @rule(program=which, friend=friends)
    def approve(self, program: int, friend: str) -> None:
        self.play("approve", program, friend)

    @rule(step=st.sampled_from(["hold_reward", "approve_reward", "cancel_reward", "revoke_reward"]), number=indices)
    def decide_reward(self, step: str, number: int) -> None:
        self.play(step, number)

    @rule(program=which, change=st.sampled_from(CHANGES))
    def change(self, program: int, change: dict) -> None:
        self.play("change", program, change)

    @rule(who=owners, quantity=st.sampled_from([1, 2, 3, 7]))
    def redeem(self, who: str, quantity: int) -> None:
        self.play("redeem", who, quantity)

    @rule(number=st.integers(0, 5))
    def give_back(self, number: int) -> None:
        self.play("give_back", number)

    @precondition(lambda self: self.stage and len(self.stage.played) > 20)
    @rule(who=st.sampled_from(["bob", "bea", "ben"]))
    def erase(self, who: str) -> None:
        self.play("erase", who)

    @rule(who=owners, points=points)
    def credit(self, who: str, points: int) -> None:
        self.play("credit", who, points)

    @rule(who=owners, points=points)
    def debit(self, who: str, points: int) -> None:
        self.play("debit", who, points)


def play_stories(number: int, steps: int) -> None:
    """Play that many steps in stories of a seed of their own; stories may end early, then there are more."""
    played = turn = 0
    while played < steps:
        stories = -(-(steps - played) // STEPS_A_STORY)
        lane = 50 * (connection.vendor == "postgresql")
        played += play_batch(SEED * 10_000 + number * 100 + lane + turn, stories)
        turn += 1


def play_batch(seeded: int, stories: int) -> int:
    """Play some stories and return of how many steps; one that fails is shortened, to be kept in `stories.py`."""
    lane: Any = seed(seeded)(type(f"Machine{seeded}", (Machine,), {"failed": None, "steps": 0}))
    chosen = settings(
        max_examples=stories,
        stateful_step_count=STEPS_A_STORY,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        print_blob=False,
    )
    try:
        run_state_machine_as_test(lane, settings=chosen)
    except Exception as error:
        if lane.failed is None:
            raise
        files, steps = lane.failed
        steps = shortest(files, steps, seconds=SECONDS_TO_SHORTEN)
        told = [outcome_of(files, steps) or str(error), f"FILES = {files}", "STORY = [", *map(repr, steps), "]"]
        pytest.fail("\n".join(told), pytrace=False)
    return lane.steps


@pytest.mark.long
@pytest.mark.parametrize("number", range(PARTS))
def test_machine_agrees_with_the_rules_written_once_more(number):
    play_stories(number, STEPS // PARTS)
