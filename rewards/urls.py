"""The customer's own pages, and what their mails lead to."""

from django.urls import path

from rewards.views import appeals, badges, catalogue, finding, leaderboards, perk_events, portal

urlpatterns = [
    path("", portal.show_portal, name="portal"),
    path("points/", portal.show_points, name="points"),
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
]
