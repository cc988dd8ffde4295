"""The scales people answer on, and the words that make their steps readable as text."""

from dataclasses import dataclass

NPS = "nps"
CSAT = "csat"
CES = "ces"

NPS_LABELS = (
    "not at all likely",
    "very unlikely",
    "unlikely",
    "rather unlikely",
    "slightly unlikely",
    "undecided",
    "slightly likely",
    "rather likely",
    "likely",
    "very likely",
    "extremely likely",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The whole numbers from `low` to `high`, both included."""

    low: int
    high: int

    def steps(self) -> range:
        """Return every score on the scale, lowest first."""
        return range(self.low, self.high + 1)


SCALES = {NPS: Scale(0, 10), CSAT: Scale(1, 5), CES: Scale(1, 7)}
USABLE_KINDS = frozenset({NPS})


def score_of_text(text: str, kind: str) -> int | None:
    """Return the score that plain ASCII digits name on the kind's scale, or None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):
        return None
    score = int(text)
    return score if score in SCALES[kind].steps() else None
