"""How moments are written where Django's own way would be ambiguous outside one country."""
