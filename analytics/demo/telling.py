"""Telling a story to the product through the services that real data takes, with the clock travelling along."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from analytics.demo.story import Answered, Asked, Evidence, Happening, Joined, Reported, Stopped, Visited
from core.clocks import clock_at
from core.money import to_text
from core.periods import local_day
from messaging.services import note_sent_elsewhere
from referrals.bots import judge_visit
from referrals.landing import host_of, landing_problem
from referrals.models import Customer, Link, OfferView, Placement, Program, Referral
from referrals.program_file import ProgramDocument, parse_program
from referrals.services.batches import record_events
from referrals.services.clicks import Visit, record_click
from referrals.services.customers import CustomerData, put_customer
from referrals.services.lifecycle import approve_due, expire_due, void_referral
from referrals.services.links import ensure_link, ensure_links_of
from referrals.services.placements import record_share, record_view
from referrals.services.programs import apply_program
from rewards.services.expiry import expire_due as expire_points
from rewards.services.grants import release_due
from rewards.services.standing import refresh_standings_due
from surveys.models import Invitation, Survey
from surveys.queries import LETTER_KIND, cause_of
from surveys.services.answers import confirm_answer
from surveys.services.invitations import expire_invitations, note_sent_invitations, plan_invitation
from surveys.services.surveys import ensure_default_survey

SOURCE = "demo"
CURRENCY = "EUR"
FILES = ("refer-a-friend.yaml", "winter-double.yaml")
_FOLDER = Path(__file__).resolve().parent
_NIGHT = timedelta(hours=2)
_MANY = 500
_A_WHILE = timedelta(minutes=20)
PLACES = (Placement.PORTAL, Placement.POST_PURCHASE, Placement.ACCOUNT_PAGE, Placement.BANNER, Placement.PORTAL)

H = TypeVar("H", bound=Happening)


def open_programs(*, at: datetime) -> Program:
    """Apply the program files of the demo; return the running program, which starts on the day of `at`."""
    running, *others = [_document(_FOLDER / file) for file in FILES]
    starts = local_day(at, timezone.get_default_timezone())
    for document in others:
        apply_program(document=document, at=at)
    return apply_program(document=replace(running, starts=starts), at=at)


def _document(file: Path) -> ProgramDocument:
    """Return the file's program; its friends land on this installation's own welcome page, so that links lead on."""
    document = parse_program(file.read_text(encoding="utf-8"), file=file.name)
    landing = f"{settings.PUBLIC_BASE_URL}/"
    if landing_problem(landing, ()):
        return document
    return replace(document, landing_url=landing, allowed_landing_hosts=(host_of(landing),))


class Teller:
    """Makes happenings happen, in the order given, in the one running program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.survey: Survey = ensure_default_survey()
        self.customers: dict[str, Customer] = {}
        self._links: dict[str, Link] = {}
        self._passed_on: dict[tuple[str, str, date], str] = {}
        self._clicks: dict[int, str] = {}
        self._invitations: dict[str, Invitation] = {}
        self._ways: dict[type[Any], Callable[[Any], None]] = {
            Joined: self._join,
            Visited: self._visit,
            Reported: self._report,
            Asked: self._ask,
            Answered: self._answer,
            Stopped: self._stop,
        }

    def tell(self, happening: Happening) -> None:
        """Let one thing happen at its moment."""
        with clock_at(happening.at):
            self._ways[type(happening)](happening)

    def pass_night(self, midnight: datetime) -> None:
        """Do what falls due in the night after `midnight`, as the worker does."""
        at = midnight + _NIGHT
        with clock_at(at):
            approve_due(at=at)
            expire_due(at=at)
            release_due(at=at)
            expire_points(at=at)
            refresh_standings_due(at=at)
            expire_invitations(at=at)

    def give_links(self) -> None:
        """Give a link to everybody who has none yet."""
        everybody = list(self.customers.values())
        for first in range(0, len(everybody), _MANY):
            ensure_links_of(customers=everybody[first : first + _MANY], programs=[self.program])

    def _join(self, told: Joined) -> None:
        person = told.person
        data = CustomerData(email=person.email, name=person.name, locale=person.locale, time_zone=person.time_zone)
        self.customers[person.external_id], _ = put_customer(external_id=person.external_id, data=data, at=told.at)

    def _link(self, who: str) -> Link:
        if who not in self._links:
            self._links[who] = ensure_link(customer=self.customers[who], program=self.program)
        return self._links[who]

    def _visit(self, told: Visited) -> None:
        headers = {"user-agent": told.agent, "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
        link = self._link(told.advocate)
        visit = Visit(
            verdict=judge_visit(headers),
            agent=told.agent,
            address=told.address,
            channel=told.channel,
            placement=self._pass_on(link, told),
            visitor=told.visitor,
        )
        click = record_click(link=link, visit=visit, at=told.at)
        if told.number:
            self._clicks[told.number] = click.click_id

    def _pass_on(self, link: Link, told: Visited) -> str:
        """Have the advocate see the offer and pass it on a little before the first visit of a channel and day.

        Return where they took the link from, '' where no channel is known.
        """
        before = told.at - _A_WHILE
        once = (told.advocate, told.channel, before.date())
        if not told.channel or once in self._passed_on:
            return self._passed_on.get(once, "")
        placement = self._passed_on[once] = PLACES[(len(self._passed_on) + 1) % len(PLACES)]
        for moment in (before - _A_WHILE, before):
            record_view(program=self.program, kind=OfferView.Kind.VIEW, placement=placement, at=moment)
        record_share(link=link, program=self.program, channel=told.channel, placement=placement, at=before)
        return placement

    def _report(self, told: Reported) -> None:
        source = "api" if told.fresh and settings.EMAIL_FILE_PATH else SOURCE
        [result] = record_events(facts=[self._body(told)], at=told.at, source=source)
        if result.refusal is not None:
            raise RuntimeError(f"the story does not hold: {told}: {result.refusal.detail}")

    def _body(self, told: Reported) -> dict[str, Any]:
        body: dict[str, Any] = {
            "event_id": f"{SOURCE}-{told.type}-{told.order or told.who}",
            "type": told.type,
            "occurred_at": told.at.isoformat(),
            "customer": {"external_id": told.who},
        }
        if told.order:
            amount = to_text(told.amount_minor, CURRENCY)
            body["order"] = {"id": f"{SOURCE}-{told.order}", "amount": amount, "currency": CURRENCY}
        if told.evidence is not None:
            body["referral"] = self._evidence(told.evidence)
        if told.channel:
            body["channel"] = told.channel
        return body

    def _evidence(self, evidence: Evidence) -> dict[str, str]:
        if evidence.visit is not None:
            return {"click_id": self._clicks[evidence.visit]}
        return {"code": self._link(evidence.code_of).code if evidence.code_of else evidence.code}

    def _ask(self, told: Asked) -> None:
        customer = self.customers[told.who]
        invitation = plan_invitation(survey=self.survey, customer=customer, at=told.at, cause=SOURCE)
        if invitation.state == Invitation.State.PLANNED:
            note_sent_elsewhere(kind=LETTER_KIND, cause=cause_of(invitation), at=told.at)
            note_sent_invitations(at=told.at)
            self._invitations[told.who] = invitation

    def _answer(self, told: Answered) -> None:
        invitation = self._invitations.pop(told.who, None)
        if invitation is not None:
            confirm_answer(invitation=invitation, score=told.score, comment=told.comment, at=told.at)

    def _stop(self, told: Stopped) -> None:
        referral = Referral.objects.get(friend__external_id=told.friend)
        void_referral(referral=referral, reason="manual", note=told.note, actor="marketer@goodword.example", at=told.at)
