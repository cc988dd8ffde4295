"""The customer's own pages, as the customer gets them."""

from datetime import UTC, datetime

import pytest

from referrals.models import Link
from tests.factories import CustomerFactory, UserFactory, make_program

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def ann():
    return CustomerFactory(external_id="ann", name="Ann Ackermann", email="ann@shop.example")


@pytest.fixture
def signed_in(client, ann):
    client.force_login(UserFactory(email="ann@shop.example"))
    return client


def test_show_portal_names_the_promise_the_link_and_the_code(signed_in, ann):
    program = make_program()

    page = signed_in.get("/")

    link = Link.objects.get(customer=ann, program=program)
    assert page.status_code == 200
    assert "500 points" in page.text
    assert "100 points" in page.text
    assert f"/r/{link.code}?c=copy" in page.text
    assert f'<strong class="code">{link.code}</strong>' in page.text
