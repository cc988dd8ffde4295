"""The pages of surveys of every kind: readable by everybody, answered by keyboard and without scripts."""

import pytest
from django.utils import timezone

from surveys.models import Response, Survey
from surveys.services.invitations import invite_customer
from surveys.services.surveys import create_survey, ensure_default_survey
from surveys.tokens import token_of
from tests.browser.conftest import NARROW, look, sticks_out
from tests.factories import CustomerFactory, UserFactory, make_program

pytestmark = pytest.mark.once
SHAPES = [("nps", "numbers", ""), ("csat", "faces", ""), ("csat", "stars", "#ffd400"), ("ces", "numbers", "")]


@pytest.fixture
def page_of(live_server):
    """Return a function that asks somebody and returns the path of their page."""

    def ask(kind="nps", style="numbers", accent=""):
        survey = ensure_default_survey() if kind == "nps" else create_survey(slug="s", name="S", kind=kind, style=style)
        Survey.objects.filter(pk=survey.pk).update(accent=accent)
        survey.refresh_from_db()
        invitation = invite_customer(survey=survey, customer=CustomerFactory(name="Ann Archer"), at=timezone.now())
        return f"/s/{token_of(invitation.token_id)}"

    return ask


@pytest.mark.parametrize(("kind", "style", "accent"), SHAPES)
def test_question(open_page, page_of, kind, style, accent):
    look(open_page, f"survey-{kind}-{style}", f"{page_of(kind, style, accent)}?score=4")


@pytest.mark.parametrize(("kind", "style", "accent"), SHAPES)
def test_question_reads_from_right_to_left_on_the_narrowest_phone(open_page, page_of, kind, style, accent):
    page = open_page(page_of(kind, style, accent), size=NARROW)
    page.evaluate("document.documentElement.dir = 'rtl'")

    assert sticks_out(page) == 0


@pytest.mark.parametrize(("kind", "score", "thanks"), [("nps", 9, "high"), ("csat", 3, "middle"), ("ces", 2, "low")])
def test_thanks(open_page, page_of, kind, score, thanks):
    make_program()
    path = page_of(kind)
    page = open_page(f"{path}?score={score}")
    page.get_by_role("button", name="Send my answer").click()
    page.get_by_role("heading", name="Thank you").wait_for()

    look(open_page, f"survey-thanks-{thanks}", f"{path}/thanks")


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}])
def test_question_is_answered_by_keyboard_with_and_without_scripts(open_page, page_of, options):
    page = open_page(page_of("csat", "faces"), **options)
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Fine")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()

    assert list(Response.objects.values_list("kind", "score", "comment", "state")) == [("csat", 2, "Fine", "confirmed")]


def test_preview(open_page, page_of):
    page_of("csat", "faces")
    look(open_page, "survey-preview", "/surveys/s/preview/", user=UserFactory(is_staff=True, is_superuser=True))
