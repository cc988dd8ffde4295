"""Points for things: redemptions placed, reserved, confirmed, fulfilled, cancelled."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum

from core.dispatch import publish
from core.errors import Invalid, Refused
from referrals.models import Customer
from rewards.events import RedemptionPlaced, RedemptionSettled
from rewards.models import CatalogueItem, Redemption, RedemptionStep
from rewards.services.book import Book

State = Redemption.State
RESERVED_FOR = timedelta(minutes=15)
MAX_QUANTITY = 1000


class OutOfStock(Refused):
    """Fewer of the item are left than were asked for; the detail says how many."""

    code = "out_of_stock"


class NotOffered(Refused):
    """The item is not offered now."""

    code = "not_offered"


class LimitReached(Refused):
    """The customer has had as many of the item as one customer may."""

    code = "limit_reached"


class RedemptionStands(Refused):
    """The redemption is not in a state from which this step leads; the detail says in which it is."""

    code = "wrong_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a customer wants: so many of an item; `key` names the form it came from, so that it comes once."""

    item: CatalogueItem
    quantity: int = 1
    key: str = ""


def place_redemption(*, customer: Customer, wish: Wish, actor: str, at: datetime, reserve: bool = False) -> Redemption:
    """Take the points and the stock at once and return the redemption; a wish that came before gives the first one.

    With `reserve` it waits 15 minutes for `confirm_redemption`, then everything goes back. Raises `NotOffered`,
    `OutOfStock`, `LimitReached` and `InsufficientPoints`.
    """
    if not 1 <= wish.quantity <= MAX_QUANTITY:
        raise Invalid(f"expected a whole number from 1 to {MAX_QUANTITY}", pointer="/quantity")
    if known := _known(customer, wish):
        return known
    try:
        return _place(customer, wish, actor=actor, at=at, reserve=reserve)
    except IntegrityError:
        if known := _known(customer, wish):
            return known
        raise


def _known(customer: Customer, wish: Wish) -> Redemption | None:
    return Redemption.objects.filter(request_key=_request_key(customer, wish)).first() if wish.key else None


def _request_key(customer: Customer, wish: Wish) -> str:
    return f"{customer.pk}:{wish.key}"[:80] if wish.key else ""


@transaction.atomic
def _place(customer: Customer, wish: Wish, *, actor: str, at: datetime, reserve: bool) -> Redemption:
    item = CatalogueItem.objects.get(pk=wish.item.pk)
    if not is_offered(item, at=at):
        raise NotOffered(f"{item.title} is not offered now")
    limited = item.stock is not None
    if limited:
        _take_stock(item, wish.quantity)
    book = Book(customers=(customer.pk,), at=at, subject=f"customer:{customer.pk}")
    _within_limit(customer, item, wish.quantity)
    redemption = Redemption.objects.create(
        customer=customer,
        item=item,
        title=item.title,
        quantity=wish.quantity,
        points=item.points * wish.quantity,
        takes_stock=limited,
        kind=item.kind,
        detail=_handed_over(item),
        state=State.RESERVED if reserve else State.PLACED,
        expires_at=at + RESERVED_FOR if reserve else None,
        request_key=_request_key(customer, wish),
        created_at=at,
    )
    book.redeem(redemption, actor=actor)
    book.close()
    keep_redemption_step(redemption, redemption.state, at=at, actor=actor)
    if not reserve:
        _tell_placed(redemption)
    return redemption


def is_offered(item: CatalogueItem, *, at: datetime) -> bool:
    """Return whether the item may be had at `at`, stock aside: shown, begun and not ended."""
    begun = item.starts_at is None or item.starts_at <= at
    return item.is_shown and begun and (item.ends_at is None or at < item.ends_at)


def _take_stock(item: CatalogueItem, quantity: int) -> None:
    enough = CatalogueItem.objects.filter(Q(stock=None) | Q(stock__gte=quantity), pk=item.pk)
    if enough.update(stock=F("stock") - quantity) != 1:
        item.refresh_from_db(fields=["stock"])
        raise OutOfStock(f"{item.stock or 0} of {item.title} are left")


def _within_limit(customer: Customer, item: CatalogueItem, quantity: int) -> None:
    """Count under the lock on the customer's accounts, so that two at once cannot both be the last."""
    if item.per_customer is None:
        return
    had = Redemption.objects.filter(customer=customer, item=item, state__in=Redemption.STANDING)
    total = had.aggregate(total=Sum("quantity"))["total"] or 0
    if total + quantity > item.per_customer:
        raise LimitReached(f"one customer may have {item.per_customer} of {item.title}; {total} were had")


