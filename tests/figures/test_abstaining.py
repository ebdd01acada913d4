"""Answer only when sure: lines, points at every tenth, names beside the lines."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError


def table(model="m", count=200, seed=0):
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.5, 1, count)
    right = rng.random(count) < sure
    rows = {"model": model, "emotion": np.where(right, "happy", "sad"), "predicted": "happy"}
    rows |= {"p_happy": sure, "p_sad": 1 - sure}
    return pd.DataFrame(rows, pd.Index([f"u{n}" for n in range(count)], name="utterance"))


def of(ax, gid):
    return [one for one in ax.lines if one.get_gid() == gid]


def test_a_line_a_model_that_ends_at_its_accuracy():
    both = pd.concat([table("a"), table("b", seed=1)])
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
    figure = figures.abstaining(table("_$a$ <b>", 4), title="$x$")
    (line,) = of(figure.axes[0], "model")
    assert len(line.get_xdata()) == 4 and figure._repr_png_()[:4] == b"\x89PNG"


def test_equal_models_have_labels_apart():
    (ax,) = figures.abstaining(pd.concat([table("a"), table("b"), table("c")])).axes
    heights = sorted(one.xyann[1] for one in ax.findobj(matplotlib.text.Annotation))
    assert np.diff(heights).min() >= 3 - 1e-9


def test_without_probabilities_there_is_nothing_to_draw():
    with pytest.raises(SernbError, match="cannot abstain"):
        figures.abstaining(table().drop(columns=["p_happy", "p_sad"]))
