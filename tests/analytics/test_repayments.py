"""How much of each refund counts."""

from datetime import UTC, date, datetime

from analytics.repayments import Paid, Repayment, counted_repayments

PAID = Paid(amount=5000, currency="EUR")


def repayment(day: int, amount: int, *, currency="EUR", event=1) -> Repayment:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    return Repayment(day=at.date(), at=at, event=event, amount=amount, currency=currency)


def counted(*repayments: Repayment, paid: Paid | None = PAID) -> list[tuple[date, int]]:
    return counted_repayments(paid, repayments)


def test_counted_repayments_count_on_their_own_days():
    assert counted(repayment(3, 1000), repayment(2, 500)) == [(date(2026, 3, 2), 500), (date(2026, 3, 3), 1000)]


def test_counted_repayments_never_exceed_what_was_paid():
    assert counted(repayment(2, 4000), repayment(3, 4000), repayment(4, 1)) == [
        (date(2026, 3, 2), 4000),
        (date(2026, 3, 3), 1000),
    ]


def test_counted_repayments_in_another_currency_do_not_count():
    assert counted(repayment(2, 4000, currency="USD"), repayment(3, 4000)) == [(date(2026, 3, 3), 4000)]


def test_counted_repayments_of_an_unknown_order_do_not_count():
    assert counted(repayment(2, 4000), paid=None) == []
