"""Suspects for the tests of risk and review: a friend with a throw-away mailbox, the worker, a reviewer."""

from referrals.models import Referral, ReferralStep
from referrals.services.lifecycle import weigh_due
from referrals.services.review import let_go_due
from tests.scenes import moment
from tests.shop import PROGRAM, day

THROWAWAY = "kx7@mailinator.com"
BOB = "bob.novak@web.de"
RISK = PROGRAM + "risk: {review_at: 50}\n"


def bring(shop, *, email=THROWAWAY, who="bob", at=0.0, buys=1.0, advocate="ann"):
    """Have a friend sign up and, unless `buys` is None, order; return the referral."""
    code = shop.code_of(advocate, email=f"{advocate}@shop.example", name="Ann Miller")
    shop.report(shop.signup(who, day(at), email=email, code=code), at=day(at))
    if buys is not None:
        shop.report(shop.purchase(who, day(buys), f"order-{who}", "59.90"), at=day(buys))
    return shop.referral(who)


def work(shop, at):
    """Do what is due in the worker's order."""
    with moment(at):
        weigh_due(at=at)
        let_go_due(at=at)
    shop.pass_time(at)


def decide(service, referral, at=None, **more):
    at = at or day(3)
    with moment(at):
        return service(referral=referral, note="looked at it", actor="eva", at=at, **more)


def standing(who="bob"):
    referral = Referral.objects.get(friend__external_id=who)
    return referral.state, referral.held, referral.held_for


def steps(referral):
    return list(ReferralStep.objects.filter(referral=referral).order_by("pk").values_list("what", flat=True))
