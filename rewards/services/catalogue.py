"""What staff do with the catalogue: items kept, stock counted."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q

from core.errors import Invalid, Refused
from rewards.models import CatalogueItem

MAX_STOCK = 1_000_000


class StockMoved(Refused):
    """Somebody redeemed the item meanwhile: the stock is no longer what the page showed."""

    code = "stock_moved"


@transaction.atomic
def save_item(*, item: CatalogueItem, changed: Iterable[str]) -> CatalogueItem:
    """Write a new item, or of a known one only what was changed, so that no redemption's stock is overwritten."""
    if item.pk is None:
        item.save(force_insert=True)
    elif fields := [name for name in changed if name != "stock"]:
        item.save(update_fields=fields)
    return item


@transaction.atomic
def change_stock(*, item: CatalogueItem, by: int) -> CatalogueItem:
    """Add to the stock, or take from it; never below 0. Raises `Invalid` where the stock is unlimited."""
    if item.stock is None:
        raise Invalid("the stock is unlimited: set a number first")
    if by == 0 or abs(by) > MAX_STOCK:
        raise Invalid(f"expected a whole number other than 0, at most {MAX_STOCK:,}")
    enough = CatalogueItem.objects.filter(Q(stock__gte=max(0, -by)), pk=item.pk)
    if enough.update(stock=F("stock") + by) != 1:
        item.refresh_from_db(fields=["stock"])
        raise StockMoved(f"only {item.stock} are left")
    item.refresh_from_db(fields=["stock"])
    return item


@transaction.atomic
def limit_stock(*, item: CatalogueItem, to: int | None, before: int | None) -> CatalogueItem:
    """Set the stock to a number, or to unlimited (None), if it still is what it was `before`; else `StockMoved`."""
    if CatalogueItem.objects.filter(pk=item.pk, stock=before).update(stock=to) != 1:
        item.refresh_from_db(fields=["stock"])
        raise StockMoved(f"the stock changed to {item.stock} while you looked at it; nothing of it was saved")
    item.stock = to
    return item
