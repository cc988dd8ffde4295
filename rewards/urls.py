"""The customer's own pages, what their mails lead to, and the staff's that look ahead."""

from django.urls import path

from rewards.views import (
    appeals,
    badges,
    catalogue,
    finding,
    forecasts,
    gift,
    gifts,
    leaderboards,
    perk_events,
    portal,
    simulations,
)

urlpatterns = [
    path("", portal.show_portal, name="portal"),
    path("points/", portal.show_points, name="points"),
    path("gifts/", gifts.show_gifts, name="gifts"),
    path("gifts/<str:reward_id>/choose/", gifts.choose_gift, name="choose_gift"),
    path("r/<str:code>/gift/", gift.show_gift, name="claim_gift"),
    path("who/", portal.show_choice, name="choose_customer"),
    path("catalogue/", catalogue.show_catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", catalogue.show_item, name="catalogue_item"),
    path("catalogue/<slug:slug>/picture", catalogue.show_picture, name="catalogue_picture"),
    path("redemptions/", catalogue.show_redemptions, name="redemptions"),
    path("redemptions/<str:redemption_id>/undo", catalogue.undo_redemption, name="undo_redemption"),
    path("perks/", perk_events.show_perks, name="perks"),
    path("leaderboards/", leaderboards.show_leaderboards, name="leaderboards"),
    path("events/<str:token>", perk_events.answer_event, name="event_invitation"),
    path("events/<str:token>/event.ics", perk_events.save_event, name="event_calendar"),
    path("badges/<str:slug>.svg", badges.drawn_badge, name="badge"),
    path("badges/<str:slug>.png", badges.uploaded_badge, name="badge_picture"),
    path("admin/find/", finding.find, name="find"),
    path("admin/find/<str:referral_id>/", finding.show_story, name="story"),
    path("appeal/<str:referral_id>/", appeals.show_appeal, name="appeal"),
    path("budgets/", forecasts.show_budgets, name="budgets"),
    path("budgets/<slug:slug>/", forecasts.show_budget, name="budget"),
    path("holds/", forecasts.show_hold_advice, name="holds"),
    path("what-if/", simulations.show_simulations, name="what_ifs"),
    path("what-if/new/<slug:slug>/", simulations.new_simulation, name="what_if_new"),
    path("what-if/<str:simulation_id>/", simulations.show_simulation, name="what_if"),
    path("what-if/<str:simulation_id>/cancel", simulations.stop_simulation, name="what_if_cancel"),
    path("what-if/<str:simulation_id>/use", simulations.use_simulation, name="what_if_use"),
]
