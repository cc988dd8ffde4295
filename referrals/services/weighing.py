"""Scoring a referral when it is bound, when it qualifies and before anything of it is released, and holding it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from referrals.judgement import COUNTED, EARNING, Judgement, hold_back
from referrals.models import Referral, RiskAssessment, VetoCall
from referrals.queries.blocks import is_blocked
from referrals.queries.risk import load_risk_context
from referrals.risk import REVIEW, VOID, score, verdict_of
from referrals.terms import RewardRule, Risk, Terms, terms_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A judgement after the risk was weighed, with the rows that belong to it, unsaved."""

    judgement: Judgement
    held_before: bool = False
    assessment: RiskAssessment | None = None
    veto: VetoCall | None = None

    @property
    def why(self) -> str:
        """Why the score moved the referral, in words, or ''."""
        seen = self.assessment
        if seen is None or seen.verdict == RiskAssessment.Verdict.CLEAR:
            return ""
        return f"risk score {seen.score} of 100: {', '.join(signal['code'] for signal in seen.signals)}"[:200]

    @property
    def data(self) -> dict[str, Any]:
        """What the rules saw, for the step's record."""
        seen = self.assessment
        return {"risk": {"score": seen.score, "signals": seen.signals, "version": seen.version}} if seen else {}


def weigh_referral(
    referral: Referral, judgement: Judgement, *, at: datetime, held_before: bool | None = None
) -> Weighed:
    """Return what the judgement becomes once the risk is weighed, and set the referral's hold, unsaved.

    Nothing is asked of the database where nothing new has happened; scores only in a program with bounds.
    """
    if judgement.state == Referral.State.VOIDED:
        return _void(referral, judgement)
    moment, before = _moment(referral, judgement, at), referral.held if held_before is None else held_before
    if not moment:
        return Weighed(judgement=_held_back(referral, judgement), held_before=before)
    if _is_blocked_since(referral):
        return _void(referral, replace(judgement, state="voided", reason="blocked"))
    terms = terms_from_json(referral.offer.terms)
    assessment = None
    if _is_bounded(terms.risk) and referral.cleared_at is None:
        assessment = assess_referral(referral, judgement, moment=moment, bounds=terms.risk, at=at)
        if assessment.verdict == VOID:
            return _void(referral, replace(judgement, state="voided", reason="fraud"), assessment)
        referral.weigh_at = _next_release(referral, judgement, terms, after=at)
        _hold_by_score(referral, assessment, terms.risk, at)
    veto = _new_veto_call(referral, judgement, terms, at)
    if veto is not None and not referral.held:
        hold(referral, Referral.HeldFor.VETO, at=at)
    verdict = _held_back(referral, judgement)
    return Weighed(judgement=verdict, held_before=before, assessment=assessment, veto=veto)


def save_weighed(referral: Referral, weighed: Weighed) -> None:
    """Save what belongs to a weighed referral, which is saved already."""
    for row in (weighed.assessment, weighed.veto):
        if row is not None:
            row.referral = referral
            row.save(force_insert=True)


def _void(referral: Referral, judgement: Judgement, assessment: RiskAssessment | None = None) -> Weighed:
    _release(referral)
    referral.weigh_at = None
    voided = replace(judgement, qualifying_pk=None, qualified_at=None, approve_at=None)
    return Weighed(judgement=voided, assessment=assessment)


def _held_back(referral: Referral, judgement: Judgement) -> Judgement:
    return hold_back(judgement, held_for=referral.held_for if referral.held else "")


def _is_blocked_since(referral: Referral) -> bool:
    """Return whether the block list came to hold one of the two after the binding, where it was asked already."""
    if referral._state.adding or referral.is_pardoned:
        return False
    return is_blocked(referral.advocate, referral.friend, at=referral.bound_at)


def _is_bounded(risk: Risk) -> bool:
    return risk.review_at is not None or risk.void_at is not None


