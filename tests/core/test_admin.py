from datetime import UTC, datetime

import pytest
from django.urls import reverse

from core.models import Delivery, JobRun

pytestmark = pytest.mark.django_db


def make_delivery(state: str, subject: str = "event:1") -> Delivery:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Delivery.objects.create(
        event="a", handler="b", subject=subject, payload={}, state=state, attempts=8, due_at=at, last_error="no luck"
    )


@pytest.mark.parametrize("model", ["delivery", "jobrun"])
def test_admin_shows_the_queue_and_the_runs(admin_client, model):
    make_delivery("dead")
    JobRun.objects.create(job="sweep", period="p")

    page = admin_client.get(reverse(f"admin:core_{model}_changelist"))

    assert page.status_code == 200
    assert {"delivery": "no luck", "jobrun": "sweep"}[model] in page.content.decode()


def test_try_again_action_gives_open_deliveries_new_tries_and_leaves_done_ones(admin_client):
    dead, done, other = make_delivery("dead"), make_delivery("done"), make_delivery("dead", "event:2")
    form = {"action": "try_again_action", "_selected_action": [dead.pk, done.pk]}

    admin_client.post(reverse("admin:core_delivery_changelist"), form)

    states = Delivery.objects.order_by("pk").values_list("pk", "state", "attempts")
    assert list(states) == [(dead.pk, "due", 0), (done.pk, "done", 8), (other.pk, "dead", 8)]


def test_sidebar_leads_to_the_pages_that_are_no_models_list(admin_client):
    page = admin_client.get("/admin/").content.decode()

    assert [f'href="{reverse(name)}"' in page for name in ("review", "budgets", "what_ifs", "holds")] == [True] * 4
    assert f'href="{reverse("analytics:overview")}"' in page


def test_admin_names_its_icon_so_that_no_browser_asks_in_vain(admin_client):
    page = admin_client.get("/admin/").content.decode()

    assert '<link rel="icon" href="/static/img/favicon' in page


def test_admin_writes_english_moments_without_doubt_about_day_and_month(admin_client):
    make_delivery("dead")

    page = admin_client.get(reverse("admin:core_delivery_changelist")).content.decode()

    assert "1 March 2026, 00:00" in page
    assert "a.m." not in page
    assert "midnight" not in page
