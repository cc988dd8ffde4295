"""The catalogue as customers and shops see it: what is offered now, what is left, who had how many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from referrals.models import Customer
from rewards.models import Account, CatalogueItem, Redemption


@dataclass(frozen=True, slots=True)
class Offered:
    """An item as one customer sees it: how many they may still have, and how many points lack for one."""

    item: CatalogueItem
    missing: int
    most: int | None

    @property
    def is_gone(self) -> bool:
        """Whether nobody can have one now."""
        return self.item.stock == 0

    @property
    def is_used_up(self) -> bool:
        """Whether this customer has had as many as one customer may."""
        return self.most == 0 and not self.is_gone

    @property
    def can_be_had(self) -> bool:
        """Whether the customer can have one now."""
        return not (self.missing or self.is_gone or self.is_used_up)


def items_offered(*, at: datetime) -> QuerySet[CatalogueItem]:
    """Return the items that are offered at `at`, also those of which none is left, cheapest first."""
    begun = Q(starts_at=None) | Q(starts_at__lte=at)
    running = Q(ends_at=None) | Q(ends_at__gt=at)
    items = CatalogueItem.objects.filter(begun, running, is_shown=True)
    return items.defer("picture").order_by("points", "title", "pk")


def offered_to(customer: Customer, items: Iterable[CatalogueItem]) -> list[Offered]:
    """Return each item as the customer sees it, in three queries."""
    accounts = Account.objects.filter(customer=customer, kind=Account.Kind.AVAILABLE, closed=False)
    account = accounts.values_list("balance", flat=True)
    available = account.first() or 0
    had = dict(
        Redemption.objects.filter(customer=customer, state__in=Redemption.STANDING)
        .values_list("item")
        .annotate(total=Sum("quantity"))
    )
    return [_offered(item, available, had.get(item.pk, 0)) for item in items]


def _offered(item: CatalogueItem, available: int, had: int) -> Offered:
    limits = [] if item.per_customer is None else [max(0, item.per_customer - had)]
    limits += [] if item.stock is None else [item.stock]
    return Offered(item=item, missing=max(0, item.points - available), most=min(limits) if limits else None)


def redemptions_of(customer: Customer) -> QuerySet[Redemption]:
    """Return the customer's redemptions, newest first; reservations that are not confirmed are left out."""
    return Redemption.objects.filter(customer=customer).exclude(state=Redemption.State.RESERVED).order_by("-pk")


def redemptions_with_people() -> QuerySet[Redemption]:
    """Return redemptions with customer and item."""
    return Redemption.objects.select_related("customer", "item").defer("item__picture")
