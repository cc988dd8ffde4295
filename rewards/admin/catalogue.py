"""The catalogue in the admin: items to keep, redemptions to hand over or undo."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from core.admin import ActsWithReason, ReadOnlyAdmin, ReadOnlyInline, link_to, shown_json, shown_money
from core.errors import Invalid, Refused
from core.money import to_minor, to_text
from rewards.models import CatalogueItem, CouponPool, Perk, Redemption, RedemptionStep
from rewards.pictures import MAX_BYTES, BadPicture, clean_png
from rewards.services.catalogue import change_stock, limit_stock, save_item
from rewards.services.redeeming import cancel_redemption, fail_redemption, fulfil_redemption


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """An item, with its amount as people write it and its picture as a file."""

    amount = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="of a credit or gift card, such as 10.00; together with its currency",
    )
    upload = forms.FileField(
        required=False,
        label="Picture",
        widget=UnfoldAdminFileFieldWidget,
        help_text=f"a PNG of at most {MAX_BYTES // 1024} KB; replaces the one there is",
    )

    class Meta:
        model = CatalogueItem
        fields = (
            *("title", "slug", "words", "points", "stock", "per_customer", "kind", "what", "currency"),
            *("starts_at", "ends_at", "is_shown"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stock"].show_hidden_initial = True  # what the page showed, to see whether it moved meanwhile
        item = self.instance
        if item.amount_minor is not None and item.currency:
            self.fields["amount"].initial = to_text(item.amount_minor, item.currency)

    @property
    def stock_shown(self) -> int | None:
        """The stock as the page showed it."""
        bound = self["stock"]
        shown = self.data.get(bound.html_initial_name, bound.initial)
        return bound.field.to_python(shown)

    def clean_upload(self) -> Any:
        """Accept only what really is a picture."""
        file = self.cleaned_data.get("upload")
        if file:
            try:
                self.instance.picture = clean_png(file.read(MAX_BYTES + 1))
            except BadPicture as bad:
                raise forms.ValidationError(bad.detail) from None
            self.instance.picture_type = "image/png"
        return file

    def clean(self) -> dict[str, Any]:
        """Check what belongs together: amount and currency, start and end."""
        given = super().clean() or {}
        self._clean_amount(given)
        self._clean_what(given)
        starts, ends = given.get("starts_at"), given.get("ends_at")
        if starts and ends and starts >= ends:
            self.add_error("ends_at", "expected an end after the start")
        if given.get("points") == 0:
            self.add_error("points", "expected a price of at least 1 point")
        return given

    def _clean_what(self, given: dict[str, Any]) -> None:
        kind, what = given.get("kind"), given.get("what", "")
        if kind == CatalogueItem.Kind.COUPON and not CouponPool.objects.filter(name=what).exists():
            self.add_error("what", "expected the name of a coupon pool")
        if kind == CatalogueItem.Kind.PERK and not Perk.objects.filter(slug=what).exists():
            self.add_error("what", "expected the slug of a perk")

    def _clean_amount(self, given: dict[str, Any]) -> None:
        amount, currency = given.get("amount", ""), given.get("currency", "")
        needed = given.get("kind") in (CatalogueItem.Kind.CREDIT, CatalogueItem.Kind.GIFT_CARD)
        if bool(amount) != bool(currency) or (needed and not amount):
            self.add_error("amount", "expected an amount together with its currency")
            return
        try:
            self.instance.amount_minor = to_minor(amount, currency) if amount else None
        except Invalid as invalid:
            self.add_error("amount", invalid.detail)


@admin.register(CatalogueItem)
class CatalogueItemAdmin(ActsWithReason):
    """What customers get for points."""

    form = ItemForm
    list_display = ("title", "points", "stock", "per_customer", "kind", "offered", "starts_at", "ends_at")
    list_filter = ("kind", "is_shown")
    search_fields = ("title", "slug", "words", "what")
    ordering = ("points", "title")
    prepopulated_fields = {"slug": ("title",)}
    list_per_page = 50
    actions = ("stock_action",)
    fieldsets = (
        (None, {"fields": ("title", "slug", "words", "upload", "points")}),
        ("How many", {"fields": ("stock", "per_customer")}),
        ("What is handed over", {"fields": ("kind", "what", ("amount", "currency"))}),
        ("When", {"fields": ("is_shown", "starts_at", "ends_at")}),
    )

    @admin.display(description="offered now", boolean=True)
    def offered(self, item: CatalogueItem) -> bool:
        """Whether customers see it now and can have one."""
        now = timezone.now()
        begun = item.starts_at is None or item.starts_at <= now
        return item.is_shown and begun and (item.ends_at is None or now < item.ends_at) and item.stock != 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogueItem]:
        """Return the items without their pictures."""
        items: QuerySet[CatalogueItem] = super().get_queryset(request).defer("picture")
        return items

    def has_delete_permission(self, request: HttpRequest, obj: CatalogueItem | None = None) -> bool:
        """Only what nobody ever redeemed."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and obj is not None and not obj.redemptions.exists()

    def has_stock_permission(self, request: HttpRequest) -> bool:
        """Only those who may change items."""
        return request.user.has_perm("rewards.change_catalogueitem")

    def save_model(self, request: HttpRequest, obj: CatalogueItem, form: ItemForm, change: bool) -> None:
        """Write what was changed, the stock only if nobody redeemed meanwhile."""
        changed = [name for name in form.changed_data if name not in ("upload", "amount")]
        changed += ["picture", "picture_type"] if "upload" in form.changed_data else []
        changed += ["amount_minor"] if {"amount", "currency"} & set(form.changed_data) else []
        stock = obj.stock
        save_item(item=obj, changed=changed)
        if change and "stock" in changed:
            try:
                limit_stock(item=obj, to=stock, before=form.stock_shown)
            except Refused as refusal:
                self.message_user(request, refusal.detail, messages.WARNING)

    @admin.action(description="Change the stock…", permissions=["stock"])
    def stock_action(self, request: HttpRequest, queryset: QuerySet[CatalogueItem]) -> HttpResponse | None:
        """Ask by how many, then add to or take from the stock."""

        def change(item: CatalogueItem, _reason: str) -> None:
            try:
                by = int(request.POST.get("number", ""))
            except ValueError:
                raise Invalid("expected a whole number") from None
            change_stock(item=item, by=by)

        return self.act_with_reason(
            request,
            queryset,
            change,
            action="stock_action",
            title="Change the stock",
            warning="The number is added to what is left of each item, whatever is redeemed meanwhile.",
            done="changed",
            number="How many more? (below 0: fewer)",
        )


