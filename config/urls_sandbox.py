"""Every address of a sandbox: those of any installation, and its clock."""

from django.urls import URLPattern, URLResolver, include, path

from analytics.api.sandbox import SandboxClockView
from analytics.views.sandbox import show_clock
from config.urls import handler404, handler500

__all__ = ["handler404", "handler500", "urlpatterns"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("sandbox/", show_clock, name="sandbox"),
    path("api/v1/sandbox/clock", SandboxClockView.as_view(), name="api_sandbox_clock"),
    path("", include("config.urls")),
]
