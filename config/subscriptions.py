"""Who reacts to what: the whole flow of domain events on one page.

Handlers run at once, in a savepoint of the publisher's transaction, in the order written here; one that fails
is undone alone and retried by the worker. They touch the database only: where one fails, all run a second time.
"""

from collections.abc import Callable
from typing import Any

from accounts import events as account_events
from analytics import handlers as analytics_handlers
from core.events import DomainEvent
from messaging import events as messaging_events
from messaging import handlers as messaging_handlers
from referrals import events as referral_events
from referrals import handlers as referral_handlers
from rewards import events as reward_events
from rewards import gift_handlers
from rewards import handlers as reward_handlers
from surveys import events as survey_events
from surveys import handlers as survey_handlers

SUBSCRIPTIONS: dict[type[DomainEvent], list[Callable[[Any], None]]] = {
    referral_events.EventRecorded: [
        referral_handlers.attribute,
        referral_handlers.ask_named_advocate,
        gift_handlers.note_coupon,
        referral_handlers.thank_for_purchase,
        survey_handlers.note_occasion,
        analytics_handlers.mark_event,
    ],
    referral_events.EventsRecorded: [
        referral_handlers.thank_for_purchases,
        survey_handlers.note_occasions_of_many,
        analytics_handlers.mark_events,
    ],
    referral_events.ReferralJudged: [
        reward_handlers.grant,
        gift_handlers.settle_gift,
        referral_handlers.tell_friend_joined,
        referral_handlers.tell_endpoints_of_referral,
        analytics_handlers.mark_referral,
    ],
    referral_events.CustomersMerged: [reward_handlers.follow_merge, analytics_handlers.mark_merge],
    referral_events.FriendClaimed: [referral_handlers.tell_friend_claimed],
    referral_events.ShopSilent: [referral_handlers.tell_shop_silent],
    referral_events.ClicksRecorded: [analytics_handlers.mark_clicks],
    referral_events.ShareRecorded: [analytics_handlers.mark_shares],
    referral_events.LinksExposed: [analytics_handlers.mark_exposed],
    referral_events.OfferSeen: [analytics_handlers.mark_views],
    reward_events.RewardsReleased: [
        gift_handlers.fulfil,
        reward_handlers.tell_reward_available,
        reward_handlers.tell_badge_earned,
        reward_handlers.invite_new_perk,
    ],
    reward_events.MilestoneLost: [reward_handlers.withdraw_milestone_mails],
    reward_events.MilestoneReached: [
        reward_handlers.tell_milestone_reached,
        reward_handlers.tell_endpoints_of_milestone,
    ],
    reward_events.StandingChanged: [reward_handlers.follow_standing],
    reward_events.TierChanged: [
        reward_handlers.tell_tier_up,
        reward_handlers.invite_new_tier,
        reward_handlers.tell_endpoints_of_tier,
    ],
    reward_events.LeaderboardClosed: [reward_handlers.tell_leaderboard_closed],
    reward_events.TierAtRisk: [reward_handlers.tell_tier_at_risk],
    reward_events.MilestoneNear: [reward_handlers.tell_milestone_near],
    reward_events.CustomersInvited: [reward_handlers.tell_invited],
    reward_events.PlacesFreed: [reward_handlers.tell_place_free],
    reward_events.PerkEventCancelled: [reward_handlers.tell_event_cancelled],
    account_events.ChangeAsked: [messaging_handlers.tell_approvers],
    reward_events.AppealAnswered: [reward_handlers.tell_appeal_answered],
    reward_events.RewardsWithdrawn: [gift_handlers.take_back],
    reward_events.RewardFulfilled: [gift_handlers.tell_gift_ready, gift_handlers.follow_choice],
    reward_events.ChoiceOffered: [gift_handlers.tell_choice_offered],
    reward_events.StockRunsLow: [gift_handlers.tell_stock_low],
    reward_events.BudgetStageReached: [reward_handlers.tell_budget_stage],
    reward_events.PointsExpiring: [reward_handlers.tell_points_expiring, reward_handlers.tell_endpoints_of_expiry],
    reward_events.RedemptionPlaced: [reward_handlers.tell_endpoints_of_redemption, gift_handlers.hand_over],
    reward_events.RedemptionSettled: [
        gift_handlers.take_back_redeemed,
        gift_handlers.invite_for_redeemed_perk,
        reward_handlers.tell_redemption_settled,
        reward_handlers.tell_endpoints_of_redemption,
    ],
    reward_events.PointsMoved: [analytics_handlers.mark_points],
    reward_events.RewardsStepped: [reward_handlers.tell_endpoints_of_rewards],
    survey_events.ResponseConfirmed: [survey_handlers.tell_endpoints_of_response],
    messaging_events.OfferMailed: [referral_handlers.count_mailed_offer],
    messaging_events.PreferencesChanged: [referral_handlers.tell_endpoints_of_preferences],
    messaging_events.EndpointDisabled: [messaging_handlers.tell_endpoint_disabled],
}
