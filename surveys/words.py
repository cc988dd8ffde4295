"""What surveys say: the shipped wordings of each kind, the words of each step, and how a wording is spoken.

Shipped words are translated like every other word of the house; the company's own bring their translations along.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from surveys.models import Survey, SurveyVersion
from surveys.scales import CES, CSAT, NPS, SCALES, Level

NUMBERS, FACES, STARS = Survey.Style.NUMBERS, Survey.Style.FACES, Survey.Style.STARS
FACE_MARKS = ("😞", "😕", "😐", "😊", "😄")
STAR_MARK = "★"
TRANSLATABLE = ("question", "low_label", "high_label", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a survey says; `{brand}` stands for the company's name.

    `follow_ups` is a second question by level of the score (`high`, `middle`, `low`). `translations` is by language
    what is said instead; what a translation leaves out is said as it is.
    """

    question: str
    low_label: str
    high_label: str
    why: str = "Why?"
    follow_ups: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


SHIPPED = {
    NPS: Wording(
        question="How likely are you to recommend {brand} to a friend?",
        low_label="Not at all likely",
        high_label="Extremely likely",
    ),
    CSAT: Wording(
        question="How satisfied are you with {brand}?", low_label="Very dissatisfied", high_label="Very satisfied"
    ),
    CES: Wording(
        question="{brand} made it easy for me to get what I needed.",
        low_label="Strongly disagree",
        high_label="Strongly agree",
    ),
}
_BETTER = _("What would have made it perfect?")
_SHIPPED_MIDDLE = {NPS: _("One question: what would have made it a 10?"), CSAT: _BETTER, CES: _BETTER}
_SHIPPED_LOW = _("Please tell us more: what went wrong, and what should we do?")
_TO_TRANSLATE = (
    _("How likely are you to recommend {brand} to a friend?"),
    _("Not at all likely"),
    _("Extremely likely"),
    _("Why?"),
    _("How satisfied are you with {brand}?"),
    _("Very dissatisfied"),
    _("Very satisfied"),
    _("{brand} made it easy for me to get what I needed."),
    _("Strongly disagree"),
    _("Strongly agree"),
)
_STEPS = {
    NPS: (
        _("not at all likely"),
        _("very unlikely"),
        _("unlikely"),
        _("rather unlikely"),
        _("slightly unlikely"),
        _("undecided"),
        _("slightly likely"),
        _("rather likely"),
        _("likely"),
        _("very likely"),
        _("extremely likely"),
    ),
    CSAT: (_("very dissatisfied"), _("dissatisfied"), _("neither nor"), _("satisfied"), _("very satisfied")),
    CES: (
        _("strongly disagree"),
        _("disagree"),
        _("somewhat disagree"),
        _("neither nor"),
        _("somewhat agree"),
        _("agree"),
        _("strongly agree"),
    ),
}


def wording_of(version: SurveyVersion) -> Wording:
    """Return what a version says."""
    return Wording(**{name: getattr(version, name) for name in Wording.__dataclass_fields__})


def fields_of(wording: Wording) -> dict[str, Any]:
    """Return a wording as the fields of a version."""
    return asdict(wording)


def spoken_wording(version: SurveyVersion) -> Wording:
    """Return a version in the language that is active now, with the company's name in it."""
    said = wording_of(version)
    own = said.translations.get((get_language() or "")[:2], {})
    texts = {name: spoken(own.get(name) or getattr(said, name)) for name in TRANSLATABLE}
    asked = {**said.follow_ups, **{level: text for level, text in own.get("follow_ups", {}).items() if text}}
    return replace(said, **texts, follow_ups={level: spoken(text) for level, text in asked.items()}, translations={})


def follow_up(version: SurveyVersion, level: Level) -> str:
    """Return the second question after a score of that level; empty where there is none."""
    shipped = {Level.HIGH: "", Level.MIDDLE: _SHIPPED_MIDDLE[version.survey.kind], Level.LOW: _SHIPPED_LOW}
    return spoken_wording(version).follow_ups.get(level, "") or str(shipped[level])


def spoken(text: str) -> str:
    """Return a wording with the company's name in place of `{brand}`, in the language active now if it is shipped."""
    return gettext(text).replace("{brand}", settings.BRAND_NAME) if text else ""


def step_label(kind: str, score: int) -> str:
    """Return what a step of a scale means, such as "very likely"."""
    return str(_STEPS[kind][score - SCALES[kind].low])


def step_mark(survey: Survey, score: int) -> str:
    """Return what a step shows: its number, a face or a star."""
    if survey.style == FACES:
        return FACE_MARKS[score - SCALES[survey.kind].low]
    return STAR_MARK if survey.style == STARS else str(score)


def shown_question(survey: Survey, version: SurveyVersion, *, chosen: str) -> dict[str, Any]:
    """Return what the page of a question shows, in the language active now; `chosen` is a score or anything else."""
    scale = SCALES[survey.kind]
    steps = [
        {
            "score": step,
            "mark": step_mark(survey, step),
            "label": step_label(survey.kind, step),
            "chosen": str(step) == chosen,
        }
        for step in scale.steps()
    ]
    return {"survey": survey, "said": spoken_wording(version), "scale": scale, "steps": steps}
