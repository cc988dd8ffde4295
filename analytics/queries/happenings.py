"""What happened between two moments: rewards, points, referrals, mails, tiers, invitations, webhooks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from messaging.models import Message, WebhookAttempt
from referrals.models import ReferralStep
from rewards.models import EventInvitation, RewardStep, TierChange, Transfer
from surveys.models import Invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened; `page` is where it is explained, `api` where a machine reads why."""

    at: datetime
    kind: str
    what: str
    why: str = ""
    customer: str = ""
    program: str = ""
    points: int | None = None
    event_id: str = ""
    page: str = ""
    api: str = ""


def happenings_between(start: datetime, end: datetime) -> list[Happening]:
    """Return what is dated after `start` and up to `end`, in order of time."""
    found = chain.from_iterable(tell(start, end) for tell in _TELLERS)
    return sorted(found, key=lambda one: one.at)


def _span(field: str, start: datetime, end: datetime) -> Q:
    return Q(**{f"{field}__gt": start, f"{field}__lte": end})


def _rewards(start: datetime, end: datetime) -> Iterator[Happening]:
    steps = RewardStep.objects.filter(_span("at", start, end)).order_by("at", "pk")
    related = ("reward__recipient", "reward__program", "reward__referral", "reward__event", "event")
    for step in steps.select_related(*related):
        reward = step.reward
        event = step.event or reward.event
        points = reward.points if step.what in ("released", "granted") else step.points
        yield Happening(
            at=step.at,
            kind="reward",
            what=step.what,
            why=" · ".join(filter(None, (reward.rule, step.why))),
            customer=reward.recipient.external_id,
            program=reward.program.slug,
            points=points if reward.kind == "points" else None,
            event_id=event.event_id if event else "",
            page=_story(reward.referral.public_id)
            if reward.referral
            else reverse("admin:rewards_reward_change", args=[reward.pk]),
            api=f"/api/v1/rewards/{reward.public_id}",
        )


def _expired_points(start: datetime, end: datetime) -> Iterator[Happening]:
    moved = Transfer.objects.filter(_span("event_at", start, end), kind=Transfer.Kind.EXPIRE)
    related = ("lot_uses__lot__reward__program", "lot_uses__lot__reward__event")
    for one in moved.order_by("event_at", "pk").select_related("debit__customer").prefetch_related(*related):
        owner = one.debit.customer
        reward = next((use.lot.reward for use in one.lot_uses.all()), None)
        if owner is None:
            continue
        yield Happening(
            at=one.event_at,
            kind="points",
            what="expired",
            customer=owner.external_id,
            program=reward.program.slug if reward else "",
            points=-one.amount,
            event_id=reward.event.event_id if reward and reward.event else "",
            page=reverse("admin:referrals_customer_change", args=[owner.pk]),
            api=f"/api/v1/customers/{owner.external_id}/ledger",
        )


def _referrals(start: datetime, end: datetime) -> Iterator[Happening]:
    steps = ReferralStep.objects.filter(_span("at", start, end)).order_by("at", "pk")
    related = ("referral__advocate", "referral__friend", "referral__program", "referral__qualifying_event", "event")
    for step in steps.select_related(*related):
        referral = step.referral
        event = step.event or referral.qualifying_event
        yield Happening(
            at=step.at,
            kind="referral",
            what=step.what,
            why=" · ".join(filter(None, (f"brought by {referral.advocate.external_id}", step.why))),
            customer=referral.friend.external_id,
            program=referral.program.slug,
            event_id=event.event_id if event else "",
            page=_story(referral.public_id),
            api=f"/api/v1/referrals/{referral.public_id}/explain",
        )


def _story(referral_id: str) -> str:
    return reverse("story", args=[referral_id])


def _mails(start: datetime, end: datetime) -> Iterator[Happening]:
    for one in Message.objects.filter(_span("sent_at", start, end)).order_by("sent_at", "pk"):
        if one.sent_at is not None:
            page = f"{reverse('messaging:mails')}?{urlencode({'q': one.email})}"
            told = one.subject or one.get_kind_display()
            yield Happening(at=one.sent_at, kind="mail", what="sent", why=told, customer=one.email, page=page)


def _tiers(start: datetime, end: datetime) -> Iterator[Happening]:
    changes = TierChange.objects.filter(_span("at", start, end)).order_by("at", "pk")
    for one in changes.select_related("standing__customer", "standing__program"):
        owner = one.standing.customer
        yield Happening(
            at=one.at,
            kind="tier",
            what="reached" if one.up else "lost",
            why=f"{one.before or 'none'} → {one.after or 'none'}: {one.get_why_display()}",
            customer=owner.external_id,
            program=one.standing.program.slug,
            page=reverse("admin:referrals_customer_change", args=[owner.pk]),
            api=f"/api/v1/customers/{owner.external_id}",
        )


def _survey_invitations(start: datetime, end: datetime) -> Iterator[Happening]:
    over = _span("expires_at", start, end) & Q(state=Invitation.State.EXPIRED)
    rows = Invitation.objects.filter(_span("sent_at", start, end) | over).order_by("pk")
    for one in rows.select_related("survey", "customer"):
        page = reverse("admin:surveys_invitation_change", args=[one.pk])
        who, survey = one.customer.external_id, one.survey.slug
        if one.sent_at is not None and start < one.sent_at <= end:
            yield Happening(at=one.sent_at, kind="invitation", what="sent", why=survey, customer=who, page=page)
        if one.state == Invitation.State.EXPIRED and start < one.expires_at <= end:
            yield Happening(at=one.expires_at, kind="invitation", what="expired", why=survey, customer=who, page=page)


def _event_invitations(start: datetime, end: datetime) -> Iterator[Happening]:
    rows = EventInvitation.objects.filter(_span("invited_at", start, end)).order_by("pk")
    for one in rows.select_related("event", "customer"):
        page = reverse("admin:rewards_perkevent_change", args=[one.event_id])
        why, who = str(one.event), one.customer.external_id
        yield Happening(at=one.invited_at, kind="invitation", what="invited", why=why, customer=who, page=page)


def _webhooks(start: datetime, end: datetime) -> Iterator[Happening]:
    tries = WebhookAttempt.objects.filter(_span("at", start, end)).order_by("at", "pk")
    for one in tries.select_related("delivery__event", "delivery__endpoint"):
        answer = f"answered {one.status}" if one.status else one.error
        yield Happening(
            at=one.at,
            kind="webhook",
            what=one.delivery.event.type,
            why=f"{one.delivery.endpoint.url} {answer}",
            page=reverse("admin:messaging_webhookdelivery_change", args=[one.delivery_id]),
        )


_TELLERS: tuple[Callable[[datetime, datetime], Iterator[Happening]], ...] = (
    *(_referrals, _rewards, _expired_points, _tiers),
    *(_survey_invitations, _event_invitations, _mails, _webhooks),
)
