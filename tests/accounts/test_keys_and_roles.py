"""API keys and staff roles, by command and in the admin."""

import re

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, User
from accounts.services import ROLES, UnknownScope, create_api_key, ensure_roles, revoke_api_key
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("options", "scopes", "publishable"),
    [
        ([], ["read", "write"], False),
        (["--scope", "read"], ["read"], False),
        (["--scope", "write", "--scope", "read"], ["read", "write"], False),
        (["--publishable"], [], True),
    ],
)
def test_create_api_key_command_prints_the_key_alone_on_the_last_line(capsys, client, options, scopes, publishable):
    call_command("create_api_key", "shop", *options)

    text = capsys.readouterr().out.rstrip("\n").splitlines()[-1]
    row = ApiKey.objects.get()
    assert re.fullmatch(r"\S{8}\.\S{32}", text)
    assert (ApiKey.objects.get_from_key(text), row.scopes, row.publishable) == (row, scopes, publishable)


@pytest.mark.parametrize("arguments", [["shop", "--publishable", "--scope", "read"], [""], ["x" * 51]])
def test_create_api_key_command_refuses(arguments):
    with pytest.raises(CommandError):
        call_command("create_api_key", *arguments)

    assert ApiKey.objects.count() == 0


def test_create_api_key_with_unknown_scope_is_refused():
    with pytest.raises(UnknownScope):
        create_api_key(name="shop", scopes=["admin"])

    assert ApiKey.objects.count() == 0


def test_revoke_api_key_is_for_good():
    key, text = create_api_key(name="shop")

    revoke_api_key(key=key)

    assert ApiKey.objects.is_valid(text) is False
    assert revoke_api_key(key=key).revoked is True


def test_ensure_roles_is_safe_to_repeat():
    first = {group.name: group.permissions.count() for group in ensure_roles()}
    second = {group.name: group.permissions.count() for group in ensure_roles()}

    assert first == second
    assert set(first) == set(ROLES) == {"Administrator", "Marketer", "Support", "Analyst"}
    assert Group.objects.count() == 4


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("Administrator", ["accounts.add_apikey", "referrals.change_program"], []),
        (
            "Marketer",
            ["referrals.change_program", "surveys.change_survey"],
            ["accounts.view_user", "accounts.add_apikey"],
        ),
        (
            "Support",
            ["referrals.view_customer", "rewards.view_reward"],
            ["referrals.change_program", "accounts.view_user"],
        ),
        ("Analyst", ["referrals.view_referral"], ["referrals.change_referral", "messaging.view_message"]),
    ],
)
def test_ensure_roles_grants_what_the_role_stands_for(role, may, may_not):
    ensure_roles()
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role))

    assert [name for name in may if not user.has_perm(name)] == []
    assert [name for name in may_not if user.has_perm(name)] == []


@pytest.mark.parametrize("role", ["Marketer", "Support", "Analyst"])
def test_open_admin_index_shows_each_role_only_its_own(client, role):
    ensure_roles()
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)

    page = client.get("/admin/").content.decode()

    assert "/admin/referrals/referral/" in page
    assert "/admin/accounts/apikey/" not in page


def test_add_api_key_in_the_admin_shows_it_once(client):
    client.force_login(User.objects.create_superuser("admin@shop.example"))

    page = client.post("/admin/accounts/apikey/add/", {"name": "shop", "scopes": ["read"]}, follow=True)

    text = re.search(r"not shown again: (\S{8}\.\w{32})", page.content.decode()).group(1)
    row = ApiKey.objects.get()
    assert (ApiKey.objects.get_from_key(text), row.scopes) == (row, ["read"])
    again = client.get(f"/admin/accounts/apikey/{row.pk.replace('$', '_24').replace('.', '.')}/change/", follow=True)
    assert text not in again.content.decode()


def test_revoke_api_keys_in_the_admin(client):
    client.force_login(User.objects.create_superuser("admin@shop.example"))
    row, _ = create_api_key(name="shop")

    client.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [row.pk]})

    assert ApiKey.objects.get().revoked is True
