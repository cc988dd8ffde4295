"""The public API on one page; the promises behind each address are in docs/openapi.yaml."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
