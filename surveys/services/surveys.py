"""Surveys and their wordings."""

from dataclasses import asdict, dataclass

from django.db import transaction

from core.errors import Refused
from surveys.models import Survey, SurveyVersion
from surveys.scales import NPS, USABLE_KINDS

DEFAULT_SLUG = "nps"


class UnsupportedKind(Refused):
    """A kind of survey that cannot be asked yet."""

    code = "not_yet_supported"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a survey says; `{brand}` stands for the company's name."""

    question: str = "How likely are you to recommend {brand} to a friend?"
    low_label: str = "Not at all likely"
    high_label: str = "Extremely likely"
    why: str = "Why?"


@transaction.atomic
def create_survey(*, slug: str, name: str, kind: str = NPS, wording: Wording | None = None) -> Survey:
    """Create an active survey with its first wording; a kind other than NPS is refused."""
    require_usable_kind(kind)
    survey = Survey.objects.create(slug=slug, name=name, kind=kind)
    SurveyVersion.objects.create(survey=survey, number=1, **asdict(wording or Wording()))
    return survey


def require_usable_kind(kind: str) -> None:
    """Refuse what cannot be asked yet."""
    if kind not in USABLE_KINDS:
        raise UnsupportedKind(f"Surveys of kind {kind!r} are not yet supported.", pointer="/kind")


@transaction.atomic
def publish_wording(*, survey: Survey, wording: Wording) -> SurveyVersion:
    """Return the version that says `wording`, a new one unless the latest already does."""
    Survey.objects.select_for_update().get(pk=survey.pk)
    latest = survey.versions.order_by("-number").first()
    if latest is not None and wording == wording_of(latest):
        return latest
    number = latest.number + 1 if latest else 1
    return SurveyVersion.objects.create(survey=survey, number=number, **asdict(wording))


def wording_of(version: SurveyVersion) -> Wording:
    """Return what a version says."""
    return Wording(
        question=version.question, low_label=version.low_label, high_label=version.high_label, why=version.why
    )


def ensure_default_survey() -> Survey:
    """Return the NPS survey that every installation has, creating it where it is missing."""
    survey = Survey.objects.filter(slug=DEFAULT_SLUG).first()
    return survey if survey is not None else _create_default_survey()


@transaction.atomic
def _create_default_survey() -> Survey:
    survey, _ = Survey.objects.get_or_create(slug=DEFAULT_SLUG, defaults={"name": "Net Promoter Score", "kind": NPS})
    SurveyVersion.objects.get_or_create(survey=survey, number=1, defaults=asdict(Wording()))
    return survey
