"""The customer's own pages."""

from django.urls import path

from rewards.views import catalogue, portal

urlpatterns = [
    path("", portal.show_portal, name="portal"),
    path("points/", portal.show_points, name="points"),
    path("who/", portal.show_choice, name="choose_customer"),
    path("catalogue/", catalogue.show_catalogue, name="catalogue"),
    path("catalogue/<slug:slug>/", catalogue.show_item, name="catalogue_item"),
    path("catalogue/<slug:slug>/picture", catalogue.show_picture, name="catalogue_picture"),
    path("redemptions/", catalogue.show_redemptions, name="redemptions"),
    path("redemptions/<str:redemption_id>/undo", catalogue.undo_redemption, name="undo_redemption"),
]
