"""A large credit given in parts at the same moment: what one person may give is counted over all of them."""

from functools import partial

import pytest
from django.db import connection

from referrals.models import Customer
from rewards.services.credits import give_points
from tests.races.threads import at_once
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time anyway")
def test_give_points_in_parts_at_once_waits_for_a_second_person(settings):
    settings.SECOND_PERSON_ABOVE_POINTS = 1000
    shop = Shop()
    shop.code_of("ann")
    ann = Customer.objects.get(external_id="ann")
    part = partial(give_points, customer=ann, points=600, reason="parcel", actor="mia", asker=None, at=day(1))

    results = at_once([part] * 8)

    assert not [one for one in results if isinstance(one, Exception)]
    assert results.count(None) == 1
    assert shop.points("ann") == (600, 0, 0)
