"""What referrals keep of people: the customer, their links, clicks, events and referrals."""

import secrets
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from messaging.services.erasing import erase_webhooks_about
from referrals.codes import canonical_code, random_code
from referrals.erasing import ERASED, redact_body, replace_all, without_words
from referrals.models import (
    Assist,
    BlockEntry,
    Claim,
    Click,
    Code,
    Customer,
    Erasure,
    Event,
    Exposure,
    FriendClaim,
    InboundCall,
    Link,
    Merge,
    NameSearch,
    Referral,
    ReferralStep,
    ReviewDecision,
    RiskAssessment,
    Share,
    VetoCall,
)
from referrals.services.erasing import PersonalData, new_external_id
from referrals.services.existing import forget_existing
from referrals.services.inbound import purge_inbound_of


def _export(customer: Customer) -> dict[str, Any]:
    about = ("external_id", "email", "name", "locale", "time_zone", "attributes", "created_at", "contact_as_of")
    return {
        "customer": {name: getattr(customer, name) for name in about},
        "also_known_as": list(customer.aliases.order_by("pk").values_list("external_id", flat=True)),
        "links": [
            {
                "program": one.program.slug,
                "codes": [code.code for code in one.codes.all()],
                "greets": one.greets,
                "note": one.note,
                "found_by_name": bool(one.found_as),
                "shares": list(one.shares.order_by("pk").values("at", "channel", "placement")),
                "created_at": one.created_at,
            }
            for one in customer.links.select_related("program").prefetch_related("codes")
        ],
        "events": [
            {"received_at": one.received_at, "source": one.source, "body": one.body}
            for one in customer.events.order_by("occurred_at", "pk")
        ],
        "shop_calls": [
            {"received_at": one.received_at, "topic": one.topic, "text": bytes(one.raw).decode("utf-8", "replace")}
            for one in InboundCall.objects.filter(customer=customer).order_by("pk")
            if one.raw is not None
        ],
        "visits": _visits_json(customer),
        "claims": [
            {"at": one.at, "program": one.program.slug, "told": one.given, "state": one.state}
            for one in customer.friend_claims.select_related("program").order_by("pk")
        ],
        "experiments": list(
            customer.exposures.order_by("pk").values("experiment__slug", "variant__name", "at", "placement")
        ),
        "friends_referred": [_referral_json(one) for one in customer.referrals_made.select_related("program")],
        "referred_by": [_referral_json(one) for one in customer.referrals_received.select_related("program")],
    }


def _visits_json(customer: Customer) -> list[dict[str, Any]]:
    visits = _visits(customer).select_related("link").order_by("at", "pk")
    kept = ("at", "channel", "placement", "utm", "device")
    return [{"code": one.link.code, **{name: getattr(one, name) for name in kept}} for one in visits]


def _referral_json(referral: Referral) -> dict[str, Any]:
    return {
        "id": referral.public_id,
        "program": referral.program.slug,
        "state": referral.state,
        "reason": referral.reason or None,
        "bound_at": referral.bound_at,
        "qualified_at": referral.qualified_at,
        "risk_scores": [
            {"at": one.at, "score": one.score, "verdict": one.verdict}  # what was seen may be of the other one
            for one in RiskAssessment.objects.filter(referral=referral).order_by("at", "pk")
        ],
    }


def _visits(customer: Customer) -> QuerySet[Click]:
    """Return the visits by which the person came: those their events name, and others of the same browser."""
    named = Event.objects.filter(customer=customer).exclude(click_id="").values_list("click_id", flat=True)
    own = Click.objects.filter(Q(click_id__in=list(named)) | Q(referrals__friend=customer))
    browsers = set(own.exclude(visitor="").values_list("visitor", flat=True))
    return Click.objects.filter(Q(pk__in=list(own.values_list("pk", flat=True))) | Q(visitor__in=browsers))


def _erase(customer: Customer, _receipt: Erasure) -> None:
    purge_inbound_of(customer=customer)
    _erase_aliases(customer)
    _erase_named(customer)
    replaced = _new_codes(customer)
    if new_external_id(customer) != customer.external_id:
        replaced[customer.external_id.casefold()] = new_external_id(customer)
        erase_webhooks_about(external_id=customer.external_id)
    _erase_events(customer, replaced)
    _erase_visits(customer)
    _erase_steps(customer, replaced)
    _erase_reviews(customer)


