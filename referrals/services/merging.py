"""Merging two customers who are one person: all that is of the one becomes the other's, once and for good."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import product

from django.db import transaction

from core.dispatch import publish
from core.errors import Refused
from core.retrying import with_retries
from referrals.events import CustomersMerged
from referrals.judgement import Judgement
from referrals.models import Customer, Merge, Referral
from referrals.services.binding import MAX_DEPTH, is_rebindable, places_of
from referrals.services.erasing import personal_data
from referrals.services.judging import judge_friend, move_referral

SAME_PERSON = "same_person"
SELF_REFERRAL = "self_referral"
CYCLE = "cycle"
GUEST_KNOWN = "the guest's own id became known"
_TOLD = ("email", "email_normalized", "name", "locale", "time_zone")


class CannotMerge(Refused):
    """These two cannot become one customer; the detail says why. Nothing was changed."""

    code = "cannot_merge"


def merge_customers(*, source: Customer, into: Customer, reason: str, by: str, at: datetime) -> Merge:
    """Make `source` an alias of `into`: facts, links, friends, points and rewards become those of `into`.

    What cannot be true of one person ends: of two advocates in a program the first holds, who referred themselves
    did not refer, and an order before the touch makes an existing customer. The same again changes nothing.
    Raises `CannotMerge`.
    """
    merge: Merge = with_retries(lambda: _merge(source, into, reason=reason, by=by, at=at))
    return merge


@transaction.atomic
def _merge(source: Customer, into: Customer, *, reason: str, by: str, at: datetime) -> Merge:
    locked = _lock([source.pk, into.pk])
    source, into = locked[source.pk], locked[into.pk]
    known = Merge.objects.filter(source=source).first()
    if known is not None and source.merged_into_id == into.pk:
        return known
    _refuse(source, into)
    _lock(Referral.objects.filter(advocate=source).values_list("friend", flat=True))
    _end_rivals(source, into, by=by, at=at)
    moved: dict[str, int] = {}
    for part in personal_data():
        moved |= part.merge(source, into, at)
    _become_alias(source, into)
    judge_friend(customer=into, at=at)
    _end_cycles(into, by=by, at=at)
    publish(CustomersMerged(subject=f"customer:{into.pk}", customer=into.pk, source=source.pk))
    return Merge.objects.create(source=source, into=into, at=at, by=by[:100], reason=reason, moved=moved)


def _lock(keys: Iterable[int]) -> dict[int, Customer]:
    """Lock the rows, as every judgement of a friend does: none goes on while their advocate changes."""
    rows = Customer.objects.select_for_update(no_key=True).filter(pk__in=list(keys)).order_by("pk")
    return {person.pk: person for person in rows}


def _refuse(source: Customer, into: Customer) -> None:
    if source.pk == into.pk:
        raise CannotMerge("both ids are of the same customer already", pointer="/into")
    for person in (source, into):
        if person.erased_at is not None:
            raise CannotMerge(f"{person.external_id} was erased", pointer="/into" if person is into else "")
        if person.merged_into_id is not None:
            raise CannotMerge(
                f"{person.external_id} was merged into another customer", pointer="/into" if person is into else ""
            )


def _end_rivals(source: Customer, into: Customer, *, by: str, at: datetime) -> None:
    """Void what the two brought each other, and the later of two referrals that hold their friend in one place.

    Of two advocates the later is whose evidence came later; of one advocate's, what was bound later (rule 15).
    """
    both = (source.pk, into.pk)
    held = Referral.objects.filter(friend__in=both).exclude(state=Referral.State.EXPIRED).order_by("pk")
    related = held.select_related("program", "offer", "advocate", "friend", "qualifying_event")
    rows = [one for one in related if not is_rebindable(one)]
    ended = {one.pk: SELF_REFERRAL for one in rows if one.advocate_id in both and one.state in Referral.LIVE}
    first, second = ([one for one in rows if one.friend_id == pk and one.pk not in ended] for pk in both)
    for one, other in product(first, second):
        if places_of(one) & places_of(other):
            ended[max(one, other, key=_LATER[one.advocate_id == other.advocate_id]).pk] = SAME_PERSON
    for referral in rows:
        if referral.pk in ended:
            _void(referral, ended[referral.pk], by=by, at=at)


_LATER: dict[bool, Callable[[Referral], tuple[datetime | int, ...]]] = {
    True: lambda referral: (referral.bound_at, referral.pk),
    False: lambda referral: (referral.pk,),
}


def _void(referral: Referral, reason: str, *, by: str, at: datetime) -> None:
    verdict = Judgement(state="voided", reason=reason, expires_at=referral.expires_at)
    move_referral(referral, verdict, event=None, at=at, actor=by, why="two customers turned out to be one person")


def _end_cycles(person: Customer, *, by: str, at: datetime) -> None:
    """Void the latest referral of every circle that the two halves of a person have closed."""
    while circle := _circle_through(person):
        latest = Referral.objects.select_related("program", "offer", "advocate", "friend", "qualifying_event")
        _void(latest.get(pk=max(circle)), CYCLE, by=by, at=at)


def _circle_through(person: Customer) -> list[int]:
    """Return the live referrals, by primary key, of a circle of advocates that leads back to the person."""
    paths: list[tuple[int, list[int]]] = [(person.pk, [])]
    seen: set[int] = set()
    for _ in range(MAX_DEPTH):
        reached: list[tuple[int, list[int]]] = []
        above = dict(paths)
        rows = Referral.objects.filter(friend__in=above, state__in=Referral.LIVE).order_by("pk")
        for pk, friend, advocate in rows.values_list("pk", "friend_id", "advocate_id"):
            if advocate == person.pk:
                return [*above[friend], pk]
            reached += [] if advocate in seen else [(advocate, [*above[friend], pk])]
            seen.add(advocate)
        paths = reached
    return []


def _become_alias(source: Customer, into: Customer) -> None:
    """Let the source be a name only; what is not known of the person they become is taken from it."""
    for name in _TOLD:
        setattr(into, name, getattr(into, name) or getattr(source, name))
    into.attributes = source.attributes | into.attributes
    into.created_at = min(into.created_at, source.created_at)
    into.contact_as_of = into.contact_as_of or source.contact_as_of
    into.save(update_fields=[*_TOLD, "attributes", "created_at", "contact_as_of"])
    source.aliases.update(merged_into=into)
    for name in _TOLD:
        setattr(source, name, "")
    source.attributes, source.contact_as_of, source.merged_into = {}, None, into
    source.save(update_fields=[*_TOLD, "attributes", "contact_as_of", "merged_into"])


def hand_over(referral: Referral, into: Customer) -> None:
    """Let a friend be brought by `into` from now on."""
    Referral.objects.filter(pk=referral.pk).update(advocate=into)
    referral.advocate = into
