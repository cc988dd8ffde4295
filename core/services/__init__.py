"""The ground's own writes."""
