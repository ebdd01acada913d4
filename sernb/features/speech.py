"""What a frozen speech encoder makes of recordings: frames of its front end, or the states of all its layers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm
from transformers import HubertModel, Wav2Vec2Model

from sernb.core.ragged import Ragged, computed_once, digest
from sernb.features.audio import waveform_of
from sernb.models.audio_text_regressor import front, receptive_field

RATE = 16000
STRIDE = 320  # samples from one frame to the next: 20 ms


def standardised(waveform: np.ndarray) -> np.ndarray:
    """The waveform at mean 0 and variance 1, as most of these encoders were trained (their `do_normalize`)."""
    waveform = np.asarray(waveform, np.float32)
    return (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)


def frames(
    waveforms: Sequence[np.ndarray],
    names: Sequence[str],
    speech: HubertModel | Wav2Vec2Model,
    normalise: bool = True,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Ragged:
    """Frames `(K, channels)` of the convolutional front end, 20 ms each, for waveforms `(samples,)` at 16 kHz.

    The front end is frozen in fine-tuning too (paper, 3.2), so this is computed once, utterance by utterance: no padding
    touches its group norm. names: of the utterances, for messages. cache: a folder, memory-mapped; None keeps them in
    memory. Raises SernbError for a recording under 25 ms.
    """
    sound = _checked(waveforms, names, speech, normalise)
    lengths = np.array([_frames(len(one), speech.config) for one in sound])
    device = next(speech.parameters()).device

    def batches():
        for row, one in enumerate(tqdm(sound, "frames of speech", leave=False, disable=not progress)):
            yield [row], [front(speech, torch.from_numpy(one).to(device)).cpu().numpy()]

    config = speech.config  # what the weights do not tell
    settings = [
        config.conv_kernel,
        config.conv_stride,
        config.feat_extract_activation,
        config.feat_extract_norm,
    ]
    name = "frames-" + digest(repr(settings), speech.feature_extractor, Ragged.of(sound)) if cache else ""
    return computed_once(cache, name, lengths, (speech.config.conv_dim[-1],), batches())


@torch.inference_mode()
def layer_states(
    waveforms: Sequence[np.ndarray],
    names: Sequence[str],
    speech: HubertModel | Wav2Vec2Model,
    normalise: bool = True,
    progress: bool = True,
) -> np.ndarray:
    """States of all layers of a frozen encoder, averaged over time: float32 `(utterances, layers + 1, width)`.

    Layer 0 is the front end's output, projected to the encoder's width, with positions added: what the first layer is given. The encoder is in
    evaluation mode; each utterance goes through it alone. Raises SernbError for a recording under 25 ms.
    """
    found = [_states(speech, one).mean(1) for one in _each(waveforms, names, speech, normalise, progress)]
    return np.stack([one.cpu().numpy() for one in found])


@torch.inference_mode()
def frame_states(
    waveforms: Sequence[np.ndarray],
    names: Sequence[str],
    speech: HubertModel | Wav2Vec2Model,
    normalise: bool = True,
    progress: bool = True,
) -> Ragged:
    """As `layer_states`, with the time axis: `(frames, layers + 1, width)` an utterance, in half precision."""
    each = _each(waveforms, names, speech, normalise, progress)
    return Ragged.of([_states(speech, one).transpose(0, 1).half().cpu().numpy() for one in each])


def _each(waveforms, names, speech, normalise, progress):
    device = next(speech.parameters()).device
    speech.eval()
    for one in tqdm(
        _checked(waveforms, names, speech, normalise),
        "states of all layers",
        leave=False,
        disable=not progress,
    ):
        yield torch.from_numpy(one).to(device)


def _states(speech, waveform):
    """`(layers + 1, frames, width)`."""
    return torch.cat(speech(waveform[None], output_hidden_states=True).hidden_states).float()


def _checked(waveforms, names, speech, normalise):
    shortest = receptive_field(speech.config)
    named = zip(waveforms, names, strict=True)
    checked = [waveform_of(one, name, shortest, "a speech encoder", RATE) for one, name in named]
    return [standardised(one) for one in checked] if normalise else checked


def _frames(samples, config):
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples
