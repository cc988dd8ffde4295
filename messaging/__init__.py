"""All that leaves the house: messages, preferences, suppression and their templates.

A message row is written with its cause; senders claim rows with a lease.
"""
