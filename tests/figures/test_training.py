"""Learning curves, filter shapes, layer weights and probes by layer: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sernb import figures
from sernb.core.errors import SernbError
from sernb.evaluation import recalls, scores
from tests.figures.material import CLASSES, FRONT_END, predictions, texts

TARGETS = ("valence", "arousal", "dominance")


def test_filter_shapes_are_in_hertz_and_milliseconds():
    shapes = [(2, 2), (10, 2), (100, 2), (2, 8), (2, 80)]
    p = predictions()
    each = pd.concat([scores(p), recalls(p)], axis=1).iloc[0].to_dict()
    table = pd.DataFrame([{"height": h, "width": w, **each} for h, w in shapes])
    figure = figures.filter_shapes(table, FRONT_END)
    top, bottom = figure.axes
    assert [t.get_text() for t in top.get_xticklabels()] == ["20", "100", "1000"]
    assert [t.get_text() for t in bottom.get_xticklabels()] == ["20", "80", "800"]
    assert "(Hz)" in top.get_xlabel() and "(ms)" in bottom.get_xlabel()
    assert len(top.lines) == len(bottom.lines) == 5  # four emotions and WA
    assert top.lines[-1].get_ydata() == pytest.approx([100 * each["WA"]] * 3)
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == [*CLASSES, "WA (all emotions)"]
    with pytest.raises(SernbError, match="width"):
        figures.filter_shapes(table.drop(columns="width"), FRONT_END)


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


def weights(layers=4, seeds=(0, 1, 2), targets=TARGETS, **columns):
    rng, rows = np.random.default_rng(0), []
    for target in targets:
        for seed in seeds:
            for layer, weight in enumerate(rng.dirichlet(np.full(layers, 5.0))):
                rows.append({"layer": layer, "target": target, "seed": seed, "weight": weight})
    return pd.DataFrame(rows).assign(**columns)


def probes(layers=4, targets=TARGETS, **columns):
    rng = np.random.default_rng(1)
    rows = [
        {"layer": n, "target": target, "value": rng.random()} for target in targets for n in range(layers)
    ]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.2, **columns)


def lines(ax, kind):
    return [line for line in ax.lines if line.get_gid() == kind]


def test_weights_are_drawn_with_their_mean_seeds_and_interval():
    table = weights()
    figure = figures.layer_weights(table)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["arousal", "valence", "dominance"]
    for ax in figure.axes:
        rows = table[table["target"] == ax.get_title(loc="left")]
        each = 100 * rows.pivot(index="layer", columns="seed", values="weight")
        np.testing.assert_allclose([line.get_ydata() for line in lines(ax, "seed")], each.T)
        (mean,), (start,) = lines(ax, "mean"), lines(ax, "start")
        np.testing.assert_allclose(mean.get_ydata(), each.mean(axis=1))
        assert list(mean.get_xdata()) == [0, 1, 2, 3] and list(start.get_ydata()) == [25, 25]
        low, high = stats.t.interval(0.95, 2, each.loc[0].mean(), stats.sem(each.loc[0]))
        (band,) = ax.collections
        at_zero = {round(y, 6) for x, y in band.get_paths()[0].vertices if x == 0}
        assert at_zero == {round(low, 6), round(high, 6)}
        low, high = ax.get_ylim()
        assert low == 0 and high > each.max().max()
    assert "start of training: 1/4 = 25.0 %" in texts(figure) and "weight of the layer (%)" in texts(figure)


def test_one_seed_of_one_target_has_no_interval():
    figure = figures.layer_weights(weights(seeds=[7], targets=["valence"]))
    (ax,) = figure.axes
    assert not ax.collections and not lines(ax, "seed") and len(lines(ax, "mean")) == 1
    assert "one seed" in texts(figure)


def test_kinds_of_features_are_lines_of_their_own():
    both = pd.concat([weights(features="$raw$"), weights(features="layer-normalised")])
    figure = figures.layer_weights(both)
    assert [len(lines(ax, "mean")) for ax in figure.axes] == [2, 2, 2]
    assert not lines(figure.axes[0], "seed")
    assert {"$raw$", "layer-normalised"} <= set(texts(figure))
    styles = {(line.get_color(), line.get_linestyle()) for line in lines(figure.axes[0], "mean")}
    assert len({c for c, _ in styles}) == len({s for _, s in styles}) == 2


def test_weights_that_hardly_move_lie_in_the_middle_of_the_panel():
    table = weights(seeds=[0]).assign(weight=0.25)
    assert figures.layer_weights(table).axes[0].get_ylim() == (22, 28)


def test_bad_weights_are_named():
    table = weights()
    cases = (
        ("column seed", table.drop(columns="seed")),
        ("at least one row", table.iloc[:0]),
        ("stand twice.*layer 0", pd.concat([table, table])),
        ("valence seed 0 has no weight of layer 2", table.drop(index=2)),
        ("valence seed 0 add up to 2", table.assign(weight=table["weight"] * 2)),
        ("not negative", table.assign(weight=np.tile([1.5, -0.5, 0, 0], 9))),
        ("add up to nan", table.assign(weight=np.nan)),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            figures.layer_weights(wrong)


def test_probes_are_drawn_and_the_best_has_its_number():
    table = pd.concat([probes(features="trained"), probes(features="random weights").assign(value=0.1)])
    figure = figures.layer_scores(table)
    for ax in figure.axes:
        rows = table[(table["target"] == ax.get_title(loc="left")) & (table["features"] == "trained")]
        np.testing.assert_allclose(lines(ax, "mean")[0].get_ydata(), rows["value"])
        assert len(lines(ax, "mean")) == len(ax.collections) == 2
        assert ax.texts[0].get_text() == f"{rows['value'].max():.2f}"
        assert ax.texts[0].xy == pytest.approx(
            (rows.loc[rows["value"].idxmax(), "layer"], rows["value"].max())
        )
    assert {"trained", "random weights", "CCC"} <= set(texts(figure))


def test_scores_of_classes_are_per_cent_and_need_no_interval():
    table = probes(targets=["emotion"]).assign(low=np.nan, high=np.nan)
    (ax,) = figures.layer_scores(table, "UAR", chance=0.25).axes
    np.testing.assert_allclose(lines(ax, "mean")[0].get_ydata(), 100 * table["value"])
    assert ax.get_ylabel() == "UAR (%)" and list(lines(ax, "chance")[0].get_ydata()) == [25, 25]
    mixed = figures.layer_scores(table, "UAR", mixed={"emotion": 0.6}).axes[0]
    assert list(lines(mixed, "mixed")[0].get_ydata()) == [60, 60]
    missing = figures.layer_scores(table.assign(value=np.nan))
    assert not lines(missing.axes[0], "mean")
    with pytest.raises(SernbError, match="column high"):
        figures.layer_scores(table.drop(columns="high"))
    with pytest.raises(SernbError, match="stand twice"):
        figures.layer_scores(pd.concat([table, table]))
