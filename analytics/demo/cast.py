"""Ann, whose portal shows everything there is to see, and a pair that looks like one person with two addresses."""

from datetime import datetime, timedelta

from analytics.demo.story import Answered, Asked, Evidence, Happening, Joined, Person, Reported, Stopped, Visited
from analytics.demo.words import ANDROID, DESK, PHONE

_BERLIN = "Europe/Berlin"
ANN = Person(external_id="c-ann", name="Ann Ackermann", email="ann@example.com", locale="en", time_zone="Europe/London")
FRIENDS = {
    "emma": "Emma Clarke",
    "noah": "Noah Fischer",
    "mia": "Mia Okafor",
    "liam": "Liam Novak",
    "sofia": "Sofia Rossi",
    "otto": "Otto Krause",
    "ben": "Ben Adeyemi",
    "hannah": "Hannah Lindqvist",
}
SIZE = 1 + len(FRIENDS)
PAIR = (
    Person(external_id="c-marta", name="Marta Weiss", email="marta.weiss@example.com", locale="de", time_zone=_BERLIN),
    Person(external_id="c-victor", name="Victor Lang", email="victor.lang@example.net", locale="de", time_zone=_BERLIN),
    Person(external_id="c-vic", name="Vic Lang", email="victorlang@example.net", locale="de", time_zone=_BERLIN),
)
"""Marta brought Victor; Victor brings, two hours later and from the same sofa, an address much like his own."""
_FIRST_VISIT = 1_000_000
_PAIR_VISIT = 2_000_000
_SOFA = "198.51.100.23"


def tell_ann(*, end: datetime) -> list[Happening]:
    """Return the story of Ann and her friends, seen from `end`."""
    story = _Story(end)
    story.meet(ANN, 400)
    story.buy(ANN.external_id, 400, "64.90")
    story.buy(ANN.external_id, 260, "38.50")
    story.buy(ANN.external_id, 3, "52.00", fresh=True)
    story.bring("emma", 210, channel="email", agent=DESK)  # never buys: expired
    story.bring("noah", 150, channel="whatsapp", agent=PHONE, buys_after=2, amount="89.00")
    story.buy("c-noah", 90, "120.50")
    story.bring("mia", 75, channel="whatsapp", agent=ANDROID, buys_after=5, amount="45.90")
    story.bring("liam", 55, channel="facebook", agent=PHONE, buys_after=3, amount="79.00")
    story.give_back("c-liam", 33, "79.00")  # after the hold: reversed
    story.meet_friend("sofia", 120)
    story.buy("c-sofia", 119, "33.00")  # a customer before Ann told her: voided
    story.report(Reported(at=story.ago(40), type="signup", who="c-sofia", evidence=Evidence(code_of=ANN.external_id)))
    story.bring("otto", 48, channel="copy", agent=DESK, buys_after=1, amount="24.00")
    story.happen(Stopped(at=story.ago(44), friend="c-otto", note="The order was placed by a reseller."))
    story.bring("ben", 9, channel="whatsapp", agent=ANDROID, buys_after=2, amount="59.90")  # hold runs: qualified
    story.bring("hannah", 2, channel="native", agent=PHONE, fresh=True)  # signed up
    story.happen(Asked(at=story.ago(245), who=ANN.external_id))
    story.happen(Answered(at=story.ago(243), who=ANN.external_id, score=10, comment="I tell everybody."))
    return story.happenings


def tell_pair(*, end: datetime) -> list[Happening]:
    """Return the story of the one referral that a reviewer finds waiting, seen from `end`."""
    story = _Story(end)
    marta, victor, again = PAIR
    story.meet(marta, 120)
    story.buy(marta.external_id, 120, "41.00")
    for advocate, friend, minutes, pause in ((marta, victor, 0, 25.0), (victor, again, 120, 1.0)):
        visit = _PAIR_VISIT + minutes
        story.happen(
            Visited(
                at=story.ago(4, minutes=minutes),
                advocate=advocate.external_id,
                channel="copy",
                agent=DESK,
                number=visit,
                address=_SOFA,
            )
        )
        joined = story.ago(4, minutes=minutes + 0.5)
        story.happen(Joined(at=joined, person=friend))
        story.report(Reported(at=joined, type="signup", who=friend.external_id, evidence=Evidence(visit=visit)))
        story.buy(friend.external_id, 4, "22.50", minutes=minutes + 0.5 + pause)
    return story.happenings


class _Story:
    """Collects happenings by days before the end."""

    def __init__(self, end: datetime) -> None:
        self.end = end
        self.happenings: list[Happening] = []
        self._orders: dict[str, int] = {}

    def ago(self, days: float, *, minutes: float = 0) -> datetime:
        return self.end - timedelta(days=days) + timedelta(hours=13, minutes=minutes)

    def happen(self, happening: Happening) -> None:
        self.happenings.append(happening)

    report = happen

    def meet(self, person: Person, days: float) -> None:
        self.happen(Joined(at=self.ago(days, minutes=-1), person=person))

    def meet_friend(self, short: str, days: float) -> str:
        name = FRIENDS[short]
        email = f"{name.lower().replace(' ', '.')}@example.org"
        who = f"c-{short}"
        self.meet(Person(external_id=who, name=name, email=email, locale="en", time_zone="Europe/London"), days)
        return who

    def bring(
        self,
        short: str,
        days: float,
        *,
        channel: str,
        agent: str,
        buys_after: float | None = None,
        amount: str = "",
        fresh: bool = False,
    ) -> None:
        who = self.meet_friend(short, days)
        visit = _FIRST_VISIT + len(self.happenings)
        self.happen(
            Visited(
                at=self.ago(days, minutes=-40), advocate=ANN.external_id, channel=channel, agent=agent, number=visit
            )
        )
        self.report(Reported(at=self.ago(days), type="signup", who=who, evidence=Evidence(visit=visit), fresh=fresh))
        if buys_after is not None:
            self.buy(who, days - buys_after, amount)

    def buy(self, who: str, days: float, amount: str, *, minutes: float = 0, fresh: bool = False) -> None:
        number = self._orders[who] = self._orders.get(who, 0) + 1
        self._order("purchase", who, self.ago(days, minutes=minutes), f"{who}-{number}", amount, fresh=fresh)

    def give_back(self, who: str, days: float, amount: str) -> None:
        self._order("refund", who, self.ago(days), f"{who}-{self._orders[who]}", amount)

    def _order(self, kind: str, who: str, at: datetime, order: str, amount: str, *, fresh: bool = False) -> None:
        minor = int(amount.replace(".", ""))
        self.report(Reported(at=at, type=kind, who=who, order=order, amount_minor=minor, channel="direct", fresh=fresh))
