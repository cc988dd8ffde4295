"""One order as the API, a shop's webhook and a file tell of it: other event ids, other moments, other spellings."""

import hashlib
import hmac
import threading
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from referrals.models import Customer, Event, InboundCall, Referral
from referrals.services.inbound import translate_due
from referrals.services.sources import create_source
from rewards.models import Reward, Transfer
from tests.referrals.sources.payloads import (
    SHOPIFY_SECRET,
    STRIPE_SECRET,
    WOO_SECRET,
    encode,
    shopify_order,
    sign_shopify,
    sign_stripe,
    sign_woo,
    stripe_checkout,
    stripe_event,
    woo_order,
)
from tests.shop import PROGRAM, Shop, assert_books_balance

HMAC_SECRET = "a-secret-that-both-know-0123456789"
SECRETS = {"stripe": STRIPE_SECRET, "shopify": SHOPIFY_SECRET, "woocommerce": WOO_SECRET, "hmac": HMAC_SECRET}
ORDER, BUYER, EMAIL = "1001", "25", "bob@shop.example"
DOORS = ("api", "webhook", "file")
BOTH = {"id": BUYER, "email": EMAIL}
UNCLEAR = "a guest, and a file without emails"
PEOPLE = {  # whom each door names
    "an id and an email": {},
    "a guest in the shop": {"webhook": {"id": "", "email": "Bob@Shop.example"}},
    "a guest over the API": {"api": {"id": "", "email": EMAIL}},
    "no email in the file": {"file": {"id": BUYER, "email": ""}},
    UNCLEAR: {"webhook": {"id": "", "email": EMAIL}, "file": {"id": BUYER, "email": ""}},
}
MONEY = {  # currency: (API, shop, file, Stripe's whole number, the advocate's points)
    "EUR": ("59.90", "59.90", "59.9", 5990, 502),
    "JPY": ("5990", "5990.00", "5990.0", 5990, 700),
    "KWD": ("59.900", "59.90", "59.9", 59900, 502),
}


