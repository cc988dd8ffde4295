"""A small API of tests: every shared behaviour behind addresses of its own."""

from django.urls import include, path
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from config import urls
from core.api.fields import MomentField, TextField
from core.api.idempotency import idempotent
from core.api.pagination import CursorPages
from core.api.permissions import scope
from core.api.serializers import StrictSerializer
from core.errors import Invalid, Refused


class OrderIn(StrictSerializer):
    currency = serializers.ChoiceField(choices=["EUR", "USD"])
    lines = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False)


class ThingIn(StrictSerializer):
    name = TextField(max_length=20)
    at = MomentField(required=False)
    order = OrderIn(required=False)
    attributes = serializers.DictField(required=False)


class UserOut(serializers.Serializer):
    email = serializers.EmailField()


class Sold(Refused):
    code = "sold_out"
    status = 409


class Things(APIView):
    def get(self, request):
        return CursorPages(request).answer(User.objects.all(), UserOut)

    @idempotent
    def post(self, request):
        thing = ThingIn(data=request.data)
        thing.is_valid(raise_exception=True)
        name = thing.validated_data["name"]
        User.objects.create_user(f"{name}-{User.objects.count()}@shop.example")
        if name == "sold":
            raise Sold("Nothing left.")
        if name == "bad":
            raise Invalid("Not this name.", pointer="/name")
        if name == "bug":
            raise RuntimeError("secret detail")
        return Response({"name": name, "count": User.objects.count()}, status=201)


class Batch(APIView):
    permission_classes = [scope("write")]

    def post(self, request):
        things = ThingIn(data=request.data, many=True)
        things.is_valid(raise_exception=True)
        return Response(len(things.validated_data))


class ReadOnly(APIView):
    permission_classes = [scope("read")]

    def post(self, request):
        return Response({})


handler404 = urls.handler404
handler500 = urls.handler500
urlpatterns = [
    path("api/v1/things", Things.as_view()),
    path("api/v1/batch", Batch.as_view()),
    path("api/v1/read-only", ReadOnly.as_view()),
    path("", include(urls.urlpatterns)),
]
