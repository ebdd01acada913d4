"""Variants of training recordings: other speeds, added noise. They extend training sets, never test sets."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from torchaudio.functional import add_noise, resample

from sernb.core.errors import SernbError


def change_speed(waveform: np.ndarray, factor: float) -> np.ndarray:
    """Play a waveform `(samples,)` `factor` times as fast, pitch and formants included (Ko et al., 2015)."""
    if not 0.5 <= factor <= 2:
        raise SernbError(f"a speed factor of {factor:g} leaves speech behind; choose one from 0.5 to 2.")
    ratio = Fraction(factor).limit_denominator(100)
    return resample(torch.from_numpy(waveform), ratio.numerator, ratio.denominator).numpy()


def change_noise(waveform: np.ndarray, snr_db: float, generator: np.random.Generator) -> np.ndarray:
    """Add white noise to a waveform `(samples,)`, `snr_db` dB below the speech. Silence stays silent."""
    speech = torch.from_numpy(waveform)
    if not speech.any():
        return waveform
    noise = torch.from_numpy(generator.standard_normal(len(waveform), dtype=np.float32))
    return add_noise(speech, noise, torch.tensor(float(snr_db))).numpy()


def variants(
    waveforms: Sequence[np.ndarray], speeds=(0.9, 1.1), snr_db: tuple | None = (10, 30), seed: int = 0
) -> list[list[np.ndarray]]:
    """One list of waveforms for each speed, and one with noise at an SNR drawn from `snr_db` (None: none)."""
    generator = np.random.default_rng(seed)
    out = [[change_speed(waveform, speed) for waveform in waveforms] for speed in speeds]
    if snr_db is not None:
        out.append([change_noise(waveform, generator.uniform(*snr_db), generator) for waveform in waveforms])
    return out
