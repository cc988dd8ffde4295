"""Which customer a signed-in person is, by their verified email address alone; and which staff may review."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from accounts.models import User
from accounts.queries import verified_emails
from core.errors import NotFound, Refused
from referrals.models import Customer
from referrals.people import normalize_email

CHOSEN = "customer"
LOOK, DECIDE = "referrals.view_referral", "referrals.change_referral"
DRAFT = "program_draft"


class NoCustomer(NotFound):
    """The company knows no customer with an email address that this person has proven to be theirs."""

    code = "no_customer"


class SeveralCustomers(Refused):
    """Several customers share the email address and the person has not chosen one yet."""

    code = "several_customers"


def customers_of_user(user: User | AnonymousUser) -> QuerySet[Customer]:
    """Return the customers with one of the user's verified emails, compared in lower case, oldest first."""
    emails = set(verified_emails(user))
    return (
        Customer.objects.filter(email_normalized__in={normalize_email(email) for email in emails}, erased_at=None)
        .annotate(email_lower=Lower("email"))
        .filter(email_lower__in=emails)
        .order_by("created_at", "pk")
    )


def customer_of(request: HttpRequest) -> Customer:
    """Return the customer who is looking: the only one, or the one chosen in this session.

    Raises `NoCustomer` for a stranger and `SeveralCustomers` where a choice is needed first.
    """
    customers = list(customers_of_user(request.user))
    if not customers:
        raise NoCustomer("no customer has this email address")
    if len(customers) == 1:
        return customers[0]
    chosen = request.session.get(CHOSEN)
    for customer in customers:
        if customer.pk == chosen:
            return customer
    raise SeveralCustomers("several customers share this email address")


def choose_customer(request: HttpRequest, *, public_key: str) -> Customer:
    """Keep in the session which of their customers the person wants to see; `NoCustomer` if it is not theirs."""
    for customer in customers_of_user(request.user):
        if str(customer.pk) == public_key:
            request.session[CHOSEN] = customer.pk
            return customer
    raise NoCustomer("that customer does not have this email address")


def keep_program_draft(request: HttpRequest, *, slug: str, text: str) -> None:
    """Keep an edited program file for this session, so that the program's form can start from it."""
    request.session[DRAFT] = {"slug": slug, "text": text}


def program_draft(request: HttpRequest, *, slug: str) -> str:
    """Return the file kept for the program where the request asks for it with `?draft=1`, else ''."""
    kept = request.session.get(DRAFT) or {}
    return str(kept.get("text", "")) if request.GET.get("draft") and kept.get("slug") == slug else ""
