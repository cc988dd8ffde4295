"""What the giving of rewards keeps of people."""

import secrets
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from referrals.erasing import replace_all
from referrals.models import Claim, Customer, Erasure
from referrals.services.erasing import PersonalData, new_external_id
from rewards.models import Fulfilment, OutboundCall, PayoutItem, Reward

ERASED = "(erased)"
_OF_THE_SHOP = ("code", "url")


def _claims(customer: Customer) -> QuerySet[Claim]:
    return Claim.objects.filter(Q(friend=customer) | Q(click__referrals__friend=customer)).distinct()


def _export(customer: Customer) -> dict[str, Any]:
    claims = _claims(customer).select_related("program").order_by("at", "pk")
    orders = Fulfilment.objects.filter(reward__recipient=customer).select_related("reward").order_by("pk")
    return {
        "claimed": [{"at": one.at, "program": one.program.slug, "coupon": one.coupon} for one in claims],
        "given": [
            {"reward": one.reward.public_id, "kind": one.kind, "how": one.how, "state": one.state, "note": one.note}
            for one in orders
        ],
    }


def _erase(customer: Customer, _receipt: Erasure) -> None:
    """Drop who claimed, what staff noted and what the shop answered; that something was given stays."""
    for claim in _claims(customer):
        Claim.objects.filter(pk=claim.pk).update(holder=f"erased:{secrets.token_hex(16)}", network="")
    orders = Fulfilment.objects.filter(reward__recipient=customer)
    orders.exclude(note="").update(note=ERASED)
    orders.exclude(last_error="").update(last_error=ERASED)
    PayoutItem.objects.filter(fulfilment__in=orders).exclude(note="").update(note=ERASED)
    for reward in Reward.objects.filter(recipient=customer).exclude(kind="points"):
        reward.detail = {name: value for name, value in reward.detail.items() if name not in _OF_THE_SHOP}
        reward.save(update_fields=["detail"])
    _erase_calls(customer)


def _erase_calls(customer: Customer) -> None:
    about = Q(fulfilment__reward__recipient=customer) | Q(batch__items__fulfilment__reward__recipient=customer)
    about |= Q(redemption__customer=customer)
    fresh = new_external_id(customer)
    for call in OutboundCall.objects.filter(about).distinct():
        call.answer, call.last_error = {}, ERASED if call.last_error else ""
        if fresh != customer.external_id:
            call.payload = replace_all(call.payload, {customer.external_id.casefold(): fresh})
        call.save(update_fields=["answer", "last_error", "payload"])


def _merge(_source: Customer, _into: Customer, _at: datetime) -> dict[str, int]:
    """Nothing: what was given hangs on rewards and redemptions, claims on links and referrals."""
    return {}


PERSONAL_DATA = PersonalData("gifts", _export, _erase, _merge)
