"""Addresses of webhooks out."""

from django.urls import path

from messaging.api import views

urlpatterns = [
    path("webhook-endpoints", views.WebhookEndpointsView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>", views.WebhookEndpointView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/test", views.WebhookEndpointTestView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/rotate-secret", views.WebhookEndpointSecretView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/replay", views.WebhookEndpointReplayView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/deliveries", views.WebhookDeliveriesView.as_view()),
]
