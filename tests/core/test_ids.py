import re

from core.ids import new_id


def test_new_id_is_a_prefix_and_26_unmistakable_letters():
    assert re.fullmatch(r"ref_[0-7][0-9A-HJKMNP-TV-Z]{25}", new_id("ref"))


def test_new_id_never_comes_twice():
    assert len({new_id("x") for _ in range(10_000)}) == 10_000


def test_new_id_carries_128_bits(monkeypatch):
    seen = []
    for number in (0, 2**128 - 1, 2**127):
        monkeypatch.setattr("core.ids.secrets.randbits", lambda bits, number=number: number)
        seen.append(new_id("x"))

    assert seen == ["x_" + "0" * 26, "x_7" + "Z" * 25, "x_4" + "0" * 25]
