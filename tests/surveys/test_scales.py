import pytest

from surveys.scales import NPS, NPS_LABELS, SCALES, score_of_text


@pytest.mark.parametrize(("text", "score"), [("0", 0), ("9", 9), ("10", 10)])
def test_score_of_text_reads_a_step_of_the_scale(text, score):
    assert score_of_text(text, NPS) == score


@pytest.mark.parametrize("text", ["", "11", "-1", "9.0", "nine", " 9", "٩", "9" * 5000, "1e1", "²"])
def test_score_of_text_is_none_for_anything_else(text):
    assert score_of_text(text, NPS) is None


def test_every_step_of_the_scale_has_words():
    assert len(NPS_LABELS) == len(SCALES[NPS].steps())
    assert NPS_LABELS[9] == "very likely"
