import pytest

from surveys.scales import NPS, SCALES, score_of_text
from surveys.words import step_label


@pytest.mark.parametrize(("text", "score"), [("0", 0), ("9", 9), ("10", 10)])
def test_score_of_text_reads_a_step_of_the_scale(text, score):
    assert score_of_text(text, NPS) == score


@pytest.mark.parametrize("text", ["", "11", "-1", "9.0", "nine", " 9", "٩", "9" * 5000, "1e1", "²"])
def test_score_of_text_is_none_for_anything_else(text):
    assert score_of_text(text, NPS) is None


@pytest.mark.parametrize("kind", SCALES)
def test_every_step_of_a_scale_has_words_of_its_own(kind):
    words = [step_label(kind, step) for step in SCALES[kind].steps()]

    assert len(set(words)) == len(SCALES[kind].steps())
    assert step_label(NPS, 9) == "very likely"


@pytest.mark.parametrize(
    ("kind", "levels"),
    [("nps", "lllllllmmhh"), ("csat", "llmhh"), ("ces", "lllmhhh")],
)
def test_level_of_every_step(kind, levels):
    scale = SCALES[kind]

    assert "".join(scale.level_of(step)[0] for step in scale.steps()) == levels
