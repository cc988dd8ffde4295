"""What changes referrals: one verb a function, one transaction each."""
