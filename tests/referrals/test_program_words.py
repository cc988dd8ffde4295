"""What an offer promises, in sentences that a marketer can check."""

import pytest

from referrals.program_file import parse_program
from referrals.program_words import describe_terms

FILE = """
program: friends
name: Friends
status: active
currency: EUR
landing_url: https://shop.example/
qualifies: {on: purchase}
rewards:
  - {id: thanks, to: advocate, on: qualified, points: 500, when: %s}
"""
WORDS = [
    ('{order.amount: {gte: "30.00"}}', "order.amount is at least 30.00"),
    (
        '{all: [{channel: {in: [whatsapp, email]}}, {any: [{order.amount: {lt: "9"}}, {order.amount: {gt: "90"}}]}]}',
        "channel is one of whatsapp, email and (order.amount is less than 9 or order.amount is more than 90)",
    ),
    ("{not: {channel: {eq: copy}}}", "not (channel is copy)"),
    ("{channel: {exists: false}}", "channel is unknown"),
]


@pytest.mark.parametrize(("when", "told"), WORDS)
def test_describe_terms_says_a_condition_in_words(when, told):
    document = parse_program(FILE % when, file="friends.yaml")

    assert f"when the friend qualifies, if {told}; available" in describe_terms(document.terms)[0]
