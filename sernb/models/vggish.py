"""VGGish: log-mel examples of 0.96 s, the network that turns each into 128 numbers, and its post-processing.

Source: S. Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017, and the
published code (TensorFlow Models, research/audioset/vggish; below: "the reference"). DistilSER takes it as
its audio encoder.
"""

from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import nn
from torch.nn import functional as F
from torchaudio.functional import resample

RATE = 16000
EXAMPLE_SECONDS = 0.96
WINDOW, HOP, FFT = 400, 160, 512  # samples: 25 ms, 10 ms
FRAMES, BANDS = 96, 64  # of one example
LOWEST, HIGHEST = 125.0, 7500.0  # Hz
OFFSET = 0.01  # before the logarithm
SHORTEST = (FRAMES - 1) * HOP + WINDOW  # samples: the last frame is a whole window, so 0.975 s
POOLED = (1, 2, 4, 6)  # convolutions that a 2x2 max-pool follows
LIMIT = 2.0  # PCA components beyond it, either way, are clipped


def examples_of(waveform, rate: int = RATE) -> torch.Tensor:
    """A recording `(samples,)`, floats with full scale 1, as log-mel examples `(n, 96, 64)`, n at least 1.

    The frames of `log_mel`, 96 an example, no overlap. A partial example at the end is dropped.
    """
    frames = log_mel(waveform, rate)
    return frames[: len(frames) // FRAMES * FRAMES].view(-1, FRAMES, BANDS)


def log_mel(waveform, rate: int = RATE) -> torch.Tensor:
    """A recording `(samples,)`, floats with full scale 1, as log-mel frames `(frames, 64)`, one every 10 ms.

    As the reference: 16 kHz, periodic Hann window of 25 ms, magnitude of a 512-point FFT, 64 mel bands from
    125 to 7500 Hz (HTK), log(mel + 0.01). A recording too short for one example (15,600 samples at 16 kHz) is
    padded with silence to one, where the reference fails. Other rates (Hz) are resampled.

    Raises ValueError: not one channel, empty, not floats, not finite, no whole positive rate.
    """
    waveform = torch.as_tensor(waveform)
    if waveform.dim() != 1 or not waveform.numel():
        raise ValueError(f"expected one channel (samples,), not empty, got the shape {tuple(waveform.shape)}")
    if not waveform.is_floating_point():
        raise ValueError(f"expected floats up to 1, got {waveform.dtype}; divide 16-bit samples by 32768")
    if not torch.isfinite(waveform).all():
        raise ValueError("the recording holds NaN or infinity")
    if rate != int(rate) or rate < 1:
        raise ValueError(f"expected a sampling rate in Hz, a positive whole number, got {rate!r}")
    waveform = waveform.float()
    if rate != RATE:
        waveform = resample(waveform, int(rate), RATE)
    if len(waveform) < SHORTEST:
        waveform = F.pad(waveform, (0, SHORTEST - len(waveform)))
    frames = waveform.unfold(0, WINDOW, HOP)  # (frames, samples of a window), a view
    window = torch.hann_window(WINDOW, device=waveform.device)  # periodic is torch's default
    magnitude = torch.fft.rfft(frames * window, FFT).abs()  # (frames, 257)
    mel = magnitude @ mel_matrix().to(waveform.device)
    return torch.log(mel + OFFSET)


@cache
def mel_matrix() -> torch.Tensor:
    """The weights (257 FFT bins, 64 bands) that make mel bands of magnitudes.

    The reference's triangles are straight on the mel scale; those of torchaudio's melscale_fbanks, straight
    in Hz, would change log-mel values of noise by 0.01.
    """
    bins = _mel(np.linspace(0, RATE / 2, FFT // 2 + 1))[:, None]
    edges = np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clip(0)
    return torch.from_numpy(weights).float()


def _mel(hertz):
    return 1127.0 * np.log1p(hertz / 700.0)  # HTK's


@dataclass(frozen=True)
class VGGishConfig:
    """The shape of a `VGGish`; the defaults are the published network, with 72,141,184 parameters.

    `channels` of the six convolutions, `hidden` units of the fully connected layers before the `embedding`.
    """

    channels: tuple = (64, 128, 256, 256, 512, 512)
    hidden: tuple = (4096, 4096)
    embedding: int = 128

    def __post_init__(self):
        for name in ("channels", "hidden"):  # JSON knows lists only
            object.__setattr__(self, name, tuple(getattr(self, name)))
        sizes = (*self.channels, *self.hidden, self.embedding)
        if len(self.channels) != POOLED[-1] or any(not isinstance(size, int) or size < 1 for size in sizes):
            came = f"channels {self.channels}, hidden {self.hidden}, embedding {self.embedding}"
            raise ValueError(f"expected six channels, and whole numbers from 1 on; got {came}")


class VGGish(
    nn.Module,
    PyTorchModelHubMixin,
    coders={VGGishConfig: (asdict, lambda saved: VGGishConfig(**saved))},
    library_name="sernb",
):
    """Six 3x3 convolutions with four max-pools, then fully connected layers, a ReLU after each, the last too.

    Shape: log-mel examples `(..., 96, 64)` of `examples_of` to embeddings `(..., 128)`, none negative.

    Example:
        >>> VGGish()(examples_of(torch.zeros(5 * RATE))).shape
        torch.Size([5, 128])
    """

    def __init__(self, config: VGGishConfig | None = None):
        super().__init__()
        config = config or VGGishConfig()
        self.shape = config  # not "config": the Trainer writes into an attribute of that name
        inputs = (1, *config.channels[:-1])
        self.convs = nn.ModuleList(
            nn.Conv2d(one, other, 3, padding=1) for one, other in zip(inputs, config.channels, strict=True)
        )
        shrink = 2 ** len(POOLED)
        sizes = (FRAMES // shrink * (BANDS // shrink) * config.channels[-1], *config.hidden, config.embedding)
        self.linears = nn.ModuleList(nn.Linear(one, other) for one, other in pairwise(sizes))

    def forward(self, examples: torch.Tensor) -> torch.Tensor:
        """`examples (..., 96, 64)`, such as `(batch, n, 96, 64)`, to `(..., 128)`."""
        if examples.dim() < 2 or tuple(examples.shape[-2:]) != (FRAMES, BANDS):
            raise ValueError(f"expected (..., {FRAMES}, {BANDS}), got the shape {tuple(examples.shape)}")
        x = examples.reshape(-1, 1, FRAMES, BANDS).contiguous(memory_format=torch.channels_last)
        for number, conv in enumerate(self.convs, start=1):
            x = conv(x)
            if number in POOLED:  # before the ReLU: the maximum commutes with it, and it works on a quarter
                x = F.max_pool2d(x, 2)
            x = F.relu(x, inplace=True)
        x = x.permute(0, 2, 3, 1).flatten(1)  # frames, bands, channels: TensorFlow's order, of the weights
        for linear in self.linears:
            x = F.relu(linear(x), inplace=True)
        return x.view(*examples.shape[:-2], self.shape.embedding)


class PostProcess(nn.Module):
    """What AudioSet's published embeddings went through: whitening by PCA, clipping to ±2, rounding to 8 bit.

    `eigen_vectors (128, 128)`, a component a row, and `means (128,)`; without them the PCA changes nothing.
    Embeddings `(..., 128)` become whole numbers from 0 to 255, as floats, and nothing before can learn.
    """

    def __init__(self, eigen_vectors=None, means=None):
        super().__init__()
        eigen_vectors = torch.eye(128) if eigen_vectors is None else torch.as_tensor(eigen_vectors).float()
        means = torch.zeros(len(eigen_vectors)) if means is None else torch.as_tensor(means).float()
        if means.dim() != 1 or eigen_vectors.shape != (means.numel(), means.numel()):
            came = f"{tuple(eigen_vectors.shape)} and {tuple(means.shape)}"
            raise ValueError(f"expected eigen vectors (128, 128) and means (128,), got {came}")
        self.register_buffer("eigen_vectors", eigen_vectors)
        self.register_buffer("means", means)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        if embeddings.shape[-1] != (size := len(self.means)):
            raise ValueError(f"expected embeddings (..., {size}), got the shape {tuple(embeddings.shape)}")
        components = (embeddings - self.means) @ self.eigen_vectors.T
        return torch.round((components.clamp(-LIMIT, LIMIT) + LIMIT) * (255 / (2 * LIMIT)))
