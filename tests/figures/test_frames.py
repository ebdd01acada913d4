import numpy as np
import pytest

from sernb.core.errors import SernbError
from sernb.figures.frames import frame_similarity


def test_what_is_drawn_is_the_cosine_of_centred_frames():
    states = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float16)
    figure = frame_similarity(states, [0, 2], np.zeros(1600), title="$5")
    shown = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(shown) == 2
    x = states[:, 2].astype(float) - states[:, 2].astype(float).mean(0)
    expected = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a in x] for b in x]
    np.testing.assert_allclose(shown[1], expected, atol=2e-3)


def test_constant_frames_and_bad_requests():
    assert frame_similarity(np.ones((3, 2, 4))).axes
    with pytest.raises(SernbError, match="layer 7 is not there: these states have layers 0 to 1"):
        frame_similarity(np.ones((3, 2, 4)), [7])
    with pytest.raises(SernbError, match="nothing to be compared"):
        frame_similarity(np.ones((1, 2, 4)))
