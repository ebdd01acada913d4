import numpy as np
import pytest

from sernb.core.errors import SernbError
from sernb.figures.concordance import concordance_panels


def test_each_panel_says_r_and_ccc_of_its_guess():
    truth = np.array([1.0, 2.0, 3.0])
    figure = concordance_panels(
        truth, {"same": truth, "one too high": truth + 1, "constant": [2, 2, 2]}, (1, 5)
    )
    said = [ax.texts[0].get_text() for ax in figure.axes]
    assert said == ["r = 1.00\nCCC = 1.00", "r = 1.00\nCCC = 0.57", "r = nan\nCCC = 0.00"]
    dots = next(one for one in figure.axes[1].collections if one.get_gid() == "guesses").get_offsets()
    np.testing.assert_allclose(dots[:, 1], truth + 1)
    assert (abs(dots[:, 0] - truth) <= 0.02 * 4).all() and (dots[:, 0] != truth).any()
    left, right = figure.axes[0].get_xlim()
    assert left < 1 and right > 5  # dots at the ends are whole


def test_the_axes_name_what_is_rated():
    figure = concordance_panels([1, 2, 3], {"a": [1, 2, 3], "b": [3, 2, 1]}, name="$arousal$", jitter=0)
    assert [ax.get_xlabel() for ax in figure.axes] == [r"true \$arousal\$"] * 2
    assert [ax.get_ylabel() for ax in figure.axes] == [r"guessed \$arousal\$", ""]
    dots = next(one for one in figure.axes[0].collections if one.get_gid() == "guesses").get_offsets()
    np.testing.assert_allclose(dots[:, 0], [1, 2, 3])


def test_other_lengths_are_named():
    with pytest.raises(SernbError, match="short: 2 guesses for 3"):
        concordance_panels([1, 2, 3], {"short": [1, 2]})
