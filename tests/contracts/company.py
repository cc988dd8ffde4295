"""A small company with something in every state, through the services as the product makes it."""

from django.utils import timezone

from messaging.models import WebhookEndpoint
from referrals.models import Click, Referral
from referrals.services.lifecycle import void_referral
from referrals.services.links import ensure_link
from referrals.services.review import hold_referral
from rewards.models import CatalogueItem, ChoiceGroup, ChoiceOption, Coupon, Redemption, Reward
from rewards.services.adjustments import adjust_points
from rewards.services.reviewing import cancel_reward, hold_reward
from surveys.services.surveys import ensure_default_survey
from tests.rewards.fulfilment.conftest import make_pool
from tests.rewards.goods import person, redeem
from tests.shop import apply_text, day

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GIFTS = """
program: gifts
name: Gifts
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase}
hold_days: 0
rewards:
  - {id: advocate-choice, to: advocate, on: qualified, choice: thank-you}
  - {id: friend-coupon, to: friend, on: claim, coupon: THANKS10}
"""


def people_a_company(shop, client):
    """Return what a company has in which much has happened, by the names that paths, queries and bodies have for it.

    Ann has brought bob (approved), cem (voided), dee (held), fay (approved), hal (qualified) and, to the gifts, gus.
    """
    ensure_default_survey()
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose")
    ChoiceOption.objects.create(group=group, name="300 points", kind="points", points=300)
    make_pool(codes=["AAA-1", "AAA-2"])
    Coupon.objects.filter(code="AAA-1").update(state="given", given_at=day(1))
    code, gift = (ensure_link(customer=person("ann"), program=one).code for one in (shop.program, apply_text(GIFTS)))
    friends = ("cem", code), ("dee", code), ("fay", code), ("gus", gift)
    for number, (friend, link) in enumerate(friends, start=2):
        shop.report(shop.purchase(friend, day(1), f"order-{number}", "59.90", code=link), at=day(1))
    bob, cem, dee, fay, _gus = Referral.objects.order_by("pk")
    void_referral(referral=cem, reason="manual", note="no", actor="test", at=day(2))
    hold_referral(referral=dee, note="look", actor="test", at=day(2))
    for reward, step in zip(
        fay.rewards.filter(recipient__external_id="ann").order_by("pk"), (hold_reward, cancel_reward), strict=False
    ):
        step(reward=reward, note="look", actor="test", at=day(2))
    shop.pass_time(day(15))
    shop.report(shop.purchase("hal", day(16), "order-6", "59.90", code=code), at=day(16))
    client.get(f"/r/{gift}", headers={"user-agent": BROWSER})
    adjust_points(customer=person("ann"), points=100, reason="start", actor="test", at=day(1))
    redeem(person("ann"), CatalogueItem.objects.get(), at=timezone.now(), reserve=True)
    return {
        "external_id": ["ann", "bob", "new"],
        "customer": ["ann", "eve"],
        "advocate": ["ann"],
        "friend": ["eve", "bob"],
        "to": ["ann"],
        "code": [gift, code, "AAA-1"],
        "click_id": [Click.objects.get().click_id],
        "event_id": ["event-1", "event-9"],
        "referral_id": list(Referral.objects.order_by("pk").values_list("public_id", flat=True)),
        "reward_id": list(Reward.objects.exclude(referral__in=[bob, cem, dee]).values_list("public_id", flat=True)),
        "redemption_id": list(Redemption.objects.order_by("pk").values_list("public_id", flat=True)),
        "endpoint_id": [WebhookEndpoint.objects.get().public_id],
        "reason": ["looked at"],
        "option": ["300 points"],
        "slug": ["nps"],
        "item": ["nps"],
        "quantity": [1],
        "points": [10],
        "program": ["refer-a-friend"],
        "id": ["order-1", "order-9"],
        "order_id": ["order-9", "order-1"],
        "currency": ["EUR", "JPY"],
        "occurred_at": ["2026-03-02T10:00:00Z"],
        "from": ["2026-03-01T00:00:00Z"],
        "time_zone": ["Europe/Berlin"],
        "types": ["survey.*"],
        "url": ["https://hooks.shop.example/2"],
    }
