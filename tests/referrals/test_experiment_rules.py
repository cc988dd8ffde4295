"""Who is in which variant: for ever, by weight, and independent of every other experiment."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.proportions import split_p_value
from referrals.experiments import Arm, arm_of, problems_of

SALTS = st.text(min_size=1, max_size=32)
WEIGHTS = st.lists(st.integers(1, 1000), min_size=2, max_size=5)
PEOPLE = 10_000


def split(salt, weights, people=PEOPLE):
    return [arm_of(salt=salt, subject=str(number), weights=weights) for number in range(1, people + 1)]


@given(salt=SALTS, subject=st.text(max_size=20), weights=WEIGHTS)
def test_arm_of_is_one_of_the_variants_and_always_the_same(salt, subject, weights):
    found = {arm_of(salt=salt, subject=subject, weights=list(weights)) for _ in range(3)}

    assert len(found) == 1
    assert found <= set(range(len(weights)))


@settings(max_examples=25, deadline=None)
@given(salt=SALTS, weights=st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_arm_of_gives_each_variant_its_weights_share_of_ten_thousand(salt, weights):
    counts = Counter(split(salt, weights))

    for index, weight in enumerate(weights):
        share = weight / sum(weights)
        reach = 5 * (share * (1 - share) / PEOPLE) ** 0.5  # five standard deviations
        assert abs(counts[index] / PEOPLE - share) < reach
    assert split_p_value([counts[index] for index in range(len(weights))], weights) > 1e-7


@settings(max_examples=15, deadline=None)
@given(
    salts=st.lists(st.text(st.characters(codec="ascii"), min_size=8, max_size=16), min_size=2, max_size=2, unique=True)
)
def test_arm_of_is_independent_between_experiments(salts):
    one, other = (split(salt, [1, 1]) for salt in salts)

    together = Counter(zip(one, other, strict=True))

    assert split_p_value([together[pair] for pair in ((0, 0), (0, 1), (1, 0), (1, 1))], [1, 1, 1, 1]) > 1e-7


def test_arm_of_known_people_never_changes():
    assert split("salt", [1, 1], 20) == KNOWN
    assert split("salt", [7, 7], 20) == KNOWN, "weights that mean the same move nobody"


KNOWN = [0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0]


def test_arm_of_leaves_nobody_without_a_variant():
    with pytest.raises(ValueError, match="with a weight"):
        arm_of(salt="s", subject="1", weights=[])


def arm(name, *languages, looks=False):
    return Arm(name=name, languages=frozenset(languages), looks=looks)


@pytest.mark.parametrize(
    ("arms", "problems"),
    [
        ([arm("a")], ["2 to 5 variants are needed, there are 1"]),
        ([arm(one) for one in "abcdef"], ["2 to 5 variants are needed, there are 6"]),
        ([arm("a"), arm("b", "en", "de")], []),
        ([arm("a"), arm("b", "en")], ["b has no words in “de”"]),
        ([arm("a"), arm("b")], ["b has no words in “de”", "b has no words in “en”"]),
        ([arm("a", "en"), arm("b", "en")], []),
        ([arm("a", "en"), arm("b", "en", "de")], ["b has words in “de”, the control has none"]),
        ([arm("a", "en", "de"), arm("b", "de"), arm("c", "en", "de")], ["b has no words in “en”"]),
        ([arm("a"), arm("b", looks=True)], ["b has no words in “de”", "b has no words in “en”"]),
    ],
)
def test_problems_of_texts(arms, problems):
    assert problems_of(arms, pictures=False, languages=["en", "de"]) == problems


@pytest.mark.parametrize(
    ("arms", "problems"),
    [
        ([arm("a"), arm("b", looks=True)], []),
        ([arm("a"), arm("b", "en", "de")], []),
        ([arm("a", "en", "de"), arm("b", looks=True), arm("c", "en", "de", looks=True)], []),
        ([arm("a"), arm("b")], ["b needs a title line, a colour or a picture of its own"]),
        ([arm("a"), arm("b", "en", looks=True)], ["b has no words in “de”"]),
        ([arm("a", "de"), arm("b", looks=True)], ["a has no words in “en”"]),
    ],
)
def test_problems_of_pictures(arms, problems):
    assert problems_of(arms, pictures=True, languages=["en", "de"]) == problems
