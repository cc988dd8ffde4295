"""Gateways that open, run and submit everything, among people: none of their answers count, nearly all of people's do.

`SCANNER_PEOPLE` sets how many people, and as many mailboxes that only a gateway reads (60 unless told otherwise).
"""

import os
import random
from collections import Counter
from datetime import timedelta

import pytest

from surveys.models import Invitation, Response
from surveys.services.invitations import invite_customer
from surveys.services.settling import settle_answers, take_up_taps
from surveys.services.surveys import ensure_default_survey
from surveys.tokens import token_of
from tests.surveys.conftest import NOW
from tests.surveys.mail_readers import gateway, person

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PEOPLE = int(os.environ.get("SCANNER_PEOPLE", "60"))
SEEDS = [7, 20_261_126]  # the second is held out: no rule was ever looked at with it
BEHIND_A_GATEWAY = 0.15


def play(client, invitation, reader, step):
    """Do one request, and what the page's own script does then."""
    page = f"/s/{token_of(invitation.token_id)}"
    headers = {"User-Agent": reader.agent} | ({"Sec-Purpose": "prefetch"} if reader.prefetch else {})
    _, verb, *what = step
    if verb == "press":
        score, comment, itself = what
        client.post(page, {"score": score, "comment": comment, **({"itself": "on"} if itself else {})}, headers=headers)
        return
    path = {"open": lambda: f"{page}?score={what[0]}", "look": lambda: page, "trap": lambda: f"{page}/view"}[verb]()
    answer = client.get(path, headers=headers)
    if reader.scripts and "data-submits-itself" in answer.content.decode():
        client.post(page, {"score": what[0], "comment": "", "itself": "on"}, headers=headers)


def read_mails(client, time_machine, make_person, seed):
    """Send mails to people and to mailboxes that only a gateway reads; return each invitation with who was a person."""
    dice = random.Random(seed)
    survey = ensure_default_survey()
    readers, plan = [], []
    for number in range(2 * PEOPLE):
        invitation = invite_customer(survey=survey, customer=make_person(f"s{seed}-{number}"), at=NOW)
        human = person(dice) if number % 2 else None
        opened_by = [human] if human else [gateway(dice)]
        if human and dice.random() < BEHIND_A_GATEWAY:
            opened_by.append(gateway(dice))
        readers.append((invitation, human, opened_by))
        plan += [(step[0], number, reader, step) for reader in opened_by for step in reader.steps]
    Invitation.objects.update(sent_at=NOW, state="sent")
    plan += [(minutes * 60.0, -1, None, ()) for minutes in [*range(16, 200, 16), *range(240, 70 * 60, 240)]]
    for seconds, number, reader, step in sorted(plan, key=lambda one: (one[0], one[1])):
        at = NOW + timedelta(seconds=seconds)
        time_machine.move_to(at, tick=False)
        if reader is None:
            take_up_taps(at=at)
            settle_answers(at=at)
        else:
            invitation = readers[number][0]
            play(client, Invitation.objects.get(pk=invitation.pk), reader, step)
    return readers


@pytest.mark.parametrize("seed", SEEDS)
def test_no_answer_of_a_gateway_counts_and_nearly_all_of_people_do(client, time_machine, person, seed):
    readers = read_mails(client, time_machine, person, seed)

    counted = {one.invitation_id: one.score for one in Response.objects.filter(state="confirmed")}
    lost, wrong = Counter(), Counter()
    for invitation, human, opened_by in readers:
        score = counted.get(invitation.pk)
        if human is None and score is not None:
            wrong[opened_by[0].kind] += 1
        if human is not None and score != human.means:
            lost[human.kind, len(opened_by) > 1] += 1
    assert wrong == Counter()
    assert sum(lost.values()) <= 0.05 * PEOPLE, lost
    assert not Response.objects.filter(settled_at=None).exists()


def test_twin_without_looking_at_traces_answers_of_gateways_count(client, time_machine, person, monkeypatch):
    """The sabotage twin: were every press a person's, gateways that submit forms would be counted."""
    monkeypatch.setattr("surveys.services.answers.machine_signs", lambda moment, traces: ())
    monkeypatch.setattr("surveys.answers.machine_signs", lambda moment, traces: ())
    monkeypatch.setattr("tests.surveys.test_scanners.PEOPLE", 30)

    readers = read_mails(client, time_machine, person, 7)

    counted = set(Response.objects.filter(state="confirmed").values_list("invitation", flat=True))
    assert [invitation for invitation, human, _ in readers if human is None and invitation.pk in counted] != []