def _handed_over(item: CatalogueItem) -> dict[str, str | int]:
    told: dict[str, str | int] = {"what": item.what} if item.what else {}
    if item.amount_minor is not None:
        told |= {"amount_minor": item.amount_minor, "currency": item.currency}
    return told


def _tell_placed(redemption: Redemption) -> None:
    publish(RedemptionPlaced(subject=f"redemption:{redemption.pk}", redemption=redemption.pk))
    redemption.refresh_from_db()  # what needs nobody else was handed over meanwhile


def keep_redemption_step(redemption: Redemption, what: str, *, at: datetime, actor: str = "", why: str = "") -> None:
    """Note a step of the redemption."""
    RedemptionStep.objects.create(redemption=redemption, at=at, what=what, why=why[:500], actor=actor)


def _move(redemption: Redemption, sources: tuple[str, ...], to: str, *, at: datetime, outcome: str = "") -> None:
    """Move the redemption from one of the states to another, once for all who try; else `RedemptionStands`."""
    mine = Redemption.objects.filter(pk=redemption.pk, state__in=sources)
    settled = at if to != State.PLACED else None
    done = {"expires_at": None, "due_at": None, "waits_for": Redemption.WaitsFor.PEOPLE}
    if mine.update(state=to, settled_at=settled, outcome=outcome, **done) != 1:
        redemption.refresh_from_db()
        raise RedemptionStands(f"the redemption is {redemption.state}")
    redemption.refresh_from_db()


@transaction.atomic
def confirm_redemption(*, redemption: Redemption, actor: str, at: datetime) -> Redemption:
    """Make a reservation a redemption; `RedemptionStands` where it is none or its time is over."""
    if redemption.expires_at is not None and redemption.expires_at < at:
        raise RedemptionStands("the reservation is over")
    _move(redemption, (State.RESERVED,), State.PLACED, at=at)
    keep_redemption_step(redemption, State.PLACED, at=at, actor=actor)
    _tell_placed(redemption)
    return redemption


@transaction.atomic
def fulfil_redemption(*, redemption: Redemption, outcome: str, actor: str, at: datetime) -> Redemption:
    """Say that the customer has it; `outcome` is what they read: a code, a link, when it comes."""
    _move(redemption, (State.PLACED,), State.FULFILLED, at=at, outcome=outcome.strip())
    keep_redemption_step(redemption, State.FULFILLED, at=at, actor=actor, why=outcome.strip())
    _tell_settled(redemption)
    return redemption


@transaction.atomic
def cancel_redemption(
    *, redemption: Redemption, reason: str, actor: str, at: datetime, even_fulfilled: bool = False
) -> Redemption:
    """Undo it: points go back to the lots they came from, stock to the item.

    One that is fulfilled only with `even_fulfilled`. Raises `RedemptionStands` where it is over already.
    """
    sources = (State.RESERVED, State.PLACED, *((State.FULFILLED,) if even_fulfilled else ()))
    _move(redemption, sources, State.CANCELLED, at=at, outcome=reason.strip())
    if redemption.takes_stock:
        limited = CatalogueItem.objects.filter(pk=redemption.item_id).exclude(stock=None)
        limited.update(stock=F("stock") + redemption.quantity)
    _pay_back(redemption, State.CANCELLED, reason=reason, actor=actor, at=at)
    return redemption


@transaction.atomic
def fail_redemption(*, redemption: Redemption, reason: str, actor: str, at: datetime) -> Redemption:
    """Say that it cannot be delivered: the points go back, the stock, which was not there, does not."""
    _move(redemption, (State.PLACED,), State.FAILED, at=at, outcome=reason.strip())
    _pay_back(redemption, State.FAILED, reason=reason, actor=actor, at=at)
    return redemption


def _pay_back(redemption: Redemption, what: str, *, reason: str, actor: str, at: datetime) -> None:
    book = Book(customers=(redemption.customer_id,), at=at, subject=f"customer:{redemption.customer_id}")
    book.undo_redemption(redemption, why=what, actor=actor)
    book.close()
    keep_redemption_step(redemption, what, at=at, actor=actor, why=reason.strip())
    _tell_settled(redemption)


def _tell_settled(redemption: Redemption) -> None:
    subject = f"redemption:{redemption.pk}"
    publish(RedemptionSettled(subject=subject, redemption=redemption.pk, state=redemption.state))


def end_reservations(*, at: datetime) -> int:
    """Undo the reservations that nobody confirmed in time; return how many."""
    over = Redemption.objects.filter(state=State.RESERVED, expires_at__lt=at).order_by("pk")
    return sum(_end(redemption, at=at) for redemption in over)


def _end(redemption: Redemption, *, at: datetime) -> bool:
    try:
        cancel_redemption(redemption=redemption, reason="not confirmed in time", actor="", at=at)
    except RedemptionStands:
        return False
    return True
