"""The scales people answer on, and the bands their steps fall into."""

from dataclasses import dataclass
from enum import StrEnum

NPS = "nps"
CSAT = "csat"
CES = "ces"


class Level(StrEnum):
    """Where a score lies on its scale, whatever the scale."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Scale:
    """The whole numbers from `low` to `high`, both included; from `glad` on people are glad, below `sorry` not."""

    low: int
    high: int
    glad: int
    sorry: int

    def steps(self) -> range:
        """Return every score on the scale, lowest first."""
        return range(self.low, self.high + 1)

    def level_of(self, score: int) -> Level:
        """Return where a score lies: NPS 9–10, 7–8, 0–6; CSAT 4–5, 3, 1–2; CES 5–7, 4, 1–3."""
        if score >= self.glad:
            return Level.HIGH
        return Level.LOW if score < self.sorry else Level.MIDDLE


SCALES = {NPS: Scale(0, 10, 9, 7), CSAT: Scale(1, 5, 4, 3), CES: Scale(1, 7, 5, 4)}


def score_of_text(text: str, kind: str) -> int | None:
    """Return the score that plain ASCII digits name on the kind's scale, or None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):
        return None
    score = int(text)
    return score if score in SCALES[kind].steps() else None
