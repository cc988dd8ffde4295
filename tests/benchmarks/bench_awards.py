"""Awards to one hot program against awards spread over many: nothing the awards share may serialise them.

Each of the processes records first purchases of new friends, each through another advocate's code, so that what
two awards share is the program alone. The rates stand beside each other in one run; nothing is asserted on a clock.
"""

import json
import os
import subprocess
import sys
import time

import pytest
from django.db import connection

from tests.races.product import ROOT, Product
from tests.shop import PROGRAM, Shop, apply_text, assert_books_balance

PROCESSES = int(os.environ.get("BENCH_PROCESSES", "2"))
AWARDS = int(os.environ.get("BENCH_AWARDS", "300"))
ROUNDS = 3
BUDGET = "limits: {budget_points: 100000000}\n"

WORKER = """
import json, sys, django
django.setup()
from django.utils import timezone
from referrals.services.batches import record_events
bodies = json.loads(sys.stdin.readline())
record_events(facts=bodies[:3], at=timezone.now())
print("ready", flush=True)
sys.stdin.readline()
results = record_events(facts=bodies[3:], at=timezone.now())
print(sum(one.refusal is None for one in results), flush=True)
"""


def facts_of(shop: Shop, name: str, codes: list[str], process: int) -> list[dict]:
    """Return one process's purchases: friend, order and code of their own."""
    rows = []
    for number, code in enumerate(codes):
        key = f"{name}-{process}-{number}"
        rows.append(shop.purchase(key, shop.now, key, "59.90", code=code, event_id=key))
    return rows


def rate(environment: dict[str, str], batches: list[list[dict]]) -> float:
    """Return awards a second of all processes together, from the common start to the last one's end."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in batches
    ]
    for worker, batch in zip(workers, batches, strict=True):
        worker.stdin.write(json.dumps(batch) + "\n")
        worker.stdin.flush()
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    start = time.perf_counter()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    done = sum(int(worker.stdout.readline()) for worker in workers)
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.communicate()
    assert done == sum(len(batch) - 3 for batch in batches)
    return done / seconds


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("budget", ["", BUDGET], ids=["no budget", "with a budget"])
def test_awards_to_one_program_and_spread(capsys, tmp_path, budget):
    shop = Shop(PROGRAM + budget)
    share = AWARDS // PROCESSES // ROUNDS
    spread = [
        apply_text(PROGRAM.replace("program: refer-a-friend", f"program: p{number}") + budget)
        for number in range(PROCESSES * share)
    ]
    environment = Product(tmp_path, redis_url="").environment
    rates: dict[str, list[float]] = {"hot": [], "spread": []}

    for turn in range(ROUNDS):
        for name in ("hot", "spread") if turn % 2 else ("spread", "hot"):
            batches = []
            for process in range(PROCESSES):
                codes = []
                for number in range(share):
                    shop.program = spread[process * share + number] if name == "spread" else hot_program(shop)
                    codes.append(shop.code_of(f"{name}-advocate-{turn}-{process}-{number}"))
                batches.append(facts_of(shop, f"{name}-{turn}", codes, process))
            rates[name].append(rate(environment, batches))

    hot, wide = (sorted(rates[name])[ROUNDS // 2] for name in ("hot", "spread"))
    with capsys.disabled():
        told = "with a budget" if budget else "no budget"
        print(f"\n{connection.vendor}, {PROCESSES} processes, {told}: awards a second, the median of {ROUNDS} rounds")
        print(f"  one hot program {hot:6.0f}   spread {wide:6.0f}   ratio {hot / wide:.2f} (wanted: at least 0.80)")
    assert_books_balance()


def hot_program(shop: Shop):
    """Return the one program."""
    return type(shop.program).objects.get(slug="refer-a-friend")
