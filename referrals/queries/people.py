"""Reading who is known."""

from django.db.models import QuerySet

from referrals.models import Customer


def is_known_email(email: str) -> bool:
    """Say whether some customer who was not erased has this address, in whatever case."""
    return Customer.objects.filter(email__iexact=email.strip(), erased_at=None).exists()


def living_customers() -> QuerySet[Customer]:
    """Return the people: neither who was erased nor other ids of somebody."""
    return Customer.objects.filter(erased_at=None, merged_into=None)


def customer_known_as(external_id: str) -> Customer | None:
    """Return the customer whose id this is, or was before they were merged; also one who was erased."""
    found = Customer.objects.select_related("merged_into").filter(external_id=external_id).first()
    return (found.merged_into or found) if found else None


def find_alias(external_id: str) -> Customer | None:
    """Return the row of an id that was merged into another customer."""
    return Customer.objects.filter(external_id=external_id, merged_into__isnull=False).first()


def current_id(external_id: str) -> str:
    """Return the id of the person whose id this is or was; of nobody's, the id itself."""
    found = customer_known_as(external_id)
    return found.external_id if found else external_id


def living_customer_known_as(external_id: str) -> Customer | None:
    """Return the customer whose id this is, or was before they were merged; None for one who was erased."""
    found = customer_known_as(external_id)
    return found if found and found.erased_at is None else None
