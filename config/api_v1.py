"""The public API on one page; the promises behind each address are in docs/openapi.yaml."""

from django.urls import URLPattern, URLResolver, include, re_path

from core.api.views import unknown_address

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^", include("analytics.api.urls")),
    re_path(r"^.*$", unknown_address),  # last: whatever is not above
]
