from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from referrals.models import Event, Source
from tests.referrals.inbound.calling import call, counts, translate
from tests.referrals.sources.payloads import NOON, SHOPIFY_SECRET, encode, shopify_order, sign_shopify

pytestmark = pytest.mark.django_db


def create(*arguments):
    out = StringIO()
    call_command("create_source", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_create_source_tells_the_secret_last_and_its_calls_are_recorded():
    told = create("shopify", "my-shop", "--secret", SHOPIFY_SECRET, "--options", '{"order_id": "name"}')
    body = encode(shopify_order())

    answer = call(Source.objects.get(), body, sign_shopify(body, "orders/paid"))
    translate(at=NOON)

    assert told == ["Its calls go to /in/shopify/my-shop/, signed with this secret:", SHOPIFY_SECRET]
    assert (answer.status_code, counts(), Event.objects.get().order_id) == (200, (1, 1), "#1001")


def test_create_source_makes_a_secret_where_none_is_given():
    *_, secret = create("hmac", "till", "--options", '{"signature": "hex"}')

    assert secret == Source.objects.get(slug="till").secret
    assert len(secret) > 40


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("stripe", "my shop"), "the name has 1 to 40"),
        (("stripe", "taken"), "there is a source 'taken' already"),
        (("stripe", "new", "--secret", "short"), "16 to 200 printable"),
        (("stripe", "new", "--options", "[1]"), "expected a JSON object"),
        (("stripe", "new", "--options", "{"), "expected a JSON object"),
        (("hmac", "new", "--options", '{"colour": "red"}'), "'colour' is not an option"),
    ],
)
def test_create_source_refused_makes_none(arguments, told):
    create("shopify", "taken")

    with pytest.raises(CommandError, match=told):
        create(*arguments)

    assert Source.objects.count() == 1
