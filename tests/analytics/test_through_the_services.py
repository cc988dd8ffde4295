"""Facts reported as a shop would: the numbers follow from the domain events alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from analytics.models import DirtyBucket
from analytics.services.rollups import refresh_rollups
from referrals.services.links import ensure_link
from tests.analytics.ask import values
from tests.analytics.test_rollups import snapshot
from tests.factories import CustomerFactory, make_program, report

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_record_event_marks_all_the_days_it_changes(settle, client):
    program = make_program()
    ann, bob = CustomerFactory(), CustomerFactory()
    link = ensure_link(customer=ann, program=program)
    browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"

    today = [str(timezone.localdate()), str(timezone.localdate() + timedelta(days=1))]

    report("signup", bob, AT, code=link.code)
    assert (values("signups_referred"), values("points_granted", *today)) == ([1], [100])
    bought = report("purchase", bob, AT + timedelta(days=1), amount="59.90")
    assert (values("referrals_qualified"), values("referral_share")) == ([1], [1.0])
    assert values("points_granted", *today) == [600]
    report("refund", bob, AT + timedelta(days=2), order=bought.order_id, amount="59.90")

    assert (values("referrals_qualified"), values("referral_share")) == ([0], [0.0])
    assert (values("signups_referred"), values("orders"), values("revenue_net")) == ([1], [1], ["0.00"])
    assert client.get(f"/r/{link.code}", headers={"user-agent": browser}).status_code == 302
    assert values("clicks", *today) == [1]
    settle()
    assert not DirtyBucket.objects.exists()
    incremental = snapshot()
    refresh_rollups(at=timezone.now(), full=True)
    assert snapshot() == incremental
