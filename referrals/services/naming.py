"""Who told you of us? A visitor's search by name, which tells the visitor nothing."""

from datetime import datetime, timedelta

from django.db import transaction

from core.errors import Invalid
from referrals.models import FriendClaim, Link, NameSearch, Program
from referrals.people import normalize_email
from referrals.person_names import LONGEST, is_full_name, name_key
from referrals.queries.people import living_customers

KEPT = timedelta(days=90)


class NotAName(Invalid):
    """The text is no first and last name."""

    code = "not_a_name"


@transaction.atomic
def search_name(*, program: Program, name: str, email: str = "", at: datetime) -> NameSearch:
    """Keep whom a visitor named and return the search, of the same shape whether anybody was found.

    Exactly one customer who agreed to be found by this name in the program is found; else the one with the address
    will be asked when the visitor signs up. Raises `NotAName`.
    """
    name, email = " ".join(name.replace("\x00", "").split()), email.replace("\x00", "")
    if not is_full_name(name):
        raise NotAName(f"expected a first and a last name, {LONGEST} characters at most", pointer="/name")
    links = Link.objects.filter(program=program, found_as=name_key(name), customer__erased_at=None)[:2]
    link = links[0] if len(links) == 1 else None
    asked = None
    if link is None and email.strip():
        same = living_customers().filter(email_normalized=normalize_email(email))[:2]
        asked = same[0] if len(same) == 1 else None
    return NameSearch.objects.create(
        program=program, at=at, name=name, email=email.strip()[:254], link=link, asked=asked
    )


@transaction.atomic
def be_found_by_name(*, link: Link, found: bool) -> Link:
    """Keep whether friends may find the link's customer by the name they have now. Raises `NotAName` without one."""
    if found and not is_full_name(link.customer.name):
        raise NotAName("no first and last name is known", pointer="/found")
    link.found_as = name_key(link.customer.name) if found else ""
    Link.objects.filter(pk=link.pk).update(found_as=link.found_as)
    return link


def purge_name_searches(*, at: datetime) -> int:
    """Forget after 90 days what was typed, in searches and in claims; return how many. What came of them stays."""
    old = NameSearch.objects.filter(at__lt=at - KEPT).exclude(name="", email="")
    claims = FriendClaim.objects.filter(at__lt=at - KEPT).exclude(given="")
    return old.update(name="", email="") + claims.update(given="")
