"""Calls in the shapes that the providers document, written by hand, and their signatures."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

STRIPE_SECRET = "whsec_stripe_test_secret_0123456789"
SHOPIFY_SECRET = "hush-hush-shopify-0123456789"
WOO_SECRET = "woo-secret-0123456789-abcdef"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def encode(value) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def sign_stripe(body: bytes, at: datetime = NOON, secret: str = STRIPE_SECRET) -> dict:
    stamp = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "stripe-signature": f"t={stamp},v1={digest},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
    }


def sign_shopify(
    body: bytes, topic: str, webhook_id: str = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", secret: str = SHOPIFY_SECRET
) -> dict:
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": digest,
        "x-shopify-shop-domain": "goodword-test.myshopify.com",
        "x-shopify-api-version": "2026-01",
        "x-shopify-webhook-id": webhook_id,
        "x-shopify-triggered-at": "2026-03-01T12:00:01.123456789Z",
    }


def sign_woo(body: bytes, topic: str, delivery: str = "4d1f0ab1c3", secret: str = WOO_SECRET) -> dict:
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    resource, event = topic.split(".")
    return {
        "x-wc-webhook-source": "https://shop.example/",
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-resource": resource,
        "x-wc-webhook-event": event,
        "x-wc-webhook-signature": digest,
        "x-wc-webhook-id": "17",
        "x-wc-webhook-delivery-id": delivery,
    }


def stripe_event(
    type_: str, thing: dict, *, id_: str = "evt_1NG8Du2eZvKYlo2CUI79vXWy", at: datetime = NOON, **data
) -> dict:
    return {
        "id": id_,
        "object": "event",
        "api_version": "2025-09-30.clover",
        "created": int(at.timestamp()),
        "data": {"object": thing, **data},
        "livemode": True,
        "pending_webhooks": 1,
        "request": {"id": "req_Jq0q5Uu5Yk2cTx", "idempotency_key": None},
        "type": type_,
    }


def stripe_checkout(**changes) -> dict:
    return {
        "id": "cs_live_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u",
        "object": "checkout.session",
        "amount_subtotal": 5990,
        "amount_total": 5990,
        "client_reference_id": "cart-77",
        "currency": "eur",
        "customer": None,
        "customer_details": {"address": {"country": "DE"}, "email": "bob@shop.example", "name": "Bob Martin"},
        "customer_email": None,
        "invoice": None,
        "livemode": True,
        "metadata": {},
        "mode": "payment",
        "payment_intent": "pi_1GszsK2eZvKYlo2CfhZyoZLp",
        "payment_status": "paid",
        "status": "complete",
        **changes,
    }


def stripe_invoice(**changes) -> dict:
    return {
        "id": "in_1MtHbELkdIwHu7ixl4OzzPMv",
        "object": "invoice",
        "amount_due": 5990,
        "amount_paid": 5990,
        "billing_reason": "subscription_cycle",
        "currency": "eur",
        "customer": "cus_NeZwdNtLEOXuvB",
        "customer_email": "bob@shop.example",
        "customer_name": "Bob Martin",
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"metadata": {}, "subscription": "sub_1MtHbD"},
        },
        "payments": {
            "object": "list",
            "data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_invoice"}, "status": "paid"}],
        },
        "status": "paid",
        **changes,
    }


def stripe_charge(**changes) -> dict:
    return {
        "id": "ch_3MmlLrLkdIwHu7ix0snN0B15",
        "object": "charge",
        "amount": 5990,
        "amount_captured": 5990,
        "amount_refunded": 2000,
        "billing_details": {"email": "bob@shop.example", "name": "Bob Martin", "phone": None},
        "currency": "eur",
        "customer": None,
        "metadata": {},
        "paid": True,
        "payment_intent": "pi_1GszsK2eZvKYlo2CfhZyoZLp",
        "receipt_email": None,
        "refunded": False,
        **changes,
    }


def shopify_order(**changes) -> dict:
    return {
        "id": 820982911946154508,
        "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
        "name": "#1001",
        "order_number": 1001,
        "email": "bob@shop.example",
        "contact_email": "bob@shop.example",
        "created_at": "2026-03-01T12:55:00+01:00",
        "processed_at": "2026-03-01T13:00:00+01:00",
        "updated_at": "2026-03-01T13:00:05+01:00",
        "currency": "EUR",
        "presentment_currency": "USD",
        "total_price": "59.90",
        "current_total_price": "59.90",
        "total_discounts": "5.00",
        "financial_status": "paid",
        "discount_codes": [{"code": "WELCOME10", "amount": "5.00", "type": "fixed_amount"}],
        "note_attributes": [],
        "landing_site": "/",
        "referring_site": "https://www.example.com",
        "test": False,
        "customer": {
            "id": 115310627314723954,
            "email": "bob@shop.example",
            "first_name": "Bob",
            "last_name": "Martin",
            "created_at": "2026-03-01T12:50:00+01:00",
        },
        "line_items": [{"id": 866550311766439020, "price": "59.90", "quantity": 1, "title": "Teapot"}],
        **changes,
    }


def shopify_refund(**changes) -> dict:
    return {
        "id": 890088186047892319,
        "order_id": 820982911946154508,
        "created_at": "2026-03-05T09:00:00+01:00",
        "processed_at": "2026-03-05T09:00:00+01:00",
        "note": "Things were damaged",
        "restock": False,
        "refund_line_items": [{"id": 487817672276298627, "quantity": 1, "subtotal": 20.0}],
        "transactions": [
            {
                "id": 245135271310201194,
                "order_id": 820982911946154508,
                "kind": "refund",
                "status": "success",
                "amount": "20.00",
                "currency": "EUR",
                "gateway": "bogus",
            }
        ],
        **changes,
    }


def shopify_customer(**changes) -> dict:
    return {
        "id": 115310627314723954,
        "email": "bob@shop.example",
        "created_at": "2026-03-01T12:50:00+01:00",
        "first_name": "Bob",
        "last_name": "Martin",
        "orders_count": 0,
        "verified_email": True,
        **changes,
    }


def woo_order(**changes) -> dict:
    return {
        "id": 727,
        "parent_id": 0,
        "number": "727",
        "order_key": "wc_order_58d2d042d1d",
        "status": "processing",
        "currency": "EUR",
        "date_created": "2026-03-01T13:00:00",
        "date_created_gmt": "2026-03-01T12:00:00",
        "date_modified_gmt": "2026-03-01T12:00:10",
        "date_paid_gmt": "2026-03-01T12:00:08",
        "discount_total": "0.00",
        "total": "59.90",
        "customer_id": 25,
        "billing": {"first_name": "Bob", "last_name": "Martin", "email": "bob@shop.example"},
        "meta_data": [],
        "coupon_lines": [],
        "refunds": [],
        "line_items": [{"id": 315, "name": "Teapot", "product_id": 93, "quantity": 1, "total": "59.90"}],
        **changes,
    }


def woo_customer(**changes) -> dict:
    return {
        "id": 25,
        "date_created": "2026-03-01T12:50:00",
        "date_created_gmt": "2026-03-01T11:50:00",
        "email": "bob@shop.example",
        "first_name": "Bob",
        "last_name": "Martin",
        "role": "customer",
        "meta_data": [],
        **changes,
    }
