"""Stories that once told product and model apart, as short as they could be made; they are played again every time."""

from typing import Any

from tests.rewards.drawn_programs import RULES

BY_ID = {rule["id"]: rule for rule in RULES}


def program(slug: str, *rules: str, on: str = "purchase", hold_days: int = 0, **more: Any) -> dict[str, Any]:
    """Return a program file with some of the drawn rules."""
    return {
        "program": slug,
        "name": slug,
        "status": "active",
        "currency": "EUR",
        "landing_url": "https://shop.example/",
        "qualifies": {"on": on} | ({"min_amount": "20.00"} if on == "purchase" else {}),
        "conversion_window_days": 60,
        "hold_days": hold_days,
        "expires_days": None,
        "rewards": [BY_ID[rule] for rule in rules],
        **more,
    }


OTHER = program("second", "friend-each")

STORIES: dict[str, tuple[list[dict[str, Any]], list[tuple]]] = {
    "an expired referral qualifies after all, its successor being an existing customer": (
        [program("first", "friend-first", hold_days=14), OTHER],
        [
            ("custom", "ben", 59, ("code", "ann", 0)),
            ("wait", 14),
            ("purchase", "ben", 0, "5000.00", ("code", "abe", 0)),
            ("purchase", "ben", 59, "33.33", ("click", "ann", 0, 2)),
        ],
    ),
    "a sign-up reward moves back with its binding and keeps its lot": (
        [OTHER | {"program": "first"}, program("second", "advocate-signup", "advocate-fixed")],
        [
            ("purchase", "ben", 5, "150.00", ("code", "abe", 1)),
            ("signup", "ben", 61, ("code", "abe", 1)),
            ("debit", "abe", 100),
        ],
    ),
    "what staff revoked stays the match of its group": (
        [program("first", "advocate-fixed", "big-basket", "group-middle", "group-low"), OTHER],
        [
            ("purchase", "bob", 90, "5000.00", ("click", "ann", 0, 0)),
            ("revoke_reward", 2),
            ("refund", 13, 61, "", "eve"),
            ("purchase", "bob", 90, "5000.00", None, "EUR", "email"),
        ],
    ),
    "a purchase of the very instant of the sign-up that qualifies": (
        [OTHER | {"program": "first"}, program("second", "friend-each", on="signup")],
        [
            ("purchase", "bea", 0, "60.00", None, "EUR", "whatsapp"),
            ("purchase", "bea", 0, "33.33", ("code", "ann", 1)),
        ],
    ),
    "an earlier purchase of the same instant qualifies instead and the reward is the same": (
        [program("first", "advocate-part", "big-basket", hold_days=14), OTHER],
        [
            ("signup", "bob", 90, ("click", "ann", 0, 30)),
            ("purchase", "bob", 61, "60.00", None, "EUR", "whatsapp"),
            ("debit", "ann", 1),
            ("purchase", "bob", 60, "5000.00", None, "EUR", "email"),
            *[("purchase", "bob", 0, "0.00")] * 7,
            ("purchase", "bob", 61, "60.00", None, "EUR", "email"),
        ],
    ),
    "an order in dollars before anything qualifies": (
        [program("first", "advocate-part"), OTHER],
        [("purchase", "bob", 1, "19.99", None, "USD"), ("custom", "bob", 5, ("code", "ann", 0))],
    ),
    "a purchase reported late into a lapsed binding revives it, after the click of the next one": (
        [program("first", "group-high"), OTHER],
        [
            ("signup", "bob", 61, ("click", "abe", 0, 30)),
            ("signup", "bob", 0, ("click", "abe", 0, 30)),
            ("purchase", "bob", 20, "150.00", None),
        ],
    ),
    "a click outside its window holds nobody, whether or not the friend had bought before": (
        [program("first", "group-high"), OTHER],
        [
            ("purchase", "ben", 59, "33.33", ("code", "abe", 1)),
            ("purchase", "ben", 0, "20.00", ("click", "abe", 0, 31)),
            ("purchase", "ben", 60, "5000.00", ("click", "ann", 0, 30)),
        ],
    ),
    "an earlier event of who took over from an expired advocate moves the binding back, up to that one's end": (
        [program("first", "advocate-signup", "advocate-fixed", hold_days=14), OTHER],
        [
            ("signup", "bob", 90, ("code", "ann", 0)),
            ("purchase", "bob", 0, "60.00", ("code", "abe", 0)),
            ("custom", "bob", 5, ("code", "abe", 0)),
            ("custom", "bob", 60, ("code", "abe", 0)),
            ("custom", "bob", 20, ("code", "abe", 0)),
        ],
    ),
    "an expired referral keeps others out for what happened before its end, however late it is told": (
        [program("first", "advocate-signup", "advocate-fixed"), OTHER],
        [
            ("signup", "bob", 90, ("code", "ann", 0)),
            ("custom", "bob", 61, ("code", "abe", 0)),
            ("purchase", "bob", 20, "60.00", None),
            ("purchase", "bob", 40, "60.00", None),
        ],
    ),
    "a binding that the next referral took over is not revived when staff void that one": (
        [OTHER | {"program": "first"}, program("second", "friend-each")],
        [
            ("purchase", "abe", 90, "19.99", ("code", "ann", 1)),
            ("signup", "abe", 5, ("code", "ann", 1)),
            ("purchase", "abe", 61, "33.33", None, "EUR", "email"),
            ("void", 1, "abe"),
            ("wait", 15),
        ],
    ),
    "who was followed by another and comes again after that one is bound anew": (
        [program("first", "advocate-signup", "advocate-fixed"), OTHER],
        [
            ("signup", "bob", 90, ("code", "ann", 0)),
            ("wait", 1),
            ("signup", "bob", 1, ("code", "abe", 0)),
            ("wait", 70),
            ("custom", "bob", 5, ("code", "ann", 0)),
            ("custom", "bob", 8, ("code", "ann", 0)),
            ("purchase", "bob", 0, "60.00", None),
            ("purchase", "bob", 61, "60.00", None),
        ],
    ),
    "a badge waits again when a later purchase qualifies": (
        [
            program("first", "friend-first", hold_days=14, milestones=[{"referrals": 1, "badge": "first"}]),
            program("second", "friend-each"),
        ],
        [
            ("custom", "ben", 5, ("code", "abe", 0)),
            ("purchase", "ben", 0, "150.00", ("code", "abe", 1)),
            ("purchase", "ben", 1, "150.00", ("code", "ann", 0)),
            ("purchase", "ben", 60, "33.33", ("code", "abe", 0)),
            ("refund", 3, 60, "", "eve"),
        ],
    ),
}
