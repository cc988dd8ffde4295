"""A catalogue and purses to try it with."""

from referrals.models import Customer
from referrals.services.customers import CustomerData, put_customer
from rewards.models import Account, CatalogueItem, Lot
from rewards.services.adjustments import adjust_points
from rewards.services.redeeming import Wish, place_redemption
from tests.shop import day

START, FIRST = day(0), day(1)


def person(who="ann", **data) -> Customer:
    return put_customer(external_id=who, data=CustomerData(**data), at=day(0))[0]


def give(customer, points, *, at=START, expires_days=None):
    adjust_points(customer=customer, points=points, reason="start", actor="test", at=at, expires_days=expires_days)


def make_item(slug="mug", *, points=100, stock=None, **more) -> CatalogueItem:
    return CatalogueItem.objects.create(slug=slug, title=slug.title(), points=points, stock=stock, **more)


def redeem(customer, item, quantity=1, *, at=FIRST, **more):
    return place_redemption(customer=customer, wish=Wish(item=item, quantity=quantity), actor="test", at=at, **more)


def available(customer) -> int:
    return Account.objects.get(customer=customer, kind="available", closed=False).balance


def lots(customer) -> list[tuple[int, int]]:
    """Return (amount, remaining) of the customer's lots, oldest first."""
    return list(Lot.objects.filter(account__customer=customer).order_by("pk").values_list("amount", "remaining"))
