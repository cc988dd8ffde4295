"""A made-up quarter of 500 referrals, 100 of them bad in eight ways: facts only, as a shop and a browser tell them.

It imports nothing of the product and knows no rule, weight or list: what is bad is how people behave. The
honest ones are not easy either: families on one router, colleagues, newsletters, quick buyers, returned
orders, namesakes, one or two who guard their address. What lies before the quarter carries no label.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HONEST = "honest"
KINDS = ("alias", "throwaway", "farm", "device", "swapped", "ring", "returns", "public")
BAD_OF_KIND = (13, 13, 13, 13, 12, 12, 12, 12)

_FIRST = """Ada Adam Agnes Alba Alex Amira Anders Andrea Anja Anton Arjun Astrid Beata Ben Bianca Bruno Carla Chen
Clara Cora Dana David Dimitri Elena Elif Emil Emma Enzo Eva Farid Felix Finn Flora Freya Georg Greta Hana Hannah
Hugo Ida Ines Ivan Jana Jonas Josef Julia Kai Karin Kenji Klara Lars Lea Lena Leo Liam Lina Linus Luca Luisa Maja
Malik Marco Maria Marta Max Mehmet Mia Mila Milan Mona Nadia Nina Noah Nora Olga Omar Oscar Paula Pavel Petra Pia
Rafael Rita Robin Rosa Ruth Samir Sara Selma Silvia Simon Sofia Stefan Tara Theo Thomas Tina Tom Vera Viktor Yara
Yusuf Zoe"""
_LAST = """Abel Adler Almeida Andersen Arslan Bach Bakker Barros Bauer Becker Berg Bianchi Blanc Braun Brown Carter
Castro Costa Cruz Dahl Danner Diaz Dubois Eder Egger Engel Ersoy Falk Ferrari Fischer Fontana Fox Garcia Gomez Graf
Gruber Haas Hansen Hartmann Hoffmann Holm Huber Ibrahim Jansen Jensen Kaya Keller Khan King Klein Koch Kovac Kraus
Kumar Lang Larsen Lehmann Lind Lopez Maier Marino Martin Mayer Meyer Moreau Moser Nagy Novak Okafor Olsen Ortega
Peters Pinto Popov Reuter Ricci Rossi Roth Santos Sato Schmid Schulz Silva Simonsen Sommer Stein Suzuki Tan Thaler
Ulrich Varga Vogel Wagner Wang Weber Weiss Winter Wolf Yilmaz Young Zeller Ziegler"""
FIRST, LAST = _FIRST.split(), _LAST.split()
PROVIDERS = ("gmail.com", "gmx.net", "web.de", "outlook.com", "icloud.com", "yahoo.com", "proton.me", "hotmail.com")
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 Version/18.2 Mobile Safari/604.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; SM-A546B) AppleWebKit/537.36 Chrome/129.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
)
MAKESHIFT = (
    *("mailinator.com", "guerrillamail.com", "yopmail.com", "temp-mail.org", "10minutemail.com", "trashmail.com"),
    *("sharklasers.com", "getnada.com", "maildrop.cc", "wegwerfmail.de", "tempr.email", "quickbox-77.example"),
)
BARGAINS = ("retailmenot", "gutscheinsammler", "mycouponland", "dealfinder", "voucherworld", "bargainforum")


@dataclass(frozen=True)
class Someone:
    """A person: the shop's id, address, name, and what they browse with."""

    id: str
    email: str
    name: str
    address: str
    agent: str
    browser: str


@dataclass(frozen=True)
class Act:
    """A `click` on `who`'s link by `by`, or a fact (`signup`, `purchase`, `refund`) of `by`."""

    at: datetime
    what: str
    by: Someone
    who: Someone | None = None
    click: int = 0
    order: str = ""
    amount: str = ""
    source: str = ""


@dataclass
class Quarter:
    """What happened, in order, and the label of each friend who came in the quarter."""

    acts: list[Act] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


