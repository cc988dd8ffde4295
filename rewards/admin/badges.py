"""Badges and perks in the admin: their words, and the pictures of badges."""

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminURLInputWidget, UnfoldBooleanSwitchWidget

from rewards.models import Badge, Perk
from rewards.pictures import MAX_BYTES, BadPicture, clean_png
from rewards.services.badges import replace_picture


class BadgeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A badge, with a picture to upload or to take away."""

    upload = forms.FileField(
        required=False,
        label="Picture of its own",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "image/png"}),
        help_text=f"PNG, 32 to 1,024 pixels a side, at most {MAX_BYTES // 1024} KB. Without one the picture is drawn.",
    )
    drawn = forms.BooleanField(required=False, label="Use the drawn picture again", widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Badge
        fields = ("slug", "title", "title_de", "description", "description_de")

    def clean_upload(self) -> bytes | None:
        """Read the picture; refuse what is no PNG to show."""
        given: UploadedFile[bytes] | None = self.cleaned_data["upload"]
        if given is None:
            return None
        if (given.size or 0) > MAX_BYTES:
            raise forms.ValidationError(f"The picture is too large; at most {MAX_BYTES // 1024} KB are possible.")
        try:
            return clean_png(given.read())
        except BadPicture as refusal:
            raise forms.ValidationError(refusal.detail) from None


@admin.register(Badge)
class BadgeAdmin(ModelAdmin):  # type: ignore[misc]
    """Badges that program files name; one without a row here is called after its slug and drawn."""

    form = BadgeForm
    list_display = ("shown_picture", "title", "slug", "description")
    list_display_links = ("title",)
    search_fields = ("slug", "title", "title_de", "description")
    ordering = ("title", "pk")
    readonly_fields = ("shown_picture",)
    fieldsets = (
        (None, {"fields": ("shown_picture", "slug", "title", "description")}),
        ("In German", {"fields": ("title_de", "description_de")}),
        ("Picture", {"fields": ("upload", "drawn")}),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Badge]":
        """Return badges without loading their pictures."""
        return Badge.objects.defer("picture")

    @admin.display(description="picture")
    def shown_picture(self, badge: Badge) -> str:
        """The picture as customers see it."""
        if not badge.pk:
            return "–"
        address = reverse("badge", args=[badge.slug])
        return format_html('<img src="{}?v={}" width="56" height="56" alt="">', address, badge.picture_hash or "drawn")

    def save_model(self, request: HttpRequest, obj: Badge, form: BadgeForm, change: bool) -> None:
        """Save the words, and the picture where there is a new one."""
        super().save_model(request, obj, form, change)
        upload = form.cleaned_data.get("upload")
        if upload or form.cleaned_data.get("drawn"):
            replace_picture(badge=obj, upload=upload)


class PerkForm(forms.ModelForm):  # type: ignore[type-arg]
    """A perk; an address without a scheme is a secure one."""

    link = forms.URLField(
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget,
        help_text="where to use it",
    )

    class Meta:
        model = Perk
        fields = ("slug", "title", "title_de", "words", "words_de", "instructions", "link", "active")


@admin.register(Perk)
class PerkAdmin(ModelAdmin):  # type: ignore[misc]
    """Perks that tiers and rewards name: what they are and how to use them."""

    form = PerkForm
    list_display = ("title", "slug", "link", "active")
    list_filter = ("active",)
    search_fields = ("slug", "title", "title_de", "words")
    ordering = ("title", "pk")
    fieldsets = (
        (None, {"fields": ("slug", "title", "words", "active")}),
        ("How to use it (only its holders see this)", {"fields": ("instructions", "link")}),
        ("In German", {"fields": ("title_de", "words_de")}),
    )
