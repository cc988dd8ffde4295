"""The invitation mail: what it says and where its links lead."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from messaging.models import Message
from messaging.recipients import Recipient
from messaging.services import queue_message
from surveys.models import Invitation, Survey, SurveyVersion
from surveys.queries import LETTER_KIND, REMINDER_KIND, cause_of, recipient_key
from surveys.scales import SCALES
from surveys.tokens import score_url, survey_url, trap_url
from surveys.words import spoken_wording, step_label, step_mark


def queue_invitation_letter(*, invitation: Invitation) -> Message:
    """Queue the mail, due when the invitation is to be sent; its row says if it will not be sent, and why."""
    return _queue(LETTER_KIND, invitation, due_at=invitation.send_at)


def queue_reminder(*, invitation: Invitation, at: datetime) -> Message:
    """Queue the one reminder of an invitation, with the same links."""
    return _queue(REMINDER_KIND, invitation, due_at=at)


def _queue(kind: str, invitation: Invitation, *, due_at: datetime) -> Message:
    customer = invitation.customer
    return queue_message(
        kind=kind,
        recipient=Recipient(
            key=recipient_key(customer),
            email=customer.email,
            name=customer.name,
            locale=customer.locale,
            time_zone=customer.time_zone,
        ),
        cause=cause_of(invitation),
        context=letter_context(invitation),
        due_at=due_at,
    )


def letter_context(invitation: Invitation) -> dict[str, Any]:
    """Return the variables of an invitation's mail, in the customer's language."""
    customer = invitation.customer
    with translation.override(customer.locale or settings.LANGUAGE_CODE):
        return letter_values(
            survey=invitation.survey,
            version=invitation.version,
            token_id=invitation.token_id,
            first_name=customer.first_name,
        )


def letter_values(*, survey: Survey, version: SurveyVersion, token_id: str, first_name: str) -> dict[str, Any]:
    """Return the variables in the language active now: plain JSON values, every link absolute and signed."""
    scale, said = SCALES[survey.kind], spoken_wording(version)
    return {
        "first_name": first_name,
        "question": said.question,
        "score_links": [
            {
                "score": score,
                "mark": step_mark(survey, score),
                "label": f"{score} – {step_label(survey.kind, score)}",
                "url": score_url(token_id, score),
            }
            for score in scale.steps()
        ],
        "survey_url": survey_url(token_id),
        "scale_low": scale.low,
        "scale_high": scale.high,
        "low_label": said.low_label,
        "high_label": said.high_label,
        "trap_url": trap_url(token_id),
        "accent": survey.accent.lstrip("#"),
    }
