"""What others may ask about who is signed in."""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser, Permission
from django.db.models import Q, QuerySet

from accounts.models import User


def verified_emails(user: User | AnonymousUser) -> list[str]:
    """Return the addresses, in lower case, that the user has proved to read; none for nobody."""
    if not user.is_authenticated:
        return []
    rows = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return [email.lower() for email in rows.values_list("email", flat=True)]


def staff_who_may(permission: str) -> QuerySet[User]:
    """Return the staff, by address, whose role allows `permission` ('app.codename')."""
    app, codename = permission.split(".")
    right = Permission.objects.filter(content_type__app_label=app, codename=codename)
    may = Q(is_superuser=True) | Q(groups__permissions__in=right) | Q(user_permissions__in=right)
    return User.objects.filter(may, is_staff=True, is_active=True).distinct().order_by("email")
