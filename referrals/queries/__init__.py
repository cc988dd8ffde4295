"""Reading referrals: querysets and frozen values, one module a noun."""
