"""Every public address, by app."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from core.views import brand_stylesheet, healthz, readyz
from referrals.redirect import follow_link

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("rewards.urls")),
    path("", include("referrals.urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("brand.css", brand_stylesheet, name="brand_css"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("messaging.urls")),
    path("r/<str:code>", follow_link, name="follow_link"),
    path("accounts/", include("accounts.urls")),
    path("", include("analytics.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    path("api/v1/", include("config.api_v1")),
    path("", include("surveys.urls")),
]

handler404 = "core.api.views.answer_not_found"
handler500 = "core.api.views.answer_bug"
