from datetime import UTC, datetime

import pytest

from referrals.codes import is_checked
from referrals.models import Code, Customer, Link
from referrals.program_file import parse_program
from referrals.queries.links import link_of_code, share_url
from referrals.services import links as links_module
from referrals.services.links import CodeRefused, CodeTaken, ensure_link, ensure_links, ensure_links_of, rename_code
from referrals.services.programs import apply_program

FILE = """\
program: {slug}
name: P
status: {status}
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {{on: purchase}}
rewards: []
"""

pytestmark = pytest.mark.django_db


def make_program(slug="p", status="active"):
    text = FILE.format(slug=slug, status=status)
    return apply_program(document=parse_program(text), at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def program():
    return make_program()


@pytest.fixture
def ann():
    return Customer.objects.create(external_id="ann")


@pytest.fixture
def bob():
    return Customer.objects.create(external_id="bob")


def test_ensure_link_makes_one_link_with_a_checked_code(ann, program):
    link = ensure_link(customer=ann, program=program)

    assert is_checked(link.code)
    assert ensure_link(customer=ann, program=program) == link
    assert list(Code.objects.values_list("code", "link")) == [(link.code, link.pk)]


def test_ensure_links_covers_the_running_programs_by_slug(ann):
    make_program("b")
    make_program("a")
    make_program("c", status="paused")

    assert [link.program.slug for link in ensure_links(customer=ann)] == ["a", "b"]


def test_ensure_links_of_many_customers_takes_as_many_statements_as_of_one(program, django_assert_num_queries):
    people = Customer.objects.bulk_create([Customer(external_id=str(number)) for number in range(100)])

    with django_assert_num_queries(8):
        links = ensure_links_of(customers=people, programs=[program])

    assert [link.customer.external_id for link in links] == [str(number) for number in range(100)]
    assert len({link.code for link in links}) == 100


def test_ensure_link_draws_again_when_its_code_is_taken(ann, bob, program, monkeypatch):
    taken = ensure_link(customer=ann, program=program).code
    draws = iter([taken, "ANNX7K2"])
    monkeypatch.setattr(links_module, "random_code", lambda: next(draws))

    assert ensure_link(customer=bob, program=program).code == "ANNX7K2"
    assert Link.objects.count() == 2


def test_ensure_link_takes_the_link_somebody_else_just_made(ann, program, monkeypatch):
    first = ensure_link(customer=ann, program=program)
    answers = iter([{}, {(ann.pk, program.pk): first}])
    monkeypatch.setattr(links_module, "_links_of", lambda *_: next(answers))

    assert ensure_link(customer=ann, program=program) == first
    assert Link.objects.count() == 1


@pytest.mark.parametrize("typed", ["{}", " {} ", "-{}-", "\u200b{}"])
def test_link_of_code_forgives_how_it_was_typed(typed, ann, program):
    link = ensure_link(customer=ann, program=program)

    assert link_of_code(typed.format(link.code.lower())) == link


@pytest.mark.parametrize("typed", ["", "ZZZZZZZ", "x" * 5000, "a\x00b"])
def test_link_of_code_knows_no_other(typed, ann, program):
    ensure_link(customer=ann, program=program)

    assert link_of_code(typed) is None


def test_rename_code_keeps_the_old_one_working(ann, program):
    link = ensure_link(customer=ann, program=program)
    old = link.code

    rename_code(link=link, code="ann-2026")

    assert Link.objects.get().code == "ANN2026"
    assert link_of_code("ann2026") == link_of_code(old) == link
    rename_code(link=link, code=old)
    assert Link.objects.get().code == old


@pytest.mark.parametrize("code", ["ANN", "A" * 21, "admin", "a/b", ""])
def test_rename_code_refuses_unfit_words(code, ann, program):
    link = ensure_link(customer=ann, program=program)
    before = link.code

    with pytest.raises(CodeRefused):
        rename_code(link=link, code=code)

    assert (Link.objects.get().code, Code.objects.count()) == (before, 1)


def test_rename_code_refuses_what_ever_belonged_to_another(ann, bob, program):
    link = ensure_link(customer=ann, program=program)
    rename_code(link=link, code="ANNE")
    rename_code(link=link, code="ANNIKA")
    other = ensure_link(customer=bob, program=program)

    with pytest.raises(CodeTaken):
        rename_code(link=other, code="ANNE")

    assert link_of_code("ANNE") == link
    assert Link.objects.get(pk=other.pk).code == other.code


def test_share_url_is_on_the_public_address(settings, ann, program):
    settings.PUBLIC_BASE_URL = "https://refer.example"
    link = ensure_link(customer=ann, program=program)

    assert share_url(link) == f"https://refer.example/r/{link.code}"
    assert share_url(link, "whatsapp") == f"https://refer.example/r/{link.code}?c=whatsapp"
