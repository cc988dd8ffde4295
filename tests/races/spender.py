"""One process that spends: `python -m tests.races.spender KEY CUSTOMER ITEM TIMES` prints how many of each status.

It calls the API as a web server's process does, with its own connection to the database.
"""

import json
import sys
from collections import Counter

import django
from django.test import Client


def main() -> None:
    """Redeem so often, one after the other, and print {status: how often} as JSON."""
    django.setup()
    key, customer, item, times = sys.argv[1:]
    client = Client(raise_request_exception=False)
    statuses: Counter[int] = Counter()
    for _ in range(int(times)):
        answer = client.post(
            "/api/v1/redemptions",
            json.dumps({"customer": customer, "item": item}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        statuses[answer.status_code] += 1
    sys.stdout.write(json.dumps(statuses))


if __name__ == "__main__":
    main()
