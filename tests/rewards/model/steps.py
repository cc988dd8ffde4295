"""The steps of the story, played on the model alone."""

from datetime import datetime
from typing import Any

from tests.rewards.model.binding import accept, read_evidence
from tests.rewards.model.deciding import judge, settle
from tests.rewards.model.giving import release_due, take_back
from tests.rewards.model.promises import read_promise
from tests.rewards.model.purse import NotEnough
from tests.rewards.model.things import Chain, Program, Referral, Reward, World


class Refusal(Exception):
    """The step is refused and nothing changes; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Model(World):
    """Plays the steps; every refusal is a `Refusal`."""

    def publish(self, file: dict[str, Any], at: datetime) -> None:
        """Apply a program file: a change is a new offer from then on."""
        slug, promise = file["program"], read_promise(file)
        program = self.programs.setdefault(slug, Program(slug, []))
        if not program.offers or program.offers[-1][1] != promise:
            program.offers.append((at, promise))

    def report(self, fact: dict, now: datetime) -> None:
        """Receive a fact: the same event again changes nothing."""
        if fact["event_id"] in self.facts:
            return
        if fact["customer"]["external_id"] in self.erased:
            raise Refusal("erased")
        self.facts[fact["event_id"]] = fact
        friend = self._concerned(fact)
        if found := read_evidence(self, fact):
            slug, evidence = found
            accept(self, self.programs[slug].chains.setdefault(friend, Chain()), evidence)
        for program in self.programs.values():
            judge(self, program, friend, now)

    def _concerned(self, fact: dict) -> str:
        """A refund belongs to its order, whoever the event names (rule 7)."""
        if fact["type"] == "refund":
            for other in self.facts.values():
                if other["type"] == "purchase" and other["order"]["id"] == fact["order"]["id"]:
                    return other["customer"]["external_id"]
        return fact["customer"]["external_id"]

    def pass_time(self, now: datetime) -> None:
        """Do all that is due by now: release, approve, expire, let points lapse."""
        everything = [referral for program in self.programs.values() for referral in program.referrals()]
        release_due(self, everything, now)
        for program in self.programs.values():
            for friend in program.chains:
                judge(self, program, friend, now)
        for purse in self.purses.values():
            purse.expire(now)

    def live_of(self, slug: str, friend: str) -> Referral | None:
        """Return the friend's live referral, else the newest."""
        chain = self.programs[slug].chains.get(friend)
        return chain.last if chain else None

    def void(self, referral: Referral, now: datetime) -> None:
        """Staff void a referral for `fraud` or `manual`."""
        if referral.state == "voided":
            raise Refusal("wrong_state")
        referral.by_staff, referral.pardoned, referral.flagged = True, False, False
        referral.reason = "fraud"
        self._settle(referral, now)

    def reopen(self, referral: Referral, now: datetime) -> None:
        """Staff reopen: judged anew as if nothing stood against it but the friend's purchases."""
        if referral.state != "voided" or referral.friend == referral.advocate:
            raise Refusal("wrong_state")
        referral.by_staff, referral.pardoned, referral.reason = False, True, ""
        self._settle(referral, now)

    def flag(self, referral: Referral, now: datetime) -> None:
        """Staff hold a referral for review: once it qualifies it is `flagged`, and nothing of it is released."""
        if referral.flagged or referral.state not in ("signed_up", "qualified", "reversed"):
            raise Refusal("wrong_state")
        referral.flagged = True
        self._settle(referral, now)

    def approve(self, referral: Referral, now: datetime) -> None:
        """Staff let a referral under review go; the hold still runs."""
        if not referral.flagged:
            raise Refusal("wrong_state")
        referral.flagged = False
        self._settle(referral, now)

    def _settle(self, referral: Referral, now: datetime) -> None:
        settle(self, self.programs[referral.program], referral, now)

    def hold_reward(self, reward: Reward) -> None:
        """Staff hold one pending reward."""
        if reward.state != "pending" or reward.held:
            raise Refusal("wrong_state")
        reward.held, reward.cleared = True, False

    def approve_reward(self, reward: Reward, now: datetime) -> None:
        """Staff let go what they hold or what waits for review; its hold is not shortened."""
        owner = self._owner(reward)
        waits = reward.held or (owner.flagged and not reward.cleared)
        if reward.state != "pending" or not waits:
            raise Refusal("wrong_state")
        reward.held, reward.cleared = False, owner.flagged
        release_due(self, [owner], now)

    def cancel_reward(self, reward: Reward) -> None:
        """Staff take one pending reward back, for good."""
        self._take_back(reward, "pending")

    def revoke_reward(self, reward: Reward) -> None:
        """Staff take one available reward back, for good."""
        self._take_back(reward, "available")

    def _take_back(self, reward: Reward, state: str) -> None:
        if reward.state != state:
            raise Refusal("wrong_state")
        take_back(self, [reward])
        reward.by_staff = True

    def _owner(self, reward: Reward) -> Referral:
        referrals = [one for program in self.programs.values() for one in program.referrals()]
        return next(one for one in referrals if reward in one.rewards)

    def credit(self, who: str, points: int) -> None:
        """Staff give points: available at once, without an end."""
        self.purse(who).add(points, None)

    def debit(self, who: str, points: int) -> None:
        """Staff take points; beyond what is available it is refused."""
        try:
            self.purse(who).spend(points)
        except NotEnough:
            raise Refusal("insufficient_points") from None

    def redeem(self, who: str, points: int) -> int:
        """Spend points on the catalogue; return the redemption's number."""
        purse = self.purse(who)
        if purse.debt:
            raise Refusal("insufficient_points")
        try:
            self.spendings.append((who, purse.spend(points)))
        except NotEnough:
            raise Refusal("insufficient_points") from None
        return len(self.spendings) - 1

    def cancel_redemption(self, number: int, now: datetime) -> None:
        """Give the points of a redemption back to their lots."""
        who, spending = self.spendings[number]
        if spending.cancelled:
            raise Refusal("wrong_state")
        self.purse(who).give_back(spending, now)

    def erase(self, who: str) -> None:
        """Forget a person; what they have stays as it is."""
        self.erased.add(who)
