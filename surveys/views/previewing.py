"""How a survey looks before anybody is asked: its page and its mail, in each language, and its own colour."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts.access import staff_may
from core.brand import brand_css
from messaging.composing import preview_mail
from surveys.access import survey_of_slug
from surveys.queries import LETTER_KIND, current_version
from surveys.scales import Level
from surveys.services.letters import letter_values
from surveys.words import follow_up, shown_question

_FRAME = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: https:; frame-ancestors 'self'; sandbox"
SEE = "surveys.view_survey"
LINK = "preview"


@require_safe
def theme_stylesheet(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a survey's own colour as custom properties; nothing where it has none."""
    accent = survey_of_slug(slug).accent
    response = HttpResponse(brand_css(accent) if accent else "", content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


@staff_may(SEE)
@never_cache
@require_safe
def preview_survey(request: HttpRequest, slug: str) -> HttpResponse:
    """Show page and mail of a survey side by side, in the chosen language."""
    survey = survey_of_slug(slug)
    language, version = _language(request), current_version(survey)
    with translation.override(language):
        asked = {level: follow_up(version, level) for level in Level}
    context = {
        "survey": survey,
        "shown_in": language,
        "languages": settings.LANGUAGES,
        "afterwards": [
            (gettext("To those who are glad"), asked[Level.HIGH]),
            (gettext("To those in between"), asked[Level.MIDDLE]),
            (gettext("To those who are not glad"), asked[Level.LOW]),
        ],
    }
    return render(request, "surveys/staff/preview.html", context)


@staff_may(SEE)
@never_cache
@require_safe
@xframe_options_sameorigin
def preview_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the page as people see it, in a frame of the preview: nothing on it can be sent."""
    survey = survey_of_slug(slug)
    with translation.override(_language(request)):
        context = {"preview": True, **shown_question(survey, current_version(survey), chosen="")}
        response = render(request, "surveys/public/question.html", context)
    response._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
    return response


@staff_may(SEE)
@never_cache
@require_safe
@xframe_options_sameorigin
def preview_letter(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the mail as people see it, in a frame of the preview: its links lead nowhere."""
    survey, language = survey_of_slug(slug), _language(request)
    with translation.override(language):
        values = letter_values(survey=survey, version=current_version(survey), token_id=LINK, first_name="Ann")
    mail = preview_mail(kind=LETTER_KIND, locale=language, context=values)
    return HttpResponse(mail.html, headers={"Content-Security-Policy": _FRAME})


def _language(request: HttpRequest) -> str:
    wanted = request.GET.get("lang", "")
    return wanted if wanted in dict(settings.LANGUAGES) else str(translation.get_language())[:2]
