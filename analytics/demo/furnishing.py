"""What the demo company set up by hand: a catalogue, perks, badges in words, an evening for VIPs, a leaderboard."""

from datetime import datetime, timedelta

from django.conf import settings

from core.periods import DAY
from referrals.models import Customer, Program
from rewards.models import Badge, CatalogueItem, Leaderboard, LeaderboardPrize, Perk, PerkEvent
from rewards.services.leaderboards import choose_display_name, schedule_leaderboard
from rewards.services.perk_events import open_events_due, publish_event

BADGES = (
    (
        "first-referral",
        "First referral",
        "Erste Empfehlung",
        "for the first friend who orders",
        "für den ersten Freund, der bestellt",
    ),
    ("connector", "Connector", "Netzwerker", "for three friends", "für drei Freunde"),
    ("legend", "Legend", "Legende", "for ten friends", "für zehn Freunde"),
)
ITEMS = (
    ("enamel-mug", "Enamel mug", "Our mug with the speckled rim, sent by post.", 800, 24),
    ("tasting-box", "Tasting box", "Six small bags, chosen by the roaster for you.", 1500, 10),
    ("plant-a-tree", "A tree in your name", "We plant it in spring and send you its place on the map.", 600, None),
    ("roaster-day", "A day with the roaster", "Half a day at the drum, lunch included.", 6000, 3),
)


def furnish(*, program: Program, at: datetime) -> None:
    """Set up what staff would have set up by `at`; invitations to the evening go out at once."""
    Badge.objects.bulk_create(
        Badge(slug=slug, title=title, title_de=german, description=words, description_de=worte)
        for slug, title, german, words, worte in BADGES
    )
    CatalogueItem.objects.bulk_create(
        CatalogueItem(slug=slug, title=title, words=words, points=points, stock=stock, per_customer=2, created_at=at)
        for slug, title, words, points, stock in ITEMS
    )
    Perk.objects.create(
        slug="early-access",
        title="Early access",
        title_de="Früher dran",
        words="New roasts are yours two days before anybody else's.",
        words_de="Neue Röstungen gibt es für dich zwei Tage früher.",
        link="https://shop.example/early",
        created_at=at,
    )
    _open_evening(program, at)
    board = Leaderboard.objects.create(
        program=program, title="Most friends this month", starts_on=(at - 90 * DAY).date(), created_at=at
    )
    LeaderboardPrize.objects.create(leaderboard=board, first_rank=1, last_rank=1, prize="A tasting box")
    schedule_leaderboard(leaderboard=board, at=at)
    for customer in Customer.objects.filter(external_id="c-ann"):
        choose_display_name(customer=customer, name="Ann A.", at=at)


def _open_evening(program: Program, at: datetime) -> None:
    starts = at + timedelta(days=24, hours=18)
    evening = PerkEvent.objects.create(
        title="Evening at the roastery",
        words="A tour, a tasting, and first sips of the winter roast. Bring your questions.",
        starts_at=starts,
        ends_at=starts + timedelta(hours=3),
        closes_at=starts - timedelta(days=3),
        opens_at=at,
        zone=settings.TIME_ZONE,
        place="The roastery, 12 Harbour Street",
        places=20,
        program=program,
        tiers=["Silver", "Gold"],
        created_at=at,
    )
    publish_event(event=evening)
    open_events_due(at=at)
