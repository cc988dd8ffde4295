"""How rewards react to domain events."""

from accounts.queries import staff_who_may
from core import clocks
from messaging.models import Message
from messaging.services import are_webhooks_wanted, withdraw_message
from referrals.emails import recipient_of
from referrals.events import CustomersMerged, ReferralJudged
from referrals.freshness import is_news
from referrals.judgement import COUNTED
from referrals.models import Customer, Event, Program, Referral
from referrals.queries.programs import current_offer, terms_of
from referrals.services.links import ensure_link
from rewards.emails import (
    milestone_cause,
    milestone_near_cause,
    queue_appeal_answered,
    queue_badge_earned,
    queue_budget_alert,
    queue_event_cancelled,
    queue_event_invitations,
    queue_event_place_free,
    queue_leaderboard_prize,
    queue_milestone_near,
    queue_milestone_reached,
    queue_points_expiring,
    queue_prizes_to_hand_out,
    queue_redemption_settled,
    queue_reward_available,
    queue_tier_at_risk,
    queue_tier_up,
)
from rewards.events import (
    AppealAnswered,
    BudgetStageReached,
    CustomersInvited,
    LeaderboardClosed,
    MilestoneLost,
    MilestoneNear,
    MilestoneReached,
    PerkEventCancelled,
    PlacesFreed,
    PointsExpiring,
    RedemptionPlaced,
    RedemptionSettled,
    RewardsReleased,
    RewardsStepped,
    StandingChanged,
    TierAtRisk,
    TierChanged,
)
from rewards.models import Appeal, EventInvitation, LeaderboardResult, Redemption, Reward, TierChange, TierStanding
from rewards.queries.budgets import budget_of
from rewards.services.grants import settle_referral
from rewards.services.perk_events import invite_to_open_events
from rewards.services.standing import refresh_standing
from rewards.webhooks import (
    TYPE_OF_STEP,
    queue_milestone_webhook,
    queue_points_expiring_webhook,
    queue_redemption_webhook,
    queue_reward_steps,
    queue_tier_webhook,
)

WATCHERS = "referrals.change_program"


def grant(event: ReferralJudged) -> None:
    """Bring the referral's rewards in line with how it was judged."""
    related = ("offer", "friend", "advocate", "qualifying_event")
    # Locked: tried again later, it waits for whoever judges the referral just now, and decides on what they leave.
    locked = Referral.objects.select_for_update(of=("self",), no_key=True)
    referral = locked.select_related(*related).get(pk=event.referral)
    cause = Event.objects.filter(pk=event.event).first()
    settle_referral(referral=referral, event=cause, at=clocks.now(), subject=event.subject)


def tell_reward_available(event: RewardsReleased) -> None:
    """Tell the recipient that points are theirs now."""
    related = ("recipient", "referral__friend", "event")
    rewards = Reward.objects.filter(pk__in=event.rewards, points__gt=0).select_related(*related).order_by("pk")
    now = clocks.now()
    worth_a_mail = [r for r in rewards if is_news(r.event.source if r.event else "", r.available_at, at=now)]
    if worth_a_mail and worth_a_mail[0].recipient.email:
        queue_reward_available(rewards=worth_a_mail)


def follow_standing(event: StandingChanged) -> None:
    """Bring the tier that is shown in line with the advocate's referrals."""
    refresh_standing(customer=event.customer, program=event.program, at=clocks.now(), subject=event.subject)


def tell_milestone_reached(event: MilestoneReached) -> None:
    """Congratulate the advocate, in one mail for the milestone's points and its badge; "one away" is over."""
    rewards = list(Reward.objects.filter(pk__in=event.rewards).select_related("recipient").order_by("pk"))
    if not rewards or not rewards[0].recipient.email or not _is_fresh(event.subject):
        return
    queue_milestone_reached(rewards=rewards, referrals=event.number, at=clocks.now())
    withdraw_message(
        recipient_key=recipient_of(rewards[0].recipient).key,
        kind="milestone_near",
        cause=milestone_near_cause(event.program, event.number),
    )


def withdraw_milestone_mails(event: MilestoneLost) -> None:
    """Take back the congratulations that have not left yet."""
    standing = _standing(event.standing)
    start = milestone_cause(standing.program_id, event.referrals, "")
    waiting = Message.objects.filter(
        recipient_key=recipient_of(standing.customer).key, kind="milestone_reached", cause__startswith=start
    )
    for message in waiting.filter(state__in=Message.OPEN):
        withdraw_message(recipient_key=message.recipient_key, kind=message.kind, cause=message.cause)


