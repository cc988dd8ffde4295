"""The public API on one page; the promises behind each address are in docs/openapi.yaml."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from core.api.views import unknown_address
from surveys.api import views as surveys

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^", include("analytics.api.urls")),
    path("", include("rewards.api.urls")),
    path("", include("messaging.api.urls")),
    path("surveys/<slug:slug>/invitations", surveys.SurveyInvitations.as_view()),
    path("surveys/<slug:slug>/responses", surveys.SurveyResponses.as_view()),
    path("surveys/<slug:slug>/score", surveys.SurveyScore.as_view()),
    re_path(r"^.*$", unknown_address),  # last: whatever is not above
]
