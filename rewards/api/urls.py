"""Addresses of the trade: events, customers, referrals and rewards."""

from django.urls import path

from rewards.api import choices, claims, coupons, customers, events, redemptions, referrals, rewards

urlpatterns = [
    path("events", events.EventsView.as_view(), name="api_events"),
    path("events/batch", events.EventBatchView.as_view(), name="api_events_batch"),
    path("events/<path:event_id>/settle", events.EventSettleView.as_view(), name="api_event_settle"),
    path("events/<path:event_id>", events.EventView.as_view(), name="api_event"),
    path("customers", customers.CustomersView.as_view(), name="api_customers"),
    path("customers/<str:external_id>", customers.CustomerView.as_view(), name="api_customer"),
    path("customers/<str:external_id>/export", customers.CustomerExportView.as_view(), name="api_customer_export"),
    path("customers/<str:external_id>/ledger", customers.CustomerLedgerView.as_view(), name="api_customer_ledger"),
    path(
        "customers/<str:external_id>/adjustments",
        customers.CustomerAdjustmentsView.as_view(),
        name="api_customer_adjustments",
    ),
    path("referrals", referrals.ReferralsView.as_view(), name="api_referrals"),
    path("referrals/<str:referral_id>", referrals.ReferralView.as_view(), name="api_referral"),
    path("referrals/<str:referral_id>/explain", referrals.ReferralExplainView.as_view(), name="api_referral_explain"),
    path("referrals/<str:referral_id>/approve", referrals.ReferralApproveView.as_view(), name="api_referral_approve"),
    path("referrals/<str:referral_id>/hold", referrals.ReferralHoldView.as_view(), name="api_referral_hold"),
    path("referrals/<str:referral_id>/void", referrals.ReferralVoidView.as_view(), name="api_referral_void"),
    path("referrals/<str:referral_id>/reopen", referrals.ReferralReopenView.as_view(), name="api_referral_reopen"),
    path("rewards", referrals.RewardsView.as_view(), name="api_rewards"),
    path("rewards/<str:reward_id>", rewards.RewardView.as_view(), name="api_reward"),
    path("rewards/<str:reward_id>/approve", rewards.RewardApproveView.as_view(), name="api_reward_approve"),
    path("rewards/<str:reward_id>/hold", rewards.RewardHoldView.as_view(), name="api_reward_hold"),
    path("rewards/<str:reward_id>/cancel", rewards.RewardCancelView.as_view(), name="api_reward_cancel"),
    path("rewards/<str:reward_id>/revoke", rewards.RewardRevokeView.as_view(), name="api_reward_revoke"),
    path("rewards/<str:reward_id>/reopen", rewards.RewardReopenView.as_view(), name="api_reward_reopen"),
    path("catalogue", redemptions.CatalogueView.as_view(), name="api_catalogue"),
    path("redemptions", redemptions.RedemptionsView.as_view(), name="api_redemptions"),
    path("redemptions/<str:redemption_id>", redemptions.RedemptionView.as_view(), name="api_redemption"),
    path(
        "redemptions/<str:redemption_id>/cancel",
        redemptions.RedemptionCancelView.as_view(),
        name="api_redemption_cancel",
    ),
    path(
        "redemptions/<str:redemption_id>/confirm",
        redemptions.RedemptionConfirmView.as_view(),
        name="api_redemption_confirm",
    ),
    path(
        "redemptions/<str:redemption_id>/fulfil",
        redemptions.RedemptionFulfilView.as_view(),
        name="api_redemption_fulfil",
    ),
    path("rewards/<str:reward_id>/options", choices.RewardOptionsView.as_view(), name="api_reward_options"),
    path("rewards/<str:reward_id>/choose", choices.RewardChooseView.as_view(), name="api_reward_choose"),
    path("claims", claims.ClaimsView.as_view(), name="api_claims"),
    path("coupons/<str:code>/validate", coupons.CouponValidateView.as_view(), name="api_coupon_validate"),
    path("coupons/<str:code>/redeem", coupons.CouponRedeemView.as_view(), name="api_coupon_redeem"),
    path("coupons/<str:code>/release", coupons.CouponReleaseView.as_view(), name="api_coupon_release"),
]
