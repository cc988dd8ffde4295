from django.db import models

from core import clocks
from referrals.models import Customer


class Account(models.Model):
    """A side of the book: a customer's pending, available or debt points, or one of the company's.

    A customer's account keeps a balance that is never negative; the company's keep none. One that is closed was
    another customer's who turned out to be the same person: it is empty, its history stays.
    """

    class Kind(models.TextChoices):
        PENDING = "pending", "pending"
        AVAILABLE = "available", "available"
        DEBT = "debt", "debt"
        ISSUANCE = "issuance", "issuance"
        RECEIVABLE = "receivable", "receivable (mirror of debts)"
        REDEEMED = "redeemed", "redeemed"
        EXPIRED = "expired", "expired"
        ADJUSTED = "adjusted", "adjusted"

    OF_CUSTOMERS = (Kind.PENDING, Kind.AVAILABLE, Kind.DEBT)

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="accounts")
    kind = models.CharField(max_length=12, choices=Kind)
    balance = models.BigIntegerField(default=0)
    seq = models.PositiveBigIntegerField(default=0)
    closed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"], condition=models.Q(closed=False), name="one_account_a_customer_and_kind"
            ),
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(customer=None), name="one_company_account_a_kind"
            ),
            models.CheckConstraint(condition=models.Q(balance__gte=0), name="account_never_overdrawn"),
        ]

    def __str__(self) -> str:
        return f"{self.customer if self.customer_id else 'the company'}: {self.kind}"


class Transfer(models.Model):
    """Points moved from `debit` to `credit`; never updated or deleted (triggers refuse it)."""

    class Kind(models.TextChoices):
        GRANT = "grant", "grant"
        RELEASE = "release", "release"
        REVOKE = "revoke", "revoke"
        REDEEM = "redeem", "redeem"
        EXPIRE = "expire", "expire"
        ADJUST = "adjust", "adjust"
        MERGE = "merge", "merge"

    key = models.CharField(max_length=120, unique=True)
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    amount = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    reward = models.ForeignKey("rewards.Reward", on_delete=models.PROTECT, null=True, related_name="transfers")
    redemption = models.ForeignKey("rewards.Redemption", on_delete=models.PROTECT, null=True, related_name="transfers")
    resolves = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="resolution", help_text="the pending grant it ends"
    )
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="reversals")
    cause = models.JSONField(default=dict)
    actor = models.CharField(max_length=100, blank=True)
    event_at = models.DateTimeField(help_text="when the points moved, on the books' own clock")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="transfer_moves_something"),
            models.CheckConstraint(condition=~models.Q(debit=models.F("credit")), name="transfer_has_two_accounts"),
        ]
        indexes = [models.Index(fields=["kind", "event_at"], name="transfer_of_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class Entry(models.Model):
    """A transfer's mark on a customer's account, numbered without gaps, with the balance after it."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    seq = models.PositiveBigIntegerField()
    delta = models.BigIntegerField()
    balance = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["account", "seq"], name="entry_numbered_once"),
            models.UniqueConstraint(fields=["transfer", "account"], name="one_entry_a_transfer_and_account"),
            models.CheckConstraint(condition=models.Q(balance__gte=0), name="entry_never_below_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+d}"


class Lot(models.Model):
    """Points that became available together; spent by earliest expiry, then oldest first."""

    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="lot")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lots")
    reward = models.ForeignKey("rewards.Reward", on_delete=models.PROTECT, null=True, related_name="lots")
    amount = models.BigIntegerField()
    remaining = models.BigIntegerField()
    available_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="its last instant")
    warn_at = models.DateTimeField(null=True, help_text="when its owner is next told that it expires")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(remaining__gte=0) & models.Q(remaining__lte=models.F("amount")),
                name="lot_remaining_within_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "expires_at"], condition=models.Q(remaining__gt=0), name="lot_open"),
            models.Index(fields=["expires_at"], condition=models.Q(remaining__gt=0), name="lot_to_expire"),
            models.Index(fields=["warn_at"], condition=models.Q(remaining__gt=0), name="lot_to_warn_of"),
        ]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount}"


class LotUse(models.Model):
    """Which lot a transfer out of `available` drew on, and how much."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="lot_uses")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="uses")
    amount = models.BigIntegerField(help_text="points taken; negative where they were given back")
    extends_to = models.DateTimeField(null=True, help_text="the lot's new end, where it had expired meanwhile")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transfer", "lot"], name="one_use_a_transfer_and_lot")]

    def __str__(self) -> str:
        return f"{self.amount}"
