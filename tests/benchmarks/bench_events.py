"""How fast facts are recorded and decided, as ratios within one run; nothing here is asserted on a clock."""

import time
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.shop import Shop, assert_books_balance, day

FACTS = 150
BATCH = 1000


@contextmanager
def measured(results, name, *, facts=FACTS):
    """Keep how many facts a second and how many statements a fact the block took."""
    before = len(connection.queries_log)
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    results[name] = (facts / seconds, (len(connection.queries_log) - before) / facts)


def one_in_ten(number, codes):
    return {} if number % 10 else {"code": codes[number // 10]}


@pytest.mark.django_db(transaction=True)
def test_record_events_rates(capsys, settings):
    shop = Shop()
    connection.force_debug_cursor = True
    connection.queries_log = type(connection.queries_log)(maxlen=200_000)
    hot = shop.code_of("hot")
    codes = [shop.code_of(f"advocate-{number}") for number in range(FACTS)]
    results: dict[str, tuple[float, float]] = {}

    with measured(results, "plain purchase"):
        for n in range(FACTS):
            shop.report(shop.purchase(f"p{n}", day(0), f"p{n}", "50.00"))
    with measured(results, "plain purchase, in a batch", facts=BATCH):
        shop.report(*(shop.purchase(f"q{n}", day(0), f"q{n}", "50.00") for n in range(BATCH)))
    mixed = [shop.purchase(f"m{n}", day(0), f"m{n}", "50.00", **one_in_ten(n, codes)) for n in range(BATCH)]
    with measured(results, "one in ten with a code, in a batch", facts=BATCH):
        shop.report(*mixed)
    with measured(results, "first purchase with a code, many advocates"):
        shop.report(*(shop.purchase(f"s{n}", day(0), f"s{n}", "50.00", code=codes[n]) for n in range(FACTS)))
    with measured(results, "first purchase with a code, one advocate"):
        shop.report(*(shop.purchase(f"h{n}", day(0), f"h{n}", "50.00", code=hot) for n in range(FACTS)))
    again = [shop.purchase(f"h{n}", day(0), f"h{n}", "50.00", code=hot) for n in range(FACTS)]
    with measured(results, "known order again"):
        shop.report(*again)

    connection.force_debug_cursor = False
    plain = results["plain purchase"][0]
    with capsys.disabled():
        print(f"\n{connection.vendor}: facts a second, ratio to a plain purchase, statements a fact")
        for name, (rate, statements) in results.items():
            print(f"  {name:45} {rate:7.0f}  {rate / plain:5.2f}  {statements:5.1f}")
    assert_books_balance()
