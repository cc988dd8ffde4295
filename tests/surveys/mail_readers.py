"""Who opens survey mails: people and gateways, as scripts of requests. It knows nothing of how they are judged.

A script is a list of (seconds after the mail, what): ("open", score), ("look",) the page without a score, ("trap",) the
hidden link, ("press", score, comment, by itself). The page's own script runs for those who run scripts: `itself` is
then asked of the page, as a browser would.
"""

import random
from dataclasses import dataclass

ORDINARY = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1"
SCORES = range(11)
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader of one mail: what they do, whether their browser runs scripts, and the score a person means."""

    kind: str
    steps: tuple[tuple, ...]
    scripts: bool
    means: int | None = None
    agent: str = ORDINARY
    prefetch: bool = False


def gateway(dice: random.Random) -> Reader:
    """A security gateway: opens links by itself, some with scripts, some submit what they find."""
    kind = dice.choices(
        ["all_links", "all_links_and_forms", "second_network", "sweep", "late_sandbox", "scores_only", "prefetch"],
        [30, 15, 15, 10, 10, 10, 10],
    )[0]
    agent = dice.choice([ORDINARY, PHONE, "Barracuda Sentinel", "python-requests/2.32"])
    start = dice.uniform(0.2, 5)
    if kind == "prefetch":
        return Reader(kind, ((start, "open", dice.choice(SCORES)),), False, agent=agent, prefetch=True)
    if kind == "late_sandbox":
        start = dice.uniform(6 * MINUTE, 40 * MINUTE)
    links: list[tuple] = [("open", score) for score in SCORES]
    links += [] if kind in {"sweep", "scores_only"} else [("look",), ("trap",)]
    if kind != "sweep":
        dice.shuffle(links)
    steps = _spread(links, start, 15, dice)
    if kind == "all_links_and_forms":
        steps += [(at + 0.4, "press", what[0], "", False) for at, verb, *what in steps if verb == "open"][
            : dice.randint(1, 3)
        ]
    if kind == "sweep":
        steps += [(at + 0.5, "press", what[0], "", False) for at, verb, *what in steps if verb == "open"]
    if kind == "second_network":
        steps += _spread(links, start + 12 + dice.uniform(0, 6), 15, dice)
    return Reader(kind, tuple(sorted(steps)), kind in {"all_links", "late_sandbox", "second_network"}, agent=agent)


def _spread(links: list[tuple], start: float, within: float, dice: random.Random) -> list[tuple]:
    moments = sorted(dice.uniform(start, start + within) for _ in links)
    return [(at, *link) for at, link in zip(moments, links, strict=True)]


def person(dice: random.Random) -> Reader:
    """A person who answers: most tap once and look at the page, some close it, change their mind or write."""
    kind = dice.choices(
        ["tap", "tap_without_scripts", "quick_press", "change_of_mind", "comment", "quick_tap_and_gone"],
        [58, 10, 15, 7, 8, 2],
    )[0]
    means = dice.choice(SCORES)
    later = dice.choices(
        [dice.uniform(6 * MINUTE, HOUR), dice.uniform(HOUR, 12 * HOUR), dice.uniform(12 * HOUR, 40 * HOUR)]
    )[0]
    agent = dice.choice([ORDINARY, PHONE])
    quick = dice.uniform(25, 4 * MINUTE)
    steps: dict[str, tuple[tuple, ...]] = {
        "tap": ((later, "open", means),),
        "tap_without_scripts": ((later, "open", means),),
        "quick_press": ((quick, "open", means), (quick + dice.uniform(3, 20), "press", means, "", False)),
        "change_of_mind": ((later, "open", (means + 3) % 11), (later + dice.uniform(20, 600), "open", means)),
        "comment": ((later, "open", means), (later + dice.uniform(20, 120), "press", means, "Good socks", False)),
        "quick_tap_and_gone": ((quick, "open", means),),
    }
    scripts = kind not in {"tap_without_scripts", "quick_tap_and_gone"}
    return Reader(kind, steps[kind], scripts, means=means, agent=agent)
