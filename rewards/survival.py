"""How long things last when many of them are still under way: the Kaplan-Meier estimate. Pure values."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Spell:
    """Something watched for `days`: it `ended` then, or was only watched that long (right-censored).

    `weight` counts it more than once, such as by its worth.
    """

    days: float
    ended: bool
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The curve from `days` on: the share that lasts longer, and what that rests on.

    `at_risk` is the weight still watched just before, `ended` the weight that ended then, `hazard_sum` the
    running sum of Greenwood's terms: the variance of log(survival).
    """

    days: float
    at_risk: int
    ended: int
    survival: float
    hazard_sum: float

    @property
    def standard_error(self) -> float:
        """Greenwood's standard error of `survival`."""
        return self.survival * math.sqrt(self.hazard_sum)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % log-log interval of `survival`; None where it is 0 or 1."""
        return log_log_interval(self.survival, self.hazard_sum)


def kaplan_meier(spells: Iterable[Spell]) -> tuple[Step, ...]:
    """Return the curve's steps, one for each moment at which something ended, by `days`.

    S(t) = product of (1 - d/n) over the ends up to t (Kaplan and Meier, JASA 53 (1958) 457-481); what is
    censored at a moment of an end counts as at risk then. The variance of log S is the sum of d / (n (n - d))
    (Greenwood 1926); with weights, of p / (m (1 - p)) with p = d/n by weight and m = (sum w)^2 / sum w^2 at
    risk (Xie and Liu, Statistics in Medicine 24 (2005) 3089-3110), which is the same where all weights are 1.
    """
    ordered = sorted((spell for spell in spells if spell.weight > 0), key=lambda spell: spell.days)
    weight = sum(spell.weight for spell in ordered)
    square = sum(spell.weight**2 for spell in ordered)
    steps: list[Step] = []
    survival, hazard_sum = 1.0, 0.0
    for days, group in groupby(ordered, key=lambda spell: spell.days):
        leaving = list(group)
        ended = sum(spell.weight for spell in leaving if spell.ended)
        if ended:
            share = ended / weight
            effective = weight**2 / square
            hazard_sum += share / (effective * (1 - share)) if share < 1 else math.inf
            survival *= 1 - share
            steps.append(Step(days=days, at_risk=weight, ended=ended, survival=survival, hazard_sum=hazard_sum))
        weight -= sum(spell.weight for spell in leaving)
        square -= sum(spell.weight**2 for spell in leaving)
    return tuple(steps)


def curve_at(curve: tuple[Step, ...], days: float) -> tuple[float, float]:
    """Return (survival, variance of its logarithm) at `days`: the last step not after it; (1, 0) before the first.

    Past the last spell watched the curve says nothing; the caller bounds `days`.
    """
    survival, hazard_sum = 1.0, 0.0
    for step in curve:
        if step.days > days:
            break
        survival, hazard_sum = step.survival, step.hazard_sum
    return survival, hazard_sum


def log_log_interval(survival: float, hazard_sum: float) -> tuple[float, float] | None:
    """Return the 95 % interval of a survival share, symmetric on the scale log(-log S); None at 0 and 1.

    Var(log(-log S)) = hazard_sum / (log S)^2 (Kalbfleisch and Prentice 1980); stays within 0 and 1.
    """
    if not 0 < survival < 1 or not math.isfinite(hazard_sum):
        return None
    reach = Z95 * math.sqrt(hazard_sum) / abs(math.log(survival))
    return survival ** math.exp(reach), survival ** math.exp(-reach)
