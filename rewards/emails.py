"""The mails that rewards cause."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from accounts.models import User
from accounts.queries import staff_who_may
from core.periods import local_day
from messaging.models import Message
from messaging.recipients import Recipient
from messaging.services import Draft, queue_message, queue_messages
from referrals.emails import PORTAL, recipient_of
from referrals.models import Customer, Link, Placement
from referrals.queries.links import share_page_url, share_url
from referrals.terms import Level, Milestone
from rewards.events import PointsExpiring
from rewards.invitation_tokens import invitation_url
from rewards.models import (
    Appeal,
    EventInvitation,
    LeaderboardPlace,
    LeaderboardResult,
    Redemption,
    Reward,
    TierStanding,
)
from rewards.queries.badges import badge_cards, perk_cards
from rewards.queries.budgets import Budget

REDEMPTIONS = "/redemptions/"
CATALOGUE = "/catalogue/"


def queue_reward_available(*, rewards: Sequence[Reward]) -> Message:
    """Tell a customer that points are theirs now: one mail for all released together, caused by the oldest."""
    recipient = rewards[0].recipient
    with translation.override(recipient.locale or settings.LANGUAGE_CODE):
        why = _why(max(rewards, key=lambda reward: reward.points))
    return queue_message(
        kind="reward_available",
        recipient=recipient_of(recipient),
        cause=f"reward:{min(reward.pk for reward in rewards)}",
        context={
            "first_name": recipient.first_name,
            "points": sum(reward.points for reward in rewards),
            "why": why,
            "portal_url": f"{settings.PUBLIC_BASE_URL}{PORTAL}",
        },
    )


def _why(reward: Reward) -> str:
    if reward.referral is None:
        return ""
    if reward.side == "friend":
        return gettext("You came through a good word.")
    words = {
        "signup": gettext("%(friend)s joined through you."),
        "qualified": gettext("%(friend)s became a customer through you."),
        "purchase": gettext("%(friend)s ordered again."),
    }
    return words.get(reward.moment, "") % {"friend": reward.referral.friend.masked_name}


def queue_milestone_reached(*, rewards: Sequence[Reward], referrals: int, at: datetime) -> Message:
    """Congratulate an advocate on a milestone: one mail for all that it gives, once a climb."""
    first = rewards[0]
    with _speaking_to(first.recipient):
        gets = _gets(sum(reward.points for reward in rewards), _badge_slug(rewards))
    later = max(reward.available_at for reward in rewards)
    return queue_message(
        kind="milestone_reached",
        recipient=recipient_of(first.recipient),
        cause=milestone_cause(first.program_id, referrals, str(first.event_id or 0)),
        context={
            "first_name": first.recipient.first_name,
            "referrals": referrals,
            "gets": gets,
            "available_on": _day(later) if later > at else "",
            "portal_url": _url(PORTAL),
        },
    )


def milestone_cause(program: int, referrals: int, event: str) -> str:
    """Return the cause of a milestone's mail: the milestone and the event that reached it."""
    return f"milestone:{program}:{referrals}:{event}"


def queue_milestone_near(*, standing: TierStanding, milestone: Milestone, link: Link) -> Message:
    """Tell an advocate that one friend is missing to a milestone, once a milestone."""
    with _speaking_to(standing.customer):
        gets = _gets(milestone.points or 0, milestone.badge)
    return queue_message(
        kind="milestone_near",
        recipient=recipient_of(standing.customer),
        cause=milestone_near_cause(standing.program_id, milestone.referrals),
        context={
            "first_name": standing.customer.first_name,
            "referrals": milestone.referrals,
            "gets": gets,
            "share_url": share_url(link, "email", Placement.MAIL),
            "portal_url": share_page_url(link, Placement.MAIL),
        },
    )


def milestone_near_cause(program: int, referrals: int) -> str:
    """Return the cause of the mail that one friend is missing to a milestone."""
    return f"milestone_near:{program}:{referrals}"


def queue_tier_up(*, standing: TierStanding, level: Level, reached_by: datetime) -> Message:
    """Congratulate an advocate on a tier, once for the referral that reached it (qualified at `reached_by`)."""
    customer = standing.customer
    with _speaking_to(customer):
        perks = ", ".join(card.title for card in perk_cards(level.perks))
        times = number_format(level.multiplier.normalize()) if level.multiplier > 1 else ""
    return queue_message(
        kind="tier_up",
        recipient=recipient_of(customer),
        cause=f"tier:{standing.program_id}:{level.least}:{reached_by.isoformat()}",
        context={
            "first_name": customer.first_name,
            "tier": level.name,
            "multiplier": times,
            "perks": perks,
            "portal_url": _url(PORTAL),
        },
    )


