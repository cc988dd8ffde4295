"""Facts written as the services would, each marked in passing, for tests that count them by hand."""

from datetime import UTC, datetime, timedelta
from itertools import count

from analytics.handlers import mark_clicks, mark_event, mark_points, mark_referral
from core.periods import local_day
from referrals.events import ClicksRecorded, EventRecorded, ReferralJudged
from referrals.models import Click, Customer, Event, Link, Offer, Program, Referral
from rewards.events import PointsMoved
from rewards.models import Account, Transfer

_numbers = count(1)


def moment(text: str) -> datetime:
    """Return an instant such as '2026-03-01' or '2026-03-01T10:00'; UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def customer(name: str) -> Customer:
    return Customer.objects.get_or_create(external_id=name)[0]


def event(kind: str, who: str, at: str, order: str = "", amount: int | None = None, **fields) -> Event:
    fields = {"currency": "EUR" if amount is not None else "", **fields}
    number = next(_numbers)
    made = Event.objects.create(
        event_id=fields.pop("event_id", f"{kind}-{number:06}"),
        type=kind,
        occurred_at=moment(at),
        received_at=moment(at),
        customer=customer(who),
        order_id=order,
        amount_minor=amount,
        body={},
        fingerprint="",
        **fields,
    )
    mark_event(EventRecorded(subject=f"event:{made.pk}", event=made.pk, type=made.type, source=made.source))
    return made


def purchase(who: str, at: str, amount: int, order: str = "", **fields) -> Event:
    return event("purchase", who, at, order or f"order-{next(_numbers)}", amount, **fields)


def refund(who: str, at: str, amount: int, order: str, **fields) -> Event:
    return event("refund", who, at, order, amount, **fields)


def program(slug: str = "refer-a-friend") -> Program:
    made, fresh = Program.objects.get_or_create(
        slug=slug, defaults={"name": slug, "landing_url": "https://shop.example/"}
    )
    if fresh:
        Offer.objects.create(program=made, number=1, terms={})
    return made


def referral(advocate: str, friend: str, bound: str, state: str = "signed_up", **fields) -> Referral:
    owner = program(fields.pop("program", "refer-a-friend"))
    made = Referral.objects.create(
        program=owner,
        offer=owner.offers.get(),
        advocate=customer(advocate),
        friend=customer(friend),
        state=state,
        method="code",
        touch_at=moment(bound),
        bound_at=moment(bound),
        expires_at=moment(bound) + timedelta(days=180),
        **fields,
    )
    judged(made)
    return made


def judged(made: Referral) -> None:
    mark_referral(
        ReferralJudged(
            subject=f"referral:{made.pk}",
            referral=made.pk,
            event=0,
            before="",
            after=made.state,
            day_before="",
            day_after="",
        )
    )


def qualify(made: Referral, cause: Event, state: str = "qualified") -> None:
    made.state, made.qualifying_event, made.qualified_at = state, cause, cause.occurred_at
    made.save()
    judged(made)


def click(
    owner: str,
    at: str,
    channel: str = "",
    verdict: str = "person",
    slug: str = "refer-a-friend",
    placement: str = "",
) -> Click:
    link, _ = Link.objects.get_or_create(customer=customer(owner), program=program(slug))
    made = Click.objects.create(
        link=link, program=link.program, at=moment(at), channel=channel, placement=placement, verdict=verdict
    )
    mark_clicks(ClicksRecorded(subject=f"link:{link.pk}", days=(day_of(at),)))
    return made


def transfer(kind: str, who: str, at: str, amount: int, reward=None) -> Transfer:
    source, _ = Account.objects.get_or_create(customer=None, kind=Account.Kind.ISSUANCE)
    purse, _ = Account.objects.get_or_create(customer=customer(who), kind=Account.Kind.PENDING)
    debit, credit = (source, purse) if kind == "grant" else (purse, source)
    made = Transfer.objects.create(
        key=f"t-{next(_numbers)}",
        debit=debit,
        credit=credit,
        amount=amount,
        kind=kind,
        reward=reward,
        event_at=moment(at),
    )
    mark_points(PointsMoved(subject=f"transfer:{made.pk}", days=(day_of(at),)))
    return made


def day_of(at: str) -> str:
    from analytics.queries.collecting import reporting_zone

    return local_day(moment(at), reporting_zone()).isoformat()
