"""About a hundred numbers that sum up how an utterance sounds: spectrum, loudness, pitch, tempo, voice.

A fair baseline's input, and what a figure can name; nothing in them is learnt.
"""

from functools import cache

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft, rfft
from scipy.signal import find_peaks
from torchaudio.functional import melscale_fbanks
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.features.audio import RATE, check_recordings, read_audio

SHORTEST = 0.1  # seconds
BANDS = 26
SHIFT = 0.010  # seconds from frame to frame
WINDOW = 0.025  # seconds, spectrum
PITCH_WINDOW = 0.050  # seconds: three periods at 60 Hz
PITCH = (60.0, 450.0)  # Hz
PITCH_BAND = 1000.0  # Hz; pitch is sought below: harmonics are strong, a lag of whole samples fine enough
VOICED = 0.5  # least normalised autocorrelation of a voiced frame
OCTAVE_ERROR = 9.0  # semitones from the utterance's median; further off is a half or double pitch
JUMP = 3.0  # semitones from frame to frame; more is an error of the tracker
SPEECH = 30.0  # dB below the loudest frames at which speech ends


def acoustic_statistics(waveform: np.ndarray, rate: int = RATE) -> pd.Series:
    """Statistics of one utterance, by name.

    Over the frames that are not silent: mean, deviation and change of 26 log-mel bands (dB); percentiles and
    change of loudness (dB); percentiles, spread and slope of pitch (semitones above 55 Hz; 0 where nothing is
    voiced); spectral centroid (Hz) and tilt (dB); the share of voiced and of silent frames; syllables a
    second; seconds. Raises SernbError: no finite (samples,) of 0.1 s and 16 kHz at least.
    """
    waveform = np.asarray(waveform, dtype=np.float64)
    whole = waveform.ndim == 1 and waveform.size >= SHORTEST * rate and np.isfinite(waveform).all()
    if not whole or rate < 16000:
        wanted = f"(samples,) of {SHORTEST} s and 16 kHz at least"
        raise SernbError(f"expected a finite waveform {wanted}; got {waveform.shape} at {rate} Hz.")
    power = np.abs(np.fft.rfft(_frames(waveform, WINDOW, rate) * np.hanning(round(WINDOW * rate)), 1024)) ** 2
    mel = 10 * np.log10(power @ _filters(rate) + 1e-7)  # (frames, 26), dB
    loudness = 10 * np.log10(power.sum(1) + 1e-7)  # (frames,), dB
    speech = loudness > np.percentile(loudness, 95) - SPEECH

    # Spectrum, loudness, pitch.
    numbers = {}
    for band in range(BANDS):
        numbers[f"mel_{band:02d}_mean"] = mel[speech, band].mean()
        numbers[f"mel_{band:02d}_sd"] = mel[speech, band].std()
        numbers[f"mel_{band:02d}_change"] = _change(mel[:, band])
    numbers |= _percentiles("loudness", loudness[speech])
    numbers |= {"loudness_sd": loudness[speech].std(), "loudness_change": _change(loudness)}
    numbers |= _pitch(waveform, rate)

    # Voice quality and tempo.
    centroid = power @ np.linspace(0, rate / 2, power.shape[1]) / (power.sum(1) + 1e-7)
    numbers |= {"centroid_mean": centroid[speech].mean(), "centroid_sd": centroid[speech].std()}
    numbers["tilt"] = numbers["mel_03_mean"] - numbers["mel_20_mean"]
    numbers["silent_share"] = 1 - speech.mean()
    smooth = np.convolve(loudness, np.hanning(9) / np.hanning(9).sum(), mode="same")
    numbers["syllable_rate"] = len(find_peaks(smooth, prominence=3)[0]) / max(speech.sum() * SHIFT, SHORTEST)
    numbers["seconds"] = waveform.size / rate
    return pd.Series(numbers)


