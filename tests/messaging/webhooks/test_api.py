"""Webhook endpoints over the API and in the admin."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.services import create_api_key
from messaging.models import WebhookDelivery, WebhookEndpoint
from messaging.services import send_due_webhooks
from tests.messaging.webhooks.telling import NOW, endpoint_at, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client):
    _, key = create_api_key(name="shop", scopes=["read", "write"])

    def call(method, path="", body=None):
        text = "" if body is None else json.dumps(body)
        path = f"/api/v1/webhook-endpoints{path}"
        return client.generic(method, path, text, "application/json", headers={"Authorization": f"Bearer {key}"})

    return call


@pytest.fixture
def endpoint(receive):
    return endpoint_at(receive(), "referral.*")


def test_post_endpoint_tells_its_secret_once(api):
    made = api("POST", "", {"url": "https://hooks.shop.example/x", "types": ["referral.*"], "description": "CRM"})

    assert made.status_code == 201
    assert made.json()["secret"] == WebhookEndpoint.objects.get().secret
    later = [api("GET", f"/{made.json()['id']}").json(), *api("GET").json()["results"]]
    assert ["secret" in one for one in later] == [False, False]
    assert later[0] | {"secret": made.json()["secret"]} == made.json()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"types": ["*"]}, "/url"),
        ({"url": "ftp://shop.example", "types": ["*"]}, "/url"),
        ({"url": "https://shop.example:8443@evil.example", "types": ["*"]}, "/url"),
        ({"url": "https://shop.example", "types": ["nothing.*"]}, "/types"),
        ({"url": "https://shop.example", "types": []}, "/types"),
        ({"url": "https://shop.example", "types": ["*"], "secret": "mine"}, "/secret"),
        ({"url": "https://shop.example", "types": ["*"], "contact_email": "nobody"}, "/contact_email"),
    ],
)
def test_post_endpoint_refuses_with_the_field(api, body, pointer):
    answer = api("POST", "", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert WebhookEndpoint.objects.count() == 0


def test_patch_endpoint_changes_what_is_given(api, endpoint):
    off = api("PATCH", f"/{endpoint.public_id}", {"active": False, "types": ["*"]}).json()
    on = api("PATCH", f"/{endpoint.public_id}", {"active": True}).json()

    assert (off["active"], off["disabled_reason"], off["types"], off["url"]) == (False, "by_staff", ["*"], endpoint.url)
    assert (on["active"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)


def test_delete_endpoint_forgets_it_and_its_log(api, endpoint):
    tell()

    assert api("DELETE", f"/{endpoint.public_id}").status_code == 204
    assert api("GET", f"/{endpoint.public_id}").status_code == 404
    assert WebhookDelivery.objects.count() == 0


def test_post_rotate_secret_answers_the_new_one(api, endpoint):
    rotated = api("POST", f"/{endpoint.public_id}/rotate-secret").json()

    endpoint.refresh_from_db()
    assert rotated["secret"] == endpoint.secret != endpoint.previous_secret
    assert rotated["old_secret_until"] is not None


def test_post_test_then_the_log_shows_what_was_answered(api, endpoint):
    made = api("POST", f"/{endpoint.public_id}/test")
    send_due_webhooks(at=timezone.now())

    [row] = api("GET", f"/{endpoint.public_id}/deliveries?state=delivered&type=webhook.test").json()["results"]
    assert (made.status_code, made.json()["id"], made.json()["state"]) == (202, row["id"], "due")
    assert [(one["status"], one["body"]) for one in row["tries"]] == [(200, "ok")]
    assert api("GET", f"/{endpoint.public_id}/deliveries?state=nonsense").status_code == 422


def test_get_deliveries_takes_as_many_statements_for_many_as_for_one(api, endpoint, django_assert_max_num_queries):
    tell(object_id="ref_0")
    send_due_webhooks(at=NOW)
    with django_assert_max_num_queries(20) as one:
        api("GET", f"/{endpoint.public_id}/deliveries")
    for number in range(1, 4):
        tell(object_id=f"ref_{number}")
    send_due_webhooks(at=NOW)

    with django_assert_max_num_queries(len(one.captured_queries)):
        assert len(api("GET", f"/{endpoint.public_id}/deliveries").json()["results"]) == 4


def test_post_replay_of_one_and_of_a_span(api, endpoint):
    tell()
    send_due_webhooks(at=NOW)
    delivery = WebhookDelivery.objects.get()
    span = {"from": NOW.isoformat(), "to": (NOW + timedelta(hours=1)).isoformat()}

    one = api("POST", f"/{endpoint.public_id}/replay", {"delivery": delivery.public_id})
    send_due_webhooks(at=timezone.now())
    nothing = api("POST", f"/{endpoint.public_id}/replay", span)
    everything = api("POST", f"/{endpoint.public_id}/replay", span | {"only": "all"})

    assert [(answer.status_code, answer.json()) for answer in (one, nothing, everything)] == [
        (202, {"queued": 1}),
        (202, {"queued": 0}),
        (202, {"queued": 1}),
    ]


@pytest.mark.parametrize("body", [{}, {"to": NOW.isoformat()}, {"delivery": "x", "only": "all"}, {"from": "then"}])
def test_post_replay_refuses_what_is_neither(api, endpoint, body):
    assert api("POST", f"/{endpoint.public_id}/replay", body).status_code == 422


def test_post_replay_of_a_delivery_of_another_endpoint_is_404(api, endpoint, receive):
    other = endpoint_at(receive(), "*")
    tell("reward.pending", "rwd_1")

    answer = api("POST", f"/{endpoint.public_id}/replay", {"delivery": other.deliveries.get().public_id})

    assert answer.status_code == 404


def test_admin_makes_an_endpoint_and_shows_its_secret_once(admin_client):
    form = {"url": "https://hooks.shop.example/", "types": "referral.*\nreward.available", "active": "on"}
    form |= {"description": "", "contact_email": ""}

    page = admin_client.post(reverse("admin:messaging_webhookendpoint_add"), form, follow=True)

    made = WebhookEndpoint.objects.get()
    assert made.types == ["referral.*", "reward.available"]
    assert made.secret in page.content.decode()
    detail = admin_client.get(reverse("admin:messaging_webhookendpoint_change", args=[made.pk])).content.decode()
    assert made.secret not in detail


def test_admin_refuses_an_endpoint_inside(admin_client, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = False
    form = {"url": "https://127.0.0.1/", "types": "nothing.*", "active": "on", "description": "", "contact_email": ""}

    page = admin_client.post(reverse("admin:messaging_webhookendpoint_add"), form)

    assert (page.status_code, WebhookEndpoint.objects.count()) == (200, 0)


def test_admin_sends_tests_rotates_and_replays(admin_client, endpoint):
    listed = reverse("admin:messaging_webhookendpoint_changelist")
    chosen = {"_selected_action": [endpoint.pk]}
    old = endpoint.secret

    admin_client.post(listed, chosen | {"action": "send_test_action"})
    admin_client.post(listed, chosen | {"action": "rotate_secret_action"})
    send_due_webhooks(at=timezone.now())
    row = WebhookDelivery.objects.get()
    log = reverse("admin:messaging_webhookdelivery_changelist")
    admin_client.post(log, {"action": "replay_action", "_selected_action": [row.pk]})

    endpoint.refresh_from_db()
    row.refresh_from_db()
    assert (endpoint.previous_secret, row.state, row.event.type) == (old, "due", "webhook.test")
    page = admin_client.get(reverse("admin:messaging_webhookdelivery_change", args=[row.pk])).content.decode()
    assert "webhook.test" in page
    assert admin_client.get(log).status_code == 200
