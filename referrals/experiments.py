"""Experiments: which variant somebody is in, and what the variants need before one may run. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

FEWEST, MOST = 2, 5
_BITS = 256


def arm_of(*, salt: str, subject: str, weights: Sequence[int]) -> int:
    """Return the index of the variant that `subject` is in: the same for ever for one salt and the same weights.

    Each variant gets its weight's share of all subjects; experiments with different salts are independent.
    """
    drawn = int.from_bytes(sha256(f"{salt}:{subject}".encode()).digest())
    place = drawn * sum(weights) >> _BITS
    for index, weight in enumerate(weights):
        if place < weight:
            return index
        place -= weight
    raise ValueError("an experiment needs variants with a weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What a variant brings along: words in these languages, and a look (colour or picture) of its own or none."""

    name: str
    languages: frozenset[str]
    looks: bool = False


def problems_of(arms: Sequence[Arm], *, pictures: bool, languages: Collection[str]) -> list[str]:
    """Return why these variants (the control first) cannot be compared, in sentences; empty where they can.

    `languages` are all that customers may see. A control without anything of its own stands for what is shown
    without the experiment.
    """
    if not FEWEST <= len(arms) <= MOST:
        return [f"{FEWEST} to {MOST} variants are needed, there are {len(arms)}"]
    control, *others = arms
    needed = frozenset(languages) if pictures or not control.languages else control.languages
    found = [] if not control.languages else list(_gaps(control, needed))
    for arm in others:
        found += _needs(arm, needed, pictures=pictures)
    return found


def _needs(arm: Arm, needed: frozenset[str], *, pictures: bool) -> Iterator[str]:
    if pictures and not arm.languages:
        if not arm.looks:
            yield f"{arm.name} needs a title line, a colour or a picture of its own"
        return
    yield from _gaps(arm, needed)


def _gaps(arm: Arm, needed: frozenset[str]) -> Iterator[str]:
    for language in sorted(needed - arm.languages):
        yield f"{arm.name} has no words in “{language}”"
    for language in sorted(arm.languages - needed):
        yield f"{arm.name} has words in “{language}”, the control has none"
