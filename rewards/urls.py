"""The customer's own pages."""

from django.urls import path

from rewards.views import portal

urlpatterns = [
    path("", portal.show_portal, name="portal"),
    path("points/", portal.show_points, name="points"),
    path("who/", portal.show_choice, name="choose_customer"),
]
