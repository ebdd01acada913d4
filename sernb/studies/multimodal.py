"""What a multimodal network is fed: token ids, audio embeddings and labels of a corpus, computed once and cached."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from sernb.core.errors import SernbError, some
from sernb.core.ragged import Ragged, computed_once, digest
from sernb.features.text import token_ids
from sernb.losses import UNLABELLED
from sernb.models.three_m_ser import STREAMS, ThreeMSER
from sernb.models.vggish import PostProcess, VGGish, examples_of

BATCH = 32  # utterances encoded at a time


@dataclass(frozen=True)
class Inputs:
    """Utterances as a network takes them; row i belongs to `index[i]`.

    classes: names of the class numbers in `labels (n,)`, which is -100 where no emotion is known. tokens: ids (L,) an
    utterance; audio: embeddings (T, 128); examples: log-mel (T, 96, 64), kept only where VGGish itself is trained (what a model says is
    then computed from them).
    vocabulary: a fingerprint of the tokenizer, so that a teacher's states meet a student with the same pieces only.
    """

    index: pd.Index
    classes: tuple
    labels: np.ndarray
    tokens: Ragged | None = None
    audio: Ragged | None = None
    examples: Ragged | None = None
    vocabulary: str = ""

    def only(self, stream: str) -> "Inputs":
        """These inputs without the other stream; "text" or "audio"."""
        if stream not in STREAMS:
            raise SernbError(f"stream is {stream!r}; choose {' or '.join(STREAMS)}.")
        if stream == "text":
            return replace(self, audio=None, examples=None)
        return replace(self, tokens=None, vocabulary="")

    def rows(self, ids: Sequence) -> np.ndarray:
        """Row numbers of the utterances `ids`; SernbError for one that is not here."""
        rows = self.index.get_indexer(ids)
        if (rows < 0).any():
            raise SernbError(
                f"{int((rows < 0).sum())} utterances are not among these inputs: "
                f"{some(np.asarray(ids)[rows < 0])}. Prepare them from the same table that the folds were made of."
            )
        return rows


@dataclass(frozen=True)
class Outputs:
    """What a network says of the utterances of its `Inputs`: logits `(n, classes)`, fused `(n, 128)`, text states."""

    classes: tuple
    vocabulary: str
    logits: np.ndarray
    fused: np.ndarray
    text_states: Ragged | None = None


def prepare(
    utterances: pd.DataFrame,
    waveforms: list[np.ndarray] | None = None,
    tokenizer=None,
    audio: VGGish | None = None,
    postprocess: PostProcess | None = None,
    longest: int = 512,
    keep_examples: bool = False,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Inputs:
    """The inputs of `utterances`: words where a tokenizer is given, sound where a VGGish is.

    waveforms: float32 `(samples,)` at 16 kHz, in the table's order. A recording shorter than one VGGish example (0.96 s)
    is filled with silence. cache: a folder for the audio embeddings, memory-mapped; None keeps them in memory.
    Raises SernbError where words or recordings are missing.
    """
    emotion = utterances.get("emotion")
    classes = () if emotion is None else tuple(emotion.cat.categories)
    labels = np.full(len(utterances), UNLABELLED) if emotion is None else emotion.cat.codes.to_numpy(np.int64)
    inputs = Inputs(utterances.index, classes, np.where(labels < 0, UNLABELLED, labels))
    if tokenizer is not None:
        if "text" not in utterances:
            raise SernbError(
                "a text stream needs a column 'text', and these utterances have none: leave the stream out."
            )
        ids = token_ids(utterances["text"], tokenizer, longest)
        inputs = replace(inputs, tokens=Ragged.of(ids, np.int64), vocabulary=fingerprint_of(tokenizer))
    if audio is not None:
        if waveforms is None or len(waveforms) != len(utterances):
            count = 0 if waveforms is None else len(waveforms)
            raise SernbError(
                f"an audio stream needs a recording for each of {len(utterances)} utterances; {count} were given."
            )
        heard = _examples(utterances.index, waveforms, progress)
        embedded = audio_states(heard, audio, postprocess, cache, progress)
        inputs = replace(inputs, audio=embedded, examples=heard if keep_examples else None)
    return inputs


def audio_states(
    examples: Ragged,
    audio: VGGish,
    postprocess: PostProcess | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Ragged:
    """Embeddings `(T, 128)` of each utterance's log-mel examples `(T, 96, 64)` by a frozen VGGish."""
    device = next(audio.parameters()).device
    audio.eval()
    modules = [audio, *([] if postprocess is None else [postprocess])]

    def batches():
        for rows in _chunks(len(examples), "audio embeddings", progress):
            x = torch.from_numpy(np.concatenate([examples[row] for row in rows])).to(device)
            with torch.inference_mode():
                for module in modules:
                    x = module(x)
            yield rows, np.split(x.cpu().numpy(), np.cumsum(examples.lengths[rows])[:-1])

    name = f"audio-{digest(*modules, examples)}" if cache else ""
    return computed_once(cache, name, examples.lengths, (audio.shape.embedding,), batches())


