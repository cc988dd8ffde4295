"""The back-test: past facts replayed under edited rules, in memory. Pure: it decides with the rules that pay."""
