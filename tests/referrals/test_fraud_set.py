"""How many of the bad ones are held, and of the honest ones: 500 made-up referrals a seed, played through the product.

The rules were tuned on seeds 1 and 2; seed 3 was held out and is the one played with every run.
`FRAUD_SEEDS=1,2,3` with `-s` plays others too and prints the figures that stand in docs/risk.md.
"""

import ast
import os
from pathlib import Path

import pytest

from tests.referrals import fraud_set
from tests.referrals.fraud_play import Stage, bad_held
from tests.referrals.fraud_set import BAD_OF_KIND, HONEST, KINDS, make_quarter

HELD_OUT = "3"
SEEDS = [int(seed) for seed in os.environ.get("FRAUD_SEEDS", HELD_OUT).split(",")]


@pytest.mark.long
@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_score_holds_the_bad_and_lets_the_honest_pass(seed):
    quarter = make_quarter(seed)

    outcome = Stage().play(quarter)

    print(f"\nseed {seed}: {bad_held(outcome)} of 100 bad held, {outcome.held[HONEST]} of 400 honest reviewed")
    for label in (*KINDS, HONEST):
        print(f"  {label:10} {outcome.held[label]:3} of {outcome.total[label]:3}  {dict(outcome.signals[label])}")
    assert dict(outcome.total) == dict(zip(KINDS, BAD_OF_KIND, strict=True)) | {HONEST: 400}
    assert bad_held(outcome) >= 90
    assert outcome.held[HONEST] <= 20
    assert outcome.stopped[HONEST] == 0


def test_make_quarter_is_the_same_for_the_same_seed():
    assert make_quarter(1) == make_quarter(1)
    assert make_quarter(1) != make_quarter(2)


def test_make_quarter_imports_no_rule():
    tree = ast.parse(Path(fraud_set.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported == {"random", "dataclasses", "datetime"}
