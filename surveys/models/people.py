from referrals.models import Customer


class Respondent(Customer):
    """A customer, seen as somebody who can be asked."""

    class Meta:
        proxy = True
        verbose_name = "customer to ask"
        verbose_name_plural = "customers to ask"
