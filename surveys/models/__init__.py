from surveys.models.invitations import Invitation, SurveyClick
from surveys.models.people import Respondent
from surveys.models.responses import Response, ResponseRevision
from surveys.models.surveys import Survey, SurveyVersion
from surveys.models.triggers import Occasion, Trigger

__all__ = [
    "Invitation",
    "Occasion",
    "Respondent",
    "Response",
    "ResponseRevision",
    "Survey",
    "SurveyClick",
    "SurveyVersion",
    "Trigger",
]
