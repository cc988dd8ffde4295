"""What others may ask about who is signed in."""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from accounts.models import User


def verified_emails(user: User | AnonymousUser) -> list[str]:
    """Return the addresses, in lower case, that the user has proved to read; none for nobody."""
    if not user.is_authenticated:
        return []
    rows = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return [email.lower() for email in rows.values_list("email", flat=True)]


def staff_who_may(permission: str) -> list[User]:
    """Return the active staff with a permission such as 'referrals.change_referral', by address."""
    app, _, codename = permission.partition(".")
    granted = {"codename": codename, "content_type__app_label": app}
    of_group = Q(**{f"groups__permissions__{key}": value for key, value in granted.items()})
    own = Q(**{f"user_permissions__{key}": value for key, value in granted.items()})
    staff = User.objects.filter(is_active=True, is_staff=True)
    return list(staff.filter(Q(is_superuser=True) | of_group | own).distinct().order_by("email"))
