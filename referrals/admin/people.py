"""Customers and their links in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action

from core.admin import ReadOnlyAdmin, ReadOnlyInline, link_to, shown_json
from core.errors import Refused
from referrals.forms import LinkForm, MergeForm
from referrals.models import Click, Code, Customer, Erasure, Link, Referral
from referrals.queries.links import share_url
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.links import rename_code
from referrals.services.merging import merge_customers


class LinkInline(ReadOnlyInline):
    """A customer's link in each program."""

    model = Link
    fields = ("program", "code", "address", "created_at")
    related = ("program",)
    readonly_fields = fields
    show_change_link = True

    @admin.display(description="link")
    def address(self, link: Link) -> str:
        """The public address."""
        return share_url(link)


class ReferralMadeInline(ReadOnlyInline):
    """Whom a customer referred."""

    model = Referral
    fk_name = "advocate"
    related = ("friend", "program")
    fields = ("friend", "program", "state", "reason", "bound_at", "qualified_at")
    readonly_fields = fields
    show_change_link = True
    verbose_name_plural = "friends referred"


class ReferralReceivedInline(ReadOnlyInline):
    """By whom a customer was referred."""

    model = Referral
    fk_name = "friend"
    related = ("advocate", "program")
    fields = ("advocate", "program", "state", "reason", "bound_at", "qualified_at")
    readonly_fields = fields
    show_change_link = True
    verbose_name_plural = "referred by"


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """People the company knows; their attributes come with the API and events."""

    list_display = ("shown_name", "email", "external_id", "locale", "created_at")
    search_fields = ("email", "email_normalized", "external_id", "aliases__external_id", "name", "links__codes__code")
    search_help_text = "Email, name, your own id or a code"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-pk")
    fields = (
        *("external_id", "also_known_as", "name", "email", "locale", "time_zone"),
        *("shown_attributes", "created_at", "erased_at"),
    )
    readonly_fields = ("also_known_as", "shown_attributes")
    inlines = (LinkInline, ReferralMadeInline, ReferralReceivedInline)
    actions_detail = ("export_one", "merge_one", "erase_one")

    def has_export_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """Only those who may change customers."""
        return request.user.has_perm("referrals.change_customer")

    def has_erase_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """Only those who may delete customers."""
        return request.user.has_perm("referrals.delete_customer")

    @action(description="Export", url_path="export", permissions=["export"])  # type: ignore[untyped-decorator]
    def export_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give everything that is stored of the person as one file."""
        customer = self.get_object(request, object_id)
        if customer is None or customer.erased_at is not None:
            raise Http404
        answer = JsonResponse(export_customer(customer=customer), json_dumps_params={"indent": 2})
        answer["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
        return answer

    @action(description="Erase…", url_path="erase", permissions=["erase"])  # type: ignore[untyped-decorator]
    def erase_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what happens, ask what becomes of open points, then erase."""
        customer = self.get_object(request, object_id)
        if customer is None:
            raise Http404
        if request.method == "POST":
            points = request.POST.get("points", Erasure.Points.KEEP)
            erase_customer(customer=customer, points=points, by=str(request.user), at=timezone.now())
            self.message_user(request, "Erased. What counts still counts; nobody knows of whom.", messages.SUCCESS)
            return redirect("admin:referrals_customer_change", customer.pk)
        page = {**self.admin_site.each_context(request), "title": f"Erase {customer}", "customer": customer}
        return render(request, "admin_actions/erase.html", page)

    @action(description="Merge…", url_path="merge", permissions=["erase"])  # type: ignore[untyped-decorator]
    def merge_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask whose second id this is and why, show what moves, then merge."""
        customer = self.get_object(request, object_id)
        if customer is None or customer.erased_at is not None or customer.merged_into_id is not None:
            raise Http404
        form = MergeForm(request.POST or None, source=customer)
        if request.method == "POST" and form.is_valid():
            into = form.cleaned_data["into"]
            asked = {"reason": form.cleaned_data["reason"], "by": str(request.user), "at": timezone.now()}
            if "merge" in request.POST:
                merge_customers(source=customer, into=into, **asked)
                done = f"{customer.external_id} is another id of {into.external_id} from now on."
                self.message_user(request, done, messages.SUCCESS)
                return redirect("admin:referrals_customer_change", into.pk)
        page = {
            **self.admin_site.each_context(request),
            "title": f"Merge {customer}",
            "customer": customer,
            "form": form,
            "asked": form.is_bound and form.is_valid(),
        }
        return render(request, "admin_actions/merge.html", page)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Customer]":
        """Leave out other ids of somebody; they are found by their person."""
        return Customer.objects.filter(merged_into=None)

    @admin.display(description="also known as")
    def also_known_as(self, customer: Customer) -> str:
        """The person's other ids."""
        return ", ".join(customer.aliases.order_by("pk").values_list("external_id", flat=True)) or "–"

    @admin.display(description="name", ordering="name")
    def shown_name(self, customer: Customer) -> str:
        """The name, or what else there is."""
        return str(customer)

    @admin.display(description="attributes")
    def shown_attributes(self, customer: Customer) -> str:
        """What else the company told of the person."""
        return shown_json(customer.attributes)


class CodeInline(ReadOnlyInline):
    """Every code a link ever had; all of them work."""

    model = Code
    fields = ("code", "created_at")
    readonly_fields = fields
    ordering = ("-pk",)
    verbose_name_plural = "codes that lead here"


@admin.register(Link)
class LinkAdmin(ModelAdmin):  # type: ignore[misc]
    """Share links; a code may be renamed, the old one keeps working."""

    form = LinkForm
    list_display = ("code", "customer", "program", "visits", "created_at")
    list_filter = ("program",)
    list_select_related = ("customer", "program")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("codes__code", "customer__external_id", "customer__email", "customer__name")
    ordering = ("-created_at", "-pk")
    readonly_fields = ("customer_page", "program", "address", "visits", "created_at")
    inlines = (CodeInline,)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Link]":
        """Return links with the number of people's clicks."""
        people = Count("clicks", filter=Q(clicks__verdict=Click.Verdict.PERSON))
        return Link.objects.annotate(people=people)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show the code to change, or to read for those who may only look."""
        code = "new_code" if self.has_change_permission(request, obj) else "code"
        return (code, "customer_page", "program", "address", "visits", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: every customer has a link in every running program by itself."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a link that was shared keeps working."""
        return False

    @admin.display(description="visits by people", ordering="people")
    def visits(self, link: Link) -> int:
        """Clicks without bots and link previews."""
        return int(getattr(link, "people", 0))

    @admin.display(description="customer")
    def customer_page(self, link: Link) -> str:
        """The customer, to go there."""
        return link_to(link.customer)

    @admin.display(description="link")
    def address(self, link: Link) -> str:
        """The public address."""
        return format_html('<a href="{0}">{0}</a>', share_url(link))

    def save_model(self, request: HttpRequest, obj: Link, form: LinkForm, change: bool) -> None:
        """Rename the code."""
        try:
            rename_code(link=obj, code=form.cleaned_data["new_code"])
        except Refused as refusal:
            messages.error(request, refusal.detail)
