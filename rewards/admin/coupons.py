"""Coupon pools and coupons in the admin: upload codes, see how long they last, undo a use."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from core.admin import ReadOnlyAdmin, link_to
from core.spreadsheets import csv_answer
from rewards.coupon_codes import SHOWN_ERRORS
from rewards.forms.gifts import CodesForm, PoolForm
from rewards.models import Coupon, CouponPool
from rewards.queries.stock import Stock, missing_names, stocks_of
from rewards.services.coupons import release_coupon
from rewards.services.pools import add_codes, known_codes, open_pool


@admin.register(CouponPool)
class CouponPoolAdmin(ModelAdmin):  # type: ignore[misc]
    """Coupons of one kind; program files name the pool."""

    form = PoolForm
    list_display = ("name", "gives", "source", "free", "waiting", "lasts", "spent", "valid_days")
    list_filter = ("source",)
    search_fields = ("name", "gives")
    ordering = ("name",)
    list_per_page = 50
    actions = ("blocked_action",)
    readonly_fields = ("stock", "add_codes_link")

    def get_fieldsets(self, request: HttpRequest, obj: CouponPool | None = None) -> Any:
        """Show the stock of a pool that exists."""
        pattern = () if obj and obj.source == CouponPool.Source.UPLOADED else ("pattern",)
        asked = ("name", "gives", "source", *pattern, "valid_days", "alert_days")
        stock = [("Stock", {"fields": ("stock", "add_codes_link")})] if obj else []
        return [*stock, (None, {"fields": asked})]

    def get_readonly_fields(self, request: HttpRequest, obj: CouponPool | None = None) -> Any:
        """Keep the name and the source as they were made: programs and coupons rest on them."""
        return (*self.readonly_fields, "name", "source") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: CouponPool | None = None) -> bool:
        """Only a pool from which nothing ever came."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and obj is not None and not obj.coupons.exists()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say which pools programs name that do not exist."""
        known = CouponPool.objects.values_list("name", flat=True)
        for missing in missing_names("coupon", known):
            told = f"{', '.join(missing.programs)}: names the pool {missing.name}, which does not exist. Rewards wait."
            messages.warning(request, told)
        self._stocks: dict[int, Stock] = stocks_of(CouponPool.objects.all(), at=timezone.now())
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer

    def save_model(self, request: HttpRequest, obj: CouponPool, form: Any, change: bool) -> None:
        """Keep the pool; rewards that waited for it are tried again."""
        super().save_model(request, obj, form, change)
        open_pool(pool=obj, at=timezone.now())

    def _stock(self, pool: CouponPool) -> Stock:
        known = getattr(self, "_stocks", {})
        return known.get(pool.pk) or stocks_of([pool], at=timezone.now())[pool.pk]

    @admin.display(description="free")
    def free(self, pool: CouponPool) -> str:
        """How many codes are left."""
        return "∞" if pool.source == CouponPool.Source.PATTERN else str(self._stock(pool).free)

    @admin.display(description="rewards waiting")
    def waiting(self, pool: CouponPool) -> int:
        """How many rewards wait for a code."""
        return self._stock(pool).waiting

    @admin.display(description="lasts")
    def lasts(self, pool: CouponPool) -> str:
        """How long the stock lasts at the pace of the last three weeks."""
        return _lasts(self._stock(pool), pool)

    @admin.display(description="given / used / blocked")
    def spent(self, pool: CouponPool) -> str:
        """Where the codes went."""
        stock = self._stock(pool)
        return f"{stock.given} / {stock.used} / {stock.blocked}"

    @admin.display(description="codes")
    def stock(self, pool: CouponPool) -> str:
        """The stock in a sentence."""
        stock = stocks_of([pool], at=timezone.now())[pool.pk]
        coupons = f"{reverse('admin:rewards_coupon_changelist')}?pool__id__exact={pool.pk}"
        words = f"{stock.given} given, {stock.used} used, {stock.blocked} blocked; {stock.waiting} rewards wait."
        left = "" if pool.source == CouponPool.Source.PATTERN else f"{stock.free} free, {_lasts(stock, pool)}; "
        return format_html(
            '{}{} <a class="text-primary-600 underline" href="{}">Look at them</a>', left, words, coupons
        )

    @admin.display(description="more codes")
    def add_codes_link(self, pool: CouponPool) -> str:
        """The way to the upload."""
        if pool.source == CouponPool.Source.PATTERN:
            return "made as they are needed"
        way = reverse("admin:rewards_couponpool_codes", args=[pool.pk])
        return format_html('<a class="text-primary-600 underline" href="{}">Add codes</a>', way)

    def get_urls(self) -> list[URLPattern]:
        """Add the upload page."""
        upload = path(
            "<int:pk>/codes/", self.admin_site.admin_view(self.show_add_codes), name="rewards_couponpool_codes"
        )
        return [upload, *super().get_urls()]

    def show_add_codes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take codes from a file or a field; every wrong row is named and nothing is added by halves."""
        pool = get_object_or_404(CouponPool, pk=pk)
        if not self.has_change_permission(request, pool):
            raise PermissionDenied
        form = CodesForm(request.POST or None, request.FILES or None)
        wrong: list[tuple[str, str]] = []
        if form.is_valid():
            wrong = _wrong_rows(form)
            if not wrong or form.cleaned_data["skip"]:
                return self._add(request, pool, form)
        page = {**self.admin_site.each_context(request), "title": f"Add codes to {pool.name}", "opts": self.opts}
        page |= {"form": form, "pool": pool, "wrong": wrong[:SHOWN_ERRORS], "more": max(len(wrong) - SHOWN_ERRORS, 0)}
        page |= {"good": len(form.upload.codes) if wrong else 0}
        return render(request, "rewards/staff/add_codes.html", page)

    def _add(self, request: HttpRequest, pool: CouponPool, form: CodesForm) -> HttpResponse:
        added = add_codes(pool=pool, codes=form.upload.codes, at=timezone.now())
        level = messages.SUCCESS if added.count else messages.WARNING
        left_out = len(form.upload.errors) + len(added.known)
        told = f"{added.count} codes added" + (f", {left_out} rows left out." if left_out else ".")
        messages.add_message(request, level, told)
        return redirect("admin:rewards_couponpool_change", pool.pk)

    @admin.action(description="Download blocked codes (CSV)", permissions=["view"])
    def blocked_action(self, request: HttpRequest, queryset: "QuerySet[CouponPool]") -> HttpResponse:
        """Answer the codes that were taken back, to switch them off in the shop."""
        blocked = Coupon.objects.filter(pool__in=queryset, state=Coupon.State.BLOCKED).order_by("pk")
        return csv_answer("blocked-codes.csv", ("pool", "code"), blocked.values_list("pool__name", "code"))


def _lasts(stock: Stock, pool: CouponPool) -> str:
    if pool.source == CouponPool.Source.PATTERN or stock.forecast is None:
        return "for ever"
    if not stock.free:
        return "none left"
    if stock.forecast.days_left is None:
        return "not used yet"
    days = stock.forecast.days_left
    low = ", running low" if stock.forecast.is_low(pool.alert_days) else ""
    return f"about {days} {'day' if days == 1 else 'days'}{low}"


def _wrong_rows(form: CodesForm) -> list[tuple[str, str]]:
    from_file = [(f"line {row.line}: {row.text}", row.problem) for row in form.upload.errors]
    return from_file + [(code, "is in a pool already") for code in known_codes(form.upload.codes)]


@admin.register(Coupon)
class CouponAdmin(ReadOnlyAdmin):
    """Single codes: who has which, and what became of it."""

    list_display = ("code", "pool", "state", "owner", "given_at", "expires_at", "used_at", "order_id")
    list_filter = ("state", "pool")
    list_select_related = ("pool", "reward__recipient", "redemption__customer")
    search_fields = (
        *("code", "key", "order_id", "reward__public_id", "reward__recipient__external_id"),
        *("redemption__public_id", "redemption__customer__external_id"),
    )
    ordering = ("-given_at", "-pk")
    fields = ("code", "pool", "state", "given_for", "given_at", "expires_at", "used_at", "order_id", "created_at")
    actions = ("release_action",)

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Only those who may change coupons."""
        return request.user.has_perm("rewards.change_coupon")

    @admin.display(description="owner")
    def owner(self, coupon: Coupon) -> str:
        """Whose it is."""
        if coupon.redemption:
            return str(coupon.redemption.customer)
        return str(coupon.reward.recipient) if coupon.reward else "–"

    @admin.display(description="given for")
    def given_for(self, coupon: Coupon) -> str:
        """The reward or the redemption, to go there."""
        cause = coupon.redemption or coupon.reward
        return link_to(cause) if cause else "–"

    @admin.action(description="Undo its use…", permissions=["release"])
    def release_action(self, request: HttpRequest, queryset: "QuerySet[Coupon]") -> HttpResponse | None:
        """Let used coupons be used again."""
        return self.act_with_reason(
            request,
            queryset,
            lambda coupon, _reason: release_coupon(code=coupon.code),
            action="release_action",
            title="Undo their use",
            warning="The coupons can be used again by their owners; those of rewards taken back are blocked.",
            done="can be used again",
        )
