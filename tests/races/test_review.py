"""Many reviewers at once: each verdict is given once, the others are told how it stands."""

from functools import partial

import pytest

from core.clocks import clock_at
from referrals.models import Referral, ReviewDecision, VetoCall
from referrals.services import vetoes
from referrals.services.lifecycle import WrongState, void_referral
from referrals.services.review import approve_referral, let_go_due
from tests.races.threads import at_once
from tests.referrals.suspects import RISK, bring
from tests.shop import PROGRAM, Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db(transaction=True)


def at_day(number, service, **given):
    with clock_at(day(number)):
        return service(at=day(number), **given)


def test_approve_referral_twenty_times_at_once_is_decided_once():
    referral = bring(Shop(RISK))
    approve = partial(at_day, 3, approve_referral, referral=referral, note="ok", actor="eva")

    results = at_once([approve] * 20)

    refused = [one for one in results if isinstance(one, WrongState)]
    assert len(refused) == 19
    assert {one.detail for one in refused} == {"only a referral that is held can be approved; this one is qualified"}
    assert ReviewDecision.objects.count() == 1
    assert_books_balance()


def test_approve_void_and_let_go_at_once_end_in_one_state():
    shop = Shop(PROGRAM + "risk: {review_at: 50, auto_release_days: 1}\n")
    referral = bring(shop)
    given = {"referral": referral, "note": "x", "actor": "eva"}
    approve, void = (
        partial(at_day, 3, approve_referral, **given),
        partial(at_day, 3, void_referral, **given, reason="fraud"),
    )

    results = at_once([approve, void, partial(at_day, 3, let_go_due)] * 6)

    unexpected = [one for one in results if isinstance(one, Exception) and not isinstance(one, WrongState)]
    assert unexpected == []
    assert ReviewDecision.objects.filter(decision="void").count() == 1
    assert ReviewDecision.objects.filter(decision="approve").count() <= 1
    row = Referral.objects.get()
    assert (row.state, row.reason, row.held) == ("voided", "fraud", False)
    assert shop.points("ann") == shop.points("bob") == (0, 0, 0)
    assert_books_balance()


def test_claim_of_a_question_by_twenty_senders_at_once_is_one_senders(settings):
    settings.VETO_URL = "https://shop.example/veto"
    bring(Shop(), email="bob.novak@web.de")
    call = VetoCall.objects.filter(stage="qualified").get()

    results = at_once([partial(vetoes._claim, call.pk, at=day(30))] * 20)

    assert sum(isinstance(one, VetoCall) for one in results) == 1
    assert VetoCall.objects.get(pk=call.pk).attempts == 1
