"""Frames of 130 numbers: where they lie, their deltas, their cache, and scaling by training rows alone."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.features.frames import FLOOR, WIDTH, Scaling, frame_features


def sound(count=3, seed=0, shortest=400):
    rng = np.random.default_rng(seed)
    return [
        (0.1 * rng.standard_normal(shortest + 1000 * number)).astype(np.float32) for number in range(count)
    ]


def computed(waveforms, **given):
    return frame_features(waveforms, [f"u{n}" for n in range(len(waveforms))], progress=False, **given)


def test_a_frame_every_10_ms():
    found = computed([np.zeros(samples, np.float32) for samples in (400, 559, 560, 16000)])
    assert found.lengths.tolist() == [1, 1, 2, 98]
    assert found.values.shape == (102, WIDTH) == (102, 130)
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found[3][:, :65], 10 * np.log10(FLOOR), atol=1e-4)  # digital silence, dB
    assert not found[3][:, 65:].any()


def test_log_mel_by_hand():
    """Power spectra by numpy, triangles on the HTK scale drawn here."""
    wave = sound(1, shortest=880)[0]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.stack([wave[start : start + 400] * window for start in (0, 160, 320, 480)])
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    mel = 2595 * np.log10(1 + np.array([20.0, 8000.0]) / 700)
    edges = 700 * (10 ** (np.linspace(*mel, 67) / 2595) - 1)
    hertz = np.linspace(0, 8000, 257)
    triangles = [
        np.clip(np.minimum((hertz - a) / (b - a), (c - hertz) / (c - b)), 0, None)
        for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    expected = 10 * np.log10(power @ np.array(triangles).T + 1e-7)
    np.testing.assert_allclose(computed([wave])[0][:, :65], expected, atol=2e-2)


def test_deltas_by_hand():
    found = computed(sound(1, shortest=2000))[0]
    level, delta = found[:, :65], found[:, 65:]
    row = np.arange(len(level))
    at = [level[np.clip(row + step, 0, len(level) - 1)] for step in (-2, -1, 1, 2)]
    np.testing.assert_allclose(delta, (2 * (at[3] - at[0]) + at[2] - at[1]) / 10, atol=1e-4)


def test_a_tone_shows_in_its_band():
    time = np.arange(8000) / 16000
    low, high = computed([np.sin(2 * np.pi * hertz * time).astype(np.float32) for hertz in (200, 4000)])
    assert low[:, :65].mean(0).argmax() < 12 < 40 < high[:, :65].mean(0).argmax()


def test_an_utterance_does_not_see_its_neighbours():
    waves = sound(3)
    together = computed(waves)
    for row, wave in enumerate(waves):
        np.testing.assert_array_equal(together[row], computed([wave])[0])


def test_the_cache_is_found_by_what_is_heard(tmp_path):
    waves = sound()
    first = computed(waves, cache=tmp_path)
    again = frame_features(waves, ["other", "names", "now"], cache=tmp_path, progress=False)
    assert isinstance(first.values, np.memmap)
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(first.values, computed(waves).values)
    np.testing.assert_array_equal(first.values, again.values)
    computed([waves[0] * 0.5, *waves[1:]], cache=tmp_path)
    both = np.concatenate(waves[:2])  # the same samples, cut elsewhere
    computed([both[:700], both[700:], waves[2]], cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("waves", "kind", "message"),
    [
        ([np.zeros(400), np.zeros(399)], "log-mel", r"u1: 0.02494 s of sound; .* at least 25 ms \(400"),
        ([np.zeros(959)], "compare", r"u0: 0.05994 s of sound; a frame needs at least 60 ms"),
        ([np.full(500, np.nan)], "log-mel", "u0: expected a waveform"),
        ([np.zeros((2, 500))], "log-mel", r"u0: expected a waveform .* \(2, 500\)"),
        ([np.zeros(500)], "mfcc", "features are 'mfcc'; choose one of log-mel, compare"),
        ([], "log-mel", "no recordings"),
    ],
)  # fmt: skip
def test_bad_sound_is_named(waves, kind, message):
    with pytest.raises(SernbError, match=message):
        computed(waves, kind=kind)


def test_without_opensmile_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(SernbError, match=r"pip install 'sernb\[opensmile\]'.* research only"):
        computed(sound(1, shortest=2000), kind="compare")


@pytest.mark.skipif(find_spec("opensmile") is None, reason="openSMILE, an extra, is not installed")
def test_compare_is_opensmiles(tmp_path):
    import opensmile

    waves = sound(3, shortest=960)
    found = computed(waves, kind="compare", cache=tmp_path)
    assert found.values.shape[1] == WIDTH
    level = opensmile.FeatureLevel.LowLevelDescriptors
    own = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, level)
    for row, wave in enumerate(waves):
        expected = own.process_signal(wave, 16000)
        np.testing.assert_allclose(found[row][:, :65], expected, rtol=1e-5)
    # The deltas stand beside the frames that they are deltas of.
    column = list(expected).index("mfcc_sma[1]")
    now, change = expected["mfcc_sma[1]"].to_numpy(), found[2][:, 65 + column]
    inner = (2 * (now[4:] - now[:-4]) + now[3:-1] - now[1:-3]) / 10
    np.testing.assert_allclose(change[2:-2], inner, atol=1e-3)
    np.testing.assert_array_equal(computed(waves, kind="compare", cache=tmp_path).values, found.values)


def features(seed=0):
    rng = np.random.default_rng(seed)
    items = [rng.normal(3.0, 2.0, (length, 4)).astype(np.float32) for length in (5, 2, 9, 4)]
    for one in items:
        one[:, 2] = 0.1  # constant, and not a number that float32 holds
    items[3] += 100.0  # in the test part: it must not be seen
    return Ragged.of(items)


def test_scaling_is_of_training_frames_alone():
    given = features()
    scaling = Scaling.fitted(given, [0, 1, 2])
    frames = np.concatenate([given[0], given[1], given[2]]).astype(np.float64)
    np.testing.assert_allclose(scaling.mean, frames.mean(0), rtol=1e-6)
    np.testing.assert_allclose(scaling.deviation[[0, 1, 3]], frames.std(0)[[0, 1, 3]], rtol=1e-6)
    assert scaling.deviation[2] == 1
    x, mask = scaling.applied(given).padded([0, 1, 2])
    inside = x[mask].double().numpy()
    np.testing.assert_allclose(inside.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(inside.std(0), [1, 1, 0, 1], atol=1e-6)
    assert not x[~mask].any() and mask.sum(1).tolist() == [5, 2, 9]
    assert scaling.applied(given).lengths.tolist() == [5, 2, 9, 4] and len(scaling.applied(given)) == 4


def test_scaling_of_long_recordings_keeps_its_digits():
    values = np.random.default_rng(0).normal(5000.0, 0.5, (200_000, 1)).astype(np.float32)
    scaling = Scaling.fitted(Ragged(values, np.array([0, 100_000, 200_000])), [0, 1])
    assert scaling.deviation[0] == pytest.approx(values.std(dtype=np.float64), rel=1e-5)


def test_scaling_of_a_single_frame_is_finite():
    given = Ragged.of([np.array([[1.0, 0.0]], np.float32)])
    x, _ = Scaling.fitted(given, [0]).applied(given).padded([0])
    assert not x.any()


def test_scaling_is_saved_with_the_model(tmp_path):
    scaling = Scaling.fitted(features(), [0, 1])
    scaling.save(tmp_path)
    again = Scaling.read(tmp_path)
    np.testing.assert_array_equal(scaling.mean, again.mean)
    np.testing.assert_array_equal(scaling.deviation, again.deviation)
    assert [one.name for one in tmp_path.iterdir()] == ["scaling.safetensors"]
    (tmp_path / "scaling.safetensors").write_bytes(b"no tensors")
    with pytest.raises(SernbError, match="expected the scaling"):
        Scaling.read(tmp_path)
    with pytest.raises(SernbError, match=r"No such file.*expected the scaling"):
        Scaling.read(tmp_path / "elsewhere")
    with pytest.raises(SernbError, match="needs training rows"):
        Scaling.fitted(features(), [])
