"""Share links and their codes: every customer has one in every running program."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.errors import Refused
from core.manners import is_rude
from messaging.names import safe_text
from referrals.codes import canonical_code, random_code, vanity_problem
from referrals.judgement import UNDONE
from referrals.models import Code, Customer, Event, Link, Program
from referrals.queries.audiences import offered_programs, offered_to_many

LONGEST_NOTE = 160
RENAMES, RENAME_WINDOW = 3, timedelta(days=30)
_TRIES = 10


class CodeRefused(Refused):
    """A vanity code that may not be chosen."""

    code = "code_refused"
    status = 422


class CodeTaken(Refused):
    """A vanity code that belongs, or once belonged, to another link."""

    code = "code_taken"
    status = 409


class TooManyRenames(Refused):
    """The customer has chosen three new words for their code within 30 days."""

    code = "too_many_renames"


class NoteRefused(Refused):
    """A note to friends that is too long, holds an address, or is rude; `detail` is which."""

    code = "bad_note"
    status = 422


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
def first_links(*, customers: Sequence[Customer]) -> dict[int, Link]:
    """Make every customer's links as `ensure_links` does, in few statements; return the first of each, by customer."""
    by_offer: dict[tuple[int, ...], list[Customer]] = {}
    programs: dict[int, Program] = {}
    for customer, offered in offered_to_many(customers):
        programs |= {program.pk: program for program in offered}
        by_offer.setdefault(tuple(program.pk for program in offered), []).append(customer)
    found: dict[int, Link] = {}
    for keys, people in by_offer.items():
        for link in ensure_links_of(customers=people, programs=[programs[key] for key in keys]):
            found.setdefault(link.customer_id, link)
    return found


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
def rename_own_code(*, link: Link, code: str, at: datetime) -> Link:
    """Rename the code as the customer themself: at most three new words in 30 days.

    Raises as `rename_code` does, and `TooManyRenames`.
    """
    Link.objects.select_for_update(no_key=True).get(pk=link.pk)
    drawn, *chosen = Code.objects.filter(link=link).order_by("pk")
    is_new = canonical_code(code) not in [one.code for one in (drawn, *chosen)]
    if is_new and sum(one.created_at > at - RENAME_WINDOW for one in chosen) >= RENAMES:
        raise TooManyRenames("at most three new words in 30 days; those you had keep working", pointer="/code")
    return rename_code(link=link, code=code)


@transaction.atomic
def greet_friends(*, link: Link, greets: bool, note: str) -> Link:
    """Keep whether friends who follow the link see the customer's first name and note. Raises `NoteRefused`."""
    words = " ".join(note.split())
    if len(words) > LONGEST_NOTE:
        raise NoteRefused("too_long", pointer="/note")
    if safe_text(words) != words:
        raise NoteRefused("no_address", pointer="/note")
    if is_rude(words):
        raise NoteRefused("rude", pointer="/note")
    Link.objects.filter(pk=link.pk).update(greets=greets, note=words)
    link.greets, link.note = greets, words
    return link


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


@transaction.atomic
def adopt_code(*, link: Link, code: str) -> bool:
    """Let a code of a former tool lead to the link, too; return whether that is new.

    It is shown from now on where the customer has only the code that was drawn for them. Raises as `rename_code`.
    """
    wanted = canonical_code(code)
    codes = list(Code.objects.filter(link=link).values_list("code", flat=True))
    if wanted in codes:
        return False
    if Code.objects.filter(code=wanted).exists():
        raise CodeTaken(f"{wanted} is taken by another customer", pointer="/code")
    _create_code(link, wanted)
    if codes == [link.code]:
        Link.objects.filter(pk=link.pk).update(code=wanted)
        link.code = wanted
    return True


@transaction.atomic
def drop_code(*, link: Link, code: str) -> bool:
    """Take an adopted code back, which then leads nowhere; False where it has been used, or is all there is."""
    wanted = canonical_code(code)
    others = Code.objects.filter(link=link).exclude(code=wanted).order_by("pk")
    used = Event.objects.filter(Q(code__iexact=code) | Q(code=wanted)).exclude(bound_referrals__reason=UNDONE)
    if used.exists() or not others:
        return False
    Link.objects.filter(pk=link.pk, code=wanted).update(code=others[0].code)
    Code.objects.filter(link=link, code=wanted).delete()
    return True


def _create_code(link: Link, wanted: str) -> None:
    problem = vanity_problem(wanted)
    if problem:
        raise CodeRefused(problem, pointer="/code")
    try:
        with transaction.atomic():
            Code.objects.create(link=link, code=wanted)
    except IntegrityError:
        raise CodeTaken(f"{wanted} is taken, choose another", pointer="/code") from None