def acoustic_table(utterances: pd.DataFrame, progress=True, waveforms: list | None = None) -> pd.DataFrame:
    """`acoustic_statistics` of every utterance: a row each, index `utterance`.

    waveforms: (samples,) each at 16 kHz, in the table's order; None: the recordings are read, one at a time.
    """
    if waveforms is None:
        check_recordings(utterances)
    nothing = [None] * len(utterances)
    parts = [utterances.get(column, nothing) for column in ("path", "start", "end")]
    table = zip(utterances.index, waveforms or nothing, *parts, strict=True)
    rows = {}
    for name, waveform, *part in tqdm(table, "acoustic statistics", len(utterances), disable=not progress):
        rows[name] = acoustic_statistics(read_audio(*part) if waveform is None else waveform)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")


def _frames(waveform: np.ndarray, window: float, rate: int) -> np.ndarray:
    """(frames, samples of a window), a frame every 10 ms."""
    return sliding_window_view(waveform, round(window * rate))[:: round(SHIFT * rate)]


@cache
def _filters(rate: int) -> np.ndarray:
    return melscale_fbanks(513, 50.0, 7600.0, BANDS, rate, mel_scale="htk").numpy().astype(np.float64)


def _change(track: np.ndarray) -> float:
    """Mean absolute change from frame to frame; 0 for a single frame."""
    return float(np.abs(np.diff(track)).mean()) if track.size > 1 else 0.0


def _percentiles(name: str, values: np.ndarray) -> dict[str, float]:
    return {f"{name}_p{p}": np.percentile(values, p) for p in (10, 50, 90)} | {f"{name}_mean": values.mean()}


def _pitch(waveform: np.ndarray, rate: int) -> dict[str, float]:
    """Pitch by autocorrelation over that of the window (Boersma 1993), in slight favour of short periods."""
    window = np.hanning(round(PITCH_WINDOW * rate)).astype(np.float32)  # half the time of double precision
    frames = _frames(waveform.astype(np.float32), PITCH_WINDOW, rate)
    frames = (frames - frames.mean(1, keepdims=True)) * window
    size = 1 << int(np.ceil(np.log2(2 * window.size)))
    lags = np.arange(round(rate / PITCH[1]), round(rate / PITCH[0]))
    power = np.abs(rfft(np.vstack([frames, window]), size)) ** 2
    power[:, round(PITCH_BAND * size / rate) :] = 0
    both = irfft(power, size)
    own = both[:-1, lags] / (both[:-1, :1] + 1e-9) / (both[-1, lags] / both[-1, 0])  # (frames, lags)
    best = (own - 0.02 * np.log2(lags / lags[0]).astype(np.float32)).argmax(1)
    strength = own[np.arange(len(own)), best]
    energy = both[:-1, 0]
    voiced = (strength > VOICED) & (energy > energy.max() * 10 ** (-SPEECH / 10)) & (energy > 1e-6)
    statistics = ("p10", "p50", "p90", "mean", "sd", "slope", "change")
    numbers = dict.fromkeys([*(f"pitch_{one}" for one in statistics), "harmonicity"], 0.0)
    numbers["voiced_share"] = voiced.mean()
    if voiced.sum() < 2:
        return numbers

    # Semitones above 55 Hz of the voiced frames, without half and double pitches.
    track, times = 12 * np.log2(rate / lags[best[voiced]] / 55), np.flatnonzero(voiced) * SHIFT
    near = np.abs(track - np.median(track)) < OCTAVE_ERROR
    if near.sum() < 2:
        return numbers
    track, times = track[near], times[near]
    numbers |= _percentiles("pitch", track)
    slope = np.clip(np.polyfit(times, track, 1)[0], -24, 24)  # semitones a second
    change = np.median(np.abs(np.diff(track)).clip(max=JUMP))
    numbers |= {"pitch_sd": track.std(), "pitch_slope": slope, "pitch_change": change}
    return numbers | {"harmonicity": strength[voiced].mean()}
