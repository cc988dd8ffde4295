"""The public addresses of referrals: share links and their QR codes."""

from django.urls import path

from referrals.views import public

urlpatterns = [
    path("q/<str:code>.svg", public.qr_code, name="qr_code"),
]
