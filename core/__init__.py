"""The ground everything stands on: domain events, money, periods, ids, errors, guarded HTTP.

Knows no word of the trade; imports no other app.
"""
