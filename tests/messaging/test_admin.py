"""Messages, preferences and suppressed addresses as staff see them."""

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message, Suppression
from messaging.services import send_due, set_preference
from tests.factories import UserFactory
from tests.messaging.samples import ANN, queue

pytestmark = pytest.mark.django_db
MESSAGES = reverse("admin:messaging_message_changelist")


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_messages_list_filters_and_searches(staff):
    queue()
    queue("survey_invitation")

    assert staff.get(MESSAGES).content.decode().count('class="field-kind') in (0, 2)
    assert staff.get(MESSAGES, {"kind__exact": "survey_invitation"}).status_code == 200
    assert staff.get(MESSAGES, {"state__exact": "queued", "q": "ann@shop.example"}).status_code == 200


def test_messages_list_takes_the_same_statements_for_one_and_three(staff, django_assert_max_num_queries):
    for number in range(3):
        queue(cause=f"r:{number}")

    with django_assert_max_num_queries(12):
        staff.get(MESSAGES)


def test_message_page_shows_the_mail_in_a_frame_that_runs_nothing(staff):
    row = queue()
    send_due(at=timezone.now())

    page = staff.get(reverse("admin:messaging_message_change", args=[row.pk]))
    preview = staff.get(reverse("admin:messaging_message_preview", args=[row.pk]))

    assert page.status_code == 200
    assert "sandbox" in page.content.decode()
    assert "+500" in preview.content.decode()
    assert preview["Content-Security-Policy"].startswith("sandbox")


def test_message_preview_of_a_waiting_code_is_masked(staff):
    row = queue("sign_in_code")

    assert "K7QX2M" not in staff.get(reverse("admin:messaging_message_preview", args=[row.pk])).content.decode()
    assert "K7QX2M" not in staff.get(reverse("admin:messaging_message_change", args=[row.pk])).content.decode()


def test_message_preview_is_for_staff_who_may_see_messages(client):
    row = queue()
    address = reverse("admin:messaging_message_preview", args=[row.pk])
    assert client.get(address).status_code == 302

    client.force_login(UserFactory(is_staff=True))
    assert client.get(address).status_code == 403


def test_messages_cannot_be_written_changed_or_deleted(staff):
    row = queue()

    assert staff.get(reverse("admin:messaging_message_add")).status_code == 403
    assert staff.post(reverse("admin:messaging_message_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert Message.objects.filter(pk=row.pk, state="queued").exists()


def act(client, row, **data):
    return client.post(MESSAGES, {"action": "send_again_action", "_selected_action": [row.pk], **data})


def test_send_again_asks_for_a_reason_and_then_queues(staff):
    row = queue()
    Message.objects.update(state="dead", reason="refused")

    asked = act(staff, row)
    row.refresh_from_db()
    assert (asked.status_code, row.state) == (200, "dead")
    assert "These mails are queued again" in asked.content.decode()

    assert act(staff, row, reason="server is back").status_code == 302
    assert send_due(at=timezone.now()) == 1
    assert len(mail.outbox) == 1


def test_send_again_of_a_sent_mail_is_refused(staff):
    row = queue()
    send_due(at=timezone.now())

    act(staff, row, reason="just so")

    row.refresh_from_db()
    assert row.state == "sent"


def test_suppression_is_kept_in_lower_case_and_stops_mail(staff):
    address = reverse("admin:messaging_suppression_add")

    staff.post(address, {"email": "Ann@Shop.Example", "reason": "manual", "note": "asked by phone"})

    assert Suppression.objects.get().email == ANN.email
    assert queue().reason == "suppressed"


@pytest.mark.parametrize("model", ["preference", "preferencechange", "suppression"])
def test_lists_open(staff, model):
    set_preference(recipient_key=ANN.key, purpose="news", allowed=False, source="test")

    assert staff.get(reverse(f"admin:messaging_{model}_changelist")).status_code == 200
