"""Who may do what: one table of every route. A route that is not in it fails the build.

Rows tell the status each kind of caller gets for a well-meant but empty request. API addresses know keys
only: whoever comes with a browser's session is nobody there. On pages a key is worth nothing.
"""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db import transaction

from messaging.models import WebhookEndpoint
from referrals.models import Link, Referral
from rewards.models import Redemption, Reward
from tests.contracts.routes import METHODS, is_api, methods_of, walk

# The API: (route, method) -> (scope it needs, status with that scope)
API = {
    ("metrics", "GET"): ("read", 200),
    ("metrics/<str:name>", "GET"): ("read", 200),
    ("events", "POST"): ("write", 422),
    ("events/batch", "POST"): ("write", 422),
    ("events/<path:event_id>/settle", "POST"): ("write", 200),
    ("events/<path:event_id>", "GET"): ("read", 200),
    ("customers", "GET"): ("read", 200),
    ("customers/<str:external_id>", "GET"): ("read", 200),
    ("customers/<str:external_id>", "PUT"): ("write", 200),
    ("customers/<str:external_id>", "DELETE"): ("write", 204),
    ("customers/<str:external_id>/export", "GET"): ("read", 200),
    ("customers/<str:external_id>/ledger", "GET"): ("read", 200),
    ("customers/<str:external_id>/adjustments", "POST"): ("write", 422),
    ("customers/<str:external_id>/merge", "POST"): ("write", 422),
    ("customers/<str:external_id>/preferences", "GET"): ("read", 200),
    ("customers/<str:external_id>/preferences", "PUT"): ("write", 200),
    ("programs", "GET"): ("read", 200),
    ("codes/<str:code>", "GET"): ("read", 200),
    ("preview", "POST"): ("read", 422),  # it writes nothing
    ("referrals", "GET"): ("read", 200),
    ("referrals", "POST"): ("write", 422),
    ("referrals/<str:referral_id>", "GET"): ("read", 200),
    ("referrals/<str:referral_id>/explain", "GET"): ("read", 200),
    ("referrals/<str:referral_id>/approve", "POST"): ("write", 422),
    ("referrals/<str:referral_id>/hold", "POST"): ("write", 422),
    ("referrals/<str:referral_id>/void", "POST"): ("write", 422),
    ("referrals/<str:referral_id>/reopen", "POST"): ("write", 422),
    ("rewards", "GET"): ("read", 200),
    ("rewards/<str:reward_id>", "GET"): ("read", 200),
    ("rewards/<str:reward_id>/approve", "POST"): ("write", 422),
    ("rewards/<str:reward_id>/hold", "POST"): ("write", 422),
    ("rewards/<str:reward_id>/cancel", "POST"): ("write", 422),
    ("rewards/<str:reward_id>/revoke", "POST"): ("write", 422),
    ("rewards/<str:reward_id>/reopen", "POST"): ("write", 422),
    ("rewards/<str:reward_id>/options", "GET"): ("read", 200),
    ("rewards/<str:reward_id>/choose", "POST"): ("write", 422),
    ("claims", "POST"): ("write", 422),  # a publishable key too, see its own test
    ("widget", "GET"): ("read", 200),  # and these
    ("names", "POST"): ("write", 422),
    ("clicks", "POST"): ("write", 422),
    ("clicks", "DELETE"): ("write", 204),
    ("views", "POST"): ("write", 422),
    ("shares", "POST"): ("write", 422),
    ("coupons/<str:code>/validate", "POST"): ("write", 404),  # the code of the example is a link's
    ("coupons/<str:code>/redeem", "POST"): ("write", 422),
    ("coupons/<str:code>/release", "POST"): ("write", 404),
    ("catalogue", "GET"): ("read", 200),
    ("redemptions", "GET"): ("read", 200),
    ("redemptions", "POST"): ("write", 422),
    ("redemptions/<str:redemption_id>", "GET"): ("read", 200),
    ("redemptions/<str:redemption_id>/cancel", "POST"): ("write", 200),
    ("redemptions/<str:redemption_id>/confirm", "POST"): ("write", 409),  # it is not a reservation
    ("redemptions/<str:redemption_id>/fulfil", "POST"): ("write", 200),
    ("webhook-endpoints", "GET"): ("read", 200),
    ("webhook-endpoints", "POST"): ("write", 422),
    ("webhook-endpoints/<str:endpoint_id>", "GET"): ("read", 200),
    ("webhook-endpoints/<str:endpoint_id>", "PATCH"): ("write", 200),
    ("webhook-endpoints/<str:endpoint_id>", "DELETE"): ("write", 204),
    ("webhook-endpoints/<str:endpoint_id>/test", "POST"): ("write", 202),
    ("webhook-endpoints/<str:endpoint_id>/rotate-secret", "POST"): ("write", 200),
    ("webhook-endpoints/<str:endpoint_id>/replay", "POST"): ("write", 422),
    ("webhook-endpoints/<str:endpoint_id>/deliveries", "GET"): ("read", 200),
    ("surveys/<slug:slug>/invitations", "POST"): ("write", 422),
    ("surveys/<slug:slug>/responses", "GET"): ("read", 200),
    ("surveys/<slug:slug>/score", "GET"): ("read", 200),
}

