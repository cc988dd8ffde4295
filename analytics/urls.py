"""The pages of the dashboard."""

from django.urls import path

from analytics.views import dashboard

app_name = "analytics"
urlpatterns = [
    path("dashboard/", dashboard.overview, name="overview"),
    path("dashboard/numbers/", dashboard.numbers, name="numbers"),
    path("dashboard/csv/<str:name>.csv", dashboard.metric_csv, name="csv"),
    path("dashboard/experiments/", dashboard.experiments, name="experiments"),
    path("dashboard/experiments/<slug:slug>/", dashboard.experiment, name="experiment"),
]