class Maker:
    """Makes a quarter from a seed: the same for the same one."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.quarter = Quarter()
        self.people = 0
        self.clicks = 0
        self.names: set[str] = set()

    # ---- people

    def someone(self, **given: str) -> Someone:
        self.people += 1
        name = given.get("name") or self.name()
        return Someone(
            id=f"p-{self.people}",
            name=name,
            email=given.get("email") or self.email(name),
            address=given.get("address") or self.address(),
            agent=given.get("agent") or self.dice.choice(AGENTS),
            browser=given.get("browser") or f"{self.dice.getrandbits(96):024x}",
        )

    def name(self, last: str = "") -> str:
        while True:
            name = f"{self.dice.choice(FIRST)} {last or self.dice.choice(LAST)}"
            if name not in self.names:
                self.names.add(name)
                return name

    def email(self, name: str) -> str:
        first, last = name.lower().split()[0], name.lower().split()[-1]
        local = self.dice.choice(
            (
                f"{first}.{last}",
                f"{first}{last}",
                f"{first[0]}.{last}",
                f"{last}{self.dice.randint(60, 99)}",
                f"{first}{self.dice.randint(1, 2999)}",
                f"{first}_{last[:3]}",
                f"{last}.{first}",
                first
                + self.dice.choice(("kat", "berg", "nova", "luft", "moos", "tango"))
                + str(self.dice.randint(1, 99)),
            )
        )
        if self.dice.random() < 0.12:
            return f"{self.dice.choice((first, first[0] + last, 'mail', 'hallo'))}@{last}.example"
        return f"{local}@{self.dice.choice(PROVIDERS)}"

    def address(self) -> str:
        numbers = (
            self.dice.randint(11, 99),
            self.dice.randint(0, 255),
            self.dice.randint(0, 255),
            self.dice.randint(1, 254),
        )
        return ".".join(str(number) for number in numbers)

    # ---- what they do

    def when(self, first: float = 0, last: float = 85) -> datetime:
        day = START + timedelta(days=int(self.dice.uniform(first, last)))
        return day + timedelta(minutes=self.dice.triangular(0, 15 * 60, 11 * 60))

    def pause(self) -> timedelta:
        """From the click to the purchase: for most half an hour to days."""
        kind = self.dice.random()
        if kind < 0.06:
            return timedelta(minutes=self.dice.uniform(2.5, 8))
        if kind < 0.55:
            return timedelta(minutes=self.dice.uniform(8, 120))
        return timedelta(hours=self.dice.uniform(2, 24 * 9))

    def come(
        self, advocate: Someone, friend: Someone, at: datetime, *, label: str, buys: timedelta | None,
        source: str = "", returned: float | None = None,
    ) -> None:  # fmt: skip
        """A friend follows the link, signs up and maybe buys, and maybe gives it back so many days later."""
        acts = self.quarter.acts
        self.clicks += 1
        acts.append(Act(at, "click", friend, who=advocate, click=self.clicks, source=source))
        joined = at + min(timedelta(minutes=self.dice.uniform(0.7, 6)), (buys or timedelta(hours=1)) * 0.7)
        acts.append(Act(joined, "signup", friend, click=self.clicks))
        if label:
            self.quarter.labels[friend.id] = label
        if buys is None:
            return
        order, amount = f"o-{friend.id}", f"{self.dice.lognormvariate(4, 0.5) + 20:.2f}"
        acts.append(Act(at + buys, "purchase", friend, order=order, amount=amount))
        if returned is not None:
            acts.append(Act(at + buys + timedelta(days=returned), "refund", friend, order=order, amount=amount))

    def crowd(self, advocate: Someone, number: int, at: datetime, hours: float, source: str) -> None:
        """Strangers who follow the link and go away."""
        for _ in range(number):
            when = at + timedelta(hours=self.dice.uniform(0, hours))
            self.quarter.acts.append(Act(when, "click", self.someone(), who=advocate, click=0, source=source))

    # ---- honest people

    def honest(self, number: int) -> None:
        goal = len(self.quarter.labels) + number
        self.ambassadors()
        self.colleagues()
        while (left := goal - len(self.quarter.labels)) > 0:
            advocate, last = self.someone(), START
            for _ in range(min(left, self.dice.choice((1, 1, 1, 2, 2, 3, 4, 6)))):
                last = self.one_honest(advocate, last)

    def one_honest(self, advocate: Someone, last: datetime) -> datetime:
        kind, at = self.dice.random(), self.when()
        friend = self.someone()
        if kind < 0.12:  # family: the name, often the router, sometimes the same telephone
            same = self.dice.random()
            friend = self.someone(
                name=self.name(advocate.name.split()[-1]),
                address=advocate.address if same < 0.7 else self.address(),
                agent=advocate.agent if same < 0.4 else self.dice.choice(AGENTS),
            )
            at = max(last, at) if self.dice.random() < 0.7 else at
        elif kind < 0.145:  # the family's one computer
            friend = self.someone(
                name=self.name(advocate.name.split()[-1]),
                address=advocate.address, agent=advocate.agent, browser=advocate.browser,
            )  # fmt: skip
        elif kind < 0.155:  # father and son
            friend = self.someone(name=advocate.name)
        elif kind < 0.165:  # who guards their address
            name = self.name()
            friend = self.someone(name=name, email=f"{name.split()[0].lower()}@{self.dice.choice(MAKESHIFT)}")
        elif kind < 0.18:  # the same first name everywhere
            first = advocate.name.split()[0]
            name = f"{first} {self.dice.choice(LAST)}"
            friend = self.someone(name=name, email=f"{first.lower()}@{self.dice.choice(PROVIDERS)}")
        buys = self.pause() if self.dice.random() < 0.75 else None
        returned = self.dice.uniform(1, 20) if self.dice.random() < 0.07 else None
        self.come(advocate, friend, at, label=HONEST, buys=buys, returned=returned)
        if buys and self.dice.random() < 0.15 and len(self.quarter.labels) < 380:
            self.come(
                friend, self.someone(), at + timedelta(days=self.dice.uniform(2, 30)), label=HONEST, buys=self.pause()
            )
        return at

    def ambassadors(self) -> None:
        """A few who write to many: a newsletter brings friends within hours, and visitors who only look."""
        for _ in range(3):
            advocate, sent = self.someone(), self.when(5, 70)
            self.crowd(advocate, self.dice.randint(15, 60), sent, 10, "newsletter")
            for _ in range(self.dice.randint(7, 11)):
                at = sent + timedelta(minutes=self.dice.expovariate(1 / 150))
                buys = self.pause() if self.dice.random() < 0.7 else None
                self.come(advocate, self.someone(), at, label=HONEST, buys=buys, source="newsletter")

    def colleagues(self) -> None:
        """An office: one address, laptops from one batch, several advocates, most of it on one day."""
        office, laptops, day = self.address(), self.dice.sample(AGENTS, 2), self.when(10, 60)
        for _ in range(3):
            advocate = self.someone(address=office, agent=self.dice.choice(laptops))
            for _ in range(2):
                friend = self.someone(address=office, agent=self.dice.choice(laptops))
                at = day + timedelta(minutes=self.dice.uniform(0, 300))
                self.come(advocate, friend, at, label=HONEST, buys=self.pause())

    # ---- the bad ones

    def alias(self, number: int) -> None:
        """One person with a second address of their own."""
        for _ in range(number):
            advocate = self.someone(email=f"{self.name().lower().replace(' ', '.')}@{self.dice.choice(PROVIDERS[1:])}")
            local, domain = advocate.email.split("@")
            second = self.dice.choice(
                (
                    f"{local.replace('.', '')}@{domain}",
                    f"{local}{self.dice.randint(1, 99)}@{domain}",
                    f"{local}@{self.dice.choice([one for one in PROVIDERS if one != domain])}",
                    f"{local.replace('.', '_')}@{domain}",
                )
            )
            friend = self.someone(
                email=second, address=advocate.address, agent=advocate.agent, browser=advocate.browser
            )
            self.come(advocate, friend, self.when(), label="alias", buys=timedelta(minutes=self.dice.uniform(2, 30)))

    def throwaway(self, number: int) -> None:
        """Mailboxes made for one use, two or three an advocate."""
        while number > 0:
            advocate, at = self.someone(), self.when()
            for _ in range(min(number, self.dice.randint(2, 3))):
                name = self.name()
                email = f"{self.dice.choice('abcdefgh')}{self.dice.getrandbits(30)}@{self.dice.choice(MAKESHIFT)}"
                friend = self.someone(name=name, email=email, address=advocate.address, agent=advocate.agent)
                at += timedelta(minutes=self.dice.uniform(5, 90))
                self.come(advocate, friend, at, label="throwaway", buys=timedelta(minutes=self.dice.uniform(1, 12)))
                number -= 1

    def farm(self, number: int) -> None:
        """Accounts opened one after the other, each in a fresh browser window."""
        advocate, at = self.someone(), self.when()
        for _ in range(number):
            at += timedelta(seconds=self.dice.uniform(25, 100))
            friend = self.someone(address=advocate.address, agent=advocate.agent)
            self.come(advocate, friend, at, label="farm", buys=timedelta(minutes=self.dice.uniform(1, 5)))

    def device(self, number: int) -> None:
        """One browser with several accounts, days apart."""
        while number > 0:
            advocate, at = self.someone(), self.when(0, 60)
            for _ in range(min(number, self.dice.randint(4, 5))):
                at += timedelta(hours=self.dice.uniform(1, 70))
                friend = self.someone(address=advocate.address, agent=advocate.agent, browser=advocate.browser)
                self.come(advocate, friend, at, label="device", buys=timedelta(minutes=self.dice.uniform(1, 20)))
                number -= 1

    def swapped(self, number: int) -> None:
        """One person who writes their name the other way round, or nearly."""
        for _ in range(number):
            advocate = self.someone()
            first, last = advocate.name.split()
            style = self.dice.random()
            name = (
                f"{last} {first}" if style < 0.7 else f"{first} {last}" if style < 0.85 else f"{first} {last}{last[-1]}"
            )
            friend = self.someone(name=name, address=advocate.address, agent=advocate.agent)
            self.come(advocate, friend, self.when(), label="swapped", buys=timedelta(minutes=self.dice.uniform(1, 4)))

    def ring(self, number: int) -> None:
        """Two people who bring each other in turn, each time with a new address of their own."""
        for _ in range(2):
            pair = [self.someone(), self.someone()]
            pair = [self.someone(name=one.name, email=self.plain(one.name)) for one in pair]
            advocate, at = pair[0], self.when(0, 5)
            for turn in range(1, number // 2 + 1):
                one = pair[turn % 2]
                local, domain = one.email.split("@")
                email = one.email if turn == 1 else f"{local}{self.dice.randint(1, 99)}@{domain}"
                name = one.name if self.dice.random() < 0.5 else self.name()
                friend = self.someone(email=email, name=name)
                at += timedelta(days=self.dice.uniform(1, 9))
                self.come(advocate, friend, at, label="ring", buys=timedelta(minutes=self.dice.uniform(2, 60)))
                advocate = friend

    def plain(self, name: str) -> str:
        return f"{name.lower().replace(' ', '')}@{self.dice.choice(PROVIDERS)}"

    def returns(self, number: int) -> None:
        """Who earns by friends that give everything back: four before the quarter, and so it goes on."""
        for _ in range(2):
            advocate = self.someone()
            for _ in range(4):
                before = self.when(-80, -45)
                self.come(
                    advocate, self.someone(), before, label="", buys=self.pause(), returned=self.dice.uniform(15, 25)
                )
            for _ in range(number // 2):
                back = self.dice.uniform(15, 28)
                self.come(advocate, self.someone(), self.when(), label="returns", buys=self.pause(), returned=back)

    def public(self, number: int) -> None:
        """A code on sites where strangers collect codes."""
        for _ in range(3):
            advocate, day = self.someone(), self.when(0, 80)
            source = self.dice.choice(BARGAINS)
            self.crowd(advocate, self.dice.randint(60, 260), day, 8, source)
            for _ in range(number // 3):
                at = day + timedelta(hours=self.dice.uniform(0, 8))
                self.come(advocate, self.someone(), at, label="public", buys=self.pause(), source=source)


def make_quarter(seed: int) -> Quarter:
    """Return 500 labelled referrals, 100 of them bad, as what happened in order."""
    maker = Maker(seed)
    for kind, number in zip(KINDS, BAD_OF_KIND, strict=True):
        getattr(maker, kind)(number)
    maker.honest(400)
    maker.quarter.acts.sort(key=lambda act: act.at)
    return maker.quarter