# Pages: (route, method) -> status for anonymous, another customer, staff without permission, administrator
PAGES = {
    ("", "GET"): (200, 200, 200, 200),  # each their own portal, or the welcome page
    ("points/", "GET"): (302, 200, 302, 302),
    ("appeal/<str:referral_id>/", "GET"): (302, 404, 404, 404),  # either side of the referral alone
    ("appeal/<str:referral_id>/", "POST"): (302, 404, 404, 404),
    ("gifts/", "GET"): (302, 200, 302, 302),
    ("gifts/<str:reward_id>/choose/", "POST"): (302, 404, 404, 404),
    ("r/<str:code>/gift/", "GET"): (302, 302, 302, 302),  # no gift in this program: on to the shop
    ("r/<str:code>/gift/", "POST"): (302, 302, 302, 302),
    ("who/", "GET"): (302, 200, 200, 200),
    ("who/", "POST"): (302, 404, 404, 404),
    ("perks/", "GET"): (302, 200, 302, 302),
    ("leaderboards/", "GET"): (302, 200, 302, 302),
    ("leaderboards/", "POST"): (302, 422, 302, 302),  # an empty name
    ("badges/<str:slug>.svg", "GET"): (404, 404, 404, 404),  # public; "nps" is no badge
    ("badges/<str:slug>.png", "GET"): (404, 404, 404, 404),
    ("catalogue/", "GET"): (302, 200, 302, 302),
    ("catalogue/<slug:slug>/", "GET"): (302, 200, 302, 302),
    ("catalogue/<slug:slug>/", "POST"): (302, 200, 302, 302),
    ("catalogue/<slug:slug>/picture", "GET"): (200, 200, 200, 200),
    ("redemptions/", "GET"): (302, 200, 302, 302),
    ("redemptions/<str:redemption_id>/undo", "POST"): (302, 404, 404, 404),  # somebody else's
    ("q/<str:code>.svg", "GET"): (200, 200, 200, 200),  # codes are public handles
    ("programs/<slug:slug>/", "GET"): (404, 404, 404, 404),  # public; the slug is a survey's
    ("programs/<slug:slug>/name/", "GET"): (404, 404, 404, 404),
    ("programs/<slug:slug>/name/", "POST"): (404, 404, 404, 404),
    ("in/<str:kind>/<str:source>/", "POST"): (401, 401, 401, 401),  # who comes is told by the signature alone
    ("noted/", "POST"): (204, 204, 204, 204),  # codes are public handles; it counts a view or a share, never money
    ("code/", "GET"): (200, 200, 200, 200),
    ("code/", "POST"): (400, 400, 400, 400),
    ("share/<str:code>/", "GET"): (302, 302, 302, 302),  # codes are public handles; everybody to their own page
    ("hello/<str:code>.png", "GET"): (200, 200, 200, 200),
    ("hello/<str:code>/", "GET"): (200, 200, 200, 200),
    ("told/", "GET"): (302, 200, 302, 302),
    ("told/", "POST"): (302, 400, 302, 302),
    ("told/<str:claim_id>/", "GET"): (302, 404, 302, 302),
    ("told/<str:claim_id>/", "POST"): (302, 404, 302, 302),
    ("link/<str:code>/", "GET"): (302, 404, 302, 302),  # somebody else's; who is no customer is led to the portal
    ("link/<str:code>/", "POST"): (302, 404, 302, 302),
    ("q/<str:code>.png", "GET"): (200, 200, 200, 200),
    ("q/<str:code>.pdf", "GET"): (200, 200, 200, 200),
    ("widget.js", "GET"): (200, 200, 200, 200),
    ("r/<str:code>", "GET"): (302, 302, 302, 302),
    ("healthz", "GET"): (200, 200, 200, 200),
    ("readyz", "GET"): (200, 200, 200, 200),
    ("brand.css", "GET"): (200, 200, 200, 200),
    ("i18n/setlang/", "POST"): (302, 302, 302, 302),
    # Tokens stand for a person: a forged one is unknown to everybody, staff included.
    ("u/<str:token>", "GET"): (404, 404, 404, 404),
    ("u/<str:token>", "POST"): (404, 404, 404, 404),
    ("s/<str:token>", "GET"): (404, 404, 404, 404),
    ("s/<str:token>", "POST"): (404, 404, 404, 404),
    ("s/<str:token>/view", "GET"): (404, 404, 404, 404),
    ("s/<str:token>/thanks", "GET"): (404, 404, 404, 404),
    ("s/<str:token>/more", "POST"): (404, 404, 404, 404),
    ("s/<str:token>/fresh", "GET"): (404, 404, 404, 404),
    ("s/<str:token>/fresh", "POST"): (404, 404, 404, 404),
    ("surveys/<slug:slug>/theme.css", "GET"): (200, 200, 200, 200),
    ("surveys/<slug:slug>/preview/", "GET"): (302, 404, 403, 200),
    ("surveys/<slug:slug>/preview/page", "GET"): (302, 404, 403, 200),
    ("surveys/<slug:slug>/preview/mail", "GET"): (302, 404, 403, 200),
    ("events/<str:token>", "GET"): (404, 404, 404, 404),
    ("events/<str:token>", "POST"): (404, 404, 404, 404),
    ("events/<str:token>/event.ics", "GET"): (404, 404, 404, 404),
    # Only where mails go to a folder instead of being sent: all staff, whatever their role.
    ("mails/", "GET"): (404, 404, 200, 200),
    ("mails/<str:name>/", "GET"): (404, 404, 404, 404),
    ("mails/<str:name>/html/", "GET"): (404, 404, 404, 404),
    # Numbers: hidden from customers, refused to staff whose role lacks them.
    ("dashboard/", "GET"): (302, 404, 403, 200),
    ("dashboard/numbers/", "GET"): (302, 404, 403, 200),
    ("dashboard/experiments/", "GET"): (302, 404, 403, 200),
    ("dashboard/experiments/<slug:slug>/", "GET"): (302, 404, 403, 404),  # the slug is a survey's
    ("dashboard/csv/<str:name>.csv", "GET"): (302, 404, 403, 422),  # an empty request names no days
    # Reviewing: hidden from customers, refused to staff whose role shows no referrals.
    ("review/", "GET"): (302, 404, 403, 200),
    ("review/", "POST"): (302, 404, 403, 302),
    ("review/rules/", "GET"): (302, 404, 403, 200),
    ("review/<str:referral_id>/", "GET"): (302, 404, 403, 200),
    ("review/<str:referral_id>/", "POST"): (302, 404, 403, 422),
    # Looking ahead: staff who see programs; trying files is for those who may change them.
    ("budgets/", "GET"): (302, 404, 403, 200),
    ("budgets/<slug:slug>/", "GET"): (302, 404, 403, 404),  # the slug is a survey's
    ("holds/", "GET"): (302, 404, 403, 200),
    ("what-if/", "GET"): (302, 404, 403, 200),
    ("what-if/new/<slug:slug>/", "GET"): (302, 404, 403, 404),
    ("what-if/new/<slug:slug>/", "POST"): (302, 404, 403, 404),
    ("what-if/<str:simulation_id>/", "GET"): (302, 404, 403, 404),
    ("what-if/<str:simulation_id>/cancel", "POST"): (302, 404, 403, 404),
    ("what-if/<str:simulation_id>/use", "POST"): (302, 404, 403, 404),
    # Importing: a permission of its own, which no role but the administrator has.
    ("imports/", "GET"): (302, 404, 403, 200),
    ("imports/", "POST"): (302, 404, 403, 422),
    ("imports/<str:import_id>/", "GET"): (302, 404, 403, 404),
    ("imports/<str:import_id>/columns", "POST"): (302, 404, 403, 404),
    ("imports/<str:import_id>/run", "POST"): (302, 404, 403, 404),
    ("imports/<str:import_id>/undo", "POST"): (302, 404, 403, 404),
    ("imports/<str:import_id>/discard", "POST"): (302, 404, 403, 404),
    ("imports/<str:import_id>/rows.csv", "GET"): (302, 404, 403, 404),
    ("api/schema/", "GET"): (200, 200, 200, 200),
    ("api/docs/", "GET"): (200, 200, 200, 200),
    ("api/v1/.*$", "GET"): (404, 404, 404, 404),
    ("accounts/login/", "GET"): (200, 302, 302, 302),
    ("accounts/login/code/", "GET"): (200, 302, 302, 302),
    ("accounts/login/code/confirm/", "GET"): (302, 302, 302, 302),
    ("accounts/logout/", "GET"): (302, 200, 200, 200),
    ("accounts/inactive/", "GET"): (200, 200, 200, 200),
    ("accounts/signup/", "GET"): (200, 302, 302, 302),  # the page that says it is closed
    ("accounts/reauthenticate/", "GET"): (302, 403, 403, 403),
    ("accounts/password/change/", "GET"): (302, 302, 302, 302),
    ("accounts/password/set/", "GET"): (302, 200, 200, 200),
    ("accounts/password/reset/", "GET"): (200, 200, 200, 200),
    ("accounts/password/reset/done/", "GET"): (200, 200, 200, 200),
    ("accounts/password/reset/key/done/", "GET"): (200, 200, 200, 200),
    ("accounts/password/reset/key/<str:uidb36>-<str:key>/", "GET"): (200, 200, 200, 200),
    # Everybody's own second factors; the key below belongs to somebody else.
    ("accounts/2fa/", "GET"): (302, 200, 200, 200),
    ("accounts/2fa/authenticate/", "GET"): (302, 302, 302, 302),
    ("accounts/2fa/reauthenticate/", "GET"): (302, 403, 403, 403),
    ("accounts/2fa/totp/activate/", "GET"): (302, 200, 200, 200),
    ("accounts/2fa/totp/deactivate/", "GET"): (302, 404, 404, 404),
    ("accounts/2fa/recovery-codes/", "GET"): (302, 404, 404, 404),
    ("accounts/2fa/recovery-codes/generate/", "GET"): (302, 200, 200, 200),
    ("accounts/2fa/recovery-codes/download/", "GET"): (302, 404, 404, 404),
    ("accounts/2fa/webauthn/", "GET"): (302, 200, 200, 200),
    ("accounts/2fa/webauthn/add/", "GET"): (302, 200, 200, 200),
    ("accounts/2fa/webauthn/reauthenticate/", "GET"): (302, 403, 403, 403),
    ("accounts/2fa/webauthn/keys/<int:pk>/remove/", "GET"): (302, 404, 404, 404),
    ("accounts/2fa/webauthn/keys/<int:pk>/edit/", "GET"): (302, 404, 404, 404),
    ("accounts/2fa/webauthn/login/", "GET"): (302, 302, 302, 302),
}
WHO = ("anonymous", "customer", "staff", "admin")

