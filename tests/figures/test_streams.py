"""Both streams of an utterance, and what the fusion looks at: shares, places in seconds, ugly words."""

import matplotlib
import numpy as np
import pytest
import torchaudio

from sernb.core.errors import SernbError
from sernb.figures.streams import MOST, _band, fusion_attention, streams

WORDS = ["[CLS]", "not", "bad", "[SEP]"]


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


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
        (r"each of the 4 words.*\(3,\)", {"weights": (1, 1, 1)}),
        (r"each of the 2 seconds.*\(1,\)", {"audio": (1,)}),
        ("words must be finite", {"weights": (1, 1, -1, 1)}),
        ("seconds must be finite", {"audio": (np.nan, 1)}),
        ("all attention weights are 0", {"weights": (0, 0, 0, 0), "audio": (0, 0)}),
    )
    for message, change in cases:
        with pytest.raises(SernbError, match=message):
            attention(**change)


def test_streams_have_tokens_waveform_and_examples():
    examples = np.random.default_rng(0).normal(size=(3, 96, 64))
    top, middle, bottom = streams(wave(3.2), 16000, examples, WORDS).axes[:3]
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
    figure = streams(wave(0.3), 16000, np.zeros((1, 96, 64)), [])
    figure.draw_without_rendering()
    top, middle, bottom = figure.axes[:3]
    assert not middle.patches and middle.get_xlim() == (0, pytest.approx(0.96))
    assert top.get_title(loc="left") == "Text stream: 0 tokens"
    assert bottom.get_title(loc="left") == "Audio stream: 1 example of 0.96 s"
    for shape in ((0, 96, 64), (96, 64)):
        with pytest.raises(SernbError, match=str(shape[0])):
            streams(wave(1), 16000, np.zeros(shape), WORDS)


def test_mel_bands_stand_where_torchaudios_filters_peak():
    filters = torchaudio.functional.melscale_fbanks(8000, 125, 7500, 64, 16000).numpy()
    peaks = np.argmax(filters, 0) * 8000 / 7999
    np.testing.assert_allclose(_band(peaks[20:60], 64), np.arange(20, 60) + 0.5, atol=0.05)
