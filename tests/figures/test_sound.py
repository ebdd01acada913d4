"""Pictures of sound: axes in seconds and kilohertz, maps at the right place, frames against frames."""

import numpy as np
import pytest

from sernb import figures
from sernb.core.errors import SernbError
from sernb.core.tables import EMOTIONS
from sernb.figures.sound import frame_similarity, upsample
from tests.figures.material import CLASSES, FRONT_END, maps


def test_spectrogram_axes_are_in_seconds_and_kilohertz():
    values = np.random.default_rng(0).random((400, 197))
    figure = figures.spectrogram(values, FRONT_END, unit="dB")
    ax, bar = figure.axes
    left, right, bottom, top = ax.images[0].get_extent()
    # The first 40 ms window is centred at 0.02 s, the last at 1.96 + 0.02 s; a column is 10 ms wide.
    assert (left, right) == (pytest.approx(0.015), pytest.approx(1.985))
    assert (bottom, top) == (pytest.approx(-0.005), pytest.approx(3.995))
    assert (ax.get_xlabel(), ax.get_ylabel(), bar.get_ylabel()) == ("time (s)", "frequency (kHz)", "dB")
    assert np.array_equal(ax.images[0].get_array(), values)
    assert ax.images[0].origin == "lower"


def test_sound_has_one_time_axis():
    waveform = np.sin(np.arange(16000 * 3) / 10).astype(np.float32)
    figure = figures.sound(waveform, np.zeros((400, 297)), FRONT_END, title="03a01 $5 and $6")
    top, bottom = figure.axes[:2]
    assert top.get_xlim() == bottom.get_xlim() == (0, pytest.approx(3, abs=0.01))
    assert top.lines[0].get_xdata()[-1] == pytest.approx(3, abs=0.001)
    assert top.get_ylabel() == "amplitude"
    figure.draw_without_rendering()  # dollar signs are no formula
    figures.sound(np.zeros(0), np.zeros((4, 2)), FRONT_END).draw_without_rendering()


def test_upsampling_keeps_places_and_constants():
    assert upsample(np.full((5, 3), 2.0), (40, 30)) == pytest.approx(np.full((40, 30), 2.0))
    small = np.zeros((50, 25))
    small[10, 20] = 1
    big = upsample(small, (400, 200))
    assert big.shape == (400, 200)
    rows, columns = np.unravel_index(np.argsort(big.ravel())[-4:], big.shape)
    assert rows.mean() == pytest.approx(83.5) and columns.mean() == pytest.approx(
        163.5
    )  # the middle of cell (10, 20)
    assert upsample(np.zeros((7, 3)), (400, 200)).shape == (400, 200)


@pytest.mark.parametrize(("classes", "panels"), [(CLASSES, 10), (list(EMOTIONS[:7]), 16)])
def test_attention_maps_have_a_panel_each_and_one_legend(classes, panels):
    figure = figures.attention_maps(np.random.default_rng(0).random((400, 200)), maps(classes), FRONT_END)
    *drawn, bar = figure.axes
    assert len(drawn) == panels
    titles = [ax.get_title(loc="left") for ax in drawn]
    assert titles[:3] == ["spectrogram", "bottom-up", f"top-down: {classes[0]}"]
    assert titles[-1] == f"product: {classes[-1]}"
    assert [len(ax.images) for ax in drawn] == [1] + [2] * (panels - 1)
    assert "against" in bar.get_ylabel() and bar.get_ylim() == (-1, 1)
    assert drawn[-1].get_xlabel() == "time (s)"


def test_attention_maps_tell_for_from_against_at_the_right_place():
    one = np.zeros((50, 25))
    one[5, 5], one[40, 20] = 2.0, -1.0
    other = np.full((50, 25), 4.0)
    figure = figures.attention_maps(
        np.zeros((400, 200)), {"top-down": {"sad": one, "angry": other}}, FRONT_END
    )
    sad, angry = (ax.images[1].get_array() for ax in figure.axes[1:3])
    for_it, against, nothing = sad[44, 44], sad[324, 164], sad[200, 100]
    assert for_it[0] > for_it[2] and against[2] > against[0]  # orange, blue
    assert nothing[3] == 0  # the spectrogram shows through
    assert angry[0, 0, 3] > for_it[3] > against[3]  # one scale in the group


def test_attention_maps_refuse_what_is_not_a_map():
    with pytest.raises(SernbError, match=r"'top-down'.*\(2, 50, 25\)"):
        figures.attention_maps(np.zeros((400, 200)), {"top-down": {"sad": np.zeros((2, 50, 25))}}, FRONT_END)
    with pytest.raises(SernbError, match="NaN"):
        figures.attention_maps(np.zeros((400, 200)), {"bottom-up": np.full((50, 25), np.nan)}, FRONT_END)
    figures.attention_maps(
        np.zeros((400, 200)), {"bottom-up": np.zeros((50, 25))}, FRONT_END
    ).draw_without_rendering()


def test_spectrograms_share_their_axes():
    figure = figures.spectrograms(
        {"one $a$": np.eye(40, 20), "two": np.eye(40, 60), "three": np.eye(40, 30)}, FRONT_END
    )
    assert len(figure.axes) == 3 and len({ax.get_xlim() for ax in figure.axes}) == 1
    assert figure.axes[0].get_xlim()[1] > 0.6
    figure.draw_without_rendering()


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
    with pytest.raises(SernbError, match="no layer 7; there are: 0, 1"):
        frame_similarity(np.ones((3, 2, 4)), [7])
    with pytest.raises(SernbError, match="nothing to be compared"):
        frame_similarity(np.ones((1, 2, 4)))
