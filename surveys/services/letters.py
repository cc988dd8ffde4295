"""The invitation mail: what it says and where its links lead."""

from typing import Any

from django.conf import settings

from messaging.models import Message
from messaging.recipients import Recipient
from messaging.services import queue_message
from surveys.models import Invitation
from surveys.queries import LETTER_KIND, cause_of, recipient_key
from surveys.scales import NPS_LABELS, SCALES
from surveys.tokens import score_url, survey_url, trap_url


def queue_invitation_letter(*, invitation: Invitation) -> Message:
    """Queue the mail, due when the invitation is to be sent; its row says if it will not be sent, and why."""
    customer = invitation.customer
    return queue_message(
        kind=LETTER_KIND,
        recipient=Recipient(
            key=recipient_key(customer),
            email=customer.email,
            name=customer.name,
            locale=customer.locale,
            time_zone=customer.time_zone,
        ),
        cause=cause_of(invitation),
        context=letter_context(invitation),
        due_at=invitation.send_at,
    )


def letter_context(invitation: Invitation) -> dict[str, Any]:
    """Return the variables of the mail: plain JSON values, every link absolute and signed."""
    version = invitation.version
    token_id = invitation.token_id
    return {
        "first_name": invitation.customer.first_name,
        "question": spoken(version.question),
        "score_links": [
            {"score": score, "label": f"{score} – {NPS_LABELS[score]}", "url": score_url(token_id, score)}
            for score in SCALES[invitation.survey.kind].steps()
        ],
        "survey_url": survey_url(token_id),
        "low_label": spoken(version.low_label),
        "high_label": spoken(version.high_label),
        "trap_url": trap_url(token_id),
    }


def spoken(text: str) -> str:
    """Return a wording with the company's name in place of `{brand}`."""
    return text.replace("{brand}", settings.BRAND_NAME)
