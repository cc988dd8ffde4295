"""Appeals: a customer asks to look again, staff uphold or decline with an answer that is mailed."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import ChangeRequest, User
from core.dispatch import publish
from core.errors import Invalid, NotFound, Refused
from referrals.models import Customer, Referral
from referrals.services.lifecycle import reopen_referral
from rewards.events import AppealAnswered
from rewards.models import Appeal, Reward
from rewards.queries.appeals import MOST_PER_REFERRAL, what_is_refused
from rewards.services.credits import give_points
from rewards.services.reviewing import reopen_reward

LONGEST = 500
MOST_A_DAY = 5


class NothingToAppeal(Refused):
    """Nothing was refused, or it was asked before."""

    code = "nothing_to_appeal"


class TooManyAppeals(Refused):
    """The customer asked often enough today."""

    code = "too_many_appeals"
    status = 429


class AppealDecided(Refused):
    """The appeal has its answer already; the detail says which."""

    code = "appeal_decided"


@transaction.atomic
def file_appeal(*, referral: Referral, customer: Customer, text: str, at: datetime) -> Appeal:
    """Keep a customer's wish that somebody look again, in at most 500 characters.

    Raises `NotFound` for who is neither side of the referral, `NothingToAppeal`, `TooManyAppeals`.
    """
    if customer.pk not in (referral.advocate_id, referral.friend_id):
        raise NotFound("no such referral")
    words = text.strip()
    if not words or len(words) > LONGEST:
        raise Invalid(f"expected your reasons in at most {LONGEST} characters", pointer="/text")
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    asked = Appeal.objects.filter(customer=customer)
    if asked.filter(created_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyAppeals("that is enough for today; please come back tomorrow")
    own = Reward.objects.filter(referral=referral, recipient=customer).order_by("pk")
    about = what_is_refused(referral, own)
    if not about or asked.filter(referral=referral).count() >= MOST_PER_REFERRAL:
        raise NothingToAppeal("there is nothing here to look at again")
    try:
        with transaction.atomic():
            return Appeal.objects.create(referral=referral, customer=customer, about=about, text=words, created_at=at)
    except IntegrityError:
        raise NothingToAppeal("you have asked already; we are looking at it") from None


@transaction.atomic
def uphold_appeal(
    *, appeal: Appeal, answer: str, points: int, by: User, at: datetime
) -> tuple[Appeal, ChangeRequest | None]:
    """Decide for the customer: reopen what was voided or refused, give `points` besides, and mail the answer.

    What is reopened earns what the rules, limits and budget give now. A credit that needs a second person is
    returned as the change that waits for one.
    """
    if points < 0:
        raise Invalid("expected 0 or more points", pointer="/points")
    appeal = _decide(appeal, Appeal.State.UPHELD, answer=answer, by=by, at=at)
    note, actor = f"appeal upheld: {answer}"[:200], str(by)
    if appeal.referral.state == Referral.State.VOIDED:
        reopen_referral(referral=appeal.referral, note=note, actor=actor, at=at)
    else:
        for reward in _refused_of(appeal):
            reopen_reward(reward=reward, note=note, actor=actor, at=at)
    waiting = None
    if points:
        waiting = give_points(
            customer=appeal.customer, points=points, reason=f"appeal {appeal.public_id}", actor=actor, asker=by, at=at
        )
    publish(AppealAnswered(subject=f"appeal:{appeal.pk}", appeal=appeal.pk))
    return appeal, waiting


@transaction.atomic
def decline_appeal(*, appeal: Appeal, answer: str, by: User, at: datetime) -> Appeal:
    """Leave it as it is and mail the answer."""
    appeal = _decide(appeal, Appeal.State.DECLINED, answer=answer, by=by, at=at)
    publish(AppealAnswered(subject=f"appeal:{appeal.pk}", appeal=appeal.pk))
    return appeal


def _refused_of(appeal: Appeal) -> list[Reward]:
    by_staff = Q(state__in=[Reward.State.CANCELLED, Reward.State.REVOKED], reason="by_staff")
    refused = Q(state=Reward.State.REFUSED) & ~Q(reason="reopened")
    own = Reward.objects.filter(referral=appeal.referral, recipient=appeal.customer).filter(by_staff | refused)
    return [one for one in own.order_by("pk") if one.moment in {"signup", "qualified", "purchase", "assist"}]


def _decide(appeal: Appeal, state: str, *, answer: str, by: User, at: datetime) -> Appeal:
    if not answer.strip():
        raise Invalid("expected an answer for the customer", pointer="/answer")
    moved = Appeal.objects.filter(pk=appeal.pk, state=Appeal.State.OPEN).update(
        state=state, answer=answer.strip()[:200], decided_by=str(by)[:100], decided_at=at
    )
    appeal = Appeal.objects.select_related("referral__friend", "referral__advocate", "customer").get(pk=appeal.pk)
    if moved != 1:
        raise AppealDecided(f"this appeal is already {appeal.state} (by {appeal.decided_by})")
    return appeal
