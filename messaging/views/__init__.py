"""The pages of messaging: mail preferences, and the mailbox of an installation that sends nothing."""
