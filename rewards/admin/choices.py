"""Groups of rewards that customers choose from, in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline

from rewards.forms.gifts import GroupForm, OptionForm
from rewards.models import ChoiceGroup, ChoiceOption, Fulfilment
from rewards.queries.stock import missing_names


class OptionInline(TabularInline):  # type: ignore[misc]
    """What there is to choose."""

    model = ChoiceOption
    form = OptionForm
    extra = 0
    fields = ("name", "kind", "what", "points", "amount", "currency", "place", "offered")
    verbose_name_plural = "what there is to choose"


@admin.register(ChoiceGroup)
class ChoiceGroupAdmin(ModelAdmin):  # type: ignore[misc]
    """Several rewards of which the customer takes one; program files name the group."""

    form = GroupForm
    list_display = ("name", "title", "offers")
    search_fields = ("name", "title", "options__name")
    ordering = ("name",)
    inlines = (OptionInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: ChoiceGroup | None = None) -> Any:
        """Keep the name: programs and rewards rest on it."""
        return ("name",) if obj else ()

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return groups with their options."""
        return super().get_queryset(request).prefetch_related("options")

    def has_delete_permission(self, request: HttpRequest, obj: ChoiceGroup | None = None) -> bool:
        """Only a group that no reward names."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and obj is not None and not _named(obj)

    @admin.display(description="to choose")
    def offers(self, group: ChoiceGroup) -> str:
        """What there is to choose now."""
        return ", ".join(option.name for option in group.options.all() if option.offered) or "nothing yet"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say which groups programs name that do not exist."""
        for missing in missing_names("choice", ChoiceGroup.objects.values_list("name", flat=True)):
            told = (
                f"{', '.join(missing.programs)}: names the choice {missing.name}, which does not exist. Rewards wait."
            )
            messages.warning(request, told)
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep the options; rewards that waited for something to choose are tried again."""
        super().save_related(request, form, formsets, change)
        waits = Fulfilment.objects.filter(kind="choice", what=form.instance.name, state=Fulfilment.State.DUE)
        waits.update(due_at=timezone.now(), attempts=0)


def _named(group: ChoiceGroup) -> bool:
    return Fulfilment.objects.filter(what=group.name, kind="choice").exists()
