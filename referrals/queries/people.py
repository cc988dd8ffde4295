"""Reading who is known."""

from referrals.models import Customer


def is_known_email(email: str) -> bool:
    """Say whether some customer who was not erased has this address, in whatever case."""
    return Customer.objects.filter(email__iexact=email.strip(), erased_at=None).exists()
