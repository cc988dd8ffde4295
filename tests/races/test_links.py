"""Links, misses and offers under real threads."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from referrals.models import Code, Customer, DailyKey, Link, Offer, Program
from referrals.program_file import parse_program
from referrals.services.clicks import note_miss
from referrals.services.links import CodeTaken, ensure_link, ensure_links_of, rename_code
from referrals.services.programs import apply_program
from tests.factories import PROGRAM_FILE, make_program

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THREADS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work, times=THREADS):
    """Run `work` in as many threads, all let go at the same moment; return their answers."""
    barrier = Barrier(times)

    def run(number):
        barrier.wait()
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def test_ensure_link_made_at_once_is_one_link():
    program, ann = make_program(), Customer.objects.create(external_id="ann")

    links = at_once(lambda _: ensure_link(customer=ann, program=program))

    assert {link.code for link in links} == {Link.objects.get().code} == {Code.objects.get().code}


def test_ensure_links_of_overlapping_lists_made_at_once_are_one_link_each():
    programs = [make_program("a"), make_program("b")]
    people = Customer.objects.bulk_create([Customer(external_id=str(number)) for number in range(20)])

    at_once(lambda number: ensure_links_of(customers=people if number % 2 else people[::-1], programs=programs))

    assert (Link.objects.count(), Code.objects.count()) == (40, 40)


def test_rename_code_at_once_gives_the_word_to_one():
    program = make_program()
    people = Customer.objects.bulk_create([Customer(external_id=str(number)) for number in range(THREADS)])
    links = ensure_links_of(customers=people, programs=[program])

    def take(number):
        try:
            return rename_code(link=links[number], code="SUMMER").code
        except CodeTaken:
            return "taken"

    assert sorted(at_once(take)) == ["SUMMER", *["taken"] * (THREADS - 1)]
    assert Code.objects.filter(code="SUMMER").count() == 1


def test_note_miss_lets_exactly_twenty_through():
    allowed = at_once(lambda _: [note_miss(address="9.9.9.9", at=NOON) for _ in range(5)])

    assert sum(map(sum, allowed)) == 20
    assert DailyKey.objects.count() == 1


def test_apply_program_at_once_publishes_one_offer():
    text = PROGRAM_FILE.format(slug="p", name="P", status="active")

    at_once(lambda _: apply_program(document=parse_program(text), at=NOON))
    at_once(lambda _: apply_program(document=parse_program(text.replace("500", "600")), at=NOON))

    assert (Program.objects.count(), Offer.objects.count()) == (1, 2)
