"""Figures are checked by what they say: numbers, labels, units, and text from corpora left harmless."""

import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from sernb import figures
from sernb.core.errors import SernbError
from sernb.core.tables import EMOTIONS
from sernb.evaluation import bootstrap, confusion, recalls, scores
from sernb.figures.attention import upsample
from sernb.figures.palette import EMOTION_COLORS, EMOTION_MARKERS

CLASSES = ["neutral", "happy", "sad", "angry"]


def predictions(model="cnn", n=160, accuracy=0.7, seed=0, classes=CLASSES):
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n)
    said = np.where(rng.random(n) < accuracy, truth, rng.choice(classes, n))
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    speaker = [f"s{i % 5}" for i in range(n)]
    return pd.DataFrame(
        {"fold": speaker, "model": model, "speaker": speaker, "emotion": truth, "predicted": said}, index
    )


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


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


def test_confusion_matrix_shows_counts_and_row_shares():
    p = predictions()
    ax = figures.confusion_matrix(p).axes[0]
    counts = confusion(p)
    cells = [t.get_text() for t in ax.texts]
    share = counts.div(counts.sum(axis=1), axis=0) * 100
    expected = [f"{counts.loc[t, q]}\n{share.loc[t, q]:.0f} %" for t in counts.index for q in counts.columns]
    assert cells == expected
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        f"{c} ({n})" for c, n in counts.sum(axis=1).items()
    ]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted emotion", "true emotion (utterances)")
    assert f"UAR {100 * scores(p).loc['cnn', 'UAR']:.1f} %" in ax.get_title(loc="left")


def test_confusion_matrix_of_a_class_that_is_never_true():
    p = predictions().assign(emotion="sad")
    cells = [t.get_text() for t in figures.confusion_matrix(p).axes[0].texts]
    assert cells.count("0\n0 %") >= 12
    with pytest.raises(SernbError, match="cnn, other"):
        figures.confusion_matrix(pd.concat([p, p.assign(model="other")]))


def test_confusion_matrix_counts_every_seed():
    p = predictions(n=20, accuracy=1)
    figure = figures.confusion_matrix(pd.concat([p.assign(seed=0), p.assign(seed=1)]))
    assert "counts of 2 seeds" in figure.axes[0].get_title(loc="left")


