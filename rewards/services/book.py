"""Writing the double-entry book: transfers are collected in memory and each table is written once."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from core.dispatch import publish
from core.errors import Refused
from core.periods import local_day
from referrals.models import Customer
from rewards.events import PointsMoved
from rewards.models import Account, Entry, Redemption, Reward, Transfer
from rewards.services.lots import Lots

Kind = Account.Kind


class InsufficientPoints(Refused):
    """Fewer points are available than the debit asks for; the detail says how many there are."""

    code = "insufficient_points"


MERGED = {"why": "two ids of one person"}


class MergedMeanwhile(Refused):
    """The customer became another one's alias after they were looked up; asked again, the other one is found."""

    code = "merged_meanwhile"


def company_account(kind: str) -> Account:
    """Return the company's account of a kind; it keeps no balance and is never locked."""
    account, _ = Account.objects.get_or_create(customer=None, kind=kind)
    return account


class Book:
    """The open book of some customers, their accounts locked in id order until the transaction ends.

    Post with `grant`, `release`, `take_back`, `credit`, `debit`, `redeem`, `undo_redemption` and `expire`,
    then `close`: nothing is written before. Every amount is a whole number of points above 0.
    Whatever takes available points first expires those of the customer whose time has passed at `at`.
    """

    def __init__(self, *, customers: Iterable[int], at: datetime, subject: str) -> None:
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("the book is open only inside a transaction")
        self.at = at
        self._subject = subject
        self._accounts = self._lock(sorted(set(customers)))
        self._company: dict[str, Account] = {}
        self._transfers: list[Transfer] = []
        self._entries: list[Entry] = []
        self._lots = Lots(at=at)
        self._touched: set[Account] = set()

    @staticmethod
    def _lock(customers: list[int]) -> dict[tuple[int, str], Account]:
        def locked() -> QuerySet[Account]:
            open_ones = Account.objects.select_for_update(no_key=True).filter(customer__in=customers, closed=False)
            return open_ones.order_by("pk")

        accounts = list(locked())
        if len(accounts) < len(customers) * len(Account.OF_CUSTOMERS):
            wanted = [Account(customer_id=pk, kind=kind) for pk in customers for kind in Account.OF_CUSTOMERS]
            Account.objects.bulk_create(wanted, ignore_conflicts=True)
            accounts = list(locked())
            if Customer.objects.filter(pk__in=customers, merged_into__isnull=False).exists():
                raise MergedMeanwhile("this customer was merged into another one meanwhile; try again")
        return {(account.customer_id or 0, account.kind): account for account in accounts}

    def balance(self, customer: int, kind: str) -> int:
        """Return the points on a customer's account, postings of this book included."""
        return self._accounts[customer, kind].balance

    def grant(self, reward: Reward, amount: int) -> None:
        """Promise points: they stand as pending."""
        pending = self._accounts[reward.recipient_id, Kind.PENDING]
        self._post(Transfer.Kind.GRANT, self._of_company(Kind.ISSUANCE), pending, amount, reward=reward)

    def release(self, reward: Reward, *, expires_at: datetime | None = None) -> None:
        """Make a reward's pending points available as a lot, and pay off debt from it."""
        pending = self._accounts[reward.recipient_id, Kind.PENDING]
        available = self._accounts[reward.recipient_id, Kind.AVAILABLE]
        transfer = self._post(
            Transfer.Kind.RELEASE,
            pending,
            available,
            reward.points,
            reward=reward,
            resolves=self._grant_of(reward),
            cause=_until(expires_at),
        )
        self._lots.open(transfer, reward=reward, expires_at=expires_at)
        self._repay(reward.recipient_id)

    def take_back(self, reward: Reward, amount: int, *, pending: bool, why: str) -> None:
        """Take back points of a reward: pending ones as they are; else its own lot, other lots, then debt (rule 8).

        What has expired from its lot counts as taken back, and does so before anything else.
        """
        if pending:
            account = self._accounts[reward.recipient_id, Kind.PENDING]
            self._post(Transfer.Kind.REVOKE, account, self._of_company(Kind.ISSUANCE), amount, reward=reward, why=why)
            return
        available = self._accounts[reward.recipient_id, Kind.AVAILABLE]
        self.expire(reward.recipient_id)
        amount -= self._count_expired(reward, amount, why=why)
        taken = min(amount, available.balance)
        if taken:
            transfer = self._post(
                Transfer.Kind.REVOKE, available, self._of_company(Kind.ISSUANCE), taken, reward=reward, why=why
            )
            self._lots.draw(transfer, available, first_of=reward.pk)
        if amount > taken:
            debt = self._accounts[reward.recipient_id, Kind.DEBT]
            owed = self._of_company(Kind.RECEIVABLE)
            self._post(Transfer.Kind.REVOKE, owed, debt, amount - taken, reward=reward, why="debt_incurred")

    def credit(
        self,
        customer: int,
        amount: int,
        *,
        cause: dict[str, str],
        actor: str,
        expires_at: datetime | None = None,
        reward: Reward | None = None,
    ) -> Transfer:
        """Give points by hand (or for a chosen reward), available at once; they pay off debt first."""
        available = self._accounts[customer, Kind.AVAILABLE]
        transfer = self._post(
            Transfer.Kind.ADJUST,
            self._of_company(Kind.ADJUSTED),
            available,
            amount,
            reward=reward,
            cause=cause | _until(expires_at),
            actor=actor,
        )
        self._lots.open(transfer, reward=reward, expires_at=expires_at)
        self._repay(customer)
        return transfer

    def take_credit_back(self, transfer: Transfer, *, cause: dict[str, str], actor: str) -> int:
        """Take back what is left of a credit's own lot, which keeps what others hold; return how many points."""
        customer = transfer.credit.customer_id or 0
        available = self._accounts[customer, Kind.AVAILABLE]
        self.expire(customer)
        lot = self._lots.of_transfer(transfer)
        if lot is None:
            return 0
        amount = lot.remaining
        back = self._post(
            Transfer.Kind.ADJUST, available, self._of_company(Kind.ADJUSTED), amount, cause=cause, actor=actor
        )
        self._lots.take(back, lot, amount)
        return amount

    def debit(self, customer: int, amount: int, *, cause: dict[str, str], actor: str) -> None:
        """Take available points by hand; raises `InsufficientPoints` beyond what is available."""
        available = self._accounts[customer, Kind.AVAILABLE]
        self.expire(customer)
        if amount > available.balance:
            raise InsufficientPoints(f"only {available.balance} points are available", pointer="/points")
        transfer = self._post(
            Transfer.Kind.ADJUST, available, self._of_company(Kind.ADJUSTED), amount, cause=cause, actor=actor
        )
        self._lots.draw(transfer, available)

    def redeem(self, redemption: Redemption, *, actor: str) -> None:
        """Spend the redemption's points, what expires first; raises `InsufficientPoints` and says how many lack."""
        available = self._accounts[redemption.customer_id, Kind.AVAILABLE]
        self.expire(redemption.customer_id)
        if debt := self.balance(redemption.customer_id, Kind.DEBT):
            raise InsufficientPoints(f"a debt of {debt} points has to be evened out first")
        if redemption.points > available.balance:
            lack = redemption.points - available.balance
            raise InsufficientPoints(
                f"{redemption.points} points are needed, {available.balance} are available: {lack} are missing"
            )
        transfer = self._post(
            Transfer.Kind.REDEEM,
            available,
            self._of_company(Kind.REDEEMED),
            redemption.points,
            redemption=redemption,
            actor=actor,
            once=f"redeem:{redemption.public_id}",
        )
        self._lots.draw(transfer, available)

    def undo_redemption(self, redemption: Redemption, *, why: str, actor: str) -> None:
        """Give the redemption's points back to the lots they came from; they pay off debt first."""
        available = self._accounts[redemption.customer_id, Kind.AVAILABLE]
        self.expire(redemption.customer_id)
        spent = Transfer.objects.get(redemption=redemption, kind=Transfer.Kind.REDEEM, reverses=None)
        place = available
        if spent.debit_id != available.pk:
            place = Account.objects.select_for_update(no_key=True).get(pk=spent.debit_id)
        transfer = self._post(
            Transfer.Kind.REDEEM,
            self._of_company(Kind.REDEEMED),
            place,
            redemption.points,
            redemption=redemption,
            reverses=spent,
            why=why,
            actor=actor,
            once=f"redeem:{redemption.public_id}:undone",
        )
        self._lots.give_back(transfer, spent=spent)
        if place is not available:
            self._move_lots(place, available)
        self._repay(redemption.customer_id)

    def absorb(self, *, source: int, into: int) -> None:
        """Move all that a customer has to another who is the same person; debts are paid off, lots keep their ends."""
        self.expire(source)
        self._move_lots(self._accounts[source, Kind.AVAILABLE], self._accounts[into, Kind.AVAILABLE])
        for kind in (Kind.PENDING, Kind.DEBT):
            if amount := self.balance(source, kind):
                out, to = self._accounts[source, kind], self._accounts[into, kind]
                self._post(Transfer.Kind.MERGE, out, to, amount, cause=MERGED)
        self._repay(into)

    def expire(self, customer: int) -> int:
        """Expire the customer's points whose last instant has passed; return how many."""
        available = self._accounts[customer, Kind.AVAILABLE]
        gone = 0
        for lot in self._lots.overdue(available):
            end = lot.expires_at or self.at
            transfer = self._post(
                Transfer.Kind.EXPIRE,
                available,
                self._of_company(Kind.EXPIRED),
                lot.remaining,
                cause={"lot": str(lot.pk), "expired_at": end.isoformat()},
                once=f"expire:{lot.pk}:{end.isoformat()}",
            )
            gone += transfer.amount
            self._lots.take(transfer, lot, transfer.amount)
        return gone

    def close(self) -> None:
        """Write what was posted, each table once, and tell who listens."""
        if not self._transfers:
            return
        for run in self._runs():
            Transfer.objects.bulk_create(run)
        Entry.objects.bulk_create(self._entries)
        self._lots.write()
        Account.objects.bulk_update(sorted(self._touched, key=lambda a: a.pk), ["balance", "seq"])
        day = local_day(self.at, ZoneInfo(settings.TIME_ZONE)).isoformat()
        publish(PointsMoved(subject=self._subject, days=(day,)))

    def _runs(self) -> list[list[Transfer]]:
        """Return the transfers in their order, cut so that a grant is written before the release that resolves it."""
        runs: list[list[Transfer]] = [[]]
        for transfer in self._transfers:
            if any(transfer.resolves is one for one in runs[-1]):
                runs.append([])
            runs[-1].append(transfer)
        return runs

    def _move_lots(self, source: Account, into: Account) -> None:
        for lot in self._lots.holding(source):
            cause = MERGED | _until(lot.expires_at)
            transfer = self._post(Transfer.Kind.MERGE, source, into, lot.remaining, reward=lot.reward, cause=cause)
            self._lots.move(transfer, lot)

    def _post(
        self,
        kind: str,
        debit: Account,
        credit: Account,
        amount: int,
        *,
        reward: Reward | None = None,
        redemption: Redemption | None = None,
        resolves: Transfer | None = None,
        reverses: Transfer | None = None,
        cause: dict[str, str] | None = None,
        actor: str = "",
        why: str = "",
        once: str = "",
    ) -> Transfer:
        told = {"reward": reward.public_id, "rule": reward.rule} if reward else {}
        told |= {"redemption": redemption.public_id, "item": redemption.title} if redemption else {}
        told |= {"why": why} if why else {}
        transfer = Transfer(
            key=once or self._key(kind, debit, credit, reward, cause),
            debit=debit,
            credit=credit,
            amount=amount,
            kind=kind,
            reward=reward,
            redemption=redemption,
            resolves=resolves,
            reverses=reverses,
            cause=told | (cause or {}),
            actor=actor,
            event_at=self.at,
        )
        self._transfers.append(transfer)
        self._enter(transfer, debit, -amount)
        self._enter(transfer, credit, amount)
        return transfer

    def _key(
        self, kind: str, debit: Account, credit: Account, reward: Reward | None, cause: dict[str, str] | None
    ) -> str:
        """Return what the transfer is, once for ever: its reward or cause, and the place in its account's sequence."""
        account = debit if debit.customer_id else credit
        owner = reward.public_id if reward else (cause or {}).get("key", "")
        if kind == Transfer.Kind.GRANT and reward:
            return f"{kind}:{owner}"
        return f"{kind}:{owner}:{account.pk}.{account.seq + 1}"

    def _enter(self, transfer: Transfer, account: Account, delta: int) -> None:
        if account.customer_id is None:
            return
        account.balance += delta
        account.seq += 1
        self._touched.add(account)
        self._entries.append(
            Entry(transfer=transfer, account=account, seq=account.seq, delta=delta, balance=account.balance)
        )

    def _of_company(self, kind: str) -> Account:
        if kind not in self._company:
            self._company[kind] = company_account(kind)
        return self._company[kind]

    def _grant_of(self, reward: Reward) -> Transfer | None:
        own = (t for t in self._transfers if t.kind == Transfer.Kind.GRANT and t.reward is reward)
        return next(own, None) or Transfer.objects.filter(kind=Transfer.Kind.GRANT, reward=reward).first()

    def _count_expired(self, reward: Reward, amount: int, *, why: str) -> int:
        """Count what expired from the reward's own lot as taken back, up to `amount`; return how many points."""
        expired = self._lots.expired_of(reward)
        if not expired:
            return 0
        earlier = Transfer.objects.filter(reward=reward, debit__kind=Kind.EXPIRED)
        counted = earlier.aggregate(points=Sum("amount"), times=Count("pk"))
        covered = min(amount, expired - (counted["points"] or 0))
        if covered:
            self._post(
                Transfer.Kind.REVOKE,
                self._of_company(Kind.EXPIRED),
                self._of_company(Kind.ISSUANCE),
                covered,
                reward=reward,
                why=why,
                once=f"revoke:{reward.public_id}:expired.{counted['times'] + 1}",
            )
        return covered

    def _repay(self, customer: int) -> None:
        debt = self._accounts[customer, Kind.DEBT]
        available = self._accounts[customer, Kind.AVAILABLE]
        amount = min(debt.balance, available.balance)
        if not amount:
            return
        cause = {"why": "debt_repaid"}
        out = self._post(Transfer.Kind.REVOKE, available, self._of_company(Kind.ISSUANCE), amount, cause=cause)
        self._lots.draw(out, available)
        self._post(Transfer.Kind.REVOKE, debt, self._of_company(Kind.RECEIVABLE), amount, cause=cause)


def _until(expires_at: datetime | None) -> dict[str, str]:
    return {"expires_at": expires_at.isoformat()} if expires_at else {}
