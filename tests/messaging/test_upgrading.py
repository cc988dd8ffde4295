"""Mails that wait during an upgrade leave after it."""

from importlib import import_module

import pytest
from django.apps import apps
from django.core import mail
from django.utils import timezone

from messaging.models import Message
from messaging.services import send_due
from tests.messaging.samples import queue

pytestmark = pytest.mark.django_db


def test_survey_mail_of_the_version_before_scales_is_sent():
    letter = queue("survey_invitation")
    old = {name: value for name, value in letter.context.items() if name not in ("scale_low", "scale_high", "accent")}
    for link in old["score_links"]:
        del link["mark"]
    Message.objects.update(context=old)

    import_module("messaging.migrations.0006_scale_in_waiting_mails").add_scale(apps, None)

    assert send_due(at=timezone.now()) == 1
    assert "(0: very likely, 10: very likely)" in mail.outbox[0].body


def test_survey_mail_of_the_version_before_scales_would_not_be_sent_without_it():
    letter = queue("survey_invitation")
    Message.objects.update(context={name: value for name, value in letter.context.items() if name != "scale_low"})

    assert send_due(at=timezone.now()) == 0
    assert Message.objects.get().reason == "not_rendered"
