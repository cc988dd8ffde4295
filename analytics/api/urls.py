"""The addresses of analytics below /api/v1/."""

from django.urls import path

from analytics.api.views import MetricsView, MetricView

urlpatterns = [
    path("metrics", MetricsView.as_view(), name="api_metrics"),
    path("metrics/<str:name>", MetricView.as_view(), name="api_metric"),
]