class Doors:
    """`api()`, `webhook()` and `file()` tell of the order; each returns a word for what became of it."""

    def __init__(self, folder: Path, *, kind: str, people: str = "an id and an email", currency: str = "EUR") -> None:
        self.kind, self.currency, self.folder = kind, currency, folder
        self.people = dict.fromkeys(DOORS, BOTH) | PEOPLE[people]
        self.shop = Shop(PROGRAM.replace("EUR", currency))
        self.at = self.shop.now - timedelta(hours=1)
        self.code = self.shop.code_of("ann")
        self.key = create_api_key(name="shop", scopes=["write"])[1]
        self.calls = 0
        options = {"signature": "hex"} if kind == "hmac" else {}
        create_source(kind=kind, slug="shop", secret=SECRETS[kind], options=options)

    def api(self) -> str:
        amount = MONEY[self.currency][0]
        answer = Client(headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": "order-1001"}).post(
            "/api/v1/events", self.fact("api", "order-paid", self.at, amount), content_type="application/json"
        )
        return str(answer.json().get("code") or answer.json()["status"])

    def webhook(self) -> str:
        self.calls += 1
        body, headers = getattr(self, f"_{self.kind}")(f"w-{self.calls}")
        answer = Client().post(f"/in/{self.kind}/shop/", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content
        translate_due(at=timezone.now())
        call = InboundCall.objects.latest("pk")
        return call.code or call.state

    def file(self) -> str:
        person, at = self.people["file"], (self.at - timedelta(minutes=5)).isoformat()
        path = self.folder / f"orders-{threading.get_ident()}.csv"
        path.write_text(
            "Date,Customer,Mail,Order,Total,Cur,code\n"
            f"{at},{person['id']},{person['email']},{ORDER},{MONEY[self.currency][2]},{self.currency},{self.code}\n"
        )
        names = ("occurred_at=Date", "external_id=Customer", "email=Mail", "order_id=Order", "amount=Total")
        out = StringIO()
        try:
            call_command(
                "import_events",
                str(path),
                "--map",
                *names,
                "currency=Cur",
                "--type",
                "purchase",
                stdout=out,
                stderr=StringIO(),
            )
        except CommandError as error:
            return str(error)
        return out.getvalue().strip()

    def fact(self, door: str, event_id: str, at: datetime, amount: str) -> dict:
        person = {name: value for name, value in (("external_id", self.people[door]["id"]),) if value}
        return {
            "event_id": event_id,
            "type": "purchase",
            "occurred_at": at.isoformat(),
            "customer": person | ({"email": email} if (email := self.people[door]["email"]) else {}),
            "order": {"id": ORDER, "amount": amount, "currency": self.currency},
            "referral": {"code": self.code},
        }

    def _shopify(self, name: str) -> tuple[bytes, dict]:
        person = self.people["webhook"]
        body = shopify_order(
            id=int(ORDER),
            currency=self.currency,
            total_price=MONEY[self.currency][1],
            email=person["email"],
            customer={"id": int(BUYER), "email": EMAIL} if person["id"] else None,
            processed_at=(self.at + timedelta(seconds=7)).isoformat(),
            updated_at=timezone.now().isoformat(),
            note_attributes=[{"name": "goodword_ref", "value": self.code}],
            discount_codes=[],
        )
        return (text := encode(body)), sign_shopify(text, "orders/paid", webhook_id=name)

    def _woocommerce(self, name: str) -> tuple[bytes, dict]:
        person = self.people["webhook"]
        body = woo_order(
            id=int(ORDER),
            number=ORDER,
            currency=self.currency,
            total=MONEY[self.currency][1],
            customer_id=int(person["id"] or 0),
            billing={"email": person["email"]},
            date_paid_gmt=f"{self.at + timedelta(seconds=8):%Y-%m-%dT%H:%M:%S}",
            date_modified_gmt=f"{timezone.now():%Y-%m-%dT%H:%M:%S}",
            meta_data=[{"key": "goodword_ref", "value": self.code}],
        )
        return (text := encode(body)), sign_woo(text, "order.updated", delivery=name)

    def _stripe(self, name: str) -> tuple[bytes, dict]:
        person = self.people["webhook"]
        session = stripe_checkout(
            currency=self.currency.lower(),
            amount_total=MONEY[self.currency][3],
            customer_details={"email": person["email"], "name": "Bob"},
            metadata={"goodword_ref": self.code, "order_id": ORDER, "goodword_customer": person["id"]},
        )
        told = stripe_event("checkout.session.completed", session, id_=f"evt_{name}", at=self.at)
        return (text := encode(told)), sign_stripe(text, at=timezone.now())

    def _hmac(self, name: str) -> tuple[bytes, dict]:
        text = encode(self.fact("webhook", f"till-{name}", self.at + timedelta(seconds=9), MONEY[self.currency][0]))
        return text, {"x-signature": hmac.new(HMAC_SECRET.encode(), text, hashlib.sha256).hexdigest()}

    def assert_one_conversion(self) -> None:
        """Assert that one friend has bought once, for one set of rewards, and that the books balance."""
        found = (Event.objects.count(), Referral.objects.count(), Customer.objects.count())
        assert found == (1, 1, 2), (found, list(Customer.objects.values_list("external_id", "email", "guest_key")))
        rules = Reward.objects.order_by("rule").values_list("rule", flat=True)
        assert list(rules) == ["advocate-fixed", "advocate-share", "friend-welcome"]
        available, pending, debt = self.shop.points("ann")
        assert (available + pending, debt) == (MONEY[self.currency][4], 0)
        assert_books_balance()

    def moved(self) -> tuple[int, str]:
        """Return how many transfers the books hold, and the state of the referral."""
        return Transfer.objects.count(), str(Referral.objects.get().state)
