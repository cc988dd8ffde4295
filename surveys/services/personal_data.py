"""What surveys keep of people: invitations and answers."""

from datetime import datetime
from typing import Any

from referrals.models import Customer, Erasure
from referrals.services.erasing import PersonalData
from surveys.models import Invitation, Response, ResponseRevision, SurveyClick


def _export(customer: Customer) -> dict[str, Any]:
    invitations = Invitation.objects.filter(customer=customer).select_related("survey").order_by("pk")
    answers = Response.objects.filter(customer=customer).select_related("survey").order_by("pk")
    return {
        "invitations": [
            {"survey": one.survey.slug, "state": one.state, "sent_at": one.sent_at, "answered_at": one.answered_at}
            for one in invitations
        ],
        "answers": [
            {"survey": one.survey.slug, "score": one.score, "comment": one.comment, "state": one.state, "at": one.at}
            for one in answers
        ],
    }


def _erase(customer: Customer, _receipt: Erasure) -> None:
    """Drop the words and the traces of the browser; the scores count as before. Nobody is asked any more."""
    Response.objects.filter(customer=customer).update(comment="")
    ResponseRevision.objects.filter(response__customer=customer).update(comment="")
    SurveyClick.objects.filter(invitation__customer=customer).update(headers={})
    waiting = Invitation.objects.filter(customer=customer, state=Invitation.State.PLANNED)
    waiting.update(state=Invitation.State.NOT_ASKED, reason="erased")


def _merge(source: Customer, into: Customer, _at: datetime) -> dict[str, int]:
    """Let invitations and answers be those of `into`; what of it is planned for both is asked once."""
    planned = Invitation.objects.filter(state=Invitation.State.PLANNED)
    asked = planned.filter(customer=into).values("survey")
    planned.filter(customer=source, survey__in=asked).update(state=Invitation.State.NOT_ASKED, reason="merged")
    Invitation.objects.filter(customer=source).update(customer=into)
    return {"answers": Response.objects.filter(customer=source).update(customer=into)}


PERSONAL_DATA = PersonalData("surveys", _export, _erase, _merge)