def _merge(source: Customer, into: Customer, _at: datetime) -> dict[str, int]:
    """Let events, links, visits and referrals be those of `into`; whom the source brought moves with the rewards."""
    _merge_claims(source, into)
    for model, name in (
        *((Claim, "friend"), (InboundCall, "customer"), (NameSearch, "asked")),
        *((FriendClaim, "friend"), (FriendClaim, "advocate")),
    ):
        model._default_manager.filter(**{name: source}).update(**{name: into})
    Exposure.objects.filter(customer=source).delete()  # the person sees what `into` sees, and counts by that alone
    helped = Assist.objects.filter(advocate=into).values("referral")
    Assist.objects.filter(Q(referral__in=helped) | Q(referral__advocate=into), advocate=source).delete()
    Assist.objects.filter(advocate=source).update(advocate=into)
    links = Link.objects.filter(customer=source).order_by("pk")
    return {
        "events": Event.objects.filter(customer=source).update(customer=into),
        "links": sum(_merge_link(link, into) for link in links),
        "advocates": Referral.objects.filter(friend=source).update(friend=into),
    }


def _merge_claims(source: Customer, into: Customer) -> None:
    """Let one question a program stay open, and ask nobody about themselves."""
    asked = FriendClaim.objects.filter(state=FriendClaim.State.ASKED)
    twice = asked.filter(friend=source, program__in=asked.filter(friend=into).values("program"))
    twice.update(state=FriendClaim.State.SILENT)
    both = (source, into)
    asked.filter(friend__in=both, advocate__in=both).update(advocate=None)


def _merge_link(link: Link, into: Customer) -> int:
    """Hand the link over; where there is one in the program already, its codes and visits join that one."""
    own = Link.objects.filter(customer=into, program=link.program).first()
    if own is None:
        return Link.objects.filter(pk=link.pk).update(customer=into)
    for model in (Code, Click, Share, Claim, NameSearch):
        model._default_manager.filter(link=link).update(link=own)
    if not link.asks:
        Link.objects.filter(pk=own.pk).update(asks=False)
    link.delete()
    return 1


def _erase_aliases(customer: Customer) -> None:
    """Keep the other ids of a person who was merged as their own is kept: an address only as a keyed hash."""
    for alias in customer.aliases.filter(external_id__contains="@"):
        Customer.objects.filter(pk=alias.pk).update(external_id=new_external_id(alias))
    Merge.objects.filter(into=customer).update(reason="")


def _erase_named(customer: Customer) -> None:
    """Forget what was typed by the person and about them; that somebody was named, and what came of it, stays."""
    named = Q(asked=customer) | Q(link__customer=customer)
    events = Event.objects.filter(customer=customer, click_id__startswith="nam_").values("click_id")
    NameSearch.objects.filter(named | Q(search_id__in=events)).update(name="", email="", link=None, asked=None)
    FriendClaim.objects.filter(Q(friend=customer) | Q(advocate=customer)).update(given="")
    FriendClaim.objects.filter(advocate=customer, state=FriendClaim.State.ASKED).update(advocate=None)
    customer.links.update(found_as="", asks=False)


def _new_codes(customer: Customer) -> dict[str, str]:
    """Give every code of the person's links another spelling, one that says nothing; return which became which."""
    replaced: dict[str, str] = {}
    customer.links.update(greets=False, note="")
    forget_existing(customer)
    for code in Code.objects.filter(link__customer=customer).order_by("pk"):
        fresh = _free_code()
        replaced[code.code.casefold()] = fresh
        Link.objects.filter(pk=code.link_id, code=code.code).update(code=fresh)
        Code.objects.filter(pk=code.pk).update(code=fresh)
    return replaced


def _free_code() -> str:
    while Code.objects.filter(code=(code := random_code())).exists():
        continue
    return code


def _erase_events(customer: Customer, replaced: dict[str, str]) -> None:
    """Leave of the person's events what counts; in others' events only their codes change."""
    for event in Event.objects.filter(customer=customer):
        _replace_ids(event, customer, replaced)
        event.body = redact_body(event.body, replaced)
        event.save(update_fields=["body", "event_id", "order_id", "lead_id", "code", "coupon"])
    for event in _with_codes(customer, replaced):
        known = _spelled(event.code, replaced) | _spelled(event.coupon, replaced) | replaced
        event.code = replace_all(event.code, known)
        event.coupon = replace_all(event.coupon, known)
        event.body = replace_all(event.body, known)
        event.save(update_fields=["body", "code", "coupon"])


