"""What the company's endpoints are told of referrals and of people's choices."""

from collections.abc import Mapping

from messaging.models import WebhookEvent
from messaging.services import queue_webhook
from referrals.models import Customer, Referral


def referral_type(state: str) -> str:
    """Return the type of webhook that tells of a referral's new state."""
    return f"referral.{state}"


def queue_referral_changed(*, referral: Referral) -> WebhookEvent | None:
    """Tell that a referral is in another state than before."""
    return queue_webhook(
        type=referral_type(referral.state),
        object_id=referral.public_id,
        data={
            "id": referral.public_id,
            "program": referral.program.slug,
            "state": referral.state,
            "advocate": referral.advocate.external_id,
            "friend": referral.friend.external_id,
            "reason": referral.reason or None,
            "channel": referral.channel or None,
            "bound_at": referral.bound_at,
            "qualified_at": referral.qualified_at,
            "approve_at": referral.approve_at,
            "approved_at": referral.approved_at,
        },
    )


def queue_preferences_changed(*, customer: Customer, changed: Mapping[str, bool], source: str) -> WebhookEvent | None:
    """Tell that a customer chose anew what mails to get."""
    data = {"customer": customer.external_id, "changed": dict(changed), "source": source}
    return queue_webhook(type="preferences.changed", object_id=customer.external_id, data=data)
