"""What rewards keep of people, with the mails and accounts that hang on them."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.erasing import erase_changes, erase_user
from accounts.models import User
from core.services.erasing import erase_traces
from messaging.queries import wishes_of
from messaging.services.erasing import erase_recipient, export_recipient
from messaging.services.merging import merge_recipients
from referrals.erasing import without_words
from referrals.models import Customer, Erasure, Event, Referral
from referrals.services.erasing import PersonalData
from rewards.models import Appeal, Redemption, RedemptionStep, Reward, RewardStep
from rewards.queries.balances import ledger_of, points_of
from rewards.services.adjustments import adjust_points
from rewards.services.merging import merge_rewards
from rewards.services.reviewing import cancel_reward

ERASED = "(erased)"
FORFEITED = "open points forfeited"


def _export(customer: Customer) -> dict[str, Any]:
    points = points_of(customer)
    rewards = Reward.objects.filter(recipient=customer).select_related("program").order_by("pk")
    return {
        "points": {name: getattr(points, name) for name in points.__slots__},
        "rewards": [
            {
                "id": one.public_id,
                "program": one.program.slug,
                "rule": one.rule,
                "kind": one.kind,
                "points": one.points,
                "detail": one.detail,
                "state": one.state,
                "reason": one.reason or None,
                "available_at": one.available_at,
            }
            for one in rewards
        ],
        "ledger": [
            {
                "at": one.transfer.event_at,
                "kind": one.transfer.kind,
                "bucket": one.account.kind,
                "points": one.delta,
                "balance": one.balance,
                "why": one.transfer.cause.get("reason") or one.transfer.cause.get("why"),
            }
            for one in ledger_of(customer).order_by("pk")
        ],
        "redemptions": _redemptions(customer),
        "appeals": [
            {"at": one.created_at, "text": one.text, "state": one.state, "answer": one.answer}
            for one in Appeal.objects.filter(customer=customer).order_by("pk")
        ],
    }


def _redemptions(customer: Customer) -> list[dict[str, Any]]:
    return [
        {
            "id": one.public_id,
            "at": one.created_at,
            "item": one.title,
            "quantity": one.quantity,
            "points": one.points,
            "state": one.state,
            "outcome": one.outcome,
        }
        for one in Redemption.objects.filter(customer=customer).order_by("pk")
    ]


def _erase(customer: Customer, receipt: Erasure) -> None:
    """Drop words and what conditions saw of the person; forfeit what is open where that was chosen."""
    if receipt.points == Erasure.Points.FORFEIT:
        _forfeit(customer, receipt)
    ours = Q(recipient=customer) | Q(referral__friend=customer) | Q(referral__advocate=customer)
    rewards = list(Reward.objects.filter(ours))
    for reward in rewards:
        reward.inputs = without_words(reward.inputs)
    Reward.objects.bulk_update(rewards, ["inputs"], batch_size=400)
    steps = list(RewardStep.objects.filter(reward__in=rewards))
    for step in steps:
        step.data = without_words(step.data)
        step.why = ERASED if step.actor else step.why
    RewardStep.objects.bulk_update(steps, ["data", "why"], batch_size=400)
    Appeal.objects.filter(Q(customer=customer) | Q(referral__friend=customer) | Q(referral__advocate=customer)).update(
        text="", answer=""
    )
    redemptions = Redemption.objects.filter(customer=customer)
    redemptions.exclude(outcome="").update(outcome=ERASED)
    RedemptionStep.objects.filter(redemption__in=redemptions).exclude(why="").update(why=ERASED)
    erase_changes(subject=f"customer:{customer.pk}")


def _forfeit(customer: Customer, receipt: Erasure) -> None:
    pending = Reward.objects.filter(recipient=customer, state=Reward.State.PENDING).order_by("pk")
    for reward in pending:
        cancel_reward(reward=reward, note=FORFEITED, actor=receipt.by, at=receipt.at)
    left = points_of(customer).available
    if left:
        adjust_points(customer=customer, points=-left, reason=FORFEITED, actor=receipt.by, at=receipt.at)


PERSONAL_DATA = PersonalData("rewards", _export, _erase, merge_rewards)


def _keys(customer: Customer) -> list[str]:
    users = User.objects.filter(email__iexact=customer.email, is_staff=False) if customer.email else ()
    return [f"customer:{customer.pk}", *(f"user:{user.pk}" for user in users)]


def _export_mails(customer: Customer) -> dict[str, Any]:
    return {"wishes": wishes_of(f"customer:{customer.pk}"), "mails": export_recipient(keys=_keys(customer))}


def _erase_mails(customer: Customer, _receipt: Erasure) -> None:
    """Blank mails to the person and about them, end their sign-in, and drop what the house remembers besides.

    An address that another customer shares stays theirs: their mails and sign-in are left alone.
    """
    referrals = Referral.objects.filter(Q(friend=customer) | Q(advocate=customer)).values_list("pk", flat=True)
    rewards = Reward.objects.filter(referral__in=list(referrals)).values_list("pk", flat=True)
    events = Event.objects.filter(customer=customer).values_list("pk", flat=True)
    causes = [f"referral:{pk}" for pk in referrals]
    causes += [f"reward:{pk}" for pk in rewards]
    subjects = [*causes, *(f"event:{pk}" for pk in events), f"customer:{customer.pk}"]
    others = Customer.objects.filter(email__iexact=customer.email, erased_at=None).exclude(pk=customer.pk)
    alone = bool(customer.email) and not others.exists()
    keys = _keys(customer) if alone else [f"customer:{customer.pk}"]
    if alone:
        erase_user(email=customer.email)
    erase_recipient(keys=keys, email=customer.email if alone else "", causes=causes)
    erase_traces(words=[customer.email, customer.name, customer.external_id], subjects=subjects)


def _merge_mails(source: Customer, into: Customer, at: datetime) -> dict[str, int]:
    return {"mails": merge_recipients(source=f"customer:{source.pk}", into=f"customer:{into.pk}", at=at)}


MAILS = PersonalData("mails", _export_mails, _erase_mails, _merge_mails)
