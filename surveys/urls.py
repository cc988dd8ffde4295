"""The survey's public addresses."""

from django.urls import path

from surveys import views

app_name = "surveys"
urlpatterns = [
    path("s/<str:token>", views.answer_survey, name="answer"),
    path("s/<str:token>/view", views.open_hidden_link, name="hidden"),
    path("s/<str:token>/thanks", views.thank, name="thanks"),
    path("s/<str:token>/more", views.tell_more, name="more"),
    path("s/<str:token>/fresh", views.request_fresh_link, name="fresh_link"),
]