def queue_tier_at_risk(*, standing: TierStanding, held_until: datetime, link: Link) -> Message:
    """Warn an advocate that their tier ends after `held_until` unless more friends come, once for each end."""
    return queue_message(
        kind="tier_at_risk",
        recipient=recipient_of(standing.customer),
        cause=f"tier_at_risk:{standing.program_id}:{held_until.isoformat()}",
        context={
            "first_name": standing.customer.first_name,
            "tier": standing.level,
            "date": _day(held_until),
            "needed": standing.needed,
            "share_url": share_url(link, "email", Placement.MAIL),
            "portal_url": share_page_url(link, Placement.MAIL),
        },
    )


def queue_badge_earned(*, reward: Reward, slug: str) -> Message:
    """Tell a customer of a badge that is theirs now."""
    with _speaking_to(reward.recipient):
        card = badge_cards([slug])[slug]
    return queue_message(
        kind="badge_earned",
        recipient=recipient_of(reward.recipient),
        cause=f"reward:{reward.pk}",
        context={
            "first_name": reward.recipient.first_name,
            "badge": card.title,
            "description": card.description,
            "portal_url": _url(PORTAL),
        },
    )


def queue_leaderboard_prize(*, place: LeaderboardPlace) -> Message:
    """Congratulate a customer on the prize of a closed period."""
    return queue_message(
        kind="leaderboard_prize",
        recipient=recipient_of(place.customer),
        cause=f"leaderboard_result:{place.result_id}",
        context={
            "first_name": place.customer.first_name,
            "board": place.result.leaderboard.title,
            "rank": place.rank,
            "prize": place.prize,
            "boards_url": _url(reverse("leaderboards")),
        },
    )


def queue_prizes_to_hand_out(*, result: LeaderboardResult, prizes: int) -> list[Message]:
    """Tell those who keep the leaderboards that prizes are to be handed out."""
    with translation.override(settings.LANGUAGE_CODE):
        what = gettext("“%(board)s” is closed: prizes to hand out") % {"board": result.leaderboard.title}
        details = ngettext(
            "%(n)s person has won something. The list says who and what.",
            "%(n)s people have won something. The list says who and what.",
            prizes,
        ) % {"n": prizes}
    return [
        queue_message(
            kind="staff_alert",
            recipient=Recipient(key=f"user:{user.pk}", email=user.email, name=user.name),
            cause=f"leaderboard_result:{result.pk}",
            context={
                "what": what,
                "details": details,
                "page_url": _url(reverse("admin:rewards_leaderboardresult_change", args=[result.pk])),
            },
        )
        for user in staff_who_may("rewards.change_leaderboard")
    ]


def queue_event_invitations(*, invitations: Sequence[EventInvitation]) -> list[Message]:
    """Invite customers to an event, each once."""
    drafts = [
        Draft(
            kind="event_invitation",
            recipient=recipient_of(one.customer),
            cause=f"perk_event:{one.event_id}",
            context={
                **_event_words(one),
                "about": one.event.words,
                "answer_by": _day(one.event.closes_at),
            },
        )
        for one in invitations
    ]
    return queue_messages(drafts=drafts)


def queue_event_place_free(*, invitation: EventInvitation) -> Message:
    """Tell a customer that they moved up from the waiting list; once each time they waited."""
    waited = invitation.answered_at or invitation.invited_at
    return queue_message(
        kind="event_place_free",
        recipient=recipient_of(invitation.customer),
        cause=f"perk_event:{invitation.event_id}:{waited.isoformat()}",
        context=_event_words(invitation),
    )


def queue_event_cancelled(*, invitation: EventInvitation) -> Message:
    """Tell a customer who comes or waits that the event is off."""
    return queue_message(
        kind="event_cancelled",
        recipient=recipient_of(invitation.customer),
        cause=f"perk_event:{invitation.event_id}",
        context={
            "first_name": invitation.customer.first_name,
            "title": invitation.event.title,
            "date": _event_words(invitation)["date"],
            "portal_url": _url(PORTAL),
        },
    )


