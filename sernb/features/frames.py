"""What a speech student hears: 130 numbers every 10 ms, and their scaling by what was trained on.

The paper (as `sernb.losses.multi_level`, 3.2) takes openSMILE's 65 low-level descriptors of ComParE_2016 and
their deltas. openSMILE's licence allows research only, so by default 65 log-mel bands stand in for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache as kept
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torchaudio.functional import compute_deltas
from torchaudio.transforms import MelSpectrogram
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.core.files import reading, whole_file
from sernb.core.ragged import Ragged, computed_once, digest
from sernb.features.audio import RATE, waveform_of

SHIFT = 160  # samples from frame to frame: 10 ms
BANDS, LOWEST, HIGHEST = 65, 20.0, 8000.0  # log-mel: as many bands as there are descriptors; Hz
FLOOR = 1e-7  # power: about the noise of 16-bit samples
DELTA = 5  # frames that a delta is made of
WINDOW = {"log-mel": 400, "compare": 960}  # samples that one frame needs: 25 and 60 ms
FEATURES = {
    "log-mel": "65 log-mel bands (dB, 20 Hz to 8 kHz, windows of 25 ms) and their deltas, by torchaudio",
    "compare": "65 low-level descriptors of openSMILE's ComParE_2016 and their deltas (research only)",
}
WIDTH = 2 * BANDS
SCALING = "scaling.safetensors"
CONSTANT = 1e-6  # a deviation below this share of the mean is float32's rounding


def frame_features(
    waveforms: Sequence[np.ndarray],
    index: Sequence[str],
    kind: str = "log-mel",
    cache: str | Path | None = None,
    progress: bool = True,
) -> Ragged:
    """float32 `(frames, 130)` of each waveform, 10 ms from frame to frame: 65 numbers, then their changes.

    Args:
        waveforms: `(samples,)` each, at 16 kHz; index: ids of the utterances, for messages.
        kind: a key of `FEATURES`; changes are a regression over 5 frames, the edges repeated.
        cache: a folder, memory-mapped, found again by the samples; None keeps them in memory.

    Raises:
        SernbError: an unknown kind, a waveform not finite or under 25 ms ("compare": 60 ms), no openSMILE.
    """
    if kind not in FEATURES:
        raise SernbError(f"features are {kind!r}; choose one of {', '.join(FEATURES)}.")
    window = WINDOW[kind]
    sound = [waveform_of(wave, name, window, "a frame") for wave, name in zip(waveforms, index, strict=True)]
    if not sound:
        raise SernbError("there are no recordings to compute features of.")
    extract, version = (_log_mel, "1") if kind == "log-mel" else _compare()
    lengths = (np.array(list(map(len, sound))) - window) // SHIFT + 1
    lengths += kind == "compare"  # openSMILE smooths over the end

    def batches():
        bar = tqdm(sound, f"features ({kind})", leave=False, disable=not progress)
        for row, (waveform, name) in enumerate(zip(bar, index, strict=True)):
            frames = extract(waveform)
            if frames.shape != (expected := (int(lengths[row]), WIDTH)):
                raise SernbError(f"{name}: {kind} gave the shape {frames.shape}, expected {expected}.")
            yield [row], [frames]

    settings = (version, RATE, SHIFT, BANDS, LOWEST, HIGHEST, FLOOR, DELTA)
    name = f"{kind}-{digest(repr(settings), Ragged.of(sound))}" if cache else ""
    return computed_once(cache, name, lengths, (WIDTH,), batches())


@dataclass(frozen=True, eq=False)
class Scaling:
    """z-normalisation of each feature by `mean` and `deviation (features,)` of what was trained on."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fitted(cls, features: Ragged, rows: Sequence[int]) -> "Scaling":
        """Of all frames of the items `rows`, each frame counting once; sums in float64.

        A feature that is constant there is only shifted to 0. Raises SernbError without rows.
        """
        if not len(rows := np.asarray(rows, int)):
            raise SernbError("scaling needs training rows, and there are none.")
        count = features.lengths[rows].sum()
        mean = sum(features[row].sum(0, dtype=np.float64) for row in rows) / count
        squares = sum(np.square(features[row] - mean).sum(0) for row in rows)  # float64, by the mean
        deviation = np.sqrt(squares / count)
        deviation[deviation <= CONSTANT * np.abs(mean)] = 1.0
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def applied(self, features: Ragged) -> "Scaled":
        """`features`, scaled as batches are taken from them, so that no second copy lies in memory."""
        return Scaled(features, self)

    def save(self, folder: str | Path) -> Path:
        """Write scaling.safetensors into a folder that is there."""
        path = Path(folder) / SCALING
        with whole_file(path) as beside:
            save_file({"mean": self.mean, "deviation": self.deviation}, beside)
        return path

    @classmethod
    def read(cls, folder: str | Path) -> "Scaling":
        """What `save` wrote. Raises SernbError where there is none, or another file."""
        path = Path(folder) / SCALING
        with reading(path, "expected the scaling that a student was trained with: mean and deviation"):
            return cls(**load_file(path))


@dataclass(frozen=True, eq=False)
class Scaled:
    """Features with their scaling; stands where a `Ragged` does, as far as batches go."""

    features: Ragged
    scaling: Scaling

    def __len__(self) -> int:
        return len(self.features)

    @property
    def lengths(self) -> np.ndarray:
        return self.features.lengths

    def padded(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """`(batch, frames, features)`, zeros behind the end, and its mask bool `(batch, frames)`."""
        x, mask = self.features.padded(rows)
        x = (x - torch.from_numpy(self.scaling.mean)) / torch.from_numpy(self.scaling.deviation)
        return x.masked_fill(~mask[..., None], 0.0), mask


@kept
def _mel() -> MelSpectrogram:
    # 512 points hold a whole window of 400; the padding is where the window is zero.
    return MelSpectrogram(RATE, 512, 400, SHIFT, LOWEST, HIGHEST, pad=56, n_mels=BANDS, center=False)


@torch.inference_mode()
def _log_mel(waveform: np.ndarray) -> np.ndarray:
    level = 10 * torch.log10(_mel()(torch.from_numpy(waveform)) + FLOOR)  # (bands, frames), dB
    return torch.cat([level, compute_deltas(level, DELTA)]).T.numpy()


def _compare():
    """(what extracts, version of openSMILE); SernbError where it is not installed."""
    try:
        import opensmile
    except ImportError:
        install = "pip install 'sernb[opensmile]' (its licence allows research only)"
        raise SernbError(f"'compare' needs openSMILE: {install}; 'log-mel' needs nothing more.") from None
    level = opensmile.FeatureLevel
    levels = level.LowLevelDescriptors, level.LowLevelDescriptors_Deltas
    smiles = [opensmile.Smile(opensmile.FeatureSet.ComParE_2016, kind) for kind in levels]

    def extract(waveform):
        now, change = (smile.process_signal(waveform, RATE).to_numpy(np.float32) for smile in smiles)
        return np.concatenate([now, change[: len(now)]], 1)  # two deltas more lie behind the end

    return extract, opensmile.__version__
