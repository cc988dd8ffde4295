"""What a good word earns: rules, rewards and the double-entry ledger of points."""