def tell_milestone_near(event: MilestoneNear) -> None:
    """Tell the advocate that one friend is missing."""
    standing = _standing(event.standing)
    milestones = terms_of(current_offer(standing.program)).milestones
    near = next((one for one in milestones if one.referrals == event.referrals), None)
    if near is not None and standing.customer.email and _is_fresh(event.subject):
        link = ensure_link(customer=standing.customer, program=standing.program)
        queue_milestone_near(standing=standing, milestone=near, link=link)


def tell_tier_up(event: TierChanged) -> None:
    """Congratulate the advocate on a higher tier that their referrals earned, not a change of the program."""
    change = TierChange.objects.get(pk=event.change)
    if not change.up or change.why != TierChange.Why.REFERRALS or not _is_fresh(event.subject):
        return
    standing = _standing(change.standing_id)
    tiers = terms_of(current_offer(standing.program)).tiers
    level = next((level for level in tiers.levels if level.name == change.after), None) if tiers else None
    newest = _newest_referral(standing)
    if level is not None and newest is not None and newest.qualified_at and standing.customer.email:
        queue_tier_up(standing=standing, level=level, reached_by=newest.qualified_at)


def tell_tier_at_risk(event: TierAtRisk) -> None:
    """Warn the advocate while more friends can still keep the tier."""
    standing = _standing(event.standing)
    newest = _newest_referral(standing)
    demo = newest is not None and newest.qualifying_event is not None and newest.qualifying_event.source == "demo"
    if standing.at_risk and standing.held_until and standing.customer.email and not demo and _is_fresh(event.subject):
        link = ensure_link(customer=standing.customer, program=standing.program)
        queue_tier_at_risk(standing=standing, held_until=standing.held_until, link=link)


def tell_badge_earned(event: RewardsReleased) -> None:
    """Tell the recipient of badges that are theirs now."""
    now = clocks.now()
    badges = Reward.objects.filter(pk__in=event.rewards, kind="badge").select_related("recipient", "event")
    for reward in badges.order_by("pk"):
        slug = str(reward.detail.get("what", ""))
        fresh = is_news(reward.event.source if reward.event else "", reward.available_at, at=now)
        if slug and fresh and reward.recipient.email:
            queue_badge_earned(reward=reward, slug=slug)


def tell_leaderboard_closed(event: LeaderboardClosed) -> None:
    """Congratulate who won something, and tell staff that there are prizes to hand out."""
    result = LeaderboardResult.objects.select_related("leaderboard").get(pk=event.result)
    won = list(result.placed.exclude(prize="").select_related("customer", "result__leaderboard").order_by("rank", "pk"))
    if not won or not is_news("", result.ends_at, at=clocks.now()):
        return
    queue_prizes_to_hand_out(result=result, prizes=len(won))
    told = Event.objects.filter(customer__in=[one.customer_id for one in won], source="demo")
    demo = set(told.values_list("customer_id", flat=True))
    for place in won:
        if place.customer.email and place.customer_id not in demo:
            queue_leaderboard_prize(place=place)


def invite_new_tier(event: TierChanged) -> None:
    """Invite the customer to the events that their tier now opens to them."""
    change = TierChange.objects.select_related("standing__customer").get(pk=event.change)
    invite_to_open_events(customer=change.standing.customer, at=clocks.now())


def invite_new_perk(event: RewardsReleased) -> None:
    """Invite the recipient of a perk to the events that it opens to them."""
    if Reward.objects.filter(pk__in=event.rewards, kind="perk").exists():
        invite_to_open_events(customer=Customer.objects.get(pk=event.recipient), at=clocks.now())


def tell_invited(event: CustomersInvited) -> None:
    """Send the invitations to those who can get mail."""
    found = _invitations(event.invitations)
    if found:
        queue_event_invitations(invitations=found)


def tell_place_free(event: PlacesFreed) -> None:
    """Tell who moved up from the waiting list."""
    for invitation in _invitations(event.invitations):
        queue_event_place_free(invitation=invitation)


def tell_event_cancelled(event: PerkEventCancelled) -> None:
    """Tell who comes or waits."""
    states = (EventInvitation.State.COMING, EventInvitation.State.WAITING)
    pks = EventInvitation.objects.filter(event=event.event, state__in=states).values_list("pk", flat=True)
    for invitation in _invitations(tuple(pks)):
        queue_event_cancelled(invitation=invitation)


def _invitations(pks: tuple[int, ...]) -> list[EventInvitation]:
    found = EventInvitation.objects.filter(pk__in=pks, customer__erased_at=None).exclude(customer__email="")
    return list(found.select_related("customer", "event").order_by("pk"))


