"""Providers' calls become facts: pure, by hand-written payloads in the documented shapes."""

import pytest

from core.errors import Invalid
from referrals.facts import fact_from_json
from referrals.sources import hmac, shopify, stripe, woocommerce
from referrals.sources.reading import NotUnderstood, Options
from referrals.sources.registry import option_problems
from tests.referrals.sources.payloads import (
    NOON,
    shopify_customer,
    shopify_order,
    shopify_refund,
    stripe_charge,
    stripe_checkout,
    stripe_event,
    stripe_invoice,
    woo_customer,
    woo_order,
)


def of_stripe(type_, thing, options=None, **event):
    return stripe.translate(topic=type_, value=stripe_event(type_, thing, **event), options=Options(options or {}))


def of_shopify(topic, value, **options):
    return shopify.translate(topic=topic, value=value, options=Options(options))


def of_woo(topic, value, **options):
    return woocommerce.translate(topic=topic, value=value, options=Options(options))


def of_hmac(value, topic="", **options):
    return hmac.translate(topic=topic or str(value.get("type", "")), value=value, options=Options(options))


def test_translate_stripe_checkout_is_a_purchase():
    meta = {"goodword_ref": "ANNX7K2", "goodword_click": "clk_1", "goodword_customer": "c-2", "order_id": "1001"}

    told = of_stripe("checkout.session.completed", stripe_checkout(metadata=meta))

    assert told.bodies == (
        {
            "event_id": "stripe-evt_1NG8Du2eZvKYlo2CUI79vXWy",
            "type": "purchase",
            "occurred_at": "2026-03-01T12:00:00+00:00",
            "customer": {"external_id": "c-2", "email": "bob@shop.example", "name": "Bob Martin"},
            "referral": {"code": "ANNX7K2", "click_id": "clk_1"},
            "order": {"id": "1001", "amount": "59.90", "currency": "EUR"},
        },
    )
    assert told.aliases == (
        "pi_1GszsK2eZvKYlo2CfhZyoZLp",
        "cs_live_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u",
    )


def test_translate_stripe_checkout_without_metadata_names_a_guest_and_the_payment():
    body = of_stripe("checkout.session.completed", stripe_checkout()).bodies[0]

    assert body["customer"] == {"email": "bob@shop.example", "name": "Bob Martin"}
    assert body["order"]["id"] == "pi_1GszsK2eZvKYlo2CfhZyoZLp"
    assert "referral" not in body


def test_translate_stripe_checkout_takes_the_clients_reference_where_told_to():
    told = of_stripe("checkout.session.completed", stripe_checkout(), {"customer": "client_reference_id"})

    assert told.bodies[0]["customer"]["external_id"] == "cart-77"


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [(5990, "eur", "59.90"), (500, "jpy", "500"), (500, "krw", "500"), (5990, "kwd", "5.990"), (50000, "ugx", "500"),
     (50000, "isk", "500"), (500, "mga", "500.00"), (0, "eur", "0.00"), (1, "usd", "0.01")],
)  # fmt: skip
def test_translate_stripe_amounts_are_in_its_own_minor_units(amount, currency, expected):
    body = of_stripe("checkout.session.completed", stripe_checkout(amount_total=amount, currency=currency)).bodies[0]

    assert body["order"]["amount"] == expected


def test_translate_stripe_subscription_says_one_order_by_checkout_and_invoice():
    checkout = stripe_checkout(mode="subscription", payment_intent=None, invoice="in_1MtHbELkdIwHu7ixl4OzzPMv")

    by_checkout = of_stripe("checkout.session.completed", checkout).bodies[0]
    by_invoice = of_stripe("invoice.paid", stripe_invoice(), id_="evt_other").bodies[0]

    assert (
        by_checkout["order"]
        == by_invoice["order"]
        == {
            "id": "in_1MtHbELkdIwHu7ixl4OzzPMv",
            "amount": "59.90",
            "currency": "EUR",
        }
    )


def test_translate_stripe_invoice_takes_evidence_from_its_subscription_but_not_its_order():
    details = {"subscription_details": {"metadata": {"goodword_ref": "ANNX7K2", "order_id": "1"}}}

    told = of_stripe("invoice.paid", stripe_invoice(parent=details))

    assert told.bodies[0]["referral"] == {"code": "ANNX7K2"}
    assert told.bodies[0]["order"]["id"] == "in_1MtHbELkdIwHu7ixl4OzzPMv"
    assert told.aliases == ("in_1MtHbELkdIwHu7ixl4OzzPMv", "pi_invoice")


