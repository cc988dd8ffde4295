"""Program files for tests, put together from the words that a test is about."""

HEAD = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {{on: {qualifies}, min_amount: "{least}"}}
hold_days: 14
"""
FIXED = "{id: fixed, to: advocate, on: qualified, points: 100}"
SHARE = "{id: share, to: advocate, on: purchase, percent: 10}"
FRIEND = "{id: friend, to: friend, on: qualified, points: 10}"
TIERS = """tiers:
  window_days: 30
  levels:
    - {name: Bronze, from: 0}
    - {name: Silver, from: 1, multiplier: "1.25"}
    - {name: Gold, from: 3, multiplier: "2"}
"""


def program(*rewards, more="", qualifies="purchase", least="0.00"):
    """Return a program file with these rewards, and `more` of its text."""
    lines = "".join(f"  - {reward}\n" for reward in rewards)
    return HEAD.format(qualifies=qualifies, least=least) + ("rewards:\n" + lines if rewards else "rewards: []\n") + more