pytestmark = pytest.mark.django_db


@pytest.fixture
def address():
    """Return a function that fills a route with things that belong to somebody else."""

    def fill(pattern: str) -> str:
        values = {
            "<path:event_id>": "event-1",
            "<str:external_id>": "ann",
            "<str:referral_id>": Referral.objects.get().public_id,
            "<str:reward_id>": Reward.objects.earliest("pk").public_id,
            "<str:simulation_id>": "sim_unknown",
            "<str:import_id>": "imp_unknown",
            "<str:endpoint_id>": WebhookEndpoint.objects.get().public_id,
            "<str:kind>/<str:source>": "stripe/stripe",
            "<str:name>": "orders",
            "<slug:slug>": "nps",  # a survey, and an item of the catalogue
            "<str:redemption_id>": Redemption.objects.get().public_id,
            "<str:slug>": "nps",
            "<str:code>": Link.objects.filter(customer__external_id="ann").get().code,
            "<str:token>": "forged",
            "<str:uidb36>-<str:key>": "1-forged",
            "<int:pk>": str(Authenticator.objects.get().pk),
            ".*$": "nope",
        }
        for name, value in values.items():
            pattern = pattern.replace(name, value)
        return f"/{pattern}"

    return fill


def status(caller, method, path):
    """Return what the caller gets, leaving no trace."""
    with transaction.atomic():
        answer = caller.call(method, path).status_code
        transaction.set_rollback(True)
    return answer


