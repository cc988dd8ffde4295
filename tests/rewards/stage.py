"""One story played twice, on the product's services and on the independent model, and compared after every step.

A step is plain values, so that a story that failed can be kept and played again (`tests/rewards/stories.py`).
"""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
import yaml
from django.db import transaction

from core.errors import Refused
from core.models import Delivery
from referrals.models import Click, Customer, Link, Program, Referral
from referrals.program_file import parse_program
from referrals.services.batches import record_events
from referrals.services.customers import CustomerData, put_customer
from referrals.services.erasing import erase_customer
from referrals.services.lifecycle import approve_due, expire_due, reopen_referral, void_referral
from referrals.services.links import ensure_link
from referrals.services.programs import apply_program
from referrals.services.review import approve_referral, hold_referral
from rewards.models import CatalogueItem, Redemption, Reward
from rewards.services.adjustments import adjust_points
from rewards.services.audit import audit_ledger
from rewards.services.expiry import expire_due as expire_points
from rewards.services.grants import release_due
from rewards.services.redeeming import Wish, cancel_redemption, place_redemption
from rewards.services.reviewing import approve_reward, cancel_reward, hold_reward, revoke_reward
from tests.rewards.comparing import differences
from tests.rewards.model.steps import Model, Refusal

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
STAFF = "staff:1"
PRICE = 30
Step = tuple[Any, ...]


