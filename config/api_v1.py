"""The public API on one page; the promises behind each address are in docs/openapi.yaml."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from core.api.views import unknown_address

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^", include("analytics.api.urls")),
    path("", include("rewards.api.urls")),
    re_path(r"^.*$", unknown_address),  # last: whatever is not above
]
