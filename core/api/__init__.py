"""What every API address shares: keys, scopes, errors, pages, idempotency, throttles, strict input."""
