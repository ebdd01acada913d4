"""Scores of classes, checked by what the figures say: numbers, labels, units."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap, confusion, scores
from tests.figures.material import predictions, texts


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


def answers(model="m", count=200, seed=0):
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.5, 1, count)
    right = rng.random(count) < sure
    rows = {"model": model, "emotion": np.where(right, "happy", "sad"), "predicted": "happy"}
    rows |= {"p_happy": sure, "p_sad": 1 - sure}
    return pd.DataFrame(rows, pd.Index([f"u{n}" for n in range(count)], name="utterance"))


def of(ax, gid):
    return [one for one in ax.lines if one.get_gid() == gid]


def test_a_line_a_model_that_ends_at_its_accuracy():
    both = pd.concat([answers("a"), answers("b", seed=1)])
    (ax,) = figures.abstaining(both).axes
    for line, (_, rows) in zip(of(ax, "model"), both.groupby("model"), strict=True):
        right = (rows["emotion"] == rows["predicted"]).mean()
        assert line.get_xdata()[-1] == 100 and line.get_ydata()[-1] == pytest.approx(100 * right)
        assert line.get_xdata()[0] == 10  # 20 of 200
        order = np.argsort(-rows["p_happy"].to_numpy())[:100]
        assert line.get_ydata()[80] == pytest.approx(
            100 * (rows["emotion"] == "happy").to_numpy()[order].mean()
        )
    for points in of(ax, "points"):
        np.testing.assert_allclose(points.get_xdata(), np.arange(10, 101, 10))
    names = [one.get_text() for one in ax.findobj(matplotlib.text.Annotation)]
    assert any(one.startswith("a: ") for one in names) and any(one.startswith("b: ") for one in names)


def test_few_utterances_and_names_that_would_be_formulas():
    figure = figures.abstaining(answers("_$a$ <b>", 4), title="$x$")
    (line,) = of(figure.axes[0], "model")
    assert len(line.get_xdata()) == 4 and figure._repr_png_()[:4] == b"\x89PNG"


def test_equal_models_have_labels_apart():
    (ax,) = figures.abstaining(pd.concat([answers("a"), answers("b"), answers("c")])).axes
    heights = sorted(one.xyann[1] for one in ax.findobj(matplotlib.text.Annotation))
    assert np.diff(heights).min() >= 3 - 1e-9


def test_without_probabilities_there_is_nothing_to_draw():
    with pytest.raises(SernbError, match="cannot abstain"):
        figures.abstaining(answers().drop(columns=["p_happy", "p_sad"]))


def shares_table(starts=("no pretraining", "MCED"), shares=(1, 1 / 3, 0.2), **columns):
    rows = [
        {"start": start, "share": share, "value": 0.4 + 0.1 * number + 0.2 * share}
        for number, start in enumerate(starts)
        for share in shares
    ]
    found = pd.DataFrame(rows)
    return found.assign(low=found["value"] - 0.05, high=found["value"] + 0.05, **columns)


def lines(ax, gid):
    return [one for one in ax.lines if one.get_gid() == gid]


def test_a_line_a_start_with_shares_in_order_and_in_per_cent():
    (ax,) = figures.label_shares(shares_table()).axes
    without, pretrained = lines(ax, "start")
    np.testing.assert_allclose(without.get_ydata(), [44, 100 * (0.4 + 0.2 / 3), 60])
    np.testing.assert_allclose(pretrained.get_ydata(), [54, 100 * (0.5 + 0.2 / 3), 70])
    np.testing.assert_allclose(without.get_xdata(), [0.2, 1 / 3, 1], rtol=0.02)
    assert (without.get_xdata() < pretrained.get_xdata()).all()  # intervals stand side by side
    assert [one.get_text() for one in ax.get_xticklabels()] == ["1/5", "1/3", "all"]
    ends = [segment[:, 1] for part in ax.collections for segment in part.get_segments()]
    np.testing.assert_allclose(sorted(map(tuple, ends))[0], [39, 49])


def test_the_reference_is_the_largest_share_of_its_start():
    (ax,) = figures.label_shares(shares_table(), reference="no pretraining", chance=0.25).axes
    (line,) = lines(ax, "reference")
    np.testing.assert_allclose(line.get_ydata(), [60, 60])
    names = [one.get_text() for one in ax.figure.findobj(matplotlib.text.Text)]
    assert "no pretraining, all labels: 60.0" in names and "chance" in names


def test_counts_stand_below_the_shares_and_names_are_harmless():
    found = shares_table(("_$a$", "b"), labels=[660, 220, 132] * 2)
    figure = figures.label_shares(found, title="$x$ <b>")
    assert [one.get_text() for one in figure.axes[0].get_xticklabels()] == [
        "1/5\n(132)",
        "1/3\n(220)",
        "all\n(660)",
    ]
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_one_share_without_an_interval():
    found = shares_table(shares=(1,)).assign(low=np.nan, high=np.nan)
    (ax,) = figures.label_shares(found).axes
    assert len(lines(ax, "start")) == 2
    figures.label_shares(found)._repr_png_()


def test_tables_that_cannot_be_drawn():
    with pytest.raises(SernbError, match="column share"):
        figures.label_shares(shares_table().drop(columns="share"))
    with pytest.raises(SernbError, match="stand twice"):
        figures.label_shares(pd.concat([shares_table(), shares_table()]))
    with pytest.raises(SernbError, match=r"1 at most; there is 2"):
        figures.label_shares(shares_table(shares=(1, 2)))
    with pytest.raises(SernbError, match="no start 'other'"):
        figures.label_shares(shares_table(), reference="other")