def test_every_route_is_in_the_table():
    listed = {f"api/v1/{route}" for route, _ in API} | {route for route, _ in PAGES}

    found = {pattern for pattern, _ in walk() if not pattern.startswith("admin/")}

    assert found - listed == set(), "say in the table who may do what there"
    assert listed - found == set(), "the table speaks of routes that are gone"


def test_every_method_of_the_api_is_in_the_table():
    found = {
        (pattern.removeprefix("api/v1/"), method)
        for pattern, view in walk()
        if is_api(pattern)
        for method in methods_of(view)
    }

    assert found == set(API)


def test_every_post_of_the_api_obeys_the_idempotency_key():
    careless = [
        pattern
        for pattern, view in walk()
        if is_api(pattern) and "POST" in methods_of(view) and not getattr(view.cls.post, "obeys_idempotency_key", False)
    ]

    assert careless == []


def test_call_api_by_role(callers, address):
    expected, found = {}, {}
    for (route, method), (scope, allowed) in API.items():
        path = address(f"api/v1/{route}")
        for who, caller in callers.items():
            right = {"read": "read", "write": "write"}.get(who)
            expected[route, method, who] = 401 if right is None else allowed if right == scope else 403
            found[route, method, who] = status(caller, method, path)

    assert found == expected


def test_call_api_by_a_method_it_has_not_is_405(callers, address):
    wrong = [
        (route, method.upper())
        for route in {route for route, _ in API}
        for method in METHODS
        if (route, method.upper()) not in API
    ]
    # DELETE, PATCH and PUT need `write`, GET needs `read`: each is asked with the key that has the right.
    key = {"GET": "read"}

    found = {
        (route, method): {
            status(callers[who], method, address(f"api/v1/{route}")) for who in (key.get(method, "write"), "read")
        }
        for route, method in wrong
    }

    assert {row: got for row, got in found.items() if not got <= {403, 405}} == {}


