"""From what a stranger sends to the row they may see."""

from core.errors import NotFound
from surveys.models import Invitation, Survey
from surveys.services.surveys import DEFAULT_SLUG, ensure_default_survey
from surveys.tokens import token_id_of


def invitation_of_token(token: str) -> Invitation:
    """Return the invitation a signed link names; `NotFound` for anything that was never sent to anybody."""
    token_id = token_id_of(token)
    found = (
        Invitation.objects.select_related("survey", "version", "customer")
        .exclude(state=Invitation.State.NOT_ASKED)
        .filter(token_id=token_id, customer__erased_at=None)
        .first()
        if token_id
        else None
    )
    if found is None:
        raise NotFound("This link does not lead to a survey.")
    return found


def survey_of_slug(slug: str) -> Survey:
    """Return the survey of that name or `NotFound`; the default one is made where it is missing."""
    if slug == DEFAULT_SLUG:
        return ensure_default_survey()
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None:
        raise NotFound(f"There is no survey {slug!r}.")
    return survey
