"""What a frozen speech encoder makes of recordings: frames of its front end, or states of all its layers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from sernb.core.ragged import Ragged, computed_once, digest
from sernb.features.audio import waveform_of
from sernb.models.audio_text_regressor import front, receptive_field


def standardised(waveform: np.ndarray) -> np.ndarray:
    """The waveform at mean 0, variance 1, as most of these encoders were trained (their `do_normalize`)."""
    waveform = np.asarray(waveform, np.float32)
    return (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)


def frames(
    waveforms: Sequence[np.ndarray],
    names: Sequence[str],
    speech: nn.Module,
    normalise: bool = True,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Ragged:
    """Frames `(K, channels)` of the frozen convolutional front end, 20 ms each, utterance by utterance.

    Args:
        waveforms: `(samples,)` each, at 16 kHz; names: of the utterances, for messages.
        speech: a HuBERT or wav2vec 2.0; normalise: bring each waveform to mean 0 and variance 1 first.
        cache: a folder, memory-mapped; None keeps the frames in memory.

    Raises:
        SernbError: a recording under 25 ms.
    """
    sound = _checked(waveforms, names, speech, normalise)
    config, device = speech.config, next(speech.parameters()).device
    lengths = np.array(list(map(len, sound)))
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        lengths = (lengths - kernel) // stride + 1

    def batches():
        for row, waveform in enumerate(tqdm(sound, "frames of speech", leave=False, disable=not progress)):
            yield [row], [front(speech, torch.from_numpy(waveform).to(device)).cpu().numpy()]

    # What the weights do not tell, the weights, and the sound.
    kinds = ("conv_kernel", "conv_stride", "feat_extract_activation", "feat_extract_norm")
    parts = repr([getattr(config, kind) for kind in kinds]), speech.feature_extractor
    name = f"frames-{digest(*parts, Ragged.of(sound))}" if cache else ""
    return computed_once(cache, name, lengths, (config.conv_dim[-1],), batches())


@torch.inference_mode()
def layer_states(
    waveforms: Sequence[np.ndarray], names: Sequence[str], speech: nn.Module, normalise=True, progress=True
) -> np.ndarray:
    """States of all layers of a frozen encoder, averaged over time: `(utterances, layers + 1, width)`.

    Layer 0 is what the first layer is given. Each utterance goes through the encoder alone.
    """
    each = _states(waveforms, names, speech, normalise, progress)
    return np.stack([states.mean(1).cpu().numpy() for states in each])


@torch.inference_mode()
def frame_states(
    waveforms: Sequence[np.ndarray], names: Sequence[str], speech: nn.Module, normalise=True, progress=True
) -> Ragged:
    """As `layer_states`, with the time axis: `(frames, layers + 1, width)` each, in half precision."""
    each = _states(waveforms, names, speech, normalise, progress)
    return Ragged.of([states.transpose(0, 1).half().cpu().numpy() for states in each])


def _states(waveforms, names, speech, normalise, progress):
    """`(layers + 1, frames, width)` of each utterance."""
    sound, device = _checked(waveforms, names, speech.eval(), normalise), next(speech.parameters()).device
    for waveform in tqdm(sound, "states of all layers", leave=False, disable=not progress):
        wave = torch.from_numpy(waveform).to(device)[None]
        yield torch.cat(speech(wave, output_hidden_states=True).hidden_states).float()


def _checked(waveforms, names, speech, normalise):
    shortest = receptive_field(speech.config)
    named = zip(waveforms, names, strict=True)
    checked = (waveform_of(waveform, name, shortest, "a speech encoder") for waveform, name in named)
    return [standardised(waveform) if normalise else waveform for waveform in checked]
