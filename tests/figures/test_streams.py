"""Words and sound together: shares, places in seconds, words from pieces, text that stays text."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torchaudio

from sernb.core.errors import SernbError
from sernb.figures.sound import RATE
from sernb.figures.streams import (
    MOST,
    POINTS,
    _band,
    alignment_of_words,
    alignment_picture,
    fusion_attention,
    soft_alignment,
    streams,
)
from tests.figures.material import texts

WORDS = ["[CLS]", "not", "bad", "[SEP]"]


def wave(seconds):
    return np.sin(np.arange(round(16000 * seconds)) / 9).astype(np.float32)


def attention(words=WORDS, weights=(1, 3, 2, 0), starts=(0.0, 0.96), audio=(1.5, 0.5), seconds=2.0):
    return fusion_attention(list(words), np.array(weights), np.array(starts), np.array(audio), wave(seconds))


def test_attention_says_shares_of_words_and_sound():
    shown = texts(attention())
    assert {"words 75 %", "sound 25 %"} <= set(shown)
    for word, percent in zip(
        [*WORDS, None, None], ["12.5", "37.5", "25.0", "0.0", "18.8", "6.2"], strict=True
    ):
        assert percent in shown and (word is None or word in shown)


def test_attention_shades_both_streams_on_one_scale():
    figure = attention(weights=(0, 4, 0, 0), audio=(4, 0))
    _, top, bottom = figure.axes
    boxes = [p.get_facecolor() for p in top.patches]
    spans = [p for p in bottom.patches]
    assert boxes[1] == pytest.approx(spans[0].get_facecolor()) and boxes[0] == pytest.approx(
        spans[1].get_facecolor()
    )
    assert sum(boxes[1][:3]) < sum(boxes[0][:3])  # the more, the darker


def test_attention_stands_at_its_second():
    bottom = attention(starts=(0.0, 1.92), seconds=3.5).axes[2]
    places = [(p.get_x(), p.get_x() + p.get_width()) for p in bottom.patches]
    assert places == [pytest.approx((0, 0.96)), pytest.approx((1.92, 2.88))]
    assert bottom.get_xlim() == (0, pytest.approx(3.5)) and bottom.get_xlabel() == "time (s)"
    short = attention(starts=(0.0,), audio=(1,), seconds=0.3).axes[2]
    assert short.get_xlim() == (0, pytest.approx(0.96))  # an example that was padded is seen whole


@pytest.mark.parametrize(
    ("audio", "said"), [((0, 0), "words 100 %, sound 0 %"), ((594, 0), "words 1 %, sound 99 %")]
)
def test_a_share_too_narrow_for_its_words_still_says_them(audio, said):
    assert ", ".join(t.get_text() for t in attention(audio=audio).axes[0].texts) == said


@pytest.mark.parametrize("count", [1, 30, 70])
def test_long_and_many_words_stay_within_the_picture(count):
    words = (["donaudampfschifffahrtsgesellschaft", "$x$ $y$", "_a", "", "  ", "<b>", "né"] * 10)[:count]
    figure = attention(words, np.ones(count))
    figure.draw_without_rendering()
    top = figure.axes[1]
    assert len(top.patches) == min(count, MOST)
    for box in top.patches:
        inside = box.get_window_extent()
        assert inside.x0 >= 0 and inside.x1 <= figure.bbox.width and inside.y1 <= figure.bbox.height
    for word, box in zip(top.texts[::2], top.patches, strict=True):
        assert word.get_window_extent().width <= box.get_window_extent().width + 1
    rest = f"{count - MOST} more hold" in top.get_title(loc="left")
    assert rest == (count > MOST)


def test_bad_attention_is_named():
    cases = (
        ("each of the 4 words", {"weights": (1, 1, 1)}),
        ("each of the 2 seconds", {"audio": (1,)}),
        ("words must not have negative", {"weights": (1, 1, -1, 1)}),
        ("2 seconds.*finite", {"audio": (np.nan, 1)}),
        ("all attention weights are 0", {"weights": (0, 0, 0, 0), "audio": (0, 0)}),
    )
    for message, change in cases:
        with pytest.raises(SernbError, match=message):
            attention(**change)


def test_streams_have_tokens_waveform_and_examples():
    examples = np.random.default_rng(0).normal(size=(3, 96, 64))
    top, middle, bottom = streams(wave(3.2), examples, WORDS).axes[:3]
    assert [t.get_text() for t in top.texts] == WORDS
    assert top.get_title(loc="left") == "Text stream: 4 tokens"
    assert middle.get_title(loc="left") == "Sound: 3.20 s at 16000 Hz"
    assert bottom.get_title(loc="left") == "Audio stream: 3 examples of 0.96 s"
    image = bottom.images[0]
    assert image.get_extent() == [0, pytest.approx(2.88), 0, 64] and image.origin == "lower"
    assert np.array_equal(
        np.asarray(image.get_array())[:, 96 + 5], examples[1, 5]
    )  # frame 5 of the second example
    borders = [line.get_xdata()[0] for line in bottom.lines]
    assert borders == pytest.approx([0, 0.96, 1.92, 2.88])
    (dropped,) = middle.patches
    assert (dropped.get_x(), dropped.get_x() + dropped.get_width()) == pytest.approx((2.88, 3.2))
    assert middle.get_xlim() == bottom.get_xlim() == (0, pytest.approx(3.2))


def test_streams_of_a_recording_shorter_than_an_example():
    figure = streams(wave(0.3), np.zeros((1, 96, 64)), [])
    figure.draw_without_rendering()
    top, middle, bottom = figure.axes[:3]
    assert not middle.patches and middle.get_xlim() == (0, pytest.approx(0.96))
    assert top.get_title(loc="left") == "Text stream: 0 tokens"
    assert bottom.get_title(loc="left") == "Audio stream: 1 example of 0.96 s"
    for shape in ((0, 96, 64), (96, 64)):
        with pytest.raises(SernbError, match=str(shape[0])):
            streams(wave(1), np.zeros(shape), WORDS)


def test_mel_bands_stand_where_torchaudios_filters_peak():
    filters = torchaudio.functional.melscale_fbanks(8000, 125, 7500, 64, 16000).numpy()
    peaks = np.argmax(filters, 0) * 8000 / 7999
    np.testing.assert_allclose(_band(peaks[20:60], 64), np.arange(20, 60) + 0.5, atol=0.05)


STEP = 0.04
SPOKEN = ["not", "so", "bad"]
BOTH = pytest.mark.parametrize("draw", [soft_alignment, alignment_picture])


def alignment(words=3, states=25, seed=0):
    rows = np.random.default_rng(seed).random((words, states)) ** 4
    return rows / rows.sum(1, keepdims=True)


def noise(seconds=1.0, seed=0):
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
    with pytest.raises(SernbError, match=r"each of the 3 tokens.*got the shape \(4, 2\)"):
        alignment_of_words([0, 1, 2], rows, Pieces())


def test_a_row_of_the_map_is_a_words_row():
    rows = alignment()
    figure = soft_alignment(rows, SPOKEN, noise(), STEP)
    assert type(figure) is go.Figure and len(heats(figure)) == 3
    for number, (trace, row) in enumerate(zip(heats(figure), rows, strict=True)):
        np.testing.assert_allclose(trace.z, 100 * row[None], atol=6e-4)
        np.testing.assert_allclose(np.asarray(trace.x)[:2], [-0.02, 0.02])  # state 0 stands at 0 s
        assert np.asarray(trace.x)[-1] == pytest.approx(24.5 * STEP)
        assert np.mean(trace.y) == pytest.approx(number)
    assert figure.layout.yaxis2.ticktext == tuple(SPOKEN)
    low, high = figure.layout.yaxis2.range
    assert low > high  # the first word on top


def test_a_hover_names_the_word_and_where_it_listens_most():
    rows = np.full((2, 4), 0.2)
    rows[0, 3] = rows[1, 1] = 0.4
    figure = soft_alignment(rows, ["yes", "no"], noise(), 0.5)
    assert [trace.meta for trace in heats(figure)] == [("yes", "1.50 s (40.0 %)"), ("no", "0.50 s (40.0 %)")]
    assert all(
        "%{meta[0]}" in one.hovertemplate and "%{meta[1]}" in one.hovertemplate for one in heats(figure)
    )
    dots = figure.data[-1]
    assert list(dots.x) == [1.5, 0.5] and list(dots.y) == [0, 1] and dots.hoverinfo == "skip"


def test_waveform_and_words_share_one_axis_of_seconds():
    figure = soft_alignment(alignment(), SPOKEN, noise(1.3), STEP)
    assert {trace.xaxis for trace in figure.data} == {None} and figure.layout.xaxis.title.text == "time (s)"
    assert figure.layout.xaxis.range == (0, pytest.approx(1.3)) and figure.layout.xaxis.spikemode == "across"
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    longer = soft_alignment(alignment(states=50), SPOKEN, noise(1.3), STEP)
    assert longer.layout.xaxis.range[1] == pytest.approx(49.5 * STEP)


@pytest.mark.parametrize("seconds", [1 / RATE, 0.01, 0.12505, 0.1251, 3.0])
def test_the_outline_keeps_lowest_highest_and_time(seconds):
    sound = noise(seconds)
    sound[len(sound) // 2] = 0.9
    line = soft_alignment(alignment(), SPOKEN, sound, STEP).data[0]
    assert len(line.x) == len(line.y) <= 2 * POINTS
    assert (min(line.y), max(line.y)) == (sound.min(), sound.max())
    assert np.asarray(line.x)[int(np.argmax(line.y))] == pytest.approx(
        len(sound) // 2 / RATE, abs=seconds / POINTS + 1e-6
    )
    assert (np.diff(line.x) >= 0).all()


def test_all_words_share_the_scale_and_it_says_what_even_would_be():
    rows = alignment()
    figure = soft_alignment(rows, SPOKEN, noise(), STEP)
    assert figure.layout.coloraxis.cmin == 0 and figure.layout.coloraxis.cmax == pytest.approx(
        100 * rows.max()
    )
    assert {trace.coloraxis for trace in heats(figure)} == {"coloraxis"}
    assert "even attention: 4 everywhere" in figure.layout.coloraxis.colorbar.title.text


def test_the_picture_shows_the_same():
    rows = alignment()
    figure = alignment_picture(rows, SPOKEN, noise(), STEP, title="Layers 12→6")
    top, bottom = figure.axes[:2]
    mesh = bottom.collections[0]
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(3, 25), 100 * rows)
    (dots,) = [line for line in bottom.lines if line.get_gid() == "most"]
    np.testing.assert_allclose(dots.get_xdata(), rows.argmax(1) * STEP)
    assert [one.get_text() for one in bottom.get_yticklabels()] == SPOKEN
    assert bottom.get_ylim() == (2.5, -0.5) and bottom.get_xlim() == top.get_xlim() == (0, 1.0)
    assert figure.get_suptitle() == "Layers 12→6" and figure._repr_png_()[:4] == b"\x89PNG"


@BOTH
def test_one_word_and_one_state(draw):
    draw(np.ones((1, 1)), ["yes"], noise(0.02), STEP)
    draw(np.full((2, 5), 0.2), ["the", "the"], noise(0.2), STEP)


@BOTH
def test_words_and_titles_are_harmless(draw):
    bad = ["<img src=x onerror=alert(1)>", "%{x}<b>", "$\\alpha$ _a", "x" * 200, "&amp;", ""]
    figure = draw(alignment(6), bad, noise(), STEP, title="<script>alert(1)</script> $x$")
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
    figure = draw(alignment(MOST + 5), [f"w{i}" for i in range(MOST + 5)], noise(), STEP)
    title = figure.layout.title.text if isinstance(figure, go.Figure) else figure.get_suptitle()
    assert title.endswith("(the first 60 of 65 words)")
    drawn = (
        figure.layout.yaxis2.ticktext if isinstance(figure, go.Figure) else figure.axes[1].get_yticklabels()
    )
    assert len(drawn) == MOST


def test_a_page_stays_small():
    assert len(soft_alignment(alignment(20, 250), ["word"] * 20, noise(10), STEP).to_json()) < 200_000


@BOTH
def test_bad_input_is_named(draw):
    rows = alignment()
    padded = rows.copy()
    padded[1] = 0
    spoilt = rows.copy()
    spoilt[2, 0] = np.nan
    cases = (
        (r"each of the 2 words, got the shape \(3, 25\)", rows, SPOKEN[:2], noise(), STEP),
        (r"got the shape \(25,\)", rows[0], SPOKEN, noise(), STEP),
        (r"got the shape \(0, 25\)", rows[:0], [], noise(), STEP),
        ("word 'so' adds up to 0.*cut padding off", padded, SPOKEN, noise(), STEP),
        ("word 'bad' adds up to nan", spoilt, SPOKEN, noise(), STEP),
        ("word 'not' adds up to 1:", np.array([[-0.5, 1.5]]), ["not"], noise(), STEP),
        (r"waveform.*\(0,\)", rows, SPOKEN, noise()[:0], STEP),
        (r"waveform.*\(2, 5\)", rows, SPOKEN, np.zeros((2, 5)), STEP),
        ("finite", rows, SPOKEN, np.full(100, np.nan), STEP),
        ("step is 0", rows, SPOKEN, noise(), 0),
    )
    for message, *given in cases:
        with pytest.raises(SernbError, match=message):
            draw(*given)
