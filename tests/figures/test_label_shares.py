"""A score against the share of labels: lines, intervals, the reference, and tables that cannot be drawn."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sernb import figures
from sernb.core.errors import SernbError


def table(starts=("no pretraining", "MCED"), shares=(1, 1 / 3, 0.2), **columns):
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
    (ax,) = figures.label_shares(table()).axes
    without, pretrained = lines(ax, "start")
    np.testing.assert_allclose(without.get_ydata(), [44, 100 * (0.4 + 0.2 / 3), 60])
    np.testing.assert_allclose(pretrained.get_ydata(), [54, 100 * (0.5 + 0.2 / 3), 70])
    np.testing.assert_allclose(without.get_xdata(), [0.2, 1 / 3, 1], rtol=0.02)
    assert (without.get_xdata() < pretrained.get_xdata()).all()  # intervals stand side by side
    assert [one.get_text() for one in ax.get_xticklabels()] == ["1/5", "1/3", "all"]
    ends = [segment[:, 1] for part in ax.collections for segment in part.get_segments()]
    np.testing.assert_allclose(sorted(map(tuple, ends))[0], [39, 49])


def test_the_reference_is_the_largest_share_of_its_start():
    (ax,) = figures.label_shares(table(), reference="no pretraining", chance=0.25).axes
    (line,) = lines(ax, "reference")
    np.testing.assert_allclose(line.get_ydata(), [60, 60])
    names = [one.get_text() for one in ax.figure.findobj(matplotlib.text.Text)]
    assert "no pretraining, all labels: 60.0" in names and "chance" in names


def test_counts_stand_below_the_shares_and_names_are_harmless():
    found = table(("_$a$", "b"), labels=[660, 220, 132] * 2)
    figure = figures.label_shares(found, title="$x$ <b>")
    assert [one.get_text() for one in figure.axes[0].get_xticklabels()] == [
        "1/5\n(132)",
        "1/3\n(220)",
        "all\n(660)",
    ]
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_one_share_without_an_interval():
    found = table(shares=(1,)).assign(low=np.nan, high=np.nan)
    (ax,) = figures.label_shares(found).axes
    assert len(lines(ax, "start")) == 2
    figures.label_shares(found)._repr_png_()


def test_tables_that_cannot_be_drawn():
    with pytest.raises(SernbError, match="column share"):
        figures.label_shares(table().drop(columns="share"))
    with pytest.raises(SernbError, match="stand twice"):
        figures.label_shares(pd.concat([table(), table()]))
    with pytest.raises(SernbError, match=r"1 at most; there is 2"):
        figures.label_shares(table(shares=(1, 2)))
    with pytest.raises(SernbError, match="no start 'other'"):
        figures.label_shares(table(), reference="other")
