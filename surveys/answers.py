"""Person or machine: what the traces of an invitation say about an answer. Pure values.

Security gateways open every link of a mail, run its scripts and submit its forms, often within seconds and from
ordinary-looking browsers; a tap that nobody confirms may be a person's all the same. So an answer is judged by all
traces around it, by a job, with reasons; opening a link never decides anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

EARLY = timedelta(minutes=5)
"""A link opened sooner after the mail waits for a person's press."""
NEAR = timedelta(seconds=10)
"""All that is done so near to the hidden link is a machine's."""
SWEEP_SCORES = 3
"""Who opens so many different scores, one within 10 seconds of the other, reads no question."""
WAIT = timedelta(days=1)
"""How long a lone tap waits for a press before it is decided."""
SETTLE = timedelta(minutes=15)
"""How long a confirmed answer waits for traces of a machine, or for another thought, before anybody is told."""

TRAP, SWEPT, PREFETCHED, TOO_EARLY, SEVERAL = "hidden_link", "swept_scores", "prefetch", "too_early", "several_scores"
LATE, ALONE = "came_late", "one_score_only"
IN_WORDS = {
    TRAP: "the hidden link was opened",
    SWEPT: "several scores were opened in one go",
    PREFETCHED: "a program fetched it ahead",
    TOO_EARLY: "within five minutes of the mail",
    SEVERAL: "more than one score was opened",
    LATE: "later than five minutes after the mail",
    ALONE: "no other score was opened",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """One request about an invitation: when, which score it named, how long after the mail, and what gave it away."""

    at: datetime
    score: int | None = None
    after: timedelta | None = None
    trap: bool = False
    prefetch: bool = False
    posted: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a trace is a person's answer, and what that rests on."""

    human: bool
    reasons: tuple[str, ...]


def machine_signs(moment: datetime, traces: Sequence[Trace]) -> tuple[str, ...]:
    """Return what says that a machine was at work at that moment; empty where nothing does."""
    signs = [TRAP] if any(one.trap and abs(one.at - moment) <= NEAR for one in traces) else []
    return (*signs, SWEPT) if _swept(moment, traces) else tuple(signs)


def judge_press(moment: datetime, traces: Sequence[Trace]) -> Verdict:
    """Judge an answer that was sent by a form: a person's unless a machine was at work then."""
    signs = machine_signs(moment, traces)
    return Verdict(human=not signs, reasons=signs)


def judge_tap(tap: Trace, traces: Sequence[Trace]) -> Verdict:
    """Judge a link with a score that was opened and followed by no press: a person's only where nothing speaks against.

    It came late enough, no other score was ever opened, no hidden link and no prefetch was ever seen.
    """
    signs = [TRAP] if any(one.trap for one in traces) else []
    signs += [PREFETCHED] if any(one.prefetch for one in traces) else []
    signs += [SEVERAL] if len({one.score for one in traces if one.score is not None}) > 1 else []
    signs += [TOO_EARLY] if tap.after is None or tap.after < EARLY else []
    return Verdict(human=not signs, reasons=tuple(signs) or (LATE, ALONE))


def may_submit_itself(after: timedelta | None) -> bool:
    """Return whether a page that is opened so long after its mail may send the tapped score by itself."""
    return after is not None and after >= EARLY


def _swept(moment: datetime, traces: Sequence[Trace]) -> bool:
    """Return whether several scores were opened or sent in one go around the moment."""
    chain: list[Trace] = []
    chains = [chain]
    for one in sorted((one for one in traces if one.score is not None), key=lambda one: one.at):
        if chain and one.at - chain[-1].at > NEAR:
            chain = []
            chains.append(chain)
        chain.append(one)
    return any(
        len({one.score for one in chain}) >= SWEEP_SCORES and chain[0].at - NEAR <= moment <= chain[-1].at + NEAR
        for chain in chains
    )
