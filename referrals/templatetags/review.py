"""How people are named on the review desk."""

from django import template

from referrals.models import Customer
from referrals.people import mask_email

register = template.Library()


@register.filter
def person(customer: Customer) -> str:
    """Return the name, else the masked address, else the shop's id."""
    return customer.name or mask_email(customer.email) or customer.external_id


@register.filter
def words(name: str) -> str:
    """Return a stored name such as 'signed_up' as words."""
    return name.replace("_", " ")
