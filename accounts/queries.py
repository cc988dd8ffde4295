"""What others may ask about who is signed in."""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def verified_emails(user: User | AnonymousUser) -> list[str]:
    """Return the addresses, in lower case, that the user has proved to read; none for nobody."""
    if not user.is_authenticated:
        return []
    rows = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return [email.lower() for email in rows.values_list("email", flat=True)]
