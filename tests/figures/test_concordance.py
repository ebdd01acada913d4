import numpy as np
import pytest

from sernb.errors import SernbError
from sernb.figures.concordance import concordance_panels


def test_each_panel_says_r_and_ccc_of_its_guess():
    truth = np.array([1.0, 2.0, 3.0])
    figure = concordance_panels(
        truth, {"same": truth, "one too high": truth + 1, "constant": [2, 2, 2]}, (1, 5)
    )
    said = [ax.texts[0].get_text() for ax in figure.axes]
    assert said == ["r = 1.00\nCCC = 1.00", "r = 1.00\nCCC = 0.57", "r = nan\nCCC = 0.00"]
    dots = next(one for one in figure.axes[1].collections if one.get_gid() == "guesses")
    np.testing.assert_allclose(dots.get_offsets(), np.column_stack([truth, truth + 1]))


def test_other_lengths_are_named():
    with pytest.raises(SernbError, match="short: 2 guesses for 3"):
        concordance_panels([1, 2, 3], {"short": [1, 2]})
