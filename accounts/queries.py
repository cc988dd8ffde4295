"""What others may ask about who is signed in."""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ApiKey, User


def verified_emails(user: User | AnonymousUser) -> list[str]:
    """Return the addresses, in lower case, that the user has proved to read; none for nobody."""
    if not user.is_authenticated:
        return []
    rows = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return [email.lower() for email in rows.values_list("email", flat=True)]


def staff_who_may(permission: str) -> QuerySet[User]:
    """Return the active staff with a permission such as 'rewards.change_couponpool', by their role or their own."""
    app, _, codename = permission.partition(".")
    own = Q(user_permissions__content_type__app_label=app, user_permissions__codename=codename)
    by_role = Q(groups__permissions__content_type__app_label=app, groups__permissions__codename=codename)
    may = Q(is_superuser=True) | own | by_role
    return User.objects.filter(may, is_active=True, is_staff=True).distinct().order_by("email")


def is_known_origin(origin: str) -> bool:
    """Tell whether a publishable key that works may be used on pages of this origin."""
    now = timezone.now()
    keys = ApiKey.objects.filter(Q(expiry_date=None) | Q(expiry_date__gt=now), publishable=True, revoked=False)
    return any(not origins or origin in origins for origins in keys.values_list("origins", flat=True))
