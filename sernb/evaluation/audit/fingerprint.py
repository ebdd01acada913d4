"""A recording's fingerprint: which peaks of its spectrogram follow which (after Wang 2003, "Shazam").

Loud points of the spectrogram stay where they are when a recording is resampled, made softer, compressed or cut.
Three of them together, with the times between, are so particular that two recordings that share several are almost
certainly one. Another take of the same sentence by the same speaker has its peaks elsewhere.
"""

import numpy as np
from scipy.fft import rfft
from scipy.ndimage import maximum_filter

RATE = 16000  # Hz
WINDOW, SHIFT = 1024, 128  # samples: 64 ms, and 8 ms because a cut may fall anywhere
BAND = (13, 218)  # bins: 200 to 3400 Hz, what a telephone leaves
AROUND = (9, 19)  # frames and bins within which a peak is the highest point
RANGE = 45.0  # dB below the loudest point
AHEAD = 24  # frames within which the next peaks are joined
FAN = 4  # next peaks
KEPT = 3  # one key of so many is kept, the same one in every recording
LEAST, MOST = 150, 400  # keys that a short recording keeps if it has them, and a long one at most


def fingerprint(waveform: np.ndarray) -> np.ndarray:
    """The keys of a recording, sorted: uint32 `(keys,)`, each once; about 90 a second of speech, 400 at most, and
    in a short one more of those it has.

    waveform: float32 `(samples,)` at 16 kHz. Silence, and what is shorter than about 0.1 s, has none.
    """
    times, bins = _peaks(waveform)
    follow = np.searchsorted(times, times, side="right")[:, None] + np.arange(FAN)  # (peaks, FAN)
    inside = follow < len(times)
    follow = np.minimum(follow, len(times) - 1)
    gaps = times[follow] - times[:, None]
    inside &= gaps <= AHEAD
    keys = []
    for one in range(FAN):
        for two in range(one + 1, FAN):
            has = inside[:, one] & inside[:, two]
            parts = (bins, bins[follow[:, one]], bins[follow[:, two]], gaps[:, one], gaps[:, two])
            key = np.zeros(int(has.sum()), np.uint64)
            for part, width in zip(parts, (8, 8, 8, 5, 5), strict=True):
                key = (key << np.uint64(width)) | part[has].astype(np.uint64)
            keys.append(key)
    keys = np.unique(_scatter(np.concatenate(keys)) if keys else np.empty(0, np.uint32))
    return keys[: min(max(np.searchsorted(keys, 2**32 // KEPT), LEAST), MOST)]


def _peaks(waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame and bin of each peak, in the order of time."""
    waveform = np.asarray(waveform, np.float32)
    if len(waveform) < WINDOW:
        waveform = np.pad(waveform, (0, WINDOW - len(waveform)))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::SHIFT]
    level = np.abs(rfft(frames * np.hanning(WINDOW).astype(np.float32)))[:, slice(*BAND)]
    highest = level.max()
    if highest < 1e-3:  # a window's sum: silence and its rounding
        return np.empty(0, np.int64), np.empty(0, np.int64)
    peak = (level == maximum_filter(level, AROUND, mode="constant")) & (level > highest * 10 ** (-RANGE / 20))
    return np.nonzero(peak)


def _scatter(keys: np.ndarray) -> np.ndarray:
    """Keys spread evenly over 32 bits (the finaliser of SplitMix64), so that keeping small ones is a fair draw."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((keys ^ (keys >> np.uint64(31))) >> np.uint64(32)).astype(np.uint32)