def test_translate_stripe_refund_is_what_this_event_gave_back():
    first = of_stripe("charge.refunded", stripe_charge(), previous_attributes={"amount_refunded": 0})
    second = of_stripe(
        "charge.refunded", stripe_charge(amount_refunded=5990), previous_attributes={"amount_refunded": 2000}
    )

    assert [one.bodies[0]["order"]["amount"] for one in (first, second)] == ["20.00", "39.90"]
    assert first.order_alias == "pi_1GszsK2eZvKYlo2CfhZyoZLp"
    assert first.bodies[0]["type"] == "refund"


def test_translate_stripe_customer_is_a_signup():
    thing = {"id": "cus_1", "email": "bob@shop.example", "name": "Bob", "metadata": {"goodword_ref": "ANNX7K2"}}

    body = of_stripe("customer.created", thing).bodies[0]

    assert (body["type"], body["referral"]) == ("signup", {"code": "ANNX7K2"})


@pytest.mark.parametrize(
    ("type_", "thing", "event"),
    [
        ("checkout.session.completed", stripe_checkout(payment_status="unpaid"), {}),
        ("checkout.session.completed", stripe_checkout(mode="setup"), {}),
        ("charge.refunded", stripe_charge(amount_refunded=0), {}),
        ("payment_intent.created", {}, {}),
        ("customer.created", {"id": "cus_1", "email": None}, {}),
    ],
)
def test_translate_stripe_ignores_what_earns_nothing_and_says_why(type_, thing, event):
    told = of_stripe(type_, thing, **event)

    assert told.bodies == ()
    assert told.ignored != ""


def test_translate_stripe_ignores_test_mode_unless_told_to():
    event = stripe_event("checkout.session.completed", stripe_checkout()) | {"livemode": False}
    said = [
        stripe.translate(topic="checkout.session.completed", value=event, options=Options(options)).ignored
        for options in ({}, {"accept_test": True})
    ]

    assert said == ["made in test mode", ""]


@pytest.mark.parametrize("changes", [
    {"amount_total": None}, {"amount_total": "59.90"}, {"amount_total": -1}, {"currency": "xyz"}, {"currency": None},
    {"customer_details": None}, {"id": None}, {"metadata": "x", "customer_details": []},
])  # fmt: skip
def test_translate_stripe_refuses_what_is_not_in_its_shape(changes):
    with pytest.raises(Invalid):
        of_stripe("checkout.session.completed", stripe_checkout(**changes))


def test_translate_shopify_order_is_a_purchase():
    told = of_shopify("orders/paid", shopify_order())

    assert told.bodies == (
        {
            "event_id": "shopify-order-820982911946154508",
            "type": "purchase",
            "occurred_at": "2026-03-01T13:00:00+01:00",
            "customer": {"external_id": "115310627314723954", "email": "bob@shop.example", "name": "Bob Martin"},
            "referral": {"coupon": "WELCOME10"},
            "order": {"id": "820982911946154508", "amount": "59.90", "currency": "EUR"},
        },
    )


def test_translate_shopify_evidence_comes_from_notes_then_from_the_landing_address():
    notes = [{"name": "goodword_ref", "value": "ANNX7K2"}]
    site = "/welcome?ref=OTHER&click=clk_1&utm_source=x"

    both = of_shopify("orders/paid", shopify_order(note_attributes=notes, landing_site=site, discount_codes=[]))
    landing = of_shopify("orders/paid", shopify_order(landing_site=site, discount_codes=[]))

    assert both.bodies[0]["referral"] == {"code": "ANNX7K2", "click_id": "clk_1"}
    assert landing.bodies[0]["referral"] == {"code": "OTHER", "click_id": "clk_1"}


@pytest.mark.parametrize(
    ("field", "expected"), [("id", "820982911946154508"), ("name", "#1001"), ("order_number", "1001")]
)
def test_translate_shopify_order_is_named_as_the_shop_names_it(field, expected):
    assert of_shopify("orders/paid", shopify_order(), order_id=field).bodies[0]["order"]["id"] == expected