def _standing(pk: int) -> TierStanding:
    return TierStanding.objects.select_related("customer", "program").prefetch_related("program__offers").get(pk=pk)


def _newest_referral(standing: TierStanding) -> Referral | None:
    rows = Referral.objects.filter(advocate=standing.customer_id, program=standing.program_id, state__in=COUNTED)
    return rows.select_related("qualifying_event").order_by("-qualified_at", "-pk").first()


def _is_fresh(subject: str) -> bool:
    """Return whether what led here is worth a mail: time and staff always, an event while it is news."""
    kind, _, pk = subject.partition(":")
    if kind != "event" or not pk.isdigit():
        return True
    event = Event.objects.filter(pk=int(pk)).first()
    return event is None or is_news(event.source, event.occurred_at, at=clocks.now())


def follow_merge(event: CustomersMerged) -> None:
    """Bring the tiers of a person in line with all the friends that they brought under two ids."""
    programs = Referral.objects.filter(advocate=event.customer).order_by("program")
    for program in programs.values_list("program", flat=True).distinct():
        refresh_standing(customer=event.customer, program=program, at=clocks.now(), subject=event.subject)


def tell_appeal_answered(event: AppealAnswered) -> None:
    """Send the customer the answer to their appeal."""
    appeal = Appeal.objects.select_related("customer", "referral__friend", "referral__advocate").get(pk=event.appeal)
    if appeal.customer.email:
        queue_appeal_answered(appeal=appeal)


def tell_budget_stage(event: BudgetStageReached) -> None:
    """Tell the staff who look after programs how far a budget is gone."""
    program = Program.objects.prefetch_related("offers").get(pk=event.program)
    budget = budget_of(program, at=clocks.now())
    for user in staff_who_may(WATCHERS):
        queue_budget_alert(user=user, budget=budget, stage=event.stage)


def tell_points_expiring(event: PointsExpiring) -> None:
    """Tell the owner which points expire soon."""
    customer = Customer.objects.get(pk=event.customer)
    if customer.email:
        queue_points_expiring(customer=customer, news=event)


def tell_redemption_settled(event: RedemptionSettled) -> None:
    """Tell the customer how their redemption ended, unless they ended it themselves or never confirmed it."""
    redemption = Redemption.objects.select_related("customer").get(pk=event.redemption)
    last = redemption.steps.latest("pk")
    by_somebody_else = last.actor not in {"", f"customer:{redemption.customer_id}"}
    if by_somebody_else and redemption.customer.email:
        queue_redemption_settled(redemption=redemption)


def tell_endpoints_of_rewards(event: RewardsStepped) -> None:
    """Tell the company's endpoints of what became of rewards."""
    told = [(pk, what) for pk, what in event.steps if what in TYPE_OF_STEP]
    if not told or not are_webhooks_wanted(types={TYPE_OF_STEP[what] for _, what in told}):
        return
    related = ("program", "referral", "recipient")
    rewards = Reward.objects.select_related(*related).in_bulk([pk for pk, _ in told])
    queue_reward_steps(steps=[(rewards[pk], what) for pk, what in told])


def tell_endpoints_of_milestone(event: MilestoneReached) -> None:
    """Tell the company's endpoints of a milestone."""
    if are_webhooks_wanted(types=["milestone.reached"]):
        queue_milestone_webhook(
            customer=Customer.objects.get(pk=event.customer),
            program=Program.objects.get(pk=event.program),
            number=event.number,
            rewards=list(Reward.objects.filter(pk__in=event.rewards).order_by("pk")),
        )


def tell_endpoints_of_tier(event: TierChanged) -> None:
    """Tell the company's endpoints of another tier."""
    if are_webhooks_wanted(types=["customer.tier_changed"]):
        related = ("standing__customer", "standing__program")
        queue_tier_webhook(change=TierChange.objects.select_related(*related).get(pk=event.change))


def tell_endpoints_of_expiry(event: PointsExpiring) -> None:
    """Tell the company's endpoints of points that will expire."""
    if are_webhooks_wanted(types=["points.expiring"]):
        queue_points_expiring_webhook(customer=Customer.objects.get(pk=event.customer), news=event)


def tell_endpoints_of_redemption(event: RedemptionPlaced | RedemptionSettled) -> None:
    """Tell the company's endpoints of a redemption."""
    what = event.state if isinstance(event, RedemptionSettled) else "created"
    if are_webhooks_wanted(types=[f"redemption.{what}"]):
        redemption = Redemption.objects.select_related("customer", "item").get(pk=event.redemption)
        queue_redemption_webhook(redemption=redemption, what=what)
