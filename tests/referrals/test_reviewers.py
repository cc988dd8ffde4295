"""What reviewers and timers do to what is held, what they can take back, and what it says of the rules."""

from datetime import timedelta

import pytest

from core.errors import Refused
from referrals.models import BlockEntry, ReviewDecision
from referrals.queries.review import review_queue, rule_precision
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.lifecycle import WrongState, reopen_referral, void_referral
from referrals.services.review import approve_referral, hold_referral, undo_review
from rewards.models import Reward
from tests.referrals.suspects import BOB, RISK, THROWAWAY, bring, decide, standing, work
from tests.scenes import moment
from tests.shop import PROGRAM, Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return Shop(RISK)


def test_hold_referral_by_hand_flags_until_somebody_approves(shop):
    referral = bring(shop, email=BOB)

    decide(hold_referral, referral)
    work(shop, day(40))

    assert standing() == ("flagged", True, "staff")
    assert shop.points("ann") == (0, 502, 0)
    decide(approve_referral, referral, at=day(41))
    assert standing() == ("approved", False, "")


def test_hold_referral_works_in_a_program_without_bounds():
    shop = Shop()
    referral = bring(shop, email=BOB)

    decide(hold_referral, referral)

    assert standing() == ("flagged", True, "staff")


def test_hold_referral_that_is_approved_is_refused_and_changes_nothing(shop):
    referral = bring(shop, email=BOB)
    work(shop, day(15))

    with pytest.raises(WrongState):
        decide(hold_referral, referral, at=day(16))

    assert standing() == ("approved", False, "")
    assert ReviewDecision.objects.count() == 0


def test_void_from_the_queue_takes_back_and_undo_brings_it_back_to_the_queue(shop):
    referral = bring(shop)
    void_referral(referral=referral, reason="fraud", note="same person", actor="eva", at=day(3))
    assert standing() == ("voided", False, "")
    assert shop.points("ann") == (0, 0, 0)

    decide(undo_review, referral, at=day(4))

    assert standing() == ("flagged", True, "staff")
    assert shop.points("ann") == (0, 502, 0)
    assert list(review_queue()) == [referral]
    assert ReviewDecision.objects.filter(decision="void", undone_at=day(4)).count() == 1
    assert_books_balance()


def test_undo_review_of_an_approval_holds_again(shop):
    referral = bring(shop)
    decide(approve_referral, referral)

    decide(undo_review, referral, at=day(4))

    assert standing() == ("flagged", True, "staff")


def test_undo_review_of_what_was_paid_is_refused(shop):
    referral = bring(shop)
    decide(approve_referral, referral)
    work(shop, day(15))

    with pytest.raises(WrongState):
        decide(undo_review, referral, at=day(16))

    assert standing() == ("approved", False, "")
    assert ReviewDecision.objects.filter(undone_at=None).count() == 1


def test_undo_review_without_a_decision_is_refused(shop):
    with pytest.raises(Refused):
        decide(undo_review, bring(shop))

    assert standing() == ("flagged", True, "risk")


def test_reopen_referral_voided_by_its_score_is_not_voided_by_it_again():
    shop = Shop(PROGRAM + "risk: {void_at: 50}\n")
    referral = bring(shop)

    decide(reopen_referral, referral)

    assert standing() == ("qualified", False, "")
    assert_books_balance()


def test_let_go_due_lets_go_when_the_timer_ends_not_before():
    shop = Shop(PROGRAM + "risk: {review_at: 50, auto_release_days: 20}\n")
    bring(shop, buys=None)
    shop.report(shop.purchase("bob", day(1), "order-bob", "59.90"), at=day(1))

    work(shop, day(20) - timedelta(seconds=1))
    before = standing()
    work(shop, day(20))

    assert before == ("flagged", True, "risk")
    assert standing() == ("approved", False, "")
    assert shop.points("ann") == (502, 0, 0)
    assert ReviewDecision.objects.count() == 0