@pytest.mark.parametrize(
    ("price", "currency", "expected"),
    [("500", "JPY", "500"), ("500.00", "JPY", "500"), ("5.9", "EUR", "5.90"), ("1.500", "KWD", "1.500")],
)
def test_translate_shopify_amounts_are_decimal(price, currency, expected):
    body = of_shopify("orders/paid", shopify_order(total_price=price, currency=currency)).bodies[0]

    assert body["order"]["amount"] == expected


def test_translate_shopify_refund_is_its_successful_transactions():
    transactions = shopify_refund()["transactions"]
    failed = transactions[0] | {"id": 2, "status": "failure"}
    second = transactions[0] | {"id": 3, "amount": "1.50"}

    told = of_shopify("refunds/create", shopify_refund(transactions=[*transactions, failed, second]))

    assert [(one["event_id"], one["order"]["amount"]) for one in told.bodies] == [
        ("shopify-refund-890088186047892319-245135271310201194", "20.00"),
        ("shopify-refund-890088186047892319-3", "1.50"),
    ]
    assert told.order_alias == "820982911946154508"


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        ("orders/paid", shopify_order(test=True)),
        ("orders/create", shopify_order()),
        ("refunds/create", shopify_refund(transactions=[])),
        ("", {}),
    ],
)
def test_translate_shopify_ignores_what_earns_nothing_and_says_why(topic, value):
    told = of_shopify(topic, value)

    assert (told.bodies, bool(told.ignored)) == ((), True)


def test_translate_shopify_customer_is_a_signup():
    body = of_shopify("customers/create", shopify_customer()).bodies[0]

    assert (body["type"], body["customer"]["external_id"]) == ("signup", "115310627314723954")


@pytest.mark.parametrize("status", ["processing", "completed", "wc-completed"])
def test_translate_woocommerce_paid_order_is_a_purchase_whatever_the_status_is_called(status):
    meta = [
        {"id": 1, "key": "goodword_ref", "value": "ANNX7K2"},
        {"id": 2, "key": "_wc_order_attribution_session_entry", "value": "https://shop.example/?ref=B&click=clk_1"},
        {"id": 3, "key": "_nested", "value": {"a": 1}},
    ]
    order = woo_order(status=status, meta_data=meta, coupon_lines=[{"id": 1, "code": "welcome10"}])

    told = of_woo("order.updated", order)

    assert told.bodies == (
        {
            "event_id": "woocommerce-order-727",
            "type": "purchase",
            "occurred_at": "2026-03-01T12:00:08+00:00",
            "customer": {"external_id": "25", "email": "bob@shop.example", "name": "Bob Martin"},
            "referral": {"code": "ANNX7K2", "click_id": "clk_1", "coupon": "welcome10"},
            "order": {"id": "727", "amount": "59.90", "currency": "EUR"},
        },
    )


def test_translate_woocommerce_guest_is_known_by_the_email():
    assert of_woo("order.created", woo_order(customer_id=0)).bodies[0]["customer"] == {
        "email": "bob@shop.example",
        "name": "Bob Martin",
    }


def test_translate_woocommerce_refunds_are_told_one_by_one():
    order = woo_order(refunds=[{"id": 9, "reason": "", "total": "-20.00"}, {"id": 10, "reason": "", "total": "-0.00"}])

    told = of_woo("order.updated", order)

    assert [(one["type"], one["event_id"], one["order"]["amount"]) for one in told.bodies] == [
        ("purchase", "woocommerce-order-727", "59.90"),
        ("refund", "woocommerce-refund-9", "20.00"),
    ]


def test_translate_woocommerce_refunded_without_a_list_is_given_back_whole():
    told = of_woo("order.updated", woo_order(status="refunded"))

    assert [(one["type"], one["order"]["amount"]) for one in told.bodies] == [
        ("purchase", "59.90"),
        ("refund", "59.90"),
    ]


@pytest.mark.parametrize("status", ["pending", "on-hold", "failed", "cancelled", "trash", ""])
def test_translate_woocommerce_ignores_orders_that_are_not_paid(status):
    told = of_woo("order.updated", woo_order(status=status))

    assert (told.bodies, bool(told.ignored)) == ((), True)