def _event_words(invitation: EventInvitation) -> dict[str, str]:
    event = invitation.event
    starts = event.starts_at.astimezone(ZoneInfo(event.zone))
    return {
        "first_name": invitation.customer.first_name,
        "title": event.title,
        "date": starts.date().isoformat(),
        "time": f"{starts:%H:%M} ({event.zone})",
        "place": event.place,
        "answer_url": invitation_url(invitation.public_id),
    }


def _gets(points: int, badge: str) -> str:
    """Return in a few words what a milestone gives, in the current language."""
    told = [ngettext("%(n)s point", "%(n)s points", points) % {"n": points}] if points else []
    told += [gettext("the badge “%(badge)s”") % {"badge": badge_cards([badge])[badge].title}] if badge else []
    return gettext("%(one)s and %(other)s") % {"one": told[0], "other": told[1]} if len(told) > 1 else "".join(told)


def _badge_slug(rewards: Sequence[Reward]) -> str:
    return next((str(reward.detail.get("what", "")) for reward in rewards if reward.kind == "badge"), "")


def _speaking_to(customer: Customer) -> "translation.override":
    return translation.override(customer.locale or settings.LANGUAGE_CODE)


def _day(moment: datetime) -> str:
    return local_day(moment, timezone.get_default_timezone()).isoformat()


def _url(path: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{path}"


def queue_appeal_answered(*, appeal: Appeal) -> Message:
    """Tell a customer what came of their appeal."""
    customer, referral = appeal.customer, appeal.referral
    of_advocate = customer.pk == referral.advocate_id
    with translation.override(customer.locale or settings.LANGUAGE_CODE):
        upheld = appeal.state == Appeal.State.UPHELD
        outcome = gettext("You were right.") if upheld else gettext("It stays as it is.")
        nameless = of_advocate and not referral.friend.first_name
        other = referral.friend.masked_name if of_advocate else referral.advocate.first_name
    return queue_message(
        kind="appeal_answered",
        recipient=recipient_of(customer),
        cause=f"appeal:{appeal.pk}",
        context={
            "first_name": customer.first_name,
            "friend_name": "" if nameless else other,
            "outcome": outcome,
            "answer": appeal.answer,
            "portal_url": f"{settings.PUBLIC_BASE_URL}{PORTAL}",
        },
    )


def queue_budget_alert(*, user: User, budget: Budget, stage: str) -> Message:
    """Tell one of the staff how far a program's budget is gone: once for each stage and budget."""
    program, total = budget.program, budget.budget or 0
    run_out = budget.run_out_day
    return queue_message(
        kind="budget_alert",
        recipient=Recipient(key=f"user:{user.pk}", email=user.email, name=user.name),
        cause=f"budget:{program.pk}:{stage}:{total}",
        context={
            "program": program.name,
            "stage": stage,
            "granted": budget.granted,
            "budget": total,
            "left": budget.left or 0,
            "run_out": run_out.isoformat() if run_out else "",
            "heir": budget.takeover.to.name if budget.takeover else "",
            "budget_url": f"{settings.PUBLIC_BASE_URL}{reverse('budget', args=[program.slug])}",
        },
    )


def queue_points_expiring(*, customer: Customer, news: PointsExpiring) -> Message:
    """Tell a customer which points expire soon; caused by the first of the lots and how long before."""
    return queue_message(
        kind="points_expiring",
        recipient=recipient_of(customer),
        cause=f"lot:{news.lot}:{news.days}",
        context={
            "first_name": customer.first_name,
            "points": news.points,
            "first_day": _day(datetime.fromisoformat(news.first_at)),
            "last_day": _day(datetime.fromisoformat(news.last_at)),
            "portal_url": _url(CATALOGUE),
        },
    )


def queue_redemption_settled(*, redemption: Redemption) -> Message:
    """Tell a customer that they have what they gave points for, or that the points are back."""
    return queue_message(
        kind="redemption_settled",
        recipient=recipient_of(redemption.customer),
        cause=f"redemption:{redemption.pk}:{redemption.state}",
        context={
            "first_name": redemption.customer.first_name,
            "item": redemption.title,
            "done": int(redemption.state == Redemption.State.FULFILLED),
            "points": redemption.points,
            "note": redemption.outcome,
            "portal_url": _url(REDEMPTIONS),
        },
    )