def text_states(
    inputs: Inputs, text: torch.nn.Module, cache: str | Path | None = None, progress: bool = True
) -> Ragged:
    """Last hidden states `(L, width)` of each utterance by a frozen BERT."""
    device = next(text.parameters()).device
    text.eval()

    def batches():
        for rows in _chunks(len(inputs.index), "text states", progress, inputs.tokens.lengths):
            ids, mask = inputs.tokens.padded(rows)
            with torch.inference_mode():
                x = text(input_ids=ids.to(device), attention_mask=mask.long().to(device)).last_hidden_state
            yield rows, _cut(x, inputs.tokens.lengths[rows])

    name = f"text-{digest(text, inputs.tokens)}" if cache else ""
    width = (text.config.hidden_size,)
    return computed_once(cache, name, inputs.tokens.lengths, width, batches())


def outputs(
    model: ThreeMSER,
    inputs: Inputs,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Outputs:
    """What `model` says of all utterances of `inputs`, in evaluation mode: a teacher's side of distillation, once."""
    states = None
    if "text" in model.shape.streams:
        states = text_states(inputs, model.text, cache, progress)
    device = next(model.parameters()).device
    model.eval()
    examples = Examples(inputs, np.arange(len(inputs.index)), states, live_audio=inputs.examples is not None)
    logits, fused = [], []
    for rows in _chunks(len(inputs.index), "outputs", progress, order=False):
        batch = examples.__getitems__(rows)
        batch = {name: one.to(device) for name, one in batch.items() if name not in ("labels", "input_ids")}
        with torch.inference_mode():
            out = model(**batch)
        logits.append(out.logits.float().cpu().numpy())
        fused.append(out.fused.float().cpu().numpy())
    return Outputs(inputs.classes, inputs.vocabulary, np.concatenate(logits), np.concatenate(fused), states)


class Examples(torch.utils.data.Dataset):
    """Rows of `Inputs`, handed out a whole padded batch at a time, with the teacher's view of them where there is one.

    states: text states computed before, instead of token ids. live_audio: log-mel examples instead of embeddings.
    """

    def __init__(
        self,
        inputs: Inputs,
        rows: np.ndarray,
        states: Ragged | None = None,
        teacher: Outputs | None = None,
        live_audio: bool = False,
    ):
        self.inputs, self.rows, self.states = inputs, np.asarray(rows), states
        self.teacher, self.live_audio = teacher, live_audio

    def __len__(self) -> int:
        return len(self.rows)

    def lengths(self) -> np.ndarray:
        """Tokens (or audio examples, where there are no words) of each row: what batches of like length go by."""
        ragged = self.inputs.tokens if self.inputs.tokens is not None else self.inputs.audio
        return ragged.lengths[self.rows]

    def __getitems__(self, items) -> dict:
        rows = self.rows[np.asarray(items)]
        batch = {"labels": torch.from_numpy(self.inputs.labels[rows])}
        if self.states is not None:
            batch["text_states"], batch["text_mask"] = self.states.padded(rows)
        elif self.inputs.tokens is not None:
            batch["input_ids"], batch["text_mask"] = self.inputs.tokens.padded(rows)
        if self.live_audio:
            batch["examples"], batch["audio_mask"] = self.inputs.examples.padded(rows)
        elif self.inputs.audio is not None:
            batch["audio_states"], batch["audio_mask"] = self.inputs.audio.padded(rows)
        if self.teacher is not None:
            batch["teacher"] = {
                "logits": torch.from_numpy(self.teacher.logits[rows]),
                "fused": torch.from_numpy(self.teacher.fused[rows]),
            }
            if self.teacher.text_states is not None:
                states, mask = self.teacher.text_states.padded(rows)
                batch["teacher"] |= {"text_states": states, "text_mask": mask}
        return batch


def fingerprint_of(tokenizer) -> str:
    """The same for tokenizers with the same pieces and numbers."""
    pieces = sorted(tokenizer.get_vocab().items())
    return hashlib.sha256(repr(pieces).encode()).hexdigest()[:16]


def _examples(index, waveforms, progress) -> Ragged:
    found = []
    for name, waveform in tqdm(
        zip(index, waveforms, strict=True), "log-mel examples", len(index), disable=not progress
    ):
        try:
            found.append(examples_of(waveform).numpy())
        except ValueError as problem:
            raise SernbError(f"{name}: {problem}") from None
    return Ragged.of(found)


def _chunks(count, title, progress, lengths=None, order=True):
    """Row numbers, BATCH at a time; of like length where lengths are known."""
    rows = np.arange(count) if lengths is None or not order else np.argsort(lengths, kind="stable")
    parts = np.split(rows, range(BATCH, count, BATCH))
    return tqdm(parts, title, leave=False, unit="batch", disable=not progress)


def _cut(x, lengths):
    return [one[:length] for one, length in zip(x.float().cpu().numpy(), lengths, strict=True)]
