"""Who brought whom: customers, programs and offers, links, clicks, events, attribution and referrals."""
