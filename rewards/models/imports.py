from django.conf import settings
from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models import Customer, Program, Referral
from rewards.models.ledger import Transfer


def new_import_id() -> str:
    return new_id("imp")


class HistoryImport(models.Model):
    """A file of another tool: what it holds, how its columns are read, how far it is, what came of it."""

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", "customers"
        REFERRALS = "referrals", "referrals"
        POINTS = "points", "points"

    class State(models.TextChoices):
        DRAFT = "draft", "columns to be chosen"
        CHECKING = "checking", "being checked"
        CHECKED = "checked", "checked, nothing stored"
        RUNNING = "running", "being imported"
        DONE = "done", "imported"
        UNDO_CHECKING = "undo_checking", "looking at what can be undone"
        UNDO_CHECKED = "undo_checked", "undo to be confirmed"
        UNDOING = "undoing", "being undone"
        UNDONE = "undone", "undone"

    WORKING = (State.CHECKING, State.RUNNING, State.UNDO_CHECKING, State.UNDOING)

    public_id = models.CharField(max_length=40, unique=True, default=new_import_id)
    kind = models.CharField(max_length=9, choices=Kind)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, null=True, related_name="imports")
    file_name = models.CharField(max_length=200)
    header = models.JSONField(default=list)
    header_key = models.CharField(max_length=64, help_text="the same for the same set of columns")
    columns = models.JSONField(default=dict, help_text="the file's columns -> ours")
    constants = models.JSONField(default=dict, help_text="what is the same in all rows")
    date_format = models.CharField(max_length=4, default="iso")
    skip_errors = models.BooleanField(default=False)
    state = models.CharField(max_length=13, choices=State, default=State.DRAFT)
    done = models.PositiveIntegerField(default=0, help_text="rows that this stage has gone through")
    total = models.PositiveIntegerField(default=0, help_text="rows of the file")
    result = models.JSONField(default=dict, help_text="counts of the last stage that ended")
    error = models.TextField(blank=True)
    actor = models.CharField(max_length=100)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="imports")
    asked_at = models.DateTimeField(default=clocks.now, editable=False)
    due_at = models.DateTimeField(default=clocks.now, help_text="when it may be taken, or taken anew")
    finished_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=200, blank=True)
    forget_at = models.DateTimeField(help_text="when its cells are forgotten")
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("import_history", "Can import and undo files of other tools")]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["checking", "running", "undo_checking", "undoing"]),
                name="import_due",
            ),
            models.Index(fields=["kind", "header_key"], name="import_with_header"),
            models.Index(fields=["forget_at"], condition=models.Q(forgotten_at=None), name="import_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.kind})"

    @property
    def is_working(self) -> bool:
        """Whether the worker has it, or will take it."""
        return self.state in self.WORKING

    @property
    def percent(self) -> int:
        """How much of the stage is done."""
        return 100 * self.done // max(self.total, 1)


class HistoryRow(models.Model):
    """One row of an import: its cells until they are forgotten, what became of it, what it wrote.

    `key` says what the row is, keyed; one that stands is there once in the database.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "done"
        REFUSED = "refused", "refused"
        UNDONE = "undone", "undone"
        KEPT = "kept", "kept in spite of the undo"

    STANDING = (State.DONE, State.KEPT)

    history = models.ForeignKey(HistoryImport, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    cells = models.TextField(blank=True, help_text="as JSON")
    problem = models.CharField(max_length=200, blank=True, help_text="why it has no cells")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    outcome = models.CharField(max_length=8, blank=True, help_text="new, known, changed or refused")
    column = models.CharField(max_length=200, blank=True)
    message = models.CharField(max_length=300, blank=True)
    points = models.BigIntegerField(default=0)
    undo = models.CharField(max_length=6, blank=True, help_text="undone or kept")
    undo_points = models.BigIntegerField(default=0)
    key = models.CharField(max_length=64, blank=True)
    customer = models.ForeignKey(Customer, on_delete=models.SET_NULL, null=True, related_name="imported_rows")
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, related_name="imported_rows")
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, null=True, related_name="imported_rows")
    wrote = models.TextField(blank=True, help_text="as JSON: what -> [before, after]")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["history", "line"], name="one_row_a_line"),
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(state__in=["done", "kept"]) & ~models.Q(key=""),
                name="a_row_is_imported_once",
            ),
        ]
        indexes = [models.Index(fields=["history", "state"], name="import_row_in_state")]

    def __str__(self) -> str:
        return f"line {self.line}"