class RedemptionStepInline(ReadOnlyInline):
    """What happened to the redemption, and why."""

    model = RedemptionStep
    fields = ("at", "what", "why", "who")
    readonly_fields = fields
    ordering = ("at", "pk")
    verbose_name_plural = "what happened, and why"

    @admin.display(description="by")
    def who(self, step: RedemptionStep) -> str:
        """Who decided."""
        return step.actor or "the rules"


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    """What customers gave points for: the work list is what is placed."""

    list_display = ("title", "quantity", "customer", "points", "state", "turn", "created_at", "settled_at")
    list_filter = ("state", "waits_for", "kind", "item")
    list_select_related = ("customer",)
    search_fields = ("public_id", "title", "customer__external_id", "customer__email", "customer__name")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    inlines = (RedemptionStepInline,)
    actions = ("fulfil_action", "cancel_action", "fail_action")
    fieldsets = (
        (None, {"fields": ("customer_page", "item_page", "quantity", "points", "state", "turn", "outcome")}),
        ("What is handed over", {"fields": ("kind", "shown_detail")}),
        ("When", {"fields": ("created_at", "expires_at", "due_at", "settled_at")}),
        ("For support", {"fields": ("public_id",)}),
    )

    @admin.display(description="customer")
    def customer_page(self, redemption: Redemption) -> str:
        """The customer, to go there."""
        return link_to(redemption.customer)

    @admin.display(description="item")
    def item_page(self, redemption: Redemption) -> str:
        """The item, to go there."""
        return link_to(redemption.item)

    @admin.display(description="waits for", ordering="waits_for")
    def turn(self, redemption: Redemption) -> str:
        """Whose turn it is."""
        return redemption.get_waits_for_display() if redemption.state == Redemption.State.PLACED else "–"

    @admin.display(description="what")
    def shown_detail(self, redemption: Redemption) -> str:
        """What the item said then."""
        detail = dict(redemption.detail)
        if "amount_minor" in detail:
            return shown_money(int(detail["amount_minor"]), str(detail.get("currency", "")))
        return shown_json(detail) if detail else "–"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Only those who may change redemptions."""
        return request.user.has_perm("rewards.change_redemption")

    @admin.action(description="Handed over…", permissions=["decide"])
    def fulfil_action(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> HttpResponse | None:
        """Ask what to tell the customer, then mark as handed over."""

        def fulfil(redemption: Redemption, told: str) -> Redemption:
            return fulfil_redemption(redemption=redemption, outcome=told, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request,
            queryset.select_related("customer"),
            fulfil,
            action="fulfil_action",
            title="Handed over",
            warning="Each customer is told by mail, in your words, and reads them in their portal.",
            done="handed over",
            question="What should they read? (a code, a link, when it comes)",
        )

    @admin.action(description="Cancel…", permissions=["decide"])
    def cancel_action(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> HttpResponse | None:
        """Ask why, then give points and stock back."""

        def cancel(redemption: Redemption, reason: str) -> Redemption:
            by = str(request.user)
            return cancel_redemption(
                redemption=redemption, reason=reason, actor=by, at=timezone.now(), even_fulfilled=True
            )

        return self.act_with_reason(
            request,
            queryset.select_related("customer"),
            cancel,
            action="cancel_action",
            title="Cancel",
            warning="The points go back to where they came from, the items to the stock; also of what was handed "
            "over already. Each customer is told, in your words.",
            done="cancelled",
        )

    @admin.action(description="Cannot be delivered…", permissions=["decide"])
    def fail_action(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> HttpResponse | None:
        """Ask why, then give the points back but not the stock."""

        def fail(redemption: Redemption, reason: str) -> Redemption:
            return fail_redemption(redemption=redemption, reason=reason, actor=str(request.user), at=timezone.now())

        return self.act_with_reason(
            request,
            queryset.select_related("customer"),
            fail,
            action="fail_action",
            title="Cannot be delivered",
            warning="The points go back; the stock does not, since it was not there. Each customer is told, in "
            "your words.",
            done="marked as not deliverable",
        )
