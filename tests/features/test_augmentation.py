"""Variants of recordings: speed moves pitch and length, noise has the asked level, silence survives."""

import numpy as np
import pytest

from sernb.core.errors import SernbError
from sernb.features.augmentation import change_noise, change_speed, variants

TONE = np.sin(2 * np.pi * 400 * np.arange(16000) / 16000).astype(np.float32)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_moves_length_and_pitch(factor):
    fast = change_speed(TONE, factor)
    assert len(fast) == pytest.approx(16000 / factor, abs=2)
    spectrum = np.abs(np.fft.rfft(fast[:8000]))
    assert spectrum.argmax() * 2 == pytest.approx(400 * factor, abs=2)


@pytest.mark.parametrize("snr", [0, 10, 30])
def test_noise_has_the_asked_level(snr):
    noisy = change_noise(TONE, snr, np.random.default_rng(0))
    measured = 10 * np.log10((TONE**2).sum() / ((noisy - TONE) ** 2).sum())
    assert measured == pytest.approx(snr, abs=0.01)


def test_silence_and_seed():
    silence = np.zeros(100, np.float32)
    assert (change_noise(silence, 10, np.random.default_rng(0)) == 0).all()
    first, again, other = (variants([TONE], (), seed=seed)[0][0] for seed in (1, 1, 2))
    assert (first == again).all() and not (first == other).all()
    assert [len(one) for one in variants([TONE, TONE], (0.9, 1.1))] == [2, 2, 2]


def test_absurd_speed():
    with pytest.raises(SernbError, match="choose one from"):
        change_speed(TONE, 5)
