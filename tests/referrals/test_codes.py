import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.codes import ALPHABET, RESERVED, canonical_code, check_character, is_checked, random_code, vanity_problem

PAYLOADS = st.text(ALPHABET, min_size=6, max_size=6)


def test_alphabet_has_no_look_alikes_and_a_prime_size():
    assert not set("01IOL8B") & set(ALPHABET)
    assert len(ALPHABET) == len(set(ALPHABET)) == 29


@given(PAYLOADS, st.integers(0, 6), st.sampled_from(ALPHABET))
def test_is_checked_detects_every_wrong_character(payload, place, other):
    code = payload + check_character(payload)
    wrong = code[:place] + other + code[place + 1 :]

    assert is_checked(code)
    assert is_checked(wrong) == (wrong == code)


@given(PAYLOADS, st.integers(0, 5))
def test_is_checked_detects_every_swap_of_neighbours(payload, place):
    code = payload + check_character(payload)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    assert is_checked(swapped) == (swapped == code)


def test_is_checked_without_weights_would_miss_a_swap():
    """The twin: equal weights, as a plain digit sum has, cannot see two swapped characters."""
    first, second = "2345679", "3245679"

    assert sum(map(ALPHABET.index, first)) == sum(map(ALPHABET.index, second))
    assert check_character(first[:6]) != check_character(second[:6])


@given(PAYLOADS, st.data())
def test_canonical_code_forgives_case_spaces_and_dashes(payload, data):
    code = payload + check_character(payload)
    fillers = data.draw(st.lists(st.sampled_from(["", " ", "-", "\u2011", "\u00a0", "\u200b"]), min_size=7, max_size=7))
    typed = "".join(filler + letter for filler, letter in zip(fillers, code.lower(), strict=True))

    assert canonical_code(typed) == code


@pytest.mark.parametrize("text", ["", " - ", "a/b", "x" * 33, "x" * 10_000, "ÄNN4", "a\x00b", "../etc", "ann%20"])
def test_canonical_code_of_what_cannot_be_a_code_is_empty(text):
    assert canonical_code(text) == ""


def test_random_code_is_checked_and_never_rude():
    codes = [random_code() for _ in range(300)]

    assert all(is_checked(code) for code in codes)
    assert not [code for code in codes if "SEX" in code]


def test_random_code_draws_again_after_a_rude_word():
    letters = iter("SEX222" + "ANNANN")

    code = random_code(lambda _: next(letters))

    assert code[:6] == "ANNANN"


@pytest.mark.parametrize(
    ("code", "fits"), [("ANN", False), ("ANN4", True), ("A" * 20, True), ("A" * 21, False), ("ÄNNA", False)]
)
def test_vanity_problem_wants_4_to_20_letters_and_digits(code, fits):
    assert (vanity_problem(code) == "") == fits


def test_vanity_problem_refuses_reserved_words():
    assert {vanity_problem(word) for word in RESERVED if len(word) > 3} == {"this word is reserved"}
