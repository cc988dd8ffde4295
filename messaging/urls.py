"""Addresses of messaging: preferences for everybody who got a mail, the mailbox where mails go to a folder."""

from django.urls import path

from messaging.views import mailbox, preferences

app_name = "messaging"

urlpatterns = [
    path("u/<str:token>", preferences.preferences, name="preferences"),
    path("mails/", mailbox.mails, name="mails"),
    path("mails/<str:name>/", mailbox.mail, name="mail"),
    path("mails/<str:name>/html/", mailbox.mail_html, name="mail_html"),
]
