"""What a HuBERT guesses: each frame's cluster, of spectral shape first, then of an earlier network's own
features."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import mutual_info_score
from torch.nn import functional as F
from torchaudio.functional import compute_deltas
from torchaudio.transforms import MFCC
from tqdm.auto import tqdm
from transformers import HubertModel

from making.pretraining.masked_prediction import convolved, without_convolutions
from making.pretraining.spoken import FIELD, HOP, Speech
from sernb.core.ragged import Ragged

SAMPLE = 200_000  # frames that the clusters are found in
TOGETHER = 48  # utterances of one length that go through a network at once

_mfcc = MFCC(
    16000,
    n_mfcc=13,
    melkwargs={"n_fft": FIELD, "hop_length": HOP // 2, "n_mels": 40, "center": False},
)


def mfcc(sound: torch.Tensor) -> torch.Tensor:
    """13 coefficients, their slopes and the slopes of these: (batch, samples) at 16 kHz to (batch, frames,
    39).

    Found every 10 ms, of which every second is kept: frame i then covers the samples that a HuBERT's frame i
    hears.
    """
    plain = _mfcc(F.layer_norm(sound, sound.shape[-1:]))
    slopes = compute_deltas(plain)
    return torch.cat([plain, slopes, compute_deltas(slopes)], 1)[..., ::2].transpose(1, 2)


def log_mel(sound: torch.Tensor) -> torch.Tensor:
    """The 40 mel bands that the coefficients are of, as logarithms: (batch, samples) to (batch, frames,
    40)."""
    power = _mfcc.MelSpectrogram(F.layer_norm(sound, sound.shape[-1:]))
    return torch.log(power + 1e-6)[..., ::2].transpose(1, 2)


def layer_features(model: HubertModel, layer: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function that gives the output of a layer (1 the first), (batch, samples) or what the convolutions
    make of it, (batch, channels, frames), to (batch, frames, width)."""
    lower = deepcopy(model).eval()
    del lower.encoder.layers[layer:]

    def features(heard):
        heard = convolved(lower, heard)
        with without_convolutions(lower):
            return lower(heard).last_hidden_state

    return features


@torch.inference_mode()
def by_length(
    speech: Speech, features: Callable, rows: np.ndarray, title: str, convolutions: Ragged | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, features (rows, frames, width)) of utterances with one number of frames, so that none is padded.

    features: a function of sound (batch, samples) or, where `convolutions` has their output, of that.
    """
    frames = speech.phones.lengths[rows]
    with tqdm(total=len(rows), desc=title, unit="", disable=None) as bar:
        for length in np.unique(frames):
            same = rows[frames == length]
            for some in np.array_split(same, -(-len(same) // TOGETHER)):
                if convolutions is None:
                    heard = [speech.waveform(row)[: HOP * (length - 1) + FIELD] for row in some]
                else:
                    heard = [convolutions[row].astype(np.float32).T for row in some]
                yield some, features(torch.from_numpy(np.stack(heard))).float().numpy()
                bar.update(len(some))


def clusters(
    speech: Speech,
    features: Callable,
    number: int,
    learning: np.ndarray,
    seed: int,
    convolutions: Ragged | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, clusters (rows, frames)) of all utterances; k-means sees frames of the rows `learning` only. The
    rest is as in `by_length`."""
    rng = np.random.default_rng(seed)
    enough = rng.permutation(learning)
    enough = np.sort(enough[: 1 + np.searchsorted(np.cumsum(speech.phones.lengths[enough]), SAMPLE)])
    found = [
        values.reshape(-1, values.shape[-1])
        for _, values in by_length(speech, features, enough, "frames to cluster", convolutions)
    ]
    means = MiniBatchKMeans(number, batch_size=10_000, n_init=5, max_no_improvement=50, random_state=seed)
    means.fit(np.concatenate(found))
    every = np.arange(len(speech.table))
    for rows, values in by_length(speech, features, every, "clusters", convolutions):
        yield rows, means.predict(values.reshape(-1, values.shape[-1])).reshape(values.shape[:2])


def phone_information(codes: np.ndarray, phones: np.ndarray) -> float:
    """How much of the uncertainty about a frame's phone its cluster takes away, 0 to 1 (HuBERT's PNMI, its
    eq. 8)."""
    shares = np.bincount(phones) / len(phones)
    uncertainty = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
    return mutual_info_score(phones, codes) / uncertainty if uncertainty > 0 else 0.0