def test_model_comparison_draws_the_intervals():
    p = pd.concat([predictions("a"), predictions("b", accuracy=0.5, seed=1), predictions("c", seed=2)])
    table = bootstrap(p, metric=["UAR", "WA"], unit="speaker", n=200)
    figure = figures.model_comparison(table, references={"chance": {"UAR": 0.25}})
    assert [ax.get_xlabel() for ax in figure.axes] == ["UAR (%)", "WA (%)"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["a", "b", "c"]
    shown = texts(figure)
    for _, row in table.iterrows():
        v, low, high = 100 * row[["value", "low", "high"]].astype(float)
        assert f"{v:.1f} [{low:.1f}, {high:.1f}]" in shown
    spans = [line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert list(spans[0]) == pytest.approx(list(100 * table.iloc[0][["low", "high"]].astype(float)))
    assert "chance" in shown and shown.count("chance") == 1
    assert "Models compared, 95 % interval by speaker (rough), 5 speakers" in shown


def test_model_comparison_without_an_interval_shows_the_value_alone():
    table = pd.DataFrame(
        {"model": ["a"], "metric": ["UAR"], "value": [0.5], "low": [np.nan], "high": [np.nan]}
    )
    assert "50.0" in texts(figures.model_comparison(table))


def test_setting_comparison():
    rows = [
        (s, p, 0.5 + i / 50)
        for i, (s, p) in enumerate(itertools.product(["mulaw", "log"], ["gap", "attention"]))
    ]
    table = pd.DataFrame(rows, columns=["scaling", "pooling", "value"])
    figure = figures.setting_comparison(table, "scaling", "pooling", chance=0.25)
    ax, shown = figure.axes[0], texts(figure)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["mulaw", "log"]
    assert {"50.0", "52.0", "54.0", "56.0", "chance", "gap", "attention"} <= set(shown)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("scaling", "UAR (%)")
    with pytest.raises(SernbError, match="mulaw, gap"):
        figures.setting_comparison(pd.concat([table, table]), "scaling", "pooling")
    with pytest.raises(SernbError, match="depth"):
        figures.setting_comparison(table, "scaling", "depth")


def test_group_scores_have_a_dot_for_each_speaker():
    p = pd.concat([predictions("a"), predictions("b", accuracy=0.5, seed=1)])
    figure = figures.group_scores(p)
    ax = figure.axes[0]
    expected = scores(p, by=("model", "speaker"))["UAR"] * 100
    for collection, model in zip(ax.collections, "ab", strict=True):
        assert sorted(collection.get_offsets()[:, 1]) == pytest.approx(sorted(expected[model]))
        assert f"mean {expected[model].mean():.1f}" in texts(figure)
        assert {expected[model].idxmin(), expected[model].idxmax()} <= set(texts(figure))
    assert ax.get_ylabel() == "UAR (%)"
    assert figures.group_scores(p, by="fold", metric="WA").axes[0].get_title(loc="left") == "WA by fold (5)"


def test_spectrogram_axes_are_in_seconds_and_kilohertz():
    values = np.random.default_rng(0).random((400, 197))
    figure = figures.spectrogram(values, unit="dB")
    ax, bar = figure.axes
    left, right, bottom, top = ax.images[0].get_extent()
    # The first 40 ms window is centred at 0.02 s, the last at 1.96 + 0.02 s; a column is 10 ms wide.
    assert (left, right) == (pytest.approx(0.015), pytest.approx(1.985))
    assert (bottom, top) == (pytest.approx(-0.005), pytest.approx(3.995))
    assert (ax.get_xlabel(), ax.get_ylabel(), bar.get_ylabel()) == ("time (s)", "frequency (kHz)", "dB")
    assert np.array_equal(ax.images[0].get_array(), values)
    assert ax.images[0].origin == "lower"


def test_sound_has_one_time_axis():
    waveform = np.sin(np.arange(16000 * 3) / 10).astype(np.float32)
    figure = figures.sound(waveform, np.zeros((400, 297)), title="03a01 $5 and $6")
    top, bottom = figure.axes[:2]
    assert top.get_xlim() == bottom.get_xlim() == (0, pytest.approx(3, abs=0.01))
    assert top.lines[0].get_xdata()[-1] == pytest.approx(3, abs=0.001)
    assert top.get_ylabel() == "amplitude"
    figure.draw_without_rendering()  # dollar signs are no formula
    figures.sound(np.zeros(0), np.zeros((4, 2))).draw_without_rendering()


def test_upsampling_keeps_places_and_constants():
    assert upsample(np.full((5, 3), 2.0), (40, 30)) == pytest.approx(np.full((40, 30), 2.0))
    small = np.zeros((50, 25))
    small[10, 20] = 1
    big = upsample(small, (400, 200))
    assert big.shape == (400, 200)
    rows, columns = np.unravel_index(np.argsort(big.ravel())[-4:], big.shape)
    assert rows.mean() == pytest.approx(83.5) and columns.mean() == pytest.approx(
        163.5
    )  # the middle of cell (10, 20)
    assert upsample(np.zeros((7, 3)), (400, 200)).shape == (400, 200)


def maps(classes=CLASSES):
    rng = np.random.default_rng(0)
    top_down = {c: rng.normal(size=(50, 25)) for c in classes}
    bottom_up = rng.random((50, 25)) / 1250
    return {
        "bottom-up": bottom_up,
        "top-down": top_down,
        "product": {c: m * bottom_up for c, m in top_down.items()},
    }


@pytest.mark.parametrize(("classes", "panels"), [(CLASSES, 10), (list(EMOTIONS[:7]), 16)])
def test_attention_maps_have_a_panel_each_and_one_legend(classes, panels):
    figure = figures.attention_maps(np.random.default_rng(0).random((400, 200)), maps(classes))
    *drawn, bar = figure.axes
    assert len(drawn) == panels
    titles = [ax.get_title(loc="left") for ax in drawn]
    assert titles[:3] == ["spectrogram", "bottom-up", f"top-down: {classes[0]}"]
    assert titles[-1] == f"product: {classes[-1]}"
    assert [len(ax.images) for ax in drawn] == [1] + [2] * (panels - 1)
    assert "against" in bar.get_ylabel() and bar.get_ylim() == (-1, 1)
    assert drawn[-1].get_xlabel() == "time (s)"


def test_attention_maps_tell_for_from_against_at_the_right_place():
    one = np.zeros((50, 25))
    one[5, 5], one[40, 20] = 2.0, -1.0
    other = np.full((50, 25), 4.0)
    figure = figures.attention_maps(np.zeros((400, 200)), {"top-down": {"sad": one, "angry": other}})
    sad, angry = (ax.images[1].get_array() for ax in figure.axes[1:3])
    for_it, against, nothing = sad[44, 44], sad[324, 164], sad[200, 100]
    assert for_it[0] > for_it[2] and against[2] > against[0]  # orange, blue
    assert nothing[3] == 0  # the spectrogram shows through
    assert angry[0, 0, 3] > for_it[3] > against[3]  # one scale in the group


def test_attention_maps_refuse_what_is_not_a_map():
    with pytest.raises(SernbError, match=r"'top-down'.*\(2, 50, 25\)"):
        figures.attention_maps(np.zeros((400, 200)), {"top-down": {"sad": np.zeros((2, 50, 25))}})
    with pytest.raises(SernbError, match="NaN"):
        figures.attention_maps(np.zeros((400, 200)), {"bottom-up": np.full((50, 25), np.nan)})
    figures.attention_maps(np.zeros((400, 200)), {"bottom-up": np.zeros((50, 25))}).draw_without_rendering()


def test_filter_shapes_are_in_hertz_and_milliseconds():
    shapes = [(2, 2), (10, 2), (100, 2), (2, 8), (2, 80)]
    p = predictions()
    each = pd.concat([scores(p), recalls(p)], axis=1).iloc[0].to_dict()
    table = pd.DataFrame([{"height": h, "width": w, **each} for h, w in shapes])
    figure = figures.filter_shapes(table)
    top, bottom = figure.axes
    assert [t.get_text() for t in top.get_xticklabels()] == ["20", "100", "1000"]
    assert [t.get_text() for t in bottom.get_xticklabels()] == ["20", "80", "800"]
    assert "(Hz)" in top.get_xlabel() and "(ms)" in bottom.get_xlabel()
    assert len(top.lines) == len(bottom.lines) == 5  # four emotions and WA
    assert top.lines[-1].get_ydata() == pytest.approx([100 * each["WA"]] * 3)
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == [*CLASSES, "WA (all emotions)"]
    with pytest.raises(SernbError, match="width"):
        figures.filter_shapes(table.drop(columns="width"))


def test_learning_curves_draw_folds_and_their_mean():
    rows = [
        (e, part, e / 10 + f / 100, e / 10 + f / 100, f, 0.05)
        for e in range(1, 6)
        for part in ("train", "validation")
        for f in range(3)
    ]
    history = pd.DataFrame(rows, columns=["epoch", "part", "loss", "UAR", "fold", "learning_rate"])
    figure = figures.learning_curves(history, drops=(3,))
    loss, uar = figure.axes
    assert (loss.get_ylabel(), uar.get_ylabel(), uar.get_xlabel()) == ("loss", "UAR (%)", "epoch")
    full = [line for line in uar.lines if len(line.get_xdata()) == 5]
    assert len(full) == 2 * 3 + 2
    assert any(
        line.get_ydata() == pytest.approx([11, 21, 31, 41, 51]) for line in full
    )  # the mean over folds, in %
    labels = [t.get_text() for t in loss.get_legend().get_texts()]
    assert labels == ["train", "validation", "learning rate falls"]
    alone = figures.learning_curves(
        pd.DataFrame({"epoch": [1, 2], "loss": [1.0, 0.5], "learning_rate": [0.1, 0.1]})
    )
    assert len(alone.axes) == 1 and alone.axes[0].get_legend().get_texts()[0].get_text() == "train"
    with pytest.raises(SernbError, match="epoch"):
        figures.learning_curves(history.drop(columns="epoch"))


def test_class_balance_counts():
    u = pd.DataFrame({"emotion": ["sad"] * 6 + ["angry"] * 3 + [None], "speaker": ["s1", "s2"] * 5})
    figure = figures.class_balance(u)
    ax = figure.axes[0]
    assert [b.get_width() for b in ax.patches] == [6, 3]
    assert {"6  (67 %)", "3  (33 %)"} <= set(texts(figure))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["sad", "angry"]
    assert ax.get_title(loc="left") == "9 utterances (1 without an emotion left out)"
    by = figures.class_balance(u, by="speaker").axes[0]
    assert [b.get_width() for b in by.patches] == [3, 3, 2, 1]  # sad of s1 and s2, angry of s1 and s2
    assert by.get_ylabel() == "speaker"
    with pytest.raises(SernbError, match="'session'"):
        figures.class_balance(u, by="session")


def all_figures():
    p = predictions()
    yield figures.confusion_matrix(p)
    yield figures.model_comparison(bootstrap(p, n=50))
    yield figures.setting_comparison(pd.DataFrame({"x": ["a"], "hue": ["b"], "value": [0.5]}), "x", "hue")
    yield figures.group_scores(p)
    yield figures.spectrogram(np.zeros((40, 20)))
    yield figures.attention_maps(np.zeros((40, 20)), maps())
    yield figures.class_balance(p)
    yield figures.class_balance(p, by="speaker")


def test_figures_leave_no_global_state_and_show_themselves():
    from matplotlib import pyplot

    settings, open_figures, state = (
        dict(matplotlib.rcParams),
        pyplot.get_fignums(),
        np.random.get_state()[1].copy(),  # noqa: NPY002
    )
    for figure in all_figures():
        assert figure._repr_png_().startswith(b"\x89PNG")
        assert figure.get_size_inches()[0] <= 9
    assert dict(matplotlib.rcParams) == settings
    assert pyplot.get_fignums() == open_figures
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_names_with_dollar_signs_are_shown_as_they_are():
    p = predictions(model="$x_1$ and $y").assign(speaker="a$b$")
    for figure in (
        figures.confusion_matrix(p),
        figures.group_scores(p),
        figures.model_comparison(bootstrap(p, n=20)),
    ):
        figure.draw_without_rendering()
        assert any(r"\$x_1\$" in t for t in texts(figure))


def test_labels_of_the_users_own_have_a_colour():
    u = pd.DataFrame({"emotion": ["tired", "sad"]})
    assert len(figures.class_balance(u).axes[0].patches) == 2