def test_translate_woocommerce_customer_is_a_signup():
    body = of_woo("customer.created", woo_customer()).bodies[0]

    assert (body["type"], body["occurred_at"]) == ("signup", "2026-03-01T11:50:00+00:00")


FIELDS = {"event_id": "id", "type": "kind", "occurred_at": "at", "external_id": "user.id", "order_id": "order.no",
          "amount": "order.total", "currency": "order.currency", "code": "order.ref"}  # fmt: skip
THEIRS = {"id": 77, "kind": "order.paid", "at": 1772366400, "user": {"id": 5},
          "order": {"no": "A-1", "total": 5990, "currency": "eur", "ref": "ANNX7K2"}}  # fmt: skip


def test_translate_hmac_reads_by_its_mapping():
    told = of_hmac(THEIRS, "order.paid", fields=FIELDS, types={"order.paid": "purchase"}, minor_units=True)

    assert told.bodies == (
        {
            "event_id": "77",
            "type": "purchase",
            "occurred_at": "2026-03-01T12:00:00+00:00",
            "customer": {"external_id": "5"},
            "referral": {"code": "ANNX7K2"},
            "order": {"id": "A-1", "amount": "59.90", "currency": "EUR"},
        },
    )


def test_translate_hmac_constants_stand_in_for_what_is_not_told():
    fields = {"event_id": "id", "occurred_at": "when", "email": "mail", "order_id": "id", "amount": "sum"}
    theirs = {"id": "1", "when": "2026-03-01T12:00:00Z", "mail": "bob@shop.example", "sum": "59.9"}

    told = of_hmac(theirs, fields=fields, constants={"type": "purchase", "currency": "EUR"})

    assert told.bodies[0]["order"] == {"id": "1", "amount": "59.90", "currency": "EUR"}


def test_translate_hmac_without_a_mapping_is_the_body_of_the_api():
    body = {"event_id": "1", "type": "signup", "occurred_at": "2026-03-01T12:00:00Z", "customer": {"external_id": "c"}}

    assert of_hmac(body).bodies == (body,)


def test_translate_hmac_ignores_types_that_are_not_mapped():
    assert of_hmac({"kind": "cart"}, "cart", fields=FIELDS, types={"order.paid": "purchase"}).ignored != ""


@pytest.mark.parametrize("missing", ["id", "at"])
def test_translate_hmac_says_what_it_did_not_find(missing):
    theirs = {name: value for name, value in THEIRS.items() if name != missing}

    with pytest.raises(NotUnderstood, match="is not found"):
        of_hmac(theirs, "order.paid", fields=FIELDS, types={"order.paid": "purchase"}, minor_units=True)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("stripe", {"order_id": "name"}), ("shopify", {"order_id": "email"}), ("hmac", {"signature": "md5"}),
     ("hmac", {"fields": {"nonsense": "a"}}), ("hmac", {"fields": []}), ("hmac", {"types": []}), ("stripe", [])],
)  # fmt: skip
def test_option_problems_names_what_is_wrong(kind, options):
    assert option_problems(kind, options) != []


@pytest.mark.parametrize(
    ("kind", "options"),
    [("stripe", {}), ("stripe", {"customer": "client_reference_id"}), ("shopify", {"order_id": "name"}),
     ("hmac", {"fields": FIELDS, "types": {"a": "purchase"}, "signature": "hex"})],
)  # fmt: skip
def test_option_problems_of_good_ones_is_empty(kind, options):
    assert option_problems(kind, options) == []


def test_every_translated_purchase_is_a_fact():
    told = [
        of_stripe("checkout.session.completed", stripe_checkout()),
        of_stripe("invoice.paid", stripe_invoice()),
        of_stripe("charge.refunded", stripe_charge()),
        of_shopify("orders/paid", shopify_order()),
        of_shopify("customers/create", shopify_customer()),
        of_woo("order.updated", woo_order(refunds=[{"id": 9, "total": "-20.00"}])),
        of_woo("customer.created", woo_customer()),
    ]

    facts = [fact_from_json(body, now=NOON) for one in told for body in one.bodies]

    assert [fact.type for fact in facts] == [
        "purchase",
        "purchase",
        "refund",
        "purchase",
        "signup",
        "purchase",
        "refund",
        "signup",
    ]
