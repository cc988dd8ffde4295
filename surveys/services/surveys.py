"""Surveys and their wordings."""

from django.db import transaction

from core.contrast import parse_hex
from core.errors import Invalid
from surveys.models import Survey, SurveyVersion
from surveys.scales import CSAT, NPS
from surveys.words import SHIPPED, Wording, fields_of, wording_of

DEFAULT_SLUG = "nps"


@transaction.atomic
def create_survey(
    *, slug: str, name: str, kind: str = NPS, style: str = Survey.Style.NUMBERS, wording: Wording | None = None
) -> Survey:
    """Create an active survey with its first wording, the shipped one of its kind without another."""
    require_fitting_look(kind=kind, style=style)
    survey = Survey.objects.create(slug=slug, name=name, kind=kind, style=style)
    SurveyVersion.objects.create(survey=survey, number=1, **fields_of(wording or SHIPPED[kind]))
    return survey


def require_fitting_look(*, kind: str, style: str, accent: str = "") -> None:
    """Refuse faces or stars on a scale that is not 1–5, and an accent that is no colour."""
    if style != Survey.Style.NUMBERS and kind != CSAT:
        raise Invalid("faces and stars are for satisfaction from 1 to 5 only; expected numbers", pointer="/style")
    if accent:
        try:
            parse_hex(accent)
        except ValueError as error:
            raise Invalid(str(error), pointer="/accent") from None


@transaction.atomic
def publish_wording(*, survey: Survey, wording: Wording) -> SurveyVersion:
    """Return the version that says `wording`, a new one unless the latest already does."""
    Survey.objects.select_for_update().get(pk=survey.pk)
    latest = survey.versions.order_by("-number").first()
    if latest is not None and wording == wording_of(latest):
        return latest
    number = latest.number + 1 if latest else 1
    return SurveyVersion.objects.create(survey=survey, number=number, **fields_of(wording))


def ensure_default_survey() -> Survey:
    """Return the NPS survey that every installation has, creating it where it is missing."""
    survey = Survey.objects.filter(slug=DEFAULT_SLUG).first()
    return survey if survey is not None else _create_default_survey()


@transaction.atomic
def _create_default_survey() -> Survey:
    survey, _ = Survey.objects.get_or_create(slug=DEFAULT_SLUG, defaults={"name": "Net Promoter Score", "kind": NPS})
    SurveyVersion.objects.get_or_create(survey=survey, number=1, defaults=fields_of(SHIPPED[NPS]))
    return survey
