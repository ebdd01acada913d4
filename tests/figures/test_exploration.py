"""The figures of notebook 01, checked by what they say."""

import json

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.evaluation import words
from sernb.evaluation.separation import explained, relative_to_speaker
from sernb.figures.corpus import MOST
from sernb.figures.palette import EMOTION_COLORS


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def utterances(n=60, seed=0):
    rng = np.random.default_rng(seed)
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    table = pd.DataFrame({"emotion": rng.choice(["sad", "angry", "happy"], n)}, index)
    table["speaker"] = [f"s{i % 4}" for i in range(n)]
    table["text"] = [f"line {i}" for i in range(n)]
    for dimension in ("arousal", "valence", "dominance"):
        table[dimension] = rng.integers(4, 21, n) / 4
    table.attrs["scale"] = (1, 5)
    return table


def test_class_shares_count_only_the_labels_of_the_reference():
    table = pd.DataFrame({"emotion": ["sad"] * 3 + ["angry"] + ["bored"] * 2 + [None]})
    figure = figures.class_shares(table, {"sad": 20, "angry": 60}, "elsewhere")
    assert {"75.0 %  (3)", "25.0 %  (1)", "25.0 %  (20)", "75.0 %  (60)"} <= set(texts(figure))
    assert "(2 of other emotions left out)" in figure.axes[0].get_title(loc="left")
    with pytest.raises(SernbError, match="fearful"):
        figures.class_shares(table, {"fearful": 1}, "elsewhere")


def test_class_balance_of_many_speakers_shows_the_largest_and_sums_the_rest():
    speakers = [f"s{i:02d}" for i in range(40) for _ in range(40 - i)]
    table = pd.DataFrame({"speaker": speakers, "emotion": "sad"})
    ax = figures.class_balance(table, by="speaker").axes[0]
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert len(names) == MOST + 1 and names[0] == "s00" and names[-1] == f"{40 - MOST} others"
    assert sum(bar.get_width() for bar in ax.patches) == len(table)


def test_measures_have_a_panel_for_each_way_and_say_what_is_explained():
    table = utterances()
    pitch = pd.DataFrame({"pitch": np.arange(60.0) + 100 * (table["emotion"] == "sad")}, table.index)
    ways = {"as recorded": pitch, "within speakers": relative_to_speaker(pitch, table["speaker"])}
    figure = figures.measures_by_emotion(ways, table["emotion"], {"pitch": "pitch (Hz)"}, table["speaker"])
    raw, own = figure.axes
    assert (raw.get_xlabel(), own.get_xlabel()) == ("pitch (Hz)", "pitch (deviations)")
    assert [t.get_text() for t in raw.get_yticklabels()] == ["happy", "sad", "angry"]
    share = 100 * explained(pitch["pitch"], table["emotion"])
    assert raw.get_title(loc="left").startswith(f"as recorded: emotion {share:.0f} %, speaker ")
    medians = [np.median(line.get_xdata()) for line in raw.lines if len(set(line.get_xdata())) == 1]
    assert any(m == pytest.approx(pitch["pitch"][table["emotion"] == "sad"].median()) for m in medians)


def test_measures_of_the_unlabelled_and_the_unvaried():
    table = pd.DataFrame({"emotion": ["sad", "sad", None]}, index=list("abc"))
    flat = pd.DataFrame({"words": [6.0, 6.0, 900.0]}, index=list("abc"))
    ax = figures.measures_by_emotion({"length": flat}, table["emotion"]).axes[0]
    assert ax.get_title(loc="left") == "length" and ax.get_xlim()[1] < 10
    with pytest.raises(SernbError, match="no utterance"):
        figures.measures_by_emotion({"length": flat}, table["emotion"].iloc[2:])
    whispered = flat.assign(pitch=np.nan)  # nothing voiced: the panel is left out
    assert len(figures.measures_by_emotion({"voice": whispered}, table["emotion"]).axes) == 1
    with pytest.raises(SernbError, match="none of the measures"):
        figures.measures_by_emotion({"voice": whispered[["pitch"]]}, table["emotion"])


