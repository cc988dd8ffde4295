"""GET /metrics and GET /metrics/{name}."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.api.serializers import AnswerOut, CatalogueOut, MetricOut, QuestionIn
from analytics.metrics import METRICS
from analytics.questions import metric_of
from analytics.services.answers import Wish, answer_wish
from analytics.spans import By
from core.api.permissions import scope


class MetricsView(APIView):
    """The catalogue."""

    permission_classes = (scope("read"),)

    @extend_schema(operation_id="metrics_list", responses=CatalogueOut)
    def get(self, request: Request) -> Response:
        """List every metric with its definition."""
        return Response({"results": MetricOut(METRICS.values(), many=True).data, "next": None})


class MetricView(APIView):
    """One metric."""

    permission_classes = (scope("read"),)

    @extend_schema(operation_id="metrics_retrieve", parameters=[QuestionIn], responses=AnswerOut)
    def get(self, request: Request, name: str) -> Response:
        """Answer one metric over a range, cut into periods, split into groups."""
        metric = metric_of(name)
        query = QuestionIn(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        wish = Wish(
            metric=metric,
            start=asked.get("from"),
            end=asked.get("to"),
            by=By(asked["by"]),
            group=asked.get("group", ""),
            program=asked.get("program", ""),
            currency=asked.get("currency", ""),
        )
        answer = answer_wish(wish=wish, at=timezone.now())
        return Response(AnswerOut(answer.as_json()).data)
