"""Segments in the admin: a definition that is checked as it is written, its count, its members."""

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin

from core.errors import Refused
from core.spreadsheets import csv_answer
from referrals.conditions import OPERATORS
from referrals.forms import SegmentForm
from referrals.models import Customer, Segment
from referrals.queries.segments import count_members, member_keys, members_of, segment_fields, used_by
from referrals.services.segments import delete_segment, save_segment

PER_PAGE = 50


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):  # type: ignore[misc]
    """Saved definitions of groups of customers, counted live."""

    form = SegmentForm
    list_display = ("title", "slug", "members", "uses", "changed_at")
    search_fields = ("title", "slug", "description")
    ordering = ("title",)
    readonly_fields = ("members", "uses", "words")
    change_form_before_template = "admin_segments/preview.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what it is, and for a known one who is in it and what uses it."""
        own = (None, {"fields": ("title", "slug", "description", "text")})
        help_ = ("What can be asked", {"fields": ("words",), "classes": ("collapse",)})
        return [own, ("Now", {"fields": ("members", "uses")}), help_] if obj else [own, help_]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A slug that others may name stays as it is."""
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def get_urls(self) -> list[URLPattern]:
        """Add the page of members."""
        members = self.admin_site.admin_view(self.members_view)
        return [path("<int:pk>/members/", members, name="referrals_segment_members"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer no deleting of many: one in use would be refused anyway."""
        return {}

    @admin.display(description="members now")
    def members(self, segment: Segment) -> str:
        """How many customers are in it, with the way to them."""
        try:
            count = count_members(segment)
        except Refused as refusal:
            return f"cannot be read any more: {refusal.detail}"
        return format_html(
            '<a class="underline" href="{}">{}</a>',
            reverse("admin:referrals_segment_members", args=[segment.pk]),
            f"{count:,}",
        )

    @admin.display(description="used by")
    def uses(self, segment: Segment) -> str:
        """What names it."""
        return ", ".join(used_by(segment)) or "nothing yet"

    @admin.display(description="fields")
    def words(self, segment: Segment) -> str:
        """Every field with what it means and how it can be compared."""
        rows = ((one.name, one.title, ", ".join(OPERATORS[one.kind])) for one in segment_fields())
        return format_html("<table>{}</table>", format_html_join("", _ROW, rows))

    def save_model(self, request: HttpRequest, obj: Segment, form: SegmentForm, change: bool) -> None:
        """Save it by its service."""
        given = form.cleaned_data
        saved = save_segment(
            segment=obj if change else None,
            slug=obj.slug if change else given["slug"],
            title=given["title"],
            description=given["description"],
            text=given["text"],
            at=timezone.now(),
        )
        obj.__dict__.update(saved.__dict__)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Say at once why a segment in use stays."""
        segment = self.get_object(request, object_id)
        if segment is not None and (users := used_by(segment)):
            messages.error(request, f"{segment} cannot be deleted, it is used by {', '.join(users)}.")
            return redirect("admin:referrals_segment_changelist")
        answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        return answer

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        """Delete it by its service."""
        delete_segment(segment=obj)

    def members_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """List the members, page by page, or all of them as CSV (`?format=csv`)."""
        if not (self.has_view_permission(request) and request.user.has_perm("referrals.view_customer")):
            return HttpResponse(status=403)
        segment = self.get_object(request, str(pk))
        if segment is None:
            raise Http404
        if request.GET.get("format") == "csv":
            header = ("external_id", "email", "name", "created_at")
            rows = ((one.external_id, one.email, one.name, one.created_at.isoformat()) for one in members_of(segment))
            return csv_answer(f"segment-{segment.slug}.csv", header, rows)
        page = Paginator(list(member_keys(segment)), PER_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{segment.title}: {page.paginator.count:,} members",
            "segment": segment,
            "page": page,
            "members": Customer.objects.filter(pk__in=list(page.object_list)).order_by("pk"),
        }
        return render(request, "admin_segments/members.html", context)


_ROW = '<tr><td class="pr-4"><code>{}</code></td><td class="pr-4">{}</td><td>{}</td></tr>'