def _moment(referral: Referral, judgement: Judgement, at: datetime) -> str:
    """Return which of the moments to score at this is, or ''."""
    new = referral._state.adding
    before = "" if new else referral.state
    if judgement.state in COUNTED and (
        before not in EARNING or referral.qualifying_event_id != judgement.qualifying_pk
    ):
        return RiskAssessment.Moment.QUALIFYING
    if new:
        return RiskAssessment.Moment.BINDING
    if referral.weigh_at is not None and referral.weigh_at <= at:
        return RiskAssessment.Moment.RELEASE
    return ""


def assess_referral(
    referral: Referral, judgement: Judgement, *, moment: str, bounds: Risk, at: datetime
) -> RiskAssessment:
    """Return the referral's score against the bounds, with what each rule saw, unsaved."""
    context = load_risk_context(referral, converted_at=judgement.qualified_at)
    result = score(context)
    return RiskAssessment(
        at=at,
        moment=moment,
        score=result.points,
        signals=[{"code": one.code, "weight": one.weight, "evidence": one.evidence} for one in result.signals],
        version=result.version,
        review_at=bounds.review_at,
        void_at=bounds.void_at,
        verdict=verdict_of(result.points, review_at=bounds.review_at, void_at=bounds.void_at),
    )


def _hold_by_score(referral: Referral, assessment: RiskAssessment, risk: Risk, at: datetime) -> None:
    """Hold while the score asks for it; what staff hold by hand they also let go."""
    if referral.held and referral.held_for == Referral.HeldFor.STAFF:
        return
    by_score = referral.held and referral.held_for == Referral.HeldFor.RISK
    if assessment.verdict == REVIEW and not by_score:
        days = risk.auto_release_days
        hold(referral, Referral.HeldFor.RISK, at=at, until=None if days is None else at + timedelta(days=days))
    elif assessment.verdict != REVIEW and by_score:
        let_go(referral)


def hold(referral: Referral, held_for: str, *, at: datetime, until: datetime | None = None) -> None:
    """Mark the referral as held, unsaved."""
    referral.held, referral.held_for = True, held_for
    referral.held_at, referral.held_until = at, until


def let_go(referral: Referral) -> None:
    """Mark the referral as held by nothing but, where the shop has not answered, its veto, unsaved."""
    asked = None
    if settings.VETO_URL and not referral._state.adding:
        asked = VetoCall.objects.filter(referral=referral, state__in=VetoCall.OPEN).order_by("pk").first()
    if asked is None:
        _release(referral)
    else:
        hold(referral, Referral.HeldFor.VETO, at=asked.created_at)


def _release(referral: Referral) -> None:
    referral.held, referral.held_for, referral.held_at, referral.held_until = False, "", None, None


def _new_veto_call(referral: Referral, judgement: Judgement, terms: Terms, at: datetime) -> VetoCall | None:
    """Return the question to the shop, unsaved, due when the first reward of this stage becomes ripe."""
    if not settings.VETO_URL or referral.is_pardoned:
        return None
    stage = VetoCall.Stage.QUALIFIED if judgement.qualified_at else VetoCall.Stage.SIGNUP
    new = referral._state.adding
    if not new and VetoCall.objects.filter(referral=referral, stage=stage).exists():
        return None
    moments = _releases(referral, judgement, terms, signup=new or stage == VetoCall.Stage.SIGNUP)
    if not moments:
        return None
    due_at = max(min(moments), at)
    return VetoCall(stage=stage, due_at=due_at, asked_since=due_at)


def _releases(referral: Referral, judgement: Judgement, terms: Terms, *, signup: bool = True) -> list[datetime]:
    """Return the moments at which rewards of the referral become ripe (rule 13), sign-up rewards if asked for."""

    def ripe(rules: tuple[RewardRule, ...], since: datetime) -> list[datetime]:
        return [since + timedelta(days=terms.hold_days_of(rule)) for rule in rules]

    moments = ripe(terms.rules_on("signup"), referral.bound_at) if signup else []
    if judgement.qualified_at is None or judgement.approve_at is None:
        return moments
    conversion = (*terms.rules_on("qualified"), *terms.rules_on("purchase"))
    return [*moments, *ripe(conversion, judgement.qualified_at), judgement.approve_at]


def _next_release(referral: Referral, judgement: Judgement, terms: Terms, *, after: datetime) -> datetime | None:
    return min((moment for moment in _releases(referral, judgement, terms) if moment > after), default=None)
