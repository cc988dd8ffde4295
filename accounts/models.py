"""Users sign in by email: staff with a password, customers with an emailed code."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey

from core.ids import new_id


class UserManager(BaseUserManager["User"]):
    """Creates users by their email address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password they sign in by emailed code only."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_staff = models.BooleanField("may enter the admin", default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email


class ApiKey(AbstractAPIKey):
    """A machine's key: only its hash is stored; `scopes` say what it may do."""

    class Scope(models.TextChoices):
        READ = "read", "read"
        WRITE = "write", "write"

    scopes = models.JSONField(default=list, blank=True, help_text="among read, write")
    publishable = models.BooleanField(default=False)
    origins = models.JSONField(
        default=list, blank=True, help_text="web origins that a publishable key works on, such as https://shop.example"
    )
    identity_secrets = models.JSONField(
        default=list, editable=False, help_text="what the shop signs its customers' ids with, the newest first"
    )
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"


def new_change_id() -> str:
    """Return a new public id of a change that waits for a second person."""
    return new_id("chg")


class ChangeRequest(models.Model):
    """A change that one person asked for and another one decides; `payload` is exactly what will be done."""

    class State(models.TextChoices):
        OPEN = "open", "waits for a second person"
        APPROVED = "approved", "approved and done"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"

    public_id = models.CharField(max_length=40, unique=True, default=new_change_id)
    kind = models.CharField(max_length=30, help_text="what is done, one of config.change_kinds")
    subject = models.CharField(max_length=100, help_text="what it is done to, such as program:refer-a-friend")
    title = models.CharField(max_length=200)
    payload = models.JSONField()
    before = models.JSONField(default=dict, help_text="how it was when it was asked")
    reason = models.CharField(max_length=200)
    asked_by = models.CharField(max_length=100)
    asker = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="changes_asked")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True, help_text="why it was decided so")

    class Meta:
        indexes = [models.Index(fields=["subject"], condition=models.Q(state="open"), name="change_open_of_subject")]

    def __str__(self) -> str:
        return self.title