@dataclass
class Stage:
    """Plays steps on both; `clock` starts a hundred days after the programs did."""

    files: list[dict[str, Any]]
    model: Model = field(default_factory=Model)
    clock: datetime = START + 100 * DAY
    played: list[Step] = field(default_factory=list)
    beginning: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict] = field(default_factory=list)
    numbers: int = 0
    placed: list[Redemption] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.beginning = [*self.files]
        for file in self.files:
            self._publish(file, START)

    def play(self, *step: Any) -> None:
        """Play one step on both and compare all that both say."""
        self.played.append(step)
        with time_machine.travel(self.clock, tick=False):
            getattr(self, f"_{step[0]}")(*step[1:])
            self.compare()

    def compare(self) -> None:
        """Assert that nothing differs; the message is the story so far."""
        found = list(differences(self.model))
        assert not found, "\n".join(found)

    def audit(self) -> None:
        """Assert that the books are sound and that nothing is left undone."""
        assert audit_ledger().findings == ()
        assert not Delivery.objects.exclude(state="done").exists()

    def _both(self, model: Callable[[], object], product: Callable[[], object]) -> object:
        """Do both; where the model refuses the product must refuse with the same code."""
        try:
            ours: object = model()
            wanted = ""
        except Refusal as refusal:
            ours, wanted = None, refusal.code
        try:
            product()
            given = ""
        except Refused as refusal:
            given = refusal.code
        assert given == wanted, f"refused {given!r}, expected {wanted!r}"
        return ours

    def _publish(self, file: dict[str, Any], at: datetime) -> None:
        self.model.publish(file, at)
        apply_program(document=parse_program(yaml.safe_dump(file, sort_keys=False)), at=at)

    def _change(self, number: int, changes: dict[str, Any]) -> None:
        """Publish another offer, a second later: what was bound by then keeps its own."""
        self.clock += SECOND
        changed = {**self.files[number], **changes}
        if rules := changed.pop("other_rules", None):
            signup = [rule for rule in self.files[number]["rewards"] if rule["on"] == "signup"]
            changed["rewards"] = signup + rules
        self.files[number] = changed
        self._publish(self.files[number], self.clock)

    # Facts

    def _evidence(self, given: Step | None, at: datetime) -> dict[str, Any]:
        """Return the `referral` of an event: ('code', advocate, program) or ('click', advocate, program, days)."""
        if given is None:
            return {}
        code = self._code(given[1], self.files[given[2]]["program"])
        if given[0] == "code":
            return {"referral": {"code": code}}
        link, clicked_at = Link.objects.get(code=code), at - given[3] * DAY
        click = Click.objects.create(link=link, program=link.program, at=clicked_at, verdict="person")
        self.model.clicks[click.click_id] = (code, clicked_at)
        return {"referral": {"click_id": click.click_id}}

    def _code(self, who: str, slug: str) -> str:
        known = [code for code, owner in self.model.codes.items() if owner == (slug, who)]
        if known:
            return known[0]
        customer, _ = put_customer(external_id=who, data=CustomerData(), at=self.clock)
        program = Program.objects.get(slug=slug)
        code = ensure_link(customer=customer, program=program).code
        self.model.codes[code] = (slug, who)
        return code

    def _fact(self, kind: str, who: str, ago: float, **more: Any) -> dict[str, Any]:
        self.numbers += 1
        return {
            "event_id": f"{kind}-{self.numbers}",
            "type": kind,
            "occurred_at": (self.clock - ago * DAY).isoformat(),
            "customer": {"external_id": who},
            **more,
        }

    def _report(self, fact: dict[str, Any]) -> None:
        def tell() -> None:
            if refusal := record_events(facts=[fact], at=self.clock)[0].refusal:
                raise refusal

        self._both(lambda: self.model.report(fact, self.clock), tell)

    def _told(self, fact: dict[str, Any], evidence: Step | None) -> None:
        fact |= self._evidence(evidence, datetime.fromisoformat(fact["occurred_at"]))
        self.facts.append(fact)
        self._report(fact)

    def _signup(self, who: str, ago: float, evidence: Step | None = None) -> None:
        self._told(self._fact("signup", who, ago), evidence)

    def _purchase(
        self, who: str, ago: float, amount: str, evidence: Step | None = None, currency: str = "EUR", channel: str = ""
    ) -> None:
        order = {"id": str(self.numbers + 1), "amount": amount, "currency": currency}
        fact = self._fact("purchase", who, ago, order=order)
        self._told(fact | ({"channel": channel} if channel else {}), evidence)

    def _custom(self, who: str, ago: float, evidence: Step | None = None) -> None:
        self._told(self._fact("custom", who, ago, name="booked"), evidence)

    def _refund(self, number: int, ago: float, amount: str, who: str = "") -> None:
        """Refund one of the orders so far, or one still to come; in whole with amount ''."""
        orders = [fact for fact in self.facts if fact["type"] == "purchase"]
        if not orders:
            return
        bought = orders[number % len(orders)]
        order = bought["order"] | {"amount": amount or bought["order"]["amount"]}
        fact = self._fact("refund", who or bought["customer"]["external_id"], ago, order=order)
        self._told(fact, None)

    def _again(self, number: int) -> None:
        if self.facts:
            self._report(self.facts[number % len(self.facts)])

    # The clock

    def _wait(self, days: float) -> None:
        self.clock += days * DAY
        with time_machine.travel(self.clock, tick=False):
            release_due(at=self.clock)
            expire_points(at=self.clock)
            approve_due(at=self.clock)
            expire_due(at=self.clock)
        self.model.pass_time(self.clock)

    # Staff

    def _void(self, program: int, friend: str) -> None:
        def product(row: Referral) -> None:
            void_referral(referral=row, reason="fraud", note="why", actor=STAFF, at=self.clock)

        self._on_referral(program, friend, lambda mine: self.model.void(mine, self.clock), product)

    def _reopen(self, program: int, friend: str) -> None:
        def product(row: Referral) -> None:
            reopen_referral(referral=row, note="why", actor=STAFF, at=self.clock)

        self._on_referral(program, friend, lambda mine: self.model.reopen(mine, self.clock), product)

    def _on_referral(self, program: int, friend: str, model: Callable, product: Callable) -> None:
        slug = self.files[program]["program"]
        mine = self.model.live_of(slug, friend)
        rows = Referral.objects.filter(program__slug=slug, friend__external_id=friend)
        row = rows.filter(state__in=Referral.LIVE).first() or rows.order_by("-bound_at", "-pk").first()
        same = row and (row.advocate.external_id, row.state, row.reason, row.bound_at)
        if mine and same == (mine.advocate, mine.state, mine.reason, mine.bound_at):
            self._both(lambda: model(mine), lambda: product(row))

    def _flag(self, program: int, friend: str) -> None:
        def product(row: Referral) -> None:
            hold_referral(referral=row, note="why", actor=STAFF, at=self.clock)

        self._on_referral(program, friend, lambda mine: self.model.flag(mine, self.clock), product)

    def _approve(self, program: int, friend: str) -> None:
        def product(row: Referral) -> None:
            approve_referral(referral=row, note="why", actor=STAFF, at=self.clock)

        self._on_referral(program, friend, lambda mine: self.model.approve(mine, self.clock), product)

    def _erase(self, who: str) -> None:
        """Erase a person once: later facts about them are refused, what they have stays."""
        customer = Customer.objects.filter(external_id=who).first()
        if customer is not None:
            self.model.erase(who)
            erase_customer(customer=customer, by=STAFF, at=self.clock)

    def _hold_reward(self, number: int) -> None:
        self._on_reward(number, lambda mine: self.model.hold_reward(mine), hold_reward)

    def _approve_reward(self, number: int) -> None:
        self._on_reward(number, lambda mine: self.model.approve_reward(mine, self.clock), approve_reward)

    def _cancel_reward(self, number: int) -> None:
        self._on_reward(number, lambda mine: self.model.cancel_reward(mine), cancel_reward)

    def _revoke_reward(self, number: int) -> None:
        self._on_reward(number, lambda mine: self.model.revoke_reward(mine), revoke_reward)

    def _on_reward(self, number: int, model: Callable, product: Callable) -> None:
        """Do something with one of the rewards that stand, counted in the order in which they were granted."""
        stands = sorted(
            (one.serial, program.slug, one)
            for program in self.model.programs.values()
            for referral in program.referrals()
            for one in referral.rewards
            if one.stands
        )
        if not stands:
            return
        _, slug, mine = stands[number % len(stands)]
        row = Reward.objects.get(
            **{"program__slug": slug, "rule": mine.rule, "recipient__external_id": mine.recipient},
            **{"event__event_id": mine.cause, "state__in": Reward.STANDING},
        )
        self._both(lambda: model(mine), lambda: product(reward=row, note="why", actor=STAFF, at=self.clock))

    # The purse

    def _credit(self, who: str, points: int) -> None:
        self._adjust(who, points, lambda: self.model.credit(who, points))

    def _debit(self, who: str, points: int) -> None:
        self._adjust(who, -points, lambda: self.model.debit(who, points))

    def _redeem(self, who: str, quantity: int) -> None:
        """Redeem so many of an item that costs 30."""
        customer = self._owner(who)
        if customer is None:
            return
        item, _ = CatalogueItem.objects.get_or_create(slug="mug", defaults={"title": "Mug", "points": PRICE})

        def product() -> None:
            wish = Wish(item=item, quantity=quantity)
            self.placed.append(place_redemption(customer=customer, wish=wish, actor=STAFF, at=self.clock))

        self._both(lambda: self.model.redeem(who, PRICE * quantity), product)

    def _give_back(self, number: int) -> None:
        """Cancel one of the redemptions so far."""
        if not self.placed:
            return
        number %= len(self.placed)
        row = Redemption.objects.get(pk=self.placed[number].pk)
        self._both(
            lambda: self.model.cancel_redemption(number, self.clock),
            lambda: cancel_redemption(redemption=row, reason="why", actor=STAFF, at=self.clock),
        )

    def _owner(self, who: str) -> Customer | None:
        return None if who in self.model.erased else Customer.objects.filter(external_id=who).first()

    def _adjust(self, who: str, points: int, model: Callable) -> None:
        customer = self._owner(who)
        if customer is None:
            return
        self._both(
            model, lambda: adjust_points(customer=customer, points=points, reason="why", actor=STAFF, at=self.clock)
        )


def outcome_of(files: list[dict[str, Any]], steps: Sequence[Step]) -> str:
    """Play a story and undo it; return what differed, '' where nothing did."""
    with transaction.atomic():
        try:
            stage = Stage([*files])
            for step in steps:
                stage.play(*step)
            stage.audit()
            return ""
        except Exception:  # noqa: BLE001 - however it fails, it is what is looked for
            return traceback.format_exc(limit=-1)
        finally:
            transaction.set_rollback(True)


def shortest(files: list[dict[str, Any]], steps: list[Step], *, seconds: float) -> list[Step]:
    """Leave out of a story that fails whatever it fails without, for so long."""
    end = time.monotonic() + seconds
    size = max(1, len(steps) // 2)
    while time.monotonic() < end:
        before = len(steps)
        start = 0
        while start < len(steps) and time.monotonic() < end:
            fewer = [*steps[:start], *steps[start + size :]]
            if fewer and outcome_of(files, fewer):
                steps = fewer
            else:
                start += size
        if size == 1 and len(steps) == before:
            break
        size = max(1, size // 2)
    return steps
