"""What a customer earned becomes another's who is the same person: points, rewards, friends and milestones."""

from datetime import datetime

from django.db.models import Q

from referrals.judgement import COUNTED
from referrals.models import Customer, Referral
from referrals.services.merging import SAME_PERSON, hand_over
from rewards.calculation import signup_cause
from rewards.models import Account, Appeal, Redemption, Reward, Settlement
from rewards.services.book import Book
from rewards.services.grants import settle_referral
from rewards.services.posting import Journal, tell_withdrawn, withdraw


def merge_rewards(source: Customer, into: Customer, at: datetime) -> dict[str, int]:
    """Move the purse, then what was earned, then the friends one by one, so that milestones are climbed as ever."""
    subject = f"customer:{into.pk}"
    doubles = _doubles(source, into)
    book = Book(customers={source.pk, into.pk, *(one.recipient_id for one in doubles)}, at=at, subject=subject)
    _take_back(doubles, book, at=at, subject=subject)
    points = book.balance(source.pk, Account.Kind.AVAILABLE) + book.balance(source.pk, Account.Kind.PENDING)
    book.absorb(source=source.pk, into=into.pk)
    book.close()
    Account.objects.filter(customer=source).update(customer=into, closed=True)
    rewards = _hand_over_rewards(source, into)
    Redemption.objects.filter(customer=source).update(customer=into)
    parties = Appeal.objects.filter(customer=into).values("referral")
    Appeal.objects.filter(customer=source).exclude(referral__in=parties).update(customer=into)
    related = ("program", "offer", "friend", "qualifying_event", "binding_event", "settlement")
    brought = Referral.objects.filter(advocate=source).select_related(*related).order_by("qualified_at", "pk")
    friends = [_bring_over(referral, into, at=at, subject=subject) for referral in list(brought)]
    return {"points": points, "rewards": rewards, "friends": len(friends)}


def _doubles(source: Customer, into: Customer) -> list[Reward]:
    """Return the later of each two rewards that one person gets once: a milestone, joining a program (rules 9, 14)."""
    own, now = signup_cause(source.pk), signup_cause(into.pk)
    kept: dict[tuple[int, str, int, str], Reward] = {}
    concerned = Q(recipient__in=(source, into)) | Q(cause__in=(own, now))
    for reward in Reward.objects.filter(concerned, state__in=Reward.STANDING).order_by("-occurred_at", "-pk"):
        recipient = into.pk if reward.recipient_id == source.pk else reward.recipient_id
        cause = now if reward.cause == own else reward.cause
        kept[reward.program_id, reward.rule, recipient, cause] = reward
    firsts = {reward.pk for reward in kept.values()}
    return list(Reward.objects.filter(concerned, state__in=Reward.STANDING).exclude(pk__in=firsts).order_by("pk"))


def _take_back(doubles: list[Reward], book: Book, *, at: datetime, subject: str) -> None:
    journal = Journal(at=at, event=None)
    for reward in doubles:
        withdraw(reward, book, journal, why=SAME_PERSON)
    Reward.objects.bulk_update(doubles, ["state", "points", "reason"])
    journal.close()
    tell_withdrawn(doubles, subject=subject)


def _hand_over_rewards(source: Customer, into: Customer) -> int:
    Reward.objects.filter(cause=signup_cause(source.pk)).update(cause=signup_cause(into.pk))
    return Reward.objects.filter(recipient=source).update(recipient=into)


def _bring_over(referral: Referral, into: Customer, *, at: datetime, subject: str) -> Referral:
    """Let the friend be brought by `into`; one that counts is counted anew and may reach a milestone."""
    hand_over(referral, into)
    if referral.state in COUNTED:
        Settlement.objects.filter(referral=referral).update(counted=False)
        settle_referral(referral=referral, event=None, at=at, subject=subject)
    return referral
