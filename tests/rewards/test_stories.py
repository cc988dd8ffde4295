"""Single stories played on the product and on the model, and whether a broken product would be found."""

import pytest

from referrals.conditions import Outcome
from rewards import deciding
from rewards.services import grants
from rewards.services.book import Book
from rewards.services.lots import Lots
from rewards.services.world import LiveWorld
from tests.rewards.drawn_programs import LIMITS, MILESTONES, TIERS
from tests.rewards.stage import outcome_of
from tests.rewards.stories import OTHER, STORIES, program

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", STORIES)
def test_story_ends_as_the_rules_say(name):
    assert outcome_of(*STORIES[name]) == ""


FRIENDS = [("purchase", who, 5, "60.00", ("code", "ann", 0)) for who in ("bob", "bea")]
FIXED = program("first", "advocate-fixed", hold_days=14)
SABOTAGES = {
    "the tier's multiplier": (
        (LiveWorld, "referrals_counted", lambda self, since, until: 0),
        [FIXED | {"tiers": TIERS}, OTHER],
        FRIENDS,
    ),
    "the limit of an advocate": (
        (LiveWorld, "referrals_rewarded", lambda self, at, period: 0),
        [FIXED | {"limits": {**LIMITS[1], "per_advocate": {"referrals": 1, "period": "total"}}}, OTHER],
        FRIENDS,
    ),
    "the budget": (
        (LiveWorld, "budget_left", lambda self: None),
        [FIXED | {"limits": {"budget_points": 900}}, OTHER],
        FRIENDS,
    ),
    "milestones that fall": (
        (grants, "milestone_number", lambda cause: 0),
        [FIXED | {"milestones": MILESTONES}, OTHER],
        [*FRIENDS, ("refund", 1, 0, "")],
    ),
    "a condition": (
        (deciding, "evaluate", lambda condition, values, at: Outcome(True)),
        [program("first", "big-basket"), OTHER],
        FRIENDS,
    ),
    "the hold": (
        (grants, "is_ripe", lambda reward, referral, at: reward.state == "pending"),
        [FIXED, OTHER],
        FRIENDS,
    ),
    "the reward's own lot goes first": (
        (Lots, "draw", lambda self, transfer, account, first_of=None, draw=Lots.draw: draw(self, transfer, account)),
        [program("first", "advocate-fixed", expires_days=20), OTHER],
        [*FRIENDS[:1], ("wait", 7), *FRIENDS[1:], ("wait", 7), ("refund", 1, 0, ""), ("debit", "ann", 50)],
    ),
    "what has expired counts as taken back": (
        (Lots, "expired_of", lambda self, reward: 0),
        [program("first", "advocate-fixed", expires_days=20), OTHER],
        [*FRIENDS[:1], ("wait", 15), *FRIENDS[1:], ("wait", 14), ("refund", 0, 0, "")],
    ),
    "debt is paid off first": (
        (Book, "_repay", lambda self, customer: None),
        [program("first", "advocate-fixed"), OTHER],
        [*FRIENDS[:1], ("debit", "ann", 300), ("refund", 0, 0, ""), ("credit", "ann", 100)],
    ),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_story_of_a_broken_rule_would_be_found(name, monkeypatch):
    """Each rule switched off in the product alone: the same story then differs."""
    (owner, attribute, broken), files, steps = SABOTAGES[name]
    assert outcome_of(files, steps) == ""
    monkeypatch.setattr(owner, attribute, broken)

    assert outcome_of(files, steps) != ""
