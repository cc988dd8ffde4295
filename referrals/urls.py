"""The addresses of referrals: QR codes for everybody, the review desk for staff."""

from django.urls import path

from referrals.views import hello, how, inbound, named, own_link, public, review, told

urlpatterns = [
    path("in/<str:kind>/<str:source>/", inbound.receive, name="receive_call"),
    path("noted/", public.note_offer, name="note_offer"),
    path("widget.js", public.widget_script, name="widget_script"),
    path("code/", told.enter_code, name="enter_code"),
    path("share/<str:code>/", public.open_offer, name="open_offer"),
    path("hello/<str:code>.png", hello.hello_picture, name="hello_picture"),
    path("hello/<str:code>/", hello.show_hello, name="hello"),
    path("link/<str:code>/", own_link.show_own_link, name="own_link"),
    path("q/<str:code>.png", hello.qr_picture, name="qr_picture"),
    path("q/<str:code>.pdf", hello.printed_card, name="printed_card"),
    path("q/<str:code>.svg", public.qr_code, name="qr_code"),
    path("programs/<slug:slug>/name/", named.tell_name, name="tell_name"),
    path("told/", named.claim_friend, name="claim_friend"),
    path("told/<str:claim_id>/", named.answer_friend, name="answer_claim"),
    path("programs/<slug:slug>/", how.show_how_it_works, name="how_it_works"),
    path("review/", review.queue, name="review"),
    path("review/rules/", review.rules, name="review_rules"),
    path("review/<str:referral_id>/", review.pair, name="review_pair"),
]
