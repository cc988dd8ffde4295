"""The Net Promoter Score: the latest confirmed answer of each person, in the range and in each period."""

import pytest

from surveys.models import Invitation, Response, Survey, SurveyVersion
from tests.analytics import facts
from tests.analytics.ask import ask, values

pytestmark = pytest.mark.django_db


def answer(who: str, at: str, score: int | None, state: str = "confirmed", kind: str = "nps") -> Response:
    survey, _ = Survey.objects.get_or_create(slug=kind, defaults={"name": kind, "kind": kind})
    version, _ = SurveyVersion.objects.get_or_create(survey=survey, number=1)
    moment = facts.moment(at)
    customer = facts.customer(who)
    invitation = Invitation.objects.create(
        survey=survey,
        version=version,
        customer=customer,
        state="answered",
        decided_at=moment,
        send_at=moment,
        expires_at=moment,
    )
    return Response.objects.create(
        invitation=invitation,
        survey=survey,
        version=version,
        customer=customer,
        kind=kind,
        score=score,
        state=state,
        first_at=moment,
        at=moment,
    )


def test_nps_rounds_once_half_away_from_zero():
    for number, score in enumerate([9, 10, 9, 7, 8, 7, 8, 6]):  # 3, 4 and 1: 25
        answer(f"c-{number}", "2026-03-05", score)

    (point,) = ask("nps").points

    assert (point.value, point.numerator, point.denominator) == (25, 2, 8)
    assert point.enough is False


def test_nps_has_the_published_interval():
    for number in range(20):  # 10/5/5: +25 (−11.7 … +55.2)
        answer(f"c-{number}", "2026-03-05", 10 if number < 10 else 8 if number < 15 else 2)

    (point,) = ask("nps").points

    assert (point.value, point.interval) == (25, (-11.7, 55.2))


def test_nps_takes_the_latest_answer_of_each_person():
    answer("ann", "2026-03-02", 2)
    answer("ann", "2026-04-20", 10)

    assert values("nps", "2026-03-01", "2026-05-01") == [100]
    assert values("nps", "2026-03-01", "2026-05-01", by="month") == [-100, 100]
    assert ask("nps", "2026-03-01", "2026-05-01").points[0].denominator == 1


def test_nps_counts_only_confirmed_answers_on_its_scale():
    answer("ann", "2026-03-02", 10)
    answer("bob", "2026-03-02", 0, state="provisional")
    answer("cay", "2026-03-02", 0, state="discarded")
    answer("dan", "2026-03-02", None)
    answer("eve", "2026-03-02", 1, kind="csat")

    (point,) = ask("nps").points

    assert (point.value, point.denominator) == (100, 1)
