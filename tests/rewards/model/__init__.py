"""The money rules written once more: naive, in memory, from the words of the domain, importing nothing of the product.

Facts are plain JSON values, programs the plain values of their files. Everything is recomputed from the facts in
order of receipt wherever the words allow it. Where they leave a choice, this is what was chosen:

1.  A purchase with nothing left of it (paid 0.00 or wholly refunded) earns no `purchase` reward; one that loses
    its last cent loses the reward, percent or fixed. A percent that comes to 0 of something is kept as 0 points.
2.  `repeat_days: 0` is the qualifying purchase alone, also where another has the same instant. Where a program
    does not qualify on purchase, a purchase of the qualifying event's very instant counts as from it on.
3.  A sign-up reward belongs to the friend's first binding in the program and is paid once for it, however often
    the friend is bound again after an expiry; where an earlier binding becomes known it moves there, the same reward.
4.  The program runs at a binding if it runs at the binding event's `occurred_at`.
5.  Of several reasons to refuse, the first counts: currency, condition, limit, budget.
6.  `order.amount` in a condition is what was paid, before refunds; `channel` is the event's.
7.  In a `first_match` group every rule but the match is refused (`condition`), those behind it as well.
8.  "Decided again" first sets the old rewards aside, so that their points are free for the budget; what comes out
    with the same rule, recipient, cause and points is the same reward (the cause of a sign-up or conversion
    reward is the referral), unless it was available and would have to wait again. Others are taken back whole,
    then granted.
9.  Decisions of one judgement are taken by the instant of their events, of one instant in order of receipt, of one
    event in the order of the file whatever the rule is on; milestones after them, points before the badge.
10. Expiry counts from the moment of the release. A lot is spent by expiry, then by age; without expiry last.
11. Taking back: the reward's own unspent points, then what has expired of it, then other lots, then debt.
12. Points that a cancelled redemption gives back pay off a debt first, as releases do.
13. While staff have voided or reopened a referral, later evidence does not move it.
    A void for a click outside its window lets another advocate bind, also where the friend turns out to have
    bought before that click.
14. A cycle is looked for when the evidence arrives, among live referrals of all programs.
15. An expired referral holds the friend against other advocates for all that happened before its end, however late
    it is told. A referral that moves back to another offer is decided again by that one.
16. Of several referrals of a friend that one event moves, those that give back are settled first.
17. What staff cancel or revoke is gone for good, also where the referral is judged anew; in a `first_match` group
    it stays the match.
"""
