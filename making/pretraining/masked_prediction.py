"""Masked prediction of clusters, the training of HuBERT (Hsu et al. 2021, section II)."""

import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import HubertModel, get_linear_schedule_with_warmup

from making.pretraining.going_on import gone_on, kept
from making.pretraining.spoken import FIELD, HOP, Speech
from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged

UNSEEN = 0.05  # share of the sessions, and so of the speakers, that nothing is learnt from
FRAMES = 100  # of a crop: 2 s
STARTS, SPAN = (
    0.065,
    10,
)  # share of frames where a masked span starts, besides one in every crop, and its frames
TEMPERATURE, CODE = 0.1, 64  # of the cosines, and the width they are taken in
# Weight of the frames that are not masked: in so few steps it is they that teach the lower layers to hear.
HEARD = 1.0
BATCH, LEARNING_RATE, WEIGHT_DECAY, WARM_UP = 16, 1.5e-3, 1e-2, 0.1
CURVE = ("step", "loss", "accuracy", "held_out_loss", "held_out_accuracy", "commonest", "minutes")
POINTS, CHECKED = 20, 256  # rows of the learning curve, and held-out crops for each


def kept_apart(spoken: Speech) -> np.ndarray:
    """The utterances, bool, of the first sessions: nothing is learnt from them."""
    sessions = sorted(spoken.table["session"].unique())
    return spoken.table["session"].isin(sessions[: max(1, round(UNSEEN * len(sessions)))]).to_numpy()


