"""What the company's endpoints are told of answers: never what a person wrote."""

from messaging.models import WebhookEvent
from messaging.services import WebhookDraft, queue_webhooks
from surveys.models import Response
from surveys.scales import NPS
from surveys.scoring import Band, band_of

CONFIRMED = "survey.response.confirmed"
DETRACTOR = "survey.detractor"


def queue_response_confirmed(*, response: Response) -> list[WebhookEvent]:
    """Tell of a confirmed answer, and of a detractor's besides as such."""
    data = {
        "id": response.public_id,
        "survey": response.survey.slug,
        "kind": response.kind,
        "customer": response.customer.external_id,
        "score": response.score,
        "revision": response.revision,
        "answered_at": response.at,
    }
    types = [CONFIRMED]
    if response.kind == NPS and response.score is not None and band_of(response.score) == Band.DETRACTOR:
        types.append(DETRACTOR)
    return queue_webhooks(drafts=[WebhookDraft(type=one, object_id=response.public_id, data=data) for one in types])
