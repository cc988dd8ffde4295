"""Users, staff roles and API keys in the admin."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from rest_framework_api_key.models import APIKey
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm

from accounts.changes import approve_change, kind_of, refuse_change, withdraw_change
from accounts.forms import ApiKeyForm, UserChangeForm, UserCreationForm
from accounts.models import ApiKey, ChangeRequest, User
from accounts.services import create_api_key, limit_api_key, renew_identity_secret, revoke_api_key
from core.admin import ReadOnlyAdmin
from core.errors import Refused

# Keys made with the library's own model open nothing here; second factors are secrets; and an address is
# verified by its owner's code alone, never by a tick in the admin.
admin.site.unregister([Group, APIKey, Authenticator, EmailAddress])


@admin.register(Group)
class RoleAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Staff roles."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    """Everybody who can sign in; staff enter the admin with what their roles allow."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("May do", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]
    """Keys of machines; a key's text is shown once, after it was made."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "kind", "created", "last_used_at", "expiry_date", "revoked")
    list_filter = ("revoked", "publishable")
    search_fields = ("name", "prefix")
    actions = ("renew_identity", "revoke")
    add_fields = ("name", "scopes", "publishable", "origins", "expiry_date")
    shown_fields = ("name", "prefix", "kind", "created", "last_used_at", "expiry_date", "revoked")
    widget_fields = ("identity_secret",)

    @admin.display(description="may")
    def kind(self, key: ApiKey) -> str:
        """Say in words what the key may do."""
        return "publishable" if key.publishable else " and ".join(key.scopes)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Ask for everything once; afterwards a key can only be revoked."""
        if obj is None:
            return self.add_fields
        return (*self.shown_fields, "origins", *self.widget_fields) if obj.publishable else self.shown_fields

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Return what cannot be changed."""
        return () if obj is None else (*self.shown_fields, *self.widget_fields)

    @admin.display(description="secret to sign customers' ids with")
    def identity_secret(self, key: ApiKey) -> str:
        """Show the secret; the one before it works as well until the next renewal."""
        return str(key.identity_secrets[0]) if key.identity_secrets else "–"

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Refuse: what a key did stays traceable to its row."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "ModelForm[ApiKey]", change: bool) -> None:
        """Make the key and show it once."""
        if change:
            if "origins" in form.cleaned_data:
                limit_api_key(key=obj, origins=form.cleaned_data["origins"])
            return
        asked: dict[str, Any] = form.cleaned_data
        key, text = create_api_key(
            name=asked["name"],
            scopes=asked["scopes"],
            publishable=asked["publishable"],
            origins=asked["origins"],
            expires_at=asked["expiry_date"],
        )
        obj.__dict__.update(key.__dict__)
        messages.warning(request, f"Copy this key now, it is not shown again: {text}")

    @admin.action(description="New secret for customers' ids (publishable keys)", permissions=["change"])
    def renew_identity(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        """Make new secrets; tokens signed with the ones before stay good."""
        renewed = [renew_identity_secret(key=key) for key in queryset.filter(publishable=True, revoked=False)]
        if renewed:
            messages.success(request, "The new secrets stand on the keys' pages; the ones before work as well.")
        else:
            messages.warning(request, "None of these is a publishable key that works.")

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        """End the chosen keys."""
        for key in queryset:
            revoke_api_key(key=key)
        messages.success(request, "Revoked.")


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    """What waits for a second person, and what became of the others; open ones stand first."""

    list_display = ("title", "state", "asked_by", "asked_at", "decided_by", "decided_at")
    list_filter = ("state", "kind")
    search_fields = ("title", "subject", "asked_by", "reason")
    fields = (
        *("title", "state", "difference", "reason", "asked_by", "asked_at"),
        *("decided_by", "decided_at", "note", "public_id"),
    )
    actions_detail = ("approve_one", "refuse_one", "withdraw_one")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """Show what is undecided first, then the newest decision."""
        return (F("decided_at").desc(nulls_first=True), "-pk")

    @admin.display(description="what it does")
    def difference(self, change: ChangeRequest) -> str:
        """The difference in words, and whether the world has moved on since."""
        try:
            kind = kind_of(change)
            lines = kind.lines(change)
            waits = change.state == ChangeRequest.State.OPEN
            conflict = kind.conflict(change) if waits else ""
        except Refused as refusal:
            return refusal.detail
        told = format_html_join("", "<div>{}</div>", ((line,) for line in lines))
        return format_html("{}<p><strong>Cannot be approved: {}.</strong></p>", told, conflict) if conflict else told

    @action(description="Approve…", url_path="approve")  # type: ignore[untyped-decorator]
    def approve_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then do what was asked."""
        return self._decide(
            request,
            object_id,
            approve_change,
            title="Approve and do it",
            warning="It is done at once, exactly as shown, in your name and in the name of who asked.",
            done="approved and done",
        )

    @action(description="Refuse…", url_path="refuse")  # type: ignore[untyped-decorator]
    def refuse_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then refuse."""
        return self._decide(
            request, object_id, refuse_change, title="Refuse", warning="Nothing is done.", done="refused"
        )

    @action(description="Withdraw…", url_path="withdraw")  # type: ignore[untyped-decorator]
    def withdraw_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then take back what one asked oneself."""
        return self._decide(
            request, object_id, withdraw_change, title="Withdraw", warning="Nothing is done.", done="withdrawn"
        )

    def _decide(
        self, request: HttpRequest, object_id: str, service: Callable[..., ChangeRequest], **words: str
    ) -> HttpResponse:
        def work(change: ChangeRequest, note: str) -> ChangeRequest:
            if not isinstance(request.user, User):
                raise PermissionDenied
            return service(change=change, by=request.user, note=note, at=timezone.now())

        return self.act_on_one(request, object_id, work, **words)
