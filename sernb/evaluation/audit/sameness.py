"""Are two recordings one? Lay the one over the other where they fit best, and see how alike the waves are there."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

BAND = (100.0, 3400.0)  # Hz: no hum, and nothing that a telephone or a low rate takes away
SHORTEST = 0.2  # seconds that must lie over each other


def sameness(one: np.ndarray, two: np.ndarray, rate: int = 16000) -> tuple[float, float, float]:
    """How alike two waveforms are: (similarity, shift, overlap).

    one, two: float `(samples,)` at `rate` Hz. similarity: the absolute correlation (0–1) of the two, within 100–3400
    Hz, over what they have in common when `two` is laid on `one` `shift` seconds after its beginning; overlap: the
    seconds in common. Gain, polarity and an offset make no difference. Copies come near 1, other takes of the same
    words below 0.5. (0, 0, 0) where one of them is silent or they have less than 0.2 s in common.
    """
    size = next_fast_len(len(one) + len(two), real=True)
    frequencies = rfftfreq(size, 1 / rate)
    band = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
    spectra = [rfft(np.asarray(wave, np.float32), size) * band for wave in (one, two)]
    lag = int(np.abs(irfft(spectra[0] * spectra[1].conj(), size)).argmax())
    lag = lag - size if lag >= len(one) else lag  # samples by which `two` begins later
    one, two = (
        irfft(spectrum, size)[: len(wave)] for spectrum, wave in zip(spectra, (one, two), strict=True)
    )
    common = min(len(one) - max(lag, 0), len(two) - max(-lag, 0))
    if common < SHORTEST * rate:
        return 0.0, 0.0, 0.0
    one, two = one[max(lag, 0) :][:common], two[max(-lag, 0) :][:common]
    energy = np.sqrt(np.dot(one, one) * np.dot(two, two))
    if energy < 1e-9 * common:
        return 0.0, 0.0, 0.0
    return float(min(abs(np.dot(one, two)) / energy, 1.0)), lag / rate, common / rate
