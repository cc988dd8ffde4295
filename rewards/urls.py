"""The customer's own pages."""

from django.urls import path

from rewards.views import appeals, finding, portal

urlpatterns = [
    path("", portal.show_portal, name="portal"),
    path("points/", portal.show_points, name="points"),
    path("who/", portal.show_choice, name="choose_customer"),
    path("admin/find/", finding.find, name="find"),
    path("admin/find/<str:referral_id>/", finding.show_story, name="story"),
    path("appeal/<str:referral_id>/", appeals.show_appeal, name="appeal"),
]
