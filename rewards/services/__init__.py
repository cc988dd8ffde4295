"""What rewards writes: the ledger's book and the granting of rewards."""
