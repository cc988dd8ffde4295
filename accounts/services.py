"""Users, staff roles and API keys."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from accounts.models import ApiKey, User
from accounts.origins import origin_problem
from core.errors import Invalid
from core.sandbox import TEST_KEY_PREFIX

_TRADE = ("referrals", "rewards", "surveys", "messaging", "analytics")
_SHOWN = tuple(
    f"{act}_{noun}"
    for noun in ("badge", "catalogueitem", "perk", "perkevent", "leaderboard", "leaderboardprize")
    for act in ("add", "change", "delete")
)
_BLOCKS = ("add_blockentry", "delete_blockentry")
ROLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    # role: app -> permissions by prefix; "*" stands for every one
    "Administrator": dict.fromkeys((*_TRADE, "accounts", "auth", "core"), ("*",)),
    "Marketer": {
        **dict.fromkeys(_TRADE, ("view_",)),
        "referrals": (
            *("view_", "add_program", "change_program", "change_link", "change_referral"),
            *("add_segment", "change_segment", "delete_segment", *_BLOCKS),
            *("add_sharetext", "change_sharetext", "delete_sharetext"),
            *("add_experiment", "change_experiment", "delete_experiment"),
        ),
        "rewards": (
            *("view_", *_SHOWN, "change_eventinvitation", "change_displayname", "change_appeal"),
            *("add_couponpool", "change_couponpool", "delete_couponpool", "change_coupon"),
            *("add_choice", "change_choice", "delete_choice"),
            *("change_fulfilment", "add_payoutbatch"),
        ),
        "surveys": ("view_", "add_survey", "change_survey"),
        "messaging": ("view_", "add_template", "change_template"),
        "accounts": ("view_changerequest",),
    },
    "Support": {
        "referrals": ("view_", "change_referral", "change_customer", "change_link", "change_inboundcall", *_BLOCKS),
        "rewards": (
            *("view_", "change_reward", "change_redemption", "change_appeal"),
            *("change_fulfilment", "change_coupon"),
        ),
        "surveys": ("view_",),
        "messaging": ("view_", "change_message"),
        "accounts": ("view_changerequest",),
    },
    "Analyst": dict.fromkeys(("referrals", "rewards", "surveys", "analytics"), ("view_",)),
}


class UnknownScope(Invalid):
    """A scope that no address asks for."""

    code = "unknown_scope"


class BadOrigin(Invalid):
    """A text that is no web origin, or a key that takes none."""


@transaction.atomic
def ensure_roles() -> list[Group]:
    """Create the staff roles where missing and give each the permissions it stands for; safe to repeat."""
    groups = []
    for name, apps in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(_granted(apps)))
        groups.append(group)
    return groups


def _granted(apps: Mapping[str, Sequence[str]]) -> Q:
    chosen = Q(pk__in=[])
    for app, prefixes in apps.items():
        for prefix in prefixes:
            of_app = Q(content_type__app_label=app)
            chosen |= of_app if prefix == "*" else of_app & Q(codename__startswith=prefix)
    return chosen


@transaction.atomic
def create_api_key(
    *,
    name: str,
    scopes: Sequence[str] = (),
    publishable: bool = False,
    origins: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return a new key's row and its text, which cannot be read again; no scopes named: read and write.

    A publishable key carries no scope: it may fetch widget settings and report clicks, views and shares, from pages
    of its origins (none named: of any). Raises `UnknownScope`, `BadOrigin`.
    """
    _check_origins(origins, publishable=publishable)
    if publishable and scopes:
        raise UnknownScope("A publishable key carries no scope.")
    if unknown := set(scopes) - set(ApiKey.Scope.values):
        raise UnknownScope(f"{', '.join(sorted(unknown))}: expected read or write")
    chosen = [] if publishable else sorted(set(scopes) or set(ApiKey.Scope.values))
    row = ApiKey(
        name=name,
        scopes=chosen,
        publishable=publishable,
        origins=list(origins),
        identity_secrets=[new_identity_secret()] if publishable else [],
        expiry_date=expires_at,
    )
    text = ApiKey.objects.assign_key(row)
    row.save(force_insert=True)
    return row, f"{TEST_KEY_PREFIX}{text}" if settings.SANDBOX else text


def new_identity_secret() -> str:
    """Return a new secret for signing customers' ids."""
    return f"gwid_{secrets.token_urlsafe(32)}"


def _check_origins(origins: Sequence[str], *, publishable: bool) -> None:
    if origins and not publishable:
        raise BadOrigin("Only a publishable key is limited to origins.")
    if problems := [problem for problem in map(origin_problem, origins) if problem]:
        raise BadOrigin(problems[0])


@transaction.atomic
def limit_api_key(*, key: ApiKey, origins: Sequence[str]) -> ApiKey:
    """Let a publishable key work on pages of these origins alone (none: of any). Raises `BadOrigin`."""
    _check_origins(origins, publishable=key.publishable)
    ApiKey.objects.filter(pk=key.pk).update(origins=list(origins))
    key.refresh_from_db()
    return key


@transaction.atomic
def renew_identity_secret(*, key: ApiKey) -> ApiKey:
    """Give a publishable key a new secret for customers' ids; the one before works until the next renewal."""
    locked: ApiKey = ApiKey.objects.select_for_update().get(pk=key.pk, publishable=True)
    locked.identity_secrets = [new_identity_secret(), *locked.identity_secrets[:1]]
    locked.save(update_fields=["identity_secrets"])
    return locked


@transaction.atomic
def revoke_api_key(*, key: ApiKey) -> ApiKey:
    """End a key for good; a revoked one stays revoked."""
    ApiKey.objects.filter(pk=key.pk, revoked=False).update(revoked=True)
    key.refresh_from_db()
    return key


@transaction.atomic
def welcome_user(*, email: str) -> User:
    """Return the user with that address, a new one without a password where there is none.

    The address counts as verified only after its owner has entered a code mailed to it.
    """
    user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"primary": True, "verified": False})
    return user