def test_the_plane_tells_the_utterance_and_draws_the_means():
    table = utterances()
    figure = figures.affect_plane(table, jitter=0)
    dots = {trace.name: trace for trace in figure.data if trace.customdata is not None}
    assert set(dots) == {"sad", "angry", "happy"}
    rows = table[table["emotion"] == "sad"]
    assert sorted(one[0] for one in dots["sad"].customdata) == sorted(rows.index)
    at = {
        one[0]: (x, y) for one, x, y in zip(dots["sad"].customdata, dots["sad"].x, dots["sad"].y, strict=True)
    }
    name = rows.index[0]
    assert at[name] == (rows.loc[name, "valence"], rows.loc[name, "arousal"])
    hover = next(one[1] for one in dots["sad"].customdata if one[0] == name)
    assert f"<b>{name}</b> · sad · speaker {rows.loc[name, 'speaker']}" in hover
    assert f"“{rows.loc[name, 'text']}”" in hover and f"arousal {rows.loc[name, 'arousal']:.2f}" in hover
    means = [trace for trace in figure.data if trace.customdata is None]
    assert len(means) == 3 and {round(m.x[0], 6) for m in means} == set(
        table.groupby("emotion")["valence"].mean().round(6)
    )
    assert figure.layout.xaxis.title.text == "valence (1 to 5)"
    assert dots["sad"].marker.color == EMOTION_COLORS["sad"]


def test_the_planes_buttons_bring_other_dimensions():
    table = utterances()
    buttons = figures.affect_plane(table, jitter=0).layout.updatemenus[0].buttons
    assert [b.label for b in buttons] == [
        "arousal over valence",
        "dominance over valence",
        "arousal over dominance",
    ]
    data, titles = buttons[1].args
    figure = figures.affect_plane(table, jitter=0)
    names = [one[0] for one in figure.data[0].customdata]
    assert list(data["y"][0]) == list(table.loc[names, "dominance"])
    assert len(data["x"]) == len(figure.data) and titles["yaxis.title.text"] == "dominance (1 to 5)"
    assert not figures.affect_plane(table.drop(columns="dominance")).layout.updatemenus


def test_jitter_stays_within_half_a_step_and_comes_back():
    table = utterances()
    still, moved, again = (figures.affect_plane(table, jitter=j).data[0] for j in (0, None, None))
    apart = np.abs(np.array(still.x) - np.array(moved.x))
    assert 0 < apart.max() <= 0.125 and list(moved.x) == list(again.x)


def test_the_plane_escapes_and_does_without_labels():
    table = utterances(4).drop(columns=["emotion", "speaker"])
    table["text"] = "<img src=x onerror=y> </script> " + "long " * 60
    table.index = pd.Index([f"<b>{i}" for i in range(4)], name="utterance")
    figure = figures.affect_plane(table)
    assert [trace.name for trace in figure.data] == ["no label"]
    shown = json.dumps([one[1] for one in figure.data[0].customdata])
    assert "<img" not in shown and "</script" not in shown and "&lt;img" in shown and "<b>&lt;b&gt;0" in shown
    assert all(len(line) < 100 for one in figure.data[0].customdata for line in one[1].split("<br>"))
    with pytest.raises(SernbError, match="'arousal'"):
        figures.affect_plane(table.drop(columns="arousal"))


def test_a_large_plane_shows_some_and_says_so(monkeypatch):
    monkeypatch.setattr("sernb.figures.affect.MOST", 20)
    figure = figures.affect_plane(utterances())
    assert sum(len(t.x) for t in figure.data if t.customdata is not None) == 20
    assert "20 of 60" in figure.layout.title.text


def test_annotators():
    table = pd.DataFrame(
        {
            "annotators": 4,
            "utterances": 9,
            "unanimous": 0.5,
            "alpha": [0.5, -0.1],
            "low": [0.4, -0.3],
            "high": [0.6, 0.1],
        },
        index=["emotion", "arousal"],
    )
    heard = pd.DataFrame([[0.75, 0.25], [0.5, 0.5]], ["sad", "angry"], ["sad", "angry"])
    figure = figures.annotator_agreement(table, heard)
    assert {"0.50 [0.40, 0.60]", "75", "25", "chance"} <= set(texts(figure))
    assert figure.axes[0].get_xlim()[0] < -0.3
    assert len(figures.annotator_agreement(table).axes) == 1


