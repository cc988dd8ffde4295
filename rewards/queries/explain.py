"""The whole chain of a referral in order: clicks, evidence, rules, ledger entries, messages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.money import to_text
from messaging.queries import messages_of_causes
from referrals.models import Assist, Click, Event, Referral, ReferralStep
from rewards.models import Appeal, Reward, RewardStep, Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of the chain: when, what, why, and the data it rests on."""

    at: datetime
    what: str
    why: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What it is, as a heading."""
        return self.what.replace("_", " ").capitalize()


def explain_referral(referral: Referral) -> list[Link]:
    """Return every step that led to where the referral is, oldest first; at one instant in order of cause."""
    chain = [
        *_clicks(referral),
        *_steps(referral),
        *_rewards(referral),
        *_ledger(referral),
        *_assists(referral),
        *_appeals(referral),
        *_messages(referral),
    ]
    return sorted(chain, key=lambda link: link.at)


def tell_whole_story(referral: Referral) -> list[Link]:
    """Return the chain with the facts it rests on: the link that was shared, and what the friend did."""
    story = [*_shares(referral), *_facts(referral), *explain_referral(referral)]
    return sorted(story, key=lambda link: link.at)


def _shares(referral: Referral) -> Iterator[Link]:
    for link in referral.advocate.links.filter(program=referral.program_id):
        yield Link(at=link.created_at, what="link_made", why="the advocate's link to share", data={"code": link.code})


def _facts(referral: Referral) -> Iterator[Link]:
    for event in Event.objects.filter(customer=referral.friend_id).order_by("occurred_at", "pk"):
        data = {"event": event.event_id, "order": event.order_id, "code": event.code, "coupon": event.coupon}
        if event.amount_minor is not None and event.currency:
            data["amount"] = f"{to_text(event.amount_minor, event.currency)} {event.currency}"
        told = {key: value for key, value in data.items() if value}
        yield Link(at=event.occurred_at, what=f"fact_{event.type}", why=f"reported by {event.source}", data=told)


def _assists(referral: Referral) -> Iterator[Link]:
    for assist in Assist.objects.filter(referral=referral).select_related("advocate", "event").order_by("pk"):
        yield Link(
            at=assist.at,
            what="assist",
            why="another advocate whom the friend used too",
            data={"advocate": assist.advocate.external_id, "method": assist.method, "event": assist.event.event_id},
        )


def _appeals(referral: Referral) -> Iterator[Link]:
    for appeal in Appeal.objects.filter(referral=referral).select_related("customer").order_by("pk"):
        data = {"appeal": appeal.public_id, "by": appeal.customer.external_id, "about": appeal.about}
        yield Link(at=appeal.created_at, what="appeal", why=appeal.text, data=data)
        if appeal.decided_at is not None:
            by = {"appeal": appeal.public_id, "by": appeal.decided_by}
            yield Link(at=appeal.decided_at, what=f"appeal_{appeal.state}", why=appeal.answer, data=by)


def _clicks(referral: Referral) -> Iterator[Link]:
    clicks = Click.objects.filter(referrals=referral)
    if referral.click and referral.click.visitor:
        clicks = Click.objects.filter(visitor=referral.click.visitor, program=referral.program_id)
    for click in clicks.select_related("link").order_by("at"):
        credited = click.pk == referral.click_id
        yield Link(
            at=click.at,
            what="click",
            why="credited by the attribution model" if credited else "another visit of the same person",
            data={
                "click_id": click.click_id,
                "code": click.link.code,
                "channel": click.channel or None,
                "utm": click.utm,
                "verdict": click.verdict,
                "credited": credited,
            },
        )


def _steps(referral: Referral) -> Iterator[Link]:
    for step in ReferralStep.objects.filter(referral=referral).select_related("event").order_by("pk"):
        event = step.event.event_id if step.event else None
        yield Link(
            at=step.at, what=step.what, why=step.why, data=step.data | {"event": event, "by": step.actor or "rules"}
        )


def _rewards(referral: Referral) -> Iterator[Link]:
    steps = RewardStep.objects.filter(reward__referral=referral).select_related("reward__recipient", "event")
    for step in steps.order_by("pk"):
        reward = step.reward
        yield Link(
            at=step.at,
            what=f"reward_{step.what}",
            why=step.why or f"rule {reward.rule}",
            data={
                "reward": reward.public_id,
                "rule": reward.rule,
                "to": reward.recipient.external_id,
                "points": step.points,
                "inputs": step.data,
                "event": step.event.event_id if step.event else None,
                "by": step.actor or "rules",
            },
        )


def _ledger(referral: Referral) -> Iterator[Link]:
    transfers = Transfer.objects.filter(reward__referral=referral).select_related("debit", "credit").order_by("pk")
    for transfer in transfers:
        yield Link(
            at=transfer.event_at,
            what=f"ledger_{transfer.kind}",
            why=transfer.cause.get("why") or transfer.cause.get("rule", ""),
            data={
                "points": transfer.amount,
                "from": transfer.debit.kind,
                "to": transfer.credit.kind,
                "reward": transfer.cause.get("reward"),
            },
        )


def _messages(referral: Referral) -> Iterator[Link]:
    rewards = Reward.objects.filter(referral=referral).values_list("pk", flat=True)
    appeals = Appeal.objects.filter(referral=referral).values_list("pk", flat=True)
    causes = [f"referral:{referral.pk}", *(f"reward:{pk}" for pk in rewards), *(f"appeal:{pk}" for pk in appeals)]
    for message in messages_of_causes(causes):
        yield Link(
            at=message.created_at,
            what=f"message_{message.state}",
            why=message.reason or message.kind,
            data={"kind": message.kind},
        )
