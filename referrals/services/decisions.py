"""Keeping what reviewers decided: it is what the rules are measured by."""

from datetime import datetime

from django.db import transaction

from referrals.models import Referral, ReviewDecision, RiskAssessment

_VERDICTS = (ReviewDecision.Decision.APPROVE, ReviewDecision.Decision.VOID)


@transaction.atomic(savepoint=False)
def record_decision(
    *, referral: Referral, decision: str, reason: str, actor: str, at: datetime, kind: str = ""
) -> ReviewDecision:
    """Keep a decision with the score it was made on, the newest there is."""
    seen = RiskAssessment.objects.filter(referral=referral).order_by("-at", "-pk").first()
    return ReviewDecision.objects.create(
        referral=referral, assessment=seen, decision=decision, kind=kind, reason=reason, actor=actor, at=at
    )


@transaction.atomic(savepoint=False)
def undo_decisions(*, referral: Referral, at: datetime) -> int:
    """Let the verdicts on a referral count no longer; return how many did."""
    standing = ReviewDecision.objects.filter(referral=referral, decision__in=_VERDICTS, undone_at=None)
    return standing.update(undone_at=at)
