"""The front end: the paper's numbers, known tones, the three scalings by hand, segment borders, bad input."""

import numpy as np
import pandas as pd
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.features.spectrogram import (
    SCALINGS,
    TEST_STEP,
    Segments,
    SpectrogramConfig,
    cut,
    magnitudes,
    mu_law,
    scale,
    segment_spectrograms,
)

PAPER = SpectrogramConfig()


def tone(hertz, seconds=2.0, rate=16000):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


def table(count):
    return pd.DataFrame({"speaker": "a"}, index=pd.Index([f"u{i}" for i in range(count)], name="utterance"))


def test_the_paper_gives_400_by_200():
    assert (PAPER.bins, PAPER.bin_hz, PAPER.frames) == (400, 10.0, 200)
    out = magnitudes(torch.from_numpy(tone(500))[None], PAPER)
    assert out.shape == (1, 400, 200)
    assert (out[0, :, 197:] == 0).all() and (
        out[0, 50, :197] > 0
    ).all()  # 197 whole windows, the rest is silence


@pytest.mark.parametrize("hertz", [100, 1230, 3990])
def test_a_tone_lies_in_its_bin(hertz):
    out = magnitudes(torch.from_numpy(tone(hertz))[None], PAPER)[0, :, :197]
    assert (out.argmax(0) == hertz // 10).all()


def test_magnitudes_are_numpys_dft():
    wave = np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    frame = 37
    piece = wave[frame * 160 : frame * 160 + 640] * np.hamming(640)
    expected = np.abs(np.fft.rfft(piece, 1600))[:400]
    got = magnitudes(torch.from_numpy(wave)[None], PAPER)[0, :, frame].numpy()
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-3)


def test_mu_law_by_hand():
    x = torch.tensor([-1.0, -1 / 255, 0.0, 1 / 255, 1.0])
    half = np.log(2) / np.log(256)
    torch.testing.assert_close(mu_law(x), torch.tensor([-1.0, -half, 0.0, half, 1.0], dtype=torch.float32))


def test_scalings_by_hand():
    """Magnitudes 0, 1, 10, 100: linear to [-1, 1], [0, 1], and 0, -20, -40 dB with a floor of -80."""
    magnitude = torch.tensor([[[0.0, 1.0], [10.0, 100.0]]])
    law = lambda x: np.sign(x) * np.log1p(255 * abs(x)) / np.log(256)  # noqa: E731
    expected = {
        "mulaw": [law(-1), law(-0.98), law(-0.8), law(1)],
        "mulaw01": [law(0), law(0.01), law(0.1), law(1)],
        "log": [-1.0, 0.0, 0.5, 1.0],
    }
    for scaling in SCALINGS:
        got = scale(magnitude, SpectrogramConfig(scaling=scaling)).flatten()
        np.testing.assert_allclose(got, expected[scaling], atol=1e-5, err_msg=scaling)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scaling_forgets_loudness_and_survives_silence(scaling):
    config = SpectrogramConfig(scaling=scaling)
    wave = torch.from_numpy(tone(700))[None]
    torch.testing.assert_close(
        scale(magnitudes(wave, config), config),
        scale(magnitudes(wave * 0.1, config), config),
        rtol=0,
        atol=2e-3,
    )
    silent = scale(magnitudes(torch.zeros(1, 32000), config), config)
    assert torch.isfinite(silent).all() and silent.abs().max() <= 1


def test_segments_start_every_second_and_every_400_ms():
    assert cut(np.zeros(16000), 1.0).tolist() == [0]  # 1 s: one segment, filled with silence
    assert cut(np.zeros(32000), 1.0).tolist() == [0]
    assert cut(np.zeros(16000 * 4), 1.0).tolist() == [0, 1, 2]
    assert cut(np.zeros(int(16000 * 3.9)), 1.0).tolist() == [0, 1]
    np.testing.assert_allclose(cut(np.zeros(16000 * 3), TEST_STEP), [0, 0.4, 0.8])


def test_each_segment_is_its_part_of_the_recording():
    waves = [np.concatenate([tone(500), tone(1500)]), tone(300, 0.5)]
    got = segment_spectrograms(table(2), waves, SpectrogramConfig(scaling="log"), progress=False)
    assert got.table["utterance"].tolist() == ["u0", "u0", "u0", "u1"]
    assert got.table["start"].tolist() == [0, 1, 2, 0]
    peaks = got.spectrograms[:, :, [0, 190]].argmax(1)
    assert (
        peaks[0].tolist() == [50, 50] and peaks[2].tolist() == [150, 150] and peaks[1].tolist() == [50, 150]
    )
    assert (got.spectrograms[3, :, 60:] == -1).all()  # silence behind half a second
    assert got.of(pd.Index(["u1"])).tolist() == [3]


def test_many_segments_equal_one_by_one():
    rng = np.random.default_rng(0)
    waves = [rng.standard_normal(rng.integers(8000, 60000)).astype(np.float32) for _ in range(30)]
    together = segment_spectrograms(table(30), waves, progress=False)
    alone = [segment_spectrograms(table(1), [wave], progress=False).spectrograms for wave in waves]
    torch.testing.assert_close(together.spectrograms, torch.cat(alone), rtol=1e-4, atol=1e-4)


def test_a_coarser_shift_has_fewer_frames():
    config = SpectrogramConfig(shift=0.025, dft=640)
    assert (config.bins, config.frames, config.bin_hz) == (160, 80, 25.0)
    assert magnitudes(torch.rand(1, 32000), config).shape == (1, 160, 80)


def test_joined_keeps_order():
    one = Segments(pd.DataFrame({"utterance": ["a"], "start": [0.0]}), torch.zeros(1, 2, 2))
    two = Segments(pd.DataFrame({"utterance": ["b"], "start": [1.0]}), torch.ones(1, 2, 2))
    both = Segments.joined([one, two])
    assert both.table["utterance"].tolist() == ["a", "b"] and both.spectrograms[1].min() == 1


def test_bad_settings_are_named():
    with pytest.raises(SernbError, match="mulaw, mulaw01, log"):
        SpectrogramConfig(scaling="linear")
    with pytest.raises(SernbError, match="8000 Hz"):
        SpectrogramConfig(highest=9000)
    with pytest.raises(SernbError, match="dft is 512"):
        SpectrogramConfig(dft=512)
    with pytest.raises(SernbError, match="2 utterances, but 1 waveforms"):
        segment_spectrograms(table(2), [tone(500)], progress=False)
    with pytest.raises(SernbError, match="100 samples"):
        magnitudes(torch.zeros(1, 100), PAPER)
