"""The CCC against the word error rate, and real recognisers beside the curve."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def curve(targets=("valence", "arousal"), **columns):
    rows = [{"wer": w, "target": t, "value": 0.6 - 0.2 * w} for t in targets for w in (0.5, 0.0, 1.0)]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1, **columns)


def test_the_curve_of_word_errors_and_its_recognisers():
    asr = pd.DataFrame({"name": ["Whisper $tiny$", "PocketSphinx"], "wer": [0.241, 0.6], "target": "valence",
                        "value": [0.5, 0.45], "low": [0.4, np.nan], "high": [0.6, np.nan]})  # fmt: skip
    figure = figures.wer_curve(curve(), asr, {"valence": 0.35})
    arousal, valence = figure.axes
    (line,) = [one for one in valence.lines if one.get_gid() == "curve"]
    np.testing.assert_allclose(line.get_data(), [[0, 50, 100], [0.6, 0.5, 0.4]])
    marks = [one.get_data() for one in valence.lines if one.get_gid() == "recogniser"]
    np.testing.assert_allclose(np.ravel(marks), [24.1, 0.5, 60, 0.45])
    assert [list(one.get_ydata()) for one in valence.lines if one.get_gid() == "without"] == [[0.35, 0.35]]
    assert {one.get_gid() for one in arousal.lines} == {"curve"}
    assert {
        r"Whisper \$tiny\$ (WER 24.1 %)",
        "PocketSphinx (WER 60.0 %)",
        "speech alone",
        "word error rate (%)",
    } <= set(texts(figure))


def test_curves_of_systems_a_single_point_and_bad_tables():
    both = figures.wer_curve(pd.concat([curve(system="human words"), curve(system="corrupted words")]))
    assert [len(ax.lines) for ax in both.axes] == [2, 2] and "human words" in texts(both)
    point = curve(["valence"]).iloc[1:2].assign(low=np.nan, high=np.nan)
    (ax,) = figures.wer_curve(point).axes
    assert ax.get_xlim()[1] >= 10
    with pytest.raises(SernbError, match=r"0 or more.*-0\.5"):
        figures.wer_curve(curve().assign(wer=[-0.5, 0, 1] * 2))
    with pytest.raises(SernbError, match="stand twice"):
        figures.wer_curve(pd.concat([curve(), curve()]))
    with pytest.raises(SernbError, match="column name"):
        figures.wer_curve(curve(), curve())


def test_marks_at_one_rate_stand_apart_and_long_names_below_one_another():
    names = ["learnt the words of people, reads a machine's", "learnt and reads a machine's"]
    asr = pd.DataFrame(
        {"name": names, "wer": 0.7, "target": "valence", "value": 0.4, "low": 0.3, "high": 0.5}
    )
    figure = figures.wer_curve(curve(["valence"]), asr)
    first, second = [one for one in figure.axes[0].lines if one.get_gid() == "recogniser"]
    assert first.get_xdata()[0] == pytest.approx(69) and second.get_xdata()[0] == pytest.approx(71)
    assert first.get_color() != second.get_color()
    assert figure.legends[0]._ncols == 1 and f"{names[0]} (WER 70.0 %)" in texts(figure)


def test_speech_alone_may_have_an_interval():
    (ax,) = figures.wer_curve(curve(["valence"]), without_text={"valence": (0.35, 0.3, 0.4)}).axes
    (line,) = [one for one in ax.lines if one.get_gid() == "without"]
    assert list(line.get_ydata()) == [0.35, 0.35]
    (band,) = [one for one in ax.patches if one.get_gid() == "without"]
    assert (band.get_y(), band.get_height()) == (0.3, pytest.approx(0.1))


def test_a_categorical_system_keeps_its_colour():
    systems = pd.CategoricalDtype(["speech", "both", "words"])
    table = pd.concat([curve(["valence"], system=one) for one in ("words", "both")]).astype(
        {"system": systems}
    )
    both, words = figures.wer_curve(table).axes[0].lines
    only = figures.wer_curve(table[table["system"] == "words"])
    assert only.axes[0].lines[0].get_color() == words.get_color() != both.get_color()
    assert "speech" not in texts(only)
