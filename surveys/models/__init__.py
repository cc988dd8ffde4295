from surveys.models.invitations import Invitation, SurveyClick
from surveys.models.people import Respondent
from surveys.models.responses import Response, ResponseRevision
from surveys.models.surveys import Survey, SurveyVersion

__all__ = [
    "Invitation",
    "Respondent",
    "Response",
    "ResponseRevision",
    "Survey",
    "SurveyClick",
    "SurveyVersion",
]