class MaskedPredictor(nn.Module):
    """The encoder with what is thrown away after the training: a projection, and an embedding of each
    cluster."""

    def __init__(self, encoder: HubertModel, number: int):
        super().__init__()
        self.encoder = encoder
        self.project = nn.Linear(encoder.config.hidden_size, CODE)
        self.codes = nn.Parameter(torch.randn(number, CODE))

    def forward(self, sound: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
        """sound (batch, samples) or, without convolutions, features (batch, channels, frames); masked (batch,
        frames) bool → logits (batch, frames, clusters): cosines divided by the temperature (eq. 3)."""
        features = convolved(self.encoder, sound)
        with without_convolutions(self.encoder):
            states = self.encoder(features, mask_time_indices=masked).last_hidden_state
        states = F.normalize(self.project(states), dim=-1)
        return states @ F.normalize(self.codes, dim=-1).T / TEMPERATURE


def convolved(encoder: HubertModel, sound: torch.Tensor) -> torch.Tensor:
    """What the convolutions make of sound (batch, samples), normalised as the feature extractor of the
    shipped folder does it: (batch, channels, frames), in bfloat16 where the processor multiplies matrices of
    it. Features stay as they are.

    The layers above compute in float32: in bfloat16, oneDNN got the positional convolution (16 groups of 8
    channels, 128 wide) quite wrong, and a network trained with it learnt nothing from its surroundings.
    """
    if sound.dim() == 3:
        return sound
    able = torch.cpu.get_capabilities().get("amx_bf16", False)  # slower on CPUs without
    with torch.autocast("cpu", torch.bfloat16, enabled=able):
        return encoder.feature_extractor(F.layer_norm(sound, sound.shape[-1:])).float()


@contextmanager
def without_convolutions(*encoders: HubertModel):
    """Encoders that take what their convolutions would give, (batch, channels, frames): these cost most of a
    step, and need not be gone through again where they stay as they are."""
    away = [one.feature_extractor for one in encoders]
    for one in encoders:
        one.feature_extractor = nn.Identity()
    try:
        yield
    finally:
        for one, convolutions in zip(encoders, away, strict=True):
            one.feature_extractor = convolutions


def costs(
    logits: torch.Tensor, codes: torch.Tensor, masked: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean cross-entropy of the masked frames, and of those that were heard (0 where there are none)."""
    each = F.cross_entropy(logits.transpose(1, 2), codes, reduction="none")
    return tuple((each * frames).sum() / frames.sum().clamp(min=1) for frames in (masked, ~masked))


def spans(batch: int, frames: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Which frames to mask, bool (batch, frames): spans of SPAN frames that may overlap or be cut off at the
    end; each row has one at least."""
    starts = torch.rand(batch, frames, generator=generator) < STARTS
    starts.scatter_(1, torch.randint(frames, (batch, 1), generator=generator), True)
    reach = F.pad(starts.float()[:, None], (SPAN - 1, 0))
    return F.max_pool1d(reach, SPAN, 1)[:, 0].bool()


class Crops:
    """Pieces of FRAMES frames of the utterances `rows` that are long enough, with their clusters.

    source: sound, int16 (samples,) each, or what the convolutions make of it, (frames, channels) each.
    """

    def __init__(self, source: Ragged, codes: Ragged, rows: np.ndarray, frames: int = FRAMES):
        self.source, self.codes, self.frames = source, codes, frames
        self.rows = rows[codes.lengths[rows] >= frames]
        if not len(self.rows):
            raise SernbError(
                f"no utterance is as long as {frames} frames of 20 ms: make more or longer speech."
            )
        room = codes.lengths[self.rows] - frames + 1
        self.ends = torch.from_numpy(np.cumsum(room))  # each place to begin is as likely as any other

    def draw(self, batch: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """sound (batch, samples) or features (batch, channels, frames), and clusters (batch, frames)."""
        places = torch.randint(int(self.ends[-1]), (batch,), generator=generator)
        items = torch.searchsorted(self.ends, places, right=True)
        begins = places - torch.cat([torch.zeros(1, dtype=torch.long), self.ends])[items]
        of_sound = self.source.values.ndim == 1
        hop, field = (HOP, FIELD) if of_sound else (1, 1)
        heard, codes = [], []
        for item, begin in zip(self.rows[items.numpy()], begins.tolist(), strict=True):
            piece = self.source[item][hop * begin : hop * (begin + self.frames - 1) + field]
            heard.append(piece.astype(np.float32) / 32768 if of_sound else piece.astype(np.float32).T)
            codes.append(self.codes[item][begin : begin + self.frames].astype(np.int64))
        return torch.from_numpy(np.stack(heard)), torch.from_numpy(np.stack(codes))


@torch.inference_mode()
def judge(model: MaskedPredictor, crops: Crops, seed: int) -> tuple[float, float, float]:
    """Loss and accuracy on masked frames of the same held-out crops every time, and the commonest cluster's
    share."""
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    logits, targets = [], []
    for _ in range(-(-CHECKED // BATCH)):
        sound, codes = crops.draw(BATCH, generator)
        masked = spans(*codes.shape, generator)
        logits.append(model(sound, masked)[masked])
        targets.append(codes[masked])
    model.train()
    logits, targets = torch.cat(logits), torch.cat(targets)
    right = (logits.argmax(-1) == targets).float().mean().item()
    commonest = targets.bincount().max().item() / len(targets)
    return F.cross_entropy(logits, targets).item(), right, commonest


def train(
    learning: Crops,
    held_out: Crops,
    encoder: HubertModel,
    number: int,
    steps: int,
    seed: int,
    checkpoint: Path | None = None,
    stop: int | None = None,
) -> pd.DataFrame:
    """Train the encoder where it is, and give its curve: step, loss and accuracy on masked frames (means
    since the row before), the same of `held_out`, and the share there of the commonest cluster.

    checkpoint: a file to go on from, and to write at each row of the curve; stop: a step to break off at. The
    curve's `minutes` are of processor time.
    """
    torch.manual_seed(seed)
    model = MaskedPredictor(encoder, number).train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY
    )
    schedule = get_linear_schedule_with_warmup(optimizer, round(WARM_UP * steps), steps)
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    begun, curve = gone_on(checkpoint, parts)
    seen, spent = [], curve[-1]["minutes"] if curve else 0.0
    clock = time.process_time()
    with tqdm(total=steps, initial=begun, desc="training", unit="step", disable=None) as bar:
        for step in range(begun + 1, (stop or steps) + 1):
            sound, codes = learning.draw(BATCH)
            masked = spans(*codes.shape)
            logits = model(sound, masked)
            guessed, heard = costs(logits, codes, masked)
            optimizer.zero_grad()
            (guessed + HEARD * heard).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            right = (logits.argmax(-1) == codes)[masked].float().mean()
            seen.append((guessed.item(), right.item()))
            bar.update()
            if step == steps or step % max(steps // POINTS, 1) == 0:
                means, judged = np.mean(seen, 0).tolist(), judge(model, held_out, seed)
                minutes = spent + (time.process_time() - clock) / 60
                curve.append(dict(zip(CURVE, (step, *means, *judged, minutes), strict=True)))
                seen.clear()
                bar.set_postfix(loss=f"{judged[0]:.2f}", accuracy=f"{judged[1]:.3f}")
                kept(checkpoint, parts, step, curve)
    encoder.eval()
    return pd.DataFrame(curve)
