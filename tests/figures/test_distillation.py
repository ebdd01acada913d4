"""Confusions with and without distillation, and parameters counted twice."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.figures.distillation import confusion_difference, two_counts


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def rows(model, seed, truth, said):
    index = pd.Index([f"u{i}" for i in range(len(truth))], name="utterance")
    return pd.DataFrame(
        {"model": model, "seed": seed, "emotion": list(truth), "predicted": list(said)}, index
    )


def cells(ax):
    return [t.get_text() for t in ax.texts]


def test_difference_by_hand():
    """Two seeds: sad is right in 1 of 2 and 2 of 2 without (75 %), always with; angry 50 % and then 25 %."""
    truth = ["sad"] * 2 + ["angry"] * 4
    without = [
        ["sad", "angry", "angry", "angry", "sad", "sad"],
        ["sad", "sad", "angry", "angry", "sad", "sad"],
    ]
    with_it = [["sad", "sad", "angry", "sad", "sad", "sad"]] * 2
    table = pd.concat([rows(m, s, truth, one[s]) for m, one in (("small", without), ("small + KD", with_it)) for s in (0, 1)])  # fmt: skip
    figure = confusion_difference(table, "small", "small + KD")
    a, b, difference = figure.axes[:3]
    assert cells(a) == ["75.0", "25.0", "50.0", "50.0"]
    assert cells(b) == ["100.0", "0.0", "75.0", "25.0"]
    assert cells(difference) == ["+25.0", "−25.0", "+25.0", "−25.0"]
    assert [ax.get_title(loc="left") for ax in (a, b, difference)] == [
        "small\nUAR 62.5 %",
        "small + KD\nUAR 62.5 %",
        "second minus first\nUAR +0.0 points",
    ]
    assert figure.get_suptitle() == "Confusions, mean of 2 seeds"
    low, high = difference.collections[0].get_clim()
    assert low == -high == -25 and a.collections[0].get_clim() == (0, 100)


def test_seeds_are_averaged_not_pooled():
    """One of 1 and none of 3: the mean of the shares is 50 %, the pooled share would be 25 %."""
    table = pd.concat(
        [
            rows("m", 0, ["sad", "angry"], ["sad", "angry"]),
            rows("m", 1, ["sad"] * 3 + ["angry"], ["angry"] * 4),
        ]
    )
    table = pd.concat([table, table.assign(model="n")])
    figure = confusion_difference(table, "m", "n")
    assert cells(figure.axes[0])[0] == "50.0" and cells(figure.axes[2]) == ["0.0"] * 4


def test_a_class_that_is_never_true_or_that_one_model_alone_names():
    table = pd.concat(
        [rows("m", 0, ["sad", "sad"], ["sad", "sad"]), rows("n", 0, ["sad", "sad"], ["bored", "sad"])]
    )
    figure = confusion_difference(table, "m", "n")
    figure.draw_without_rendering()
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["sad", "bored"]
    assert cells(figure.axes[2]) == ["−50.0", "+50.0", "–", "–"]


def test_eight_classes_long_names_and_dollars():
    rng = np.random.default_rng(0)
    classes = [
        "neutral",
        "happy",
        "sad",
        "angry",
        "fearful",
        "bored",
        "$own$ label",
        "an exceedingly long label",
    ]
    truth = rng.choice(classes, 200)
    table = pd.concat([rows(m, 0, truth, rng.choice(classes, 200)) for m in ("$a$ " + "long " * 20, "_b")])
    figure = confusion_difference(table, *table["model"].unique())
    figure.draw_without_rendering()
    for ax in figure.axes[:3]:
        assert len(ax.texts) == 64 and all(ax.texts)
        width = ax.get_window_extent().width / 8
        assert max(t.get_window_extent().width for t in ax.texts) < width


def test_models_that_are_not_there_are_named():
    table = rows("m", 0, ["sad"], ["sad"])
    with pytest.raises(SernbError, match=r"'n'.*there are: m"):
        confusion_difference(table, "m", "n")


COUNTS = [
    ("teacher", "embeddings", np.nan, 23_837_184),
    ("teacher", "layers", 85_054_464, 85_054_464),
    ("teacher", "head", 1_000_000, 3_000_000),
    ("student", "layers", 14_175_744, 14_175_744),
]


def table(rows=COUNTS):
    return pd.DataFrame(rows, columns=["model", "module", "published", "all"])


def test_two_counts_add_up_and_hatch_what_was_left_out():
    figure = two_counts(table())
    ax = figure.axes[0]
    assert {"86.05 M  published count", "111.89 M  all parameters", "14.18 M  published count"} <= set(
        texts(figure)
    )
    hatched = [p.get_width() for p in ax.patches if p.get_hatch()]
    assert hatched == pytest.approx([23.837184, 2.0])
    ends = [p.get_x() + p.get_width() for p in ax.patches]
    assert max(ends) == pytest.approx(111.891648)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["teacher", "student"]
    assert ax.get_xlabel() == "million parameters"
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["embeddings", "layers", "head", "left out of the published count"]


def test_two_counts_of_small_models_are_in_thousands():
    figure = two_counts(table([("tiny", "_all $of$ it", 1500, 2500)]))
    figure.draw_without_rendering()
    assert {"1.50 k  published count", "2.50 k  all parameters", "thousand parameters"} <= set(texts(figure))


def test_counts_that_cannot_be_are_named():
    cases = (
        ("published", table().drop(columns="published")),
        ("'layers' stands twice", table([*COUNTS, COUNTS[1]])),
        ("'head' of 'x' has 5 parameters, published are 7", table([("x", "head", 7, 5)])),
        ("at least one row", table([])),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            two_counts(wrong)
