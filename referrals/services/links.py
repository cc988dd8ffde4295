"""Share links and their codes: every customer has one in every running program."""

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction

from core.errors import Refused
from referrals.codes import canonical_code, random_code, vanity_problem
from referrals.models import Code, Customer, Link, Program
from referrals.queries.audiences import offered_programs

_TRIES = 10


class CodeRefused(Refused):
    """A vanity code that may not be chosen."""

    code = "code_refused"
    status = 422


class CodeTaken(Refused):
    """A vanity code that belongs, or once belonged, to another link."""

    code = "code_taken"
    status = 409


@transaction.atomic
def ensure_link(*, customer: Customer, program: Program) -> Link:
    """Return the customer's link in the program, made with a random code where there is none yet."""
    return ensure_links_of(customers=[customer], programs=[program])[0]


@transaction.atomic
def ensure_links(*, customer: Customer) -> list[Link]:
    """Return the customer's links in all programs offered to them now, by the programs' slugs; missing ones are made.

    A program with an audience is offered to its segment alone; whoever was in it keeps a working link.
    """
    return ensure_links_of(customers=[customer], programs=offered_programs(customer))


@transaction.atomic
def ensure_links_of(*, customers: Sequence[Customer], programs: Sequence[Program]) -> list[Link]:
    """Return the links of every customer in every program, customer by customer, in few statements for many.

    Safe against another process that makes the same links at the same time.
    """
    wanted = {(person.pk, program.pk): (person, program) for person in customers for program in programs}
    for _ in range(_TRIES):
        found = _links_of(customers, programs)
        missing = sorted(wanted.keys() - found.keys())
        if not missing:
            return [_with_both(found[key], *wanted[key]) for key in wanted]
        _create_links(missing)
    raise RuntimeError("no free codes found")


def _links_of(customers: Iterable[Customer], programs: Iterable[Program]) -> dict[tuple[int, int], Link]:
    rows = Link.objects.filter(customer__in=[row.pk for row in customers], program__in=[row.pk for row in programs])
    return {(link.customer_id, link.program_id): link for link in rows}


def _with_both(link: Link, customer: Customer, program: Program) -> Link:
    link.customer, link.program = customer, program
    return link


def _create_links(missing: list[tuple[int, int]]) -> None:
    """Create the missing links; on a conflict of any of them create none, for the caller to look again."""
    links = [Link(customer_id=person, program_id=program, code=random_code()) for person, program in missing]
    try:
        with transaction.atomic():
            Link.objects.bulk_create(links, batch_size=200)
            Code.objects.bulk_create([Code(code=link.code, link=link) for link in links], batch_size=200)
    except IntegrityError:
        return


@transaction.atomic
def rename_code(*, link: Link, code: str) -> Link:
    """Give the link a vanity code; its former codes keep working, and going back to one of them is allowed.

    Raises `CodeRefused` for an unfit or reserved word and `CodeTaken` for another link's.
    """
    wanted = canonical_code(code)
    own = Code.objects.filter(code=wanted).first()
    if own is not None and own.link_id != link.pk:
        raise CodeTaken(f"{wanted} is taken, choose another", pointer="/code")
    if own is None:
        _create_code(link, wanted)
    Link.objects.filter(pk=link.pk).update(code=wanted)
    link.code = wanted
    return link


def _create_code(link: Link, wanted: str) -> None:
    problem = vanity_problem(wanted)
    if problem:
        raise CodeRefused(problem, pointer="/code")
    try:
        with transaction.atomic():
            Code.objects.create(link=link, code=wanted)
    except IntegrityError:
        raise CodeTaken(f"{wanted} is taken, choose another", pointer="/code") from None