def _replace_ids(event: Event, customer: Customer, replaced: dict[str, str]) -> None:
    """Replace the ids of the event that hold the person's address; an order's everywhere it is named."""
    replaced |= _spelled(event.code, replaced) | _spelled(event.coupon, replaced)
    for name in ("event_id", "order_id", "lead_id"):
        text = getattr(event, name)
        if customer.email and customer.email.casefold() in text.casefold():
            fresh = replaced.setdefault(text.casefold(), f"erased-{secrets.token_hex(12)}")
            if name != "event_id":
                Event.objects.filter(**{name: text}).exclude(pk=event.pk).update(**{name: fresh})
            setattr(event, name, fresh)
    event.code, event.coupon = replace_all(event.code, replaced), replace_all(event.coupon, replaced)


def _spelled(text: str, replaced: dict[str, str]) -> dict[str, str]:
    """Return what a code in somebody's own spelling becomes."""
    fresh = replaced.get(canonical_code(text).casefold()) if text else None
    return {text.casefold(): fresh} if fresh else {}


def _with_codes(customer: Customer, replaced: dict[str, str]) -> list[Event]:
    """Return the events of others that name one of the person's codes."""
    friends = Referral.objects.filter(advocate=customer).values("friend")
    helped = Assist.objects.filter(advocate=customer).values("referral__friend")
    near = Q(customer__in=friends) | Q(customer__in=helped)
    for code in replaced:
        near |= Q(code__iexact=code) | Q(coupon__iexact=code)
    rows = Event.objects.filter(near).exclude(customer=customer).exclude(code="", coupon="")
    return [one for one in rows if _spelled(one.code, replaced) or _spelled(one.coupon, replaced)]


def _erase_visits(customer: Customer) -> None:
    """Give the person's browsers other names and drop what the address carried; visits are counted as before."""
    visits = list(_visits(customer))
    Click.objects.filter(pk__in=[click.pk for click in visits]).update(utm={})
    for visitor in {click.visitor for click in visits} - {""}:
        Click.objects.filter(visitor=visitor).update(visitor=secrets.token_urlsafe(16))
    for day_hash in {click.day_hash for click in visits} - {""}:
        Click.objects.filter(day_hash=day_hash).update(day_hash=secrets.token_hex(8))


def _erase_steps(customer: Customer, replaced: dict[str, str]) -> None:
    """Drop staff's notes on the person's referrals; the decisions and what they rest on stay."""
    own = Q(advocate=customer) | Q(friend=customer)
    for referral in Referral.objects.filter(own).exclude(code=""):
        known = replaced | _spelled(referral.code, replaced)
        Referral.objects.filter(pk=referral.pk).update(code=replace_all(referral.code, known))
    for assist in Assist.objects.filter(advocate=customer):
        known = replaced | _spelled(assist.code, replaced)
        Assist.objects.filter(pk=assist.pk).update(code=replace_all(assist.code, known))
    about = Q(referral__advocate=customer) | Q(referral__friend=customer) | Q(referral__assists__advocate=customer)
    steps = ReferralStep.objects.filter(about).distinct()
    for step in steps:
        code = step.data.get("code") or ""
        step.data = without_words(replace_all(step.data, replaced | _spelled(code, replaced)))
        step.why = ERASED if step.actor else step.why
        step.save(update_fields=["data", "why"])


def _erase_reviews(customer: Customer) -> None:
    """Drop what rules and reviewers said of the person's referrals; scores and decisions stay.

    A block of exactly their address goes with it; one of their id stays.
    """
    own = Q(referral__advocate=customer) | Q(referral__friend=customer)
    for assessment in RiskAssessment.objects.filter(own):
        assessment.signals = without_words(assessment.signals)
        assessment.save(update_fields=["signals"])
    ReviewDecision.objects.filter(own).update(reason=ERASED)
    VetoCall.objects.filter(own).update(reason="", last_error="")
    if customer.email:
        BlockEntry.objects.filter(kind=BlockEntry.Kind.EMAIL, pattern__iexact=customer.email).delete()


PERSONAL_DATA = PersonalData("referrals", _export, _erase, _merge)
