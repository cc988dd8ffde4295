"""The survey's public addresses."""

from django.urls import path

from surveys.views import answering, previewing

app_name = "surveys"
urlpatterns = [
    path("s/<str:token>", answering.answer_survey, name="answer"),
    path("s/<str:token>/view", answering.open_hidden_link, name="hidden"),
    path("s/<str:token>/thanks", answering.thank, name="thanks"),
    path("s/<str:token>/more", answering.tell_more, name="more"),
    path("s/<str:token>/fresh", answering.request_fresh_link, name="fresh_link"),
    path("surveys/<slug:slug>/theme.css", previewing.theme_stylesheet, name="theme"),
    path("surveys/<slug:slug>/preview/", previewing.preview_survey, name="preview"),
    path("surveys/<slug:slug>/preview/page", previewing.preview_page, name="preview_page"),
    path("surveys/<slug:slug>/preview/mail", previewing.preview_letter, name="preview_mail"),
]