def test_open_page_by_role(callers, address):
    found = {row: tuple(status(callers[who], row[1], address(row[0])) for who in WHO) for row in PAGES}

    assert found == PAGES


def test_open_page_with_a_key_is_as_without(callers, address):
    for (route, method), expected in PAGES.items():
        assert status(callers["write"], method, address(route)) == expected[0], route


def admin_addresses():
    for model in admin.site._registry:
        start = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for rest in ("", "add/", "1/change/", "1/history/", "1/delete/"):
            yield start + rest


def test_every_admin_route_is_asked():
    asked = {path.split("/")[2] for path in admin_addresses()}
    own = {"find", "search", "login", "logout", "password_change", "autocomplete", "jsi18n", "r", ""}

    found = {pattern.split("/")[1] for pattern, _ in walk() if pattern.startswith("admin/")}

    assert {part for part in found if not part.startswith(("^", "("))} - own == asked


def test_open_admin_by_role(callers):
    open_to = {"anonymous": set(), "customer": set(), "read": set(), "write": set(), "staff": set()}
    for path in admin_addresses():
        for who, seen in open_to.items():
            answer = status(callers[who], "GET", path)
            if answer not in ((302,) if who != "staff" else (302, 403)):
                seen.add((path, answer))

    assert {who: seen for who, seen in open_to.items() if seen} == {}


def test_open_every_admin_list_as_administrator_works(callers):
    lists = [path for path in admin_addresses() if path.count("/") == 4]

    assert {path: status(callers["admin"], "GET", path) for path in lists} == dict.fromkeys(lists, 200)


def test_open_admin_of_third_party_secrets_is_not_offered(callers):
    for path in ("mfa/authenticator", "rest_framework_api_key/apikey", "account/emailaddress"):
        assert status(callers["admin"], "GET", f"/admin/{path}/") == 404


def test_open_admin_by_role_sabotaged(callers, monkeypatch):
    """Were permissions not asked for, bare staff would see the lists."""
    monkeypatch.setattr("django.contrib.admin.ModelAdmin.has_view_or_change_permission", lambda *_, **__: True)
    monkeypatch.setattr("django.contrib.admin.ModelAdmin.has_view_permission", lambda *_, **__: True)

    assert status(callers["staff"], "GET", "/admin/referrals/customer/") == 200
