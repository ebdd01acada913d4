"""The front end of Li et al. (2018): two-second segments, a 400 x 200 spectrogram, three ways to scale it.

Source: "An Attention Pooling based Representation Learning Method for Speech Emotion Recognition", 2.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from sernb.core.errors import SernbError

SCALINGS = {
    "mulaw": "linear magnitude to [-1, 1], then mu-law (Eq. 1, to the letter)",
    "mulaw01": "linear magnitude to [0, 1], then mu-law",
    "log": "magnitude in dB below the maximum, range_db wide, to [-1, 1]",
}
TRAIN_STEP = 1.0  # seconds between starts: 2 s segments that overlap by 1 s (2.1)
TEST_STEP = 0.4  # seconds between starts: an overlap of 1.6 s (2.1)
CHUNK = 64  # segments transformed at once, so that memory stays flat


@dataclass(frozen=True)
class SpectrogramConfig:
    """The front end's numbers; the defaults are the paper's (2.1). Times in seconds, frequencies in Hz."""

    rate: int = 16000
    segment: float = 2.0
    window: float = 0.040
    shift: float = 0.010
    dft: int = 1600  # points: a grid of 10 Hz
    highest: float = 4000.0
    scaling: str = "mulaw"
    mu: float = 255.0
    range_db: float = 80.0

    def __post_init__(self):
        if self.scaling not in SCALINGS:
            raise SernbError(f"scaling is {self.scaling!r}; choose one of {', '.join(SCALINGS)}.")
        if self.highest > self.rate / 2:
            raise SernbError(f"highest is {self.highest:g} Hz; audio holds {self.rate / 2:g} Hz.")
        if self.dft < round(self.window * self.rate):
            raise SernbError(f"dft is {self.dft} points, a window {self.window * self.rate:g}: choose more.")

    @property
    def bins(self) -> int:
        """Rows: DFT bins from 0 Hz up to, but not including, `highest`."""
        return int(self.highest * self.dft / self.rate)

    @property
    def frames(self) -> int:
        """Columns: one for each shift in a segment; the last (3 of 200) hold no whole window: silence."""
        return round(self.segment / self.shift)

    @property
    def bin_hz(self) -> float:
        return self.rate / self.dft


@dataclass(frozen=True, eq=False)
class Segments:
    """Spectrograms `(n, bins, frames)` of segments, and their `table` (utterance, start in seconds)."""

    table: pd.DataFrame
    spectrograms: torch.Tensor

    def of(self, utterances: pd.Index) -> np.ndarray:
        """Row numbers of the segments cut from `utterances`."""
        return np.flatnonzero(self.table["utterance"].isin(utterances))

    def __reduce__(self):  # as an array, which joblib hands to its workers as one memory-mapped file
        return _restored, (self.table, self.spectrograms.numpy())

    @staticmethod
    def joined(parts: "Sequence[Segments]") -> "Segments":
        """Several sets as one, such as recordings and their variants (`sernb.features.augmentation`)."""
        table = pd.concat([part.table for part in parts], ignore_index=True)
        return Segments(table, torch.cat([part.spectrograms for part in parts]))


def _restored(table, spectrograms) -> Segments:
    return Segments(table, torch.from_numpy(spectrograms))


def cut(waveform: np.ndarray, step: float, config: SpectrogramConfig | None = None) -> np.ndarray:
    """Starts (s) of a waveform's segments, one every `step` s, one at least; a rest too short is left out."""
    config = config or SpectrogramConfig()
    spare = len(waveform) / config.rate - config.segment
    return np.arange(int(max(spare, 0) / step + 1e-9) + 1) * step


def magnitudes(segments: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Waveforms `(n, samples)` to linear DFT magnitudes `(n, bins, frames)`.

    Hamming windows from the first sample on, without centring; columns past the last whole window are 0.
    """
    length, shift = round(config.window * config.rate), round(config.shift * config.rate)
    if segments.shape[1] < length:
        raise SernbError(f"a segment of {segments.shape[1]} samples is shorter than one window of {length}.")
    windows = segments.unfold(1, length, shift)[:, : config.frames]  # (n, frames, window)
    spectrum = torch.fft.rfft(windows * torch.hamming_window(length, periodic=False), n=config.dft)
    out = spectrum[..., : config.bins].abs().transpose(1, 2)  # (n, bins, windows)
    return torch.nn.functional.pad(out, (0, config.frames - out.shape[2]))


def scale(magnitude: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Linear magnitudes `(n, bins, frames)` to the network's input, by `config.scaling` (see `SCALINGS`).

    Each segment by its own maximum (and minimum, in "mulaw"), so loudness is left out. Silence stays finite.
    """
    top = magnitude.amax((1, 2), keepdim=True)
    if config.scaling == "log":
        decibel = 20 * torch.log10((magnitude / top.clamp(min=1e-10)).clamp(min=1e-10))
        return decibel.clamp(min=-config.range_db) * (2 / config.range_db) + 1
    low = magnitude.amin((1, 2), keepdim=True)
    unit = (magnitude - low) / (top - low).clamp(min=1e-10)
    return mu_law(2 * unit - 1 if config.scaling == "mulaw" else unit, config.mu)


def mu_law(x: torch.Tensor, mu: float = 255.0) -> torch.Tensor:
    """sgn(x) ln(1 + mu |x|) / ln(1 + mu) for x in [-1, 1], any shape (Eq. 1)."""
    return x.sign() * torch.log1p(mu * x.abs()) / np.log1p(mu)


def segment_spectrograms(
    utterances: pd.DataFrame,
    waveforms: Sequence[np.ndarray],
    config: SpectrogramConfig | None = None,
    step: float = TRAIN_STEP,
    progress: bool = True,
) -> Segments:
    """Waveforms `(samples,)` at `config.rate`, in the table's order, cut every `step` s (2.1)."""
    config = config or SpectrogramConfig()
    if len(utterances) != len(waveforms):
        raise SernbError(f"{len(utterances)} utterances, but {len(waveforms)} waveforms.")
    starts = [cut(waveform, step, config) for waveform in waveforms]
    owner = np.repeat(np.arange(len(waveforms)), list(map(len, starts)))
    names = utterances.index.to_numpy(object)[owner]
    table = pd.DataFrame({"utterance": names, "start": np.concatenate([*starts, np.empty(0)])})
    samples = round(config.segment * config.rate)
    spectrograms = torch.empty(len(table), config.bins, config.frames)
    chunks = tqdm(range(0, len(table), CHUNK), desc="spectrograms", unit_scale=CHUNK, disable=not progress)
    for begin in chunks:
        batch = torch.zeros(min(CHUNK, len(table) - begin), samples)  # silence where a recording ends before
        for row, segment in enumerate(range(begin, begin + len(batch))):
            first = round(table["start"].iat[segment] * config.rate)
            piece = waveforms[owner[segment]][first : first + samples]
            batch[row, : len(piece)] = torch.from_numpy(np.ascontiguousarray(piece))
        spectrograms[begin : begin + len(batch)] = scale(magnitudes(batch, config), config)
    return Segments(table, spectrograms)
