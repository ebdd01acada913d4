"""What a corpus holds, checked by what the figures say."""

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
from tests.figures.material import texts, utterances


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
    with pytest.raises(SernbError, match="column session"):
        figures.class_balance(u, by="session")


def test_labels_of_the_users_own_have_a_colour():
    u = pd.DataFrame({"emotion": ["tired", "sad"]})
    assert len(figures.class_balance(u).axes[0].patches) == 2


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
    colors = [dots.get_facecolor()[0, :3] for dots in by_emotion.collections]
    np.testing.assert_allclose(
        colors, [matplotlib.colors.to_rgb(EMOTION_COLORS[e]) for e in ("happy", "sad", "angry")]
    )
    assert by_many.get_legend() is None and by_many.get_xlabel() == "60 groups, a colour each"


@pytest.mark.filterwarnings("error:Glyph")
def test_labels_that_begin_with_an_underscore_stand_in_the_legends():
    labels = pd.Series(["_other", "sad", "__init__"] * 20)
    feature = figures.feature_map({"way": (np.random.default_rng(0).normal(size=(60, 2)), labels)})
    balance = figures.class_balance(pd.DataFrame({"emotion": labels, "speaker": ["ann"] * 60}), by="speaker")
    for figure, legend in ((feature, feature.axes[0].get_legend()), (balance, balance.legends[0])):
        assert {t.get_text() for t in legend.get_texts()} == set(labels)
        figure.draw_without_rendering()


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_the_maps_legends_fit_into_the_picture(panels):
    places = np.random.default_rng(0).normal(size=(64, 2))
    people = pd.Series([f"Ses0{i % 16}F" for i in range(64)])
    figure = figures.feature_map({f"way {i}": (places, people) for i in range(panels)})
    figure.draw_without_rendering()
    assert all(
        len(dots.get_facecolor()) == 1 for ax in figure.axes for dots in ax.collections
    )  # a colour a group
    for ax in figure.axes:
        box = ax.get_legend().get_window_extent()
        assert box.y0 >= 0 and box.x0 >= 0 and box.x1 <= figure.bbox.width