def test_let_go_due_of_a_sign_up_does_not_pardon_what_it_buys_later():
    shop = Shop(PROGRAM + "risk: {review_at: 50, auto_release_days: 20}\n")
    bring(shop, buys=None)

    work(shop, day(20))
    let_go = standing()
    shop.report(shop.purchase("bob", day(21), "order-bob", "59.90"), at=day(21))

    assert let_go == ("signed_up", False, "")
    assert standing() == ("flagged", True, "risk")


def test_let_go_due_leaves_what_staff_hold():
    shop = Shop(PROGRAM + "risk: {review_at: 50, auto_release_days: 20}\n")
    referral = bring(shop, email=BOB)
    decide(hold_referral, referral)

    work(shop, day(60))

    assert standing() == ("flagged", True, "staff")


def test_refund_of_a_flagged_referral_reverses_it_and_a_new_order_flags_it_again(shop):
    bring(shop)
    shop.report(shop.refund("bob", day(2), "order-bob", "59.90"), at=day(2))
    reversed_ = standing()
    shop.report(shop.purchase("bob", day(5), "order-2", "80.00"), at=day(5))

    assert reversed_ == ("reversed", True, "risk")
    assert standing() == ("flagged", True, "risk")
    assert_books_balance()


def test_flagged_counts_for_the_limit_at_once_and_for_milestones_only_when_approved():
    limits = "limits: {per_advocate: {referrals: 1, period: total}}\nmilestones: [{referrals: 1, points: 70}]\n"
    shop = Shop(RISK + limits)
    flagged = bring(shop)
    bring(shop, email=BOB, who="carl", at=2, buys=3)

    rows = {row.referral.friend.external_id: row for row in Reward.objects.filter(rule="advocate-fixed")}
    assert (rows["bob"].state, rows["carl"].state, rows["carl"].reason) == ("pending", "refused", "limit_reached")
    assert Reward.objects.filter(moment="milestone", referral__friend__external_id="carl").count() == 1
    decide(approve_referral, flagged, at=day(4))
    assert standing() == ("qualified", False, "")


def test_rule_precision_counts_the_last_verdict_of_each_referral(shop):
    bad, good, other, undone, waiting = (
        bring(shop, who=f"f{n}", email=f"k{n}@yopmail.com", at=n, buys=n + 1) for n in range(5)
    )
    void_referral(referral=bad, reason="fraud", note="x", actor="eva", at=day(9))
    decide(approve_referral, good, at=day(9))
    void_referral(referral=other, reason="manual", note="wrong person", actor="eva", at=day(9))
    void_referral(referral=undone, reason="fraud", note="x", actor="eva", at=day(9))
    decide(undo_review, undone, at=day(10))

    row = next(row for row in rule_precision() if row.rule.code == "disposable_email")

    assert waiting.held
    assert (row.seen, row.n, row.bad, row.percent) == (5, 2, 1, 50)
    assert (row.low, row.high) == (9, 91)
    assert next(row for row in rule_precision() if row.rule.code == "ring").interval is None


def test_erase_customer_leaves_the_decision_and_none_of_the_words(shop):
    referral = bring(shop)
    decide(approve_referral, referral)
    kept = BlockEntry(kind="email", pattern="*@mailinator.com", reason="x", added_by="eva")
    exact = BlockEntry(kind="email", pattern=THROWAWAY, reason="x", added_by="eva")
    BlockEntry.objects.bulk_create([kept, exact])

    with moment(day(4)):
        erase_customer(customer=referral.friend, by="eva", at=day(4))

    decision = ReviewDecision.objects.get()
    assert (decision.decision, decision.actor, decision.reason) == ("approve", "eva", "(erased)")
    assert referral.assessments.count() == 2
    assert list(BlockEntry.objects.values_list("pattern", flat=True)) == ["*@mailinator.com"]


def test_export_customer_tells_the_scores_and_nothing_of_the_other_one(shop):
    referral = bring(shop)

    told = str(export_customer(customer=referral.advocate))

    assert "'score': 50, 'verdict': 'review'" in told
    assert "disposable_email" not in told
