"""How long a million entries take to be sealed and audited; nothing here is asserted on a clock."""

import time

import pytest
from django.db import connection

from rewards.models import Account, Entry
from rewards.services.audit import audit_ledger
from rewards.services.book import company_account
from rewards.services.sealing import seal_due
from tests.shop import day

CUSTOMERS = 10_000
CYCLES = 50  # of each customer: points given, then taken: two transfers, two entries, a lot and its use
ROWS = """
CREATE TEMPORARY TABLE story AS
  SELECT account.id AS account, cycle, row_number() OVER (ORDER BY cycle, account.id) AS place
  FROM rewards_account account, generate_series(1, %(cycles)s) AS cycle WHERE account.kind = 'available';
INSERT INTO rewards_transfer (id, key, debit_id, credit_id, amount, kind, cause, actor, event_at, created_at)
  SELECT 2 * place - 1, 'in:' || place, %(company)s, account, 10, 'adjust', '{"reason": "given"}', 'bench', now(), now()
  FROM story;
INSERT INTO rewards_transfer (id, key, debit_id, credit_id, amount, kind, cause, actor, event_at, created_at)
  SELECT 2 * place, 'out:' || place, account, %(company)s, 10, 'adjust', '{"reason": "taken"}', 'bench', now(), now()
  FROM story;
INSERT INTO rewards_entry (transfer_id, account_id, seq, delta, balance)
  SELECT 2 * place - 1, account, 2 * cycle - 1, 10, 10 FROM story ORDER BY place;
INSERT INTO rewards_entry (transfer_id, account_id, seq, delta, balance)
  SELECT 2 * place, account, 2 * cycle, -10, 0 FROM story ORDER BY place;
INSERT INTO rewards_lot (id, transfer_id, account_id, amount, remaining, available_at)
  SELECT place, 2 * place - 1, account, 10, 0, now() FROM story;
INSERT INTO rewards_lotuse (transfer_id, lot_id, amount) SELECT 2 * place, place, 10 FROM story ORDER BY place;
UPDATE rewards_account SET seq = 2 * %(cycles)s WHERE kind = 'available';
"""


def write_books():
    """Write the ledger of customers who were given and spent, with the database's own means."""
    from tests.factories import CustomerFactory

    template = CustomerFactory()
    fields = [f.column for f in template._meta.concrete_fields if f.column not in ("id", "external_id")]
    columns = ", ".join(f'"{name}"' for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO referrals_customer (external_id, {columns}) "
            f"SELECT 'bench-' || n, {columns} FROM referrals_customer, generate_series(1, %s) AS n WHERE id = %s",
            [CUSTOMERS, template.pk],
        )
        cursor.execute(
            "INSERT INTO rewards_account (customer_id, kind, balance, seq) "
            "SELECT id, kind, 0, 0 FROM referrals_customer, unnest(ARRAY['pending', 'available', 'debt']) AS kind "
            "WHERE external_id LIKE 'bench-%%'"
        )
        company = company_account(Account.Kind.ADJUSTED).pk
        for statement in ROWS.strip().split(";\n"):
            cursor.execute(statement, {"cycles": CYCLES, "company": company})
        cursor.execute("ANALYZE")


@pytest.mark.django_db(transaction=True)
def test_audit_ledger_of_a_million_entries(capsys):
    if connection.vendor != "postgresql":
        pytest.skip("writes its million rows with PostgreSQL's own means")
    write_books()
    entries = Entry.objects.count()
    seconds: dict[str, float] = {}

    for name, work in (("seal", lambda: seal_due(at=day(9000))), ("audit, seals included", audit_ledger)):
        start = time.perf_counter()
        result = work()
        seconds[name] = time.perf_counter() - start

    with capsys.disabled():
        print(f"\n{entries:,} entries")
        for name, took in seconds.items():
            print(f"  {name:25} {took:6.1f} s   {took / entries * 1e6:6.1f} s a million")
    assert result.findings == ()
    assert (result.entries, result.sealed_to > 0) == (2 * CYCLES * CUSTOMERS, True)
