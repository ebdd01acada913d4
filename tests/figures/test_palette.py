"""The shared look: colours that everybody tells apart, no global state, text as it stands."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sernb import figures
from sernb.core.tables import EMOTIONS
from sernb.evaluation import bootstrap
from sernb.figures.palette import EMOTION_COLORS, EMOTION_MARKERS
from tests.figures.material import FRONT_END, maps, predictions, texts, utterances


def test_every_emotion_has_a_colour_and_a_marker():
    assert set(EMOTION_COLORS) == set(EMOTIONS) == set(EMOTION_MARKERS)
    assert len(set(EMOTION_MARKERS.values())) == len(EMOTIONS)


# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(color, sight):
    srgb = np.array(to_rgb(color))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(SIGHT[sight]) @ linear, 0, 1)
    to_xyz = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
    x = to_xyz @ linear / np.array([0.9505, 1, 1.0888])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_emotion_colours_stay_apart(sight):
    for a, b in itertools.combinations(EMOTION_COLORS, 2):
        apart = np.linalg.norm(lab(EMOTION_COLORS[a], sight) - lab(EMOTION_COLORS[b], sight))
        assert apart > 20, (a, b, sight)


def some_figures():
    answers, rated = predictions(n=40), utterances()
    yield figures.confusion_matrix(answers)
    yield figures.group_scores(answers)
    yield figures.spectrogram(np.zeros((40, 20)), FRONT_END)
    yield figures.attention_maps(np.zeros((40, 20)), {"bottom-up": maps()["bottom-up"]}, FRONT_END)
    yield figures.class_balance(answers, by="speaker")
    yield figures.class_shares(rated, {"sad": 1, "angry": 2}, "elsewhere")
    yield figures.measures_by_emotion({"ratings": rated[["arousal"]]}, rated["emotion"])
    yield figures.feature_map({"$x$": (np.zeros((60, 2)), rated["speaker"])})


def test_figures_leave_no_global_state_and_show_themselves():
    from matplotlib import pyplot

    open_figures, settings = pyplot.get_fignums(), dict(matplotlib.rcParams)
    np.random.random(5)  # noqa: NPY002
    state = np.random.get_state()  # noqa: NPY002
    for figure in some_figures():
        assert figure._repr_png_().startswith(b"\x89PNG") and figure.get_size_inches()[0] <= 9
    assert dict(matplotlib.rcParams) == settings and pyplot.get_fignums() == open_figures
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], state[1]) and after[2] == state[2]  # the key, and how far it is used up


def test_names_with_dollar_signs_are_shown_as_they_are():
    answers = predictions("$x_1$ and $\\y$", n=40).assign(speaker="a$b$")
    for figure in (
        figures.confusion_matrix(answers),
        figures.group_scores(answers),
        figures.model_comparison(bootstrap(answers, n=20)),
    ):
        figure.draw_without_rendering()  # a formula that is none would raise here
        assert any("$x_1$ and $\\y$" in text for text in texts(figure))
        assert not any(text.get_parse_math() for text in figure.findobj(matplotlib.text.Text))
