"""The map of words and time: numbers and hovers, words from pieces, text that stays text."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from sernb.core.errors import SernbError
from sernb.figures.soft_alignment import (
    MOST,
    POINTS,
    alignment_of_words,
    alignment_picture,
    soft_alignment,
)

RATE, STEP = 16000, 0.04
WORDS = ["not", "so", "bad"]
BOTH = pytest.mark.parametrize("draw", [soft_alignment, alignment_picture])


def alignment(words=3, states=25, seed=0):
    rows = np.random.default_rng(seed).random((words, states)) ** 4
    return rows / rows.sum(1, keepdims=True)


def wave(seconds=1.0, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)


def heats(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


class Pieces:
    """A tokenizer of four tokens."""

    def convert_ids_to_tokens(self, ids):
        return [["not", "un", "##hap", "##py"][i] for i in ids]


def test_pieces_become_words_by_the_mean_of_their_rows():
    rows = np.array([[0.5, 0.5], [1.0, 0.0], [0.7, 0.3], [0.1, 0.9]])
    words, found = alignment_of_words([0, 1, 2, 3], rows, Pieces())
    assert words == ["not", "unhappy"]
    np.testing.assert_allclose(found, [[0.5, 0.5], [0.6, 0.4]])
    words, found = alignment_of_words([1, 0], rows[:2], Pieces())
    assert words == ["un", "not"] and (found == rows[:2]).all()
    assert alignment_of_words([], np.zeros((0, 5)), Pieces())[0] == []
    with pytest.raises(SernbError, match=r"each of the 3 tokens, got the shape \(4, 2\)"):
        alignment_of_words([0, 1, 2], rows, Pieces())


def test_a_row_of_the_map_is_a_words_row():
    rows = alignment()
    figure = soft_alignment(rows, WORDS, wave(), STEP)
    assert type(figure) is go.Figure and len(heats(figure)) == 3
    for number, (trace, row) in enumerate(zip(heats(figure), rows, strict=True)):
        np.testing.assert_allclose(trace.z, 100 * row[None], atol=6e-4)
        np.testing.assert_allclose(np.asarray(trace.x)[:2], [-0.02, 0.02])  # state 0 stands at 0 s
        assert np.asarray(trace.x)[-1] == pytest.approx(24.5 * STEP)
        assert np.mean(trace.y) == pytest.approx(number)
    assert figure.layout.yaxis2.ticktext == tuple(WORDS)
    low, high = figure.layout.yaxis2.range
    assert low > high  # the first word on top


def test_a_hover_names_the_word_and_where_it_listens_most():
    rows = np.full((2, 4), 0.2)
    rows[0, 3] = rows[1, 1] = 0.4
    figure = soft_alignment(rows, ["yes", "no"], wave(), 0.5)
    assert [trace.meta for trace in heats(figure)] == [("yes", "1.50 s (40.0 %)"), ("no", "0.50 s (40.0 %)")]
    assert all(
        "%{meta[0]}" in one.hovertemplate and "%{meta[1]}" in one.hovertemplate for one in heats(figure)
    )
    dots = figure.data[-1]
    assert list(dots.x) == [1.5, 0.5] and list(dots.y) == [0, 1] and dots.hoverinfo == "skip"


def test_waveform_and_words_share_one_axis_of_seconds():
    figure = soft_alignment(alignment(), WORDS, wave(1.3), STEP)
    assert {trace.xaxis for trace in figure.data} == {None} and figure.layout.xaxis.title.text == "time (s)"
    assert figure.layout.xaxis.range == (0, pytest.approx(1.3)) and figure.layout.xaxis.spikemode == "across"
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    longer = soft_alignment(alignment(states=50), WORDS, wave(1.3), STEP)
    assert longer.layout.xaxis.range[1] == pytest.approx(49.5 * STEP)


@pytest.mark.parametrize("seconds", [1 / RATE, 0.01, 0.12505, 0.1251, 3.0])
def test_the_outline_keeps_lowest_highest_and_time(seconds):
    sound = wave(seconds)
    sound[len(sound) // 2] = 0.9
    line = soft_alignment(alignment(), WORDS, sound, STEP).data[0]
    assert len(line.x) == len(line.y) <= 2 * POINTS
    assert (min(line.y), max(line.y)) == (sound.min(), sound.max())
    assert np.asarray(line.x)[int(np.argmax(line.y))] == pytest.approx(
        len(sound) // 2 / RATE, abs=seconds / POINTS + 1e-6
    )
    assert (np.diff(line.x) >= 0).all()


def test_all_words_share_the_scale_and_it_says_what_even_would_be():
    rows = alignment()
    figure = soft_alignment(rows, WORDS, wave(), STEP)
    assert figure.layout.coloraxis.cmin == 0 and figure.layout.coloraxis.cmax == pytest.approx(
        100 * rows.max()
    )
    assert {trace.coloraxis for trace in heats(figure)} == {"coloraxis"}
    assert "even attention: 4 everywhere" in figure.layout.coloraxis.colorbar.title.text


def test_the_picture_shows_the_same():
    rows = alignment()
    figure = alignment_picture(rows, WORDS, wave(), STEP, title="Layers 12→6")
    top, bottom = figure.axes[:2]
    mesh = bottom.collections[0]
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(3, 25), 100 * rows)
    (dots,) = [line for line in bottom.lines if line.get_gid() == "most"]
    np.testing.assert_allclose(dots.get_xdata(), rows.argmax(1) * STEP)
    assert [one.get_text() for one in bottom.get_yticklabels()] == WORDS
    assert bottom.get_ylim() == (2.5, -0.5) and bottom.get_xlim() == top.get_xlim() == (0, 1.0)
    assert figure.get_suptitle() == "Layers 12→6" and figure._repr_png_()[:4] == b"\x89PNG"


@BOTH
def test_one_word_and_one_state(draw):
    draw(np.ones((1, 1)), ["yes"], wave(0.02), STEP)
    draw(np.full((2, 5), 0.2), ["the", "the"], wave(0.2), STEP)


@BOTH
def test_words_and_titles_are_harmless(draw):
    bad = ["<img src=x onerror=alert(1)>", "%{x}<b>", "$\\alpha$ _a", "x" * 200, "&amp;", ""]
    figure = draw(alignment(6), bad, wave(), STEP, title="<script>alert(1)</script> $x$")
    if isinstance(figure, go.Figure):
        text = json.dumps(json.loads(figure.to_json()), ensure_ascii=False)
        assert "<img" not in text and "<script" not in text and "&lt;script&gt;" in figure.layout.title.text
        assert all(len(one) < 40 for one in figure.layout.yaxis2.ticktext)
        assert (
            heats(figure)[1].meta[0] == "%{x}&lt;b&gt;" and "%{x}&lt;" not in heats(figure)[1].hovertemplate
        )
        assert heats(figure)[4].meta[0] == "&amp;amp;"
    else:
        figure._repr_png_()  # a formula that is none would raise here


@BOTH
def test_many_words_are_cut_and_the_title_says_so(draw):
    figure = draw(alignment(MOST + 5), [f"w{i}" for i in range(MOST + 5)], wave(), STEP)
    title = figure.layout.title.text if isinstance(figure, go.Figure) else figure.get_suptitle()
    assert title.endswith("(the first 60 of 65 words)")
    drawn = (
        figure.layout.yaxis2.ticktext if isinstance(figure, go.Figure) else figure.axes[1].get_yticklabels()
    )
    assert len(drawn) == MOST


def test_a_page_stays_small():
    assert len(soft_alignment(alignment(20, 250), ["word"] * 20, wave(10), STEP).to_json()) < 200_000


@BOTH
def test_bad_input_is_named(draw):
    rows = alignment()
    padded = rows.copy()
    padded[1] = 0
    spoilt = rows.copy()
    spoilt[2, 0] = np.nan
    cases = (
        (r"each of the 2 words, got the shape \(3, 25\)", rows, WORDS[:2], wave(), STEP),
        (r"got the shape \(25,\)", rows[0], WORDS, wave(), STEP),
        (r"got the shape \(0, 25\)", rows[:0], [], wave(), STEP),
        ("word 'so' adds up to 0.*cut padding off", padded, WORDS, wave(), STEP),
        ("word 'bad' adds up to nan", spoilt, WORDS, wave(), STEP),
        ("word 'not' adds up to 1:", np.array([[-0.5, 1.5]]), ["not"], wave(), STEP),
        (r"waveform.*\(0,\)", rows, WORDS, wave()[:0], STEP),
        (r"waveform.*\(2, 5\)", rows, WORDS, np.zeros((2, 5)), STEP),
        ("finite", rows, WORDS, np.full(100, np.nan), STEP),
        ("step is 0", rows, WORDS, wave(), 0),
    )
    for message, *given in cases:
        with pytest.raises(SernbError, match=message):
            draw(*given)
