"""The addresses of referrals: QR codes for everybody, the review desk for staff."""

from django.urls import path

from referrals.views import how, inbound, public, review

urlpatterns = [
    path("in/<str:kind>/<str:source>/", inbound.receive, name="receive_call"),
    path("noted/", public.note_offer, name="note_offer"),
    path("widget.js", public.widget_script, name="widget_script"),
    path("q/<str:code>.svg", public.qr_code, name="qr_code"),
    path("programs/<slug:slug>/", how.show_how_it_works, name="how_it_works"),
    path("review/", review.queue, name="review"),
    path("review/rules/", review.rules, name="review_rules"),
    path("review/<str:referral_id>/", review.pair, name="review_pair"),
]
