"""The pages of the dashboard."""

from django.urls import path

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("dashboard/", views.overview, name="overview"),
    path("dashboard/numbers/", views.numbers, name="numbers"),
    path("dashboard/experiments/", views.experiments, name="experiments"),
    path("dashboard/experiments/<slug:slug>/", views.experiment, name="experiment"),
    path("dashboard/csv/<str:name>.csv", views.metric_csv, name="csv"),
]
