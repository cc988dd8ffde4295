"""Names and addresses: invented, the same for the same seed, at domains that never receive mail."""

import unicodedata
from random import Random

from faker import Faker

from analytics.demo.story import Person

# locale -> Faker's name for it, time zone, share of the customers
PLACES = {"de": ("de_DE", "Europe/Berlin", 55), "en": ("en_GB", "Europe/London", 45)}
DOMAINS = ("example.com", "example.org", "example.net")
FIRST_NUMBER = 1001


def make_people(count: int, *, seed: int) -> list[Person]:
    """Return `count` people with addresses of their own."""
    dice = Random(f"people {seed}")
    sources = {}
    for locale, (name, _, _) in PLACES.items():
        sources[locale] = Faker(name)
        sources[locale].seed_instance(seed)
    locales = dice.choices(list(PLACES), [share for _, _, share in PLACES.values()], k=count)
    return [_person(FIRST_NUMBER + number, locale, sources[locale], dice) for number, locale in enumerate(locales)]


def _person(number: int, locale: str, source: Faker, dice: Random) -> Person:
    first, last = source.first_name(), source.last_name()
    return Person(
        external_id=f"c-{number}",
        name=f"{first} {last}",
        email=f"{_plain(first)}.{_plain(last)}.{number}@{dice.choice(DOMAINS)}",
        locale=locale,
        time_zone=PLACES[locale][1],
    )


def _plain(word: str) -> str:
    for umlaut, letters in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}.items():
        word = word.lower().replace(umlaut, letters)
    ascii_only = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return "".join(sign for sign in ascii_only if sign.isalnum())