def test_telling_words_are_faint_below_the_bar():
    said = pd.Series(["bad day", "bad luck", "good day", "good luck"] * 5)
    table, _ = words.log_odds(said, pd.Series(["sad", "sad", "happy", "happy"] * 5))
    figure = figures.telling_words(table, bar=0.1)
    sad = figure.axes[1]
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["happy", "sad"]
    assert "bad  10:0" in texts(figure) and len(sad.patches) == 1  # day and luck tell nothing
    assert sad.patches[0].get_facecolor()[:3] == pytest.approx(
        matplotlib.colors.to_rgb(EMOTION_COLORS["sad"])
    )
    faint = figures.telling_words(table, bar=99.0).axes[1].patches[0]
    assert faint.get_facecolor()[:3] == pytest.approx(matplotlib.colors.to_rgb("#d9d9d9"))


def test_the_map_names_a_few_groups_and_colours_many():
    places = np.random.default_rng(0).normal(size=(60, 2))
    table = utterances()
    many = pd.Series([f"p{i}" for i in range(60)])
    by_emotion, by_many = figures.feature_map(
        {"emotion": (places, table["emotion"]), "people": (places, many)}
    ).axes
    assert [t.get_text() for t in by_emotion.get_legend().get_texts()] == ["happy", "sad", "angry"]
    assert sum(len(c.get_offsets()) for c in by_emotion.collections) == 60
    assert by_many.get_legend() is None and by_many.get_xlabel() == "60 groups, a colour each"


@pytest.mark.filterwarnings("error:Glyph")
def test_labels_that_begin_with_an_underscore_stand_in_the_legends():
    labels = pd.Series(["_other", "sad", "__init__"] * 20)
    feature = figures.feature_map({"way": (np.random.default_rng(0).normal(size=(60, 2)), labels)})
    balance = figures.class_balance(pd.DataFrame({"emotion": labels, "speaker": ["ann"] * 60}), by="speaker")
    for figure, legend in ((feature, feature.axes[0].get_legend()), (balance, balance.legends[0])):
        assert {t.get_text().lstrip("\u200b") for t in legend.get_texts()} == set(labels)
        figure.draw_without_rendering()


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_the_maps_legends_fit_into_the_picture(panels):
    places = np.random.default_rng(0).normal(size=(64, 2))
    people = pd.Series([f"Ses0{i % 16}F" for i in range(64)])
    figure = figures.feature_map({f"way {i}": (places, people) for i in range(panels)})
    figure.draw_without_rendering()
    for ax in figure.axes:
        box = ax.get_legend().get_window_extent()
        assert box.y0 >= 0 and box.x0 >= 0 and box.x1 <= figure.bbox.width


def test_spectrograms_share_their_axes():
    figure = figures.spectrograms({"one $a$": np.eye(40, 20), "two": np.eye(40, 60), "three": np.eye(40, 30)})
    assert len(figure.axes) == 3 and len({ax.get_xlim() for ax in figure.axes}) == 1
    assert figure.axes[0].get_xlim()[1] > 0.6
    figure.draw_without_rendering()


def test_they_leave_no_global_state_and_show_themselves():
    from matplotlib import pyplot

    open_figures, settings = pyplot.get_fignums(), dict(matplotlib.rcParams)
    np.random.random(5)  # noqa: NPY002
    state = np.random.get_state()  # noqa: NPY002
    table = utterances()
    for figure in (
        figures.class_shares(table, {"sad": 1, "angry": 2}, "elsewhere"),
        figures.measures_by_emotion({"ratings": table[["arousal"]]}, table["emotion"]),
        figures.feature_map({"$x$": (np.zeros((60, 2)), table["speaker"])}),
    ):
        assert figure._repr_png_().startswith(b"\x89PNG") and figure.get_size_inches()[0] <= 9
    assert dict(matplotlib.rcParams) == settings and pyplot.get_fignums() == open_figures
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], state[1]) and after[2] == state[2]  # the key, and how far it is used up
