"""What 3M-SER is fed, computed once, and what it says: predictions, and what it looks at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged, computed_once, digest, rows_of
from sernb.core.tables import predictions_of
from sernb.features.text import token_ids
from sernb.losses import UNLABELLED
from sernb.models.three_m_ser import STREAMS, ThreeMSER, ThreeMSEROutput
from sernb.models.vggish import PostProcess, VGGish, examples_of
from sernb.studies.rows import Rows

BATCH = 32  # utterances encoded at a time


@dataclass(frozen=True)
class Inputs:
    """Utterances as 3M-SER takes them; row i belongs to `index[i]`.

    Args:
        index: Ids of the utterances.
        classes: Names of the class numbers in `labels`.
        labels: `(n,)`, -100 where no emotion is known.
        tokens: Token ids `(tokens,)` of each; None without a text stream.
        audio: VGGish's embeddings `(examples, 128)` of each; None without an audio stream.
        examples: Log-mel `(examples, 96, 64)`, kept only where VGGish itself is trained; what a model says is
            then computed from them.
        vocabulary: `fingerprint_of` the tokenizer: a teacher's states meet the same pieces only.
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
        return rows_of(self.index, ids)

    def dataset(
        self,
        rows: np.ndarray | None = None,
        states: Ragged | None = None,
        teacher: "Outputs | None" = None,
        live_audio: bool | None = None,
    ) -> Rows:
        """These rows (None: all) as `ThreeMSER` takes them, with `labels`.

        states: text states computed before, instead of token ids. teacher: its side goes under the key
        `teacher`. live_audio: log-mel examples instead of embeddings; None: where there are any.
        """
        columns = {"labels": self.labels}
        if states is not None:
            columns["text_states", "text_mask"] = states
        elif self.tokens is not None:
            columns["input_ids", "text_mask"] = self.tokens
        if self.examples is not None if live_audio is None else live_audio:
            columns["examples", "audio_mask"] = self.examples
        elif self.audio is not None:
            columns["audio_states", "audio_mask"] = self.audio
        return Rows(columns, rows, None if teacher is None else teacher.batch)


@dataclass(frozen=True)
class Outputs:
    """What a network says of its `Inputs`: logits `(n, classes)`, fused `(n, 128)`, text states of each."""

    classes: tuple
    vocabulary: str
    logits: np.ndarray
    fused: np.ndarray
    text_states: Ragged | None = None

    def batch(self, rows: np.ndarray) -> dict:
        """Under the key `teacher`, what a distillation loss asks of one."""
        batch = {"logits": torch.from_numpy(self.logits[rows]), "fused": torch.from_numpy(self.fused[rows])}
        if self.text_states is not None:
            batch["text_states"], batch["text_mask"] = self.text_states.padded(rows)
        return {"teacher": batch}


def prepare(
    utterances: pd.DataFrame,
    waveforms: list[np.ndarray] | None = None,
    tokenizer=None,
    audio: VGGish | None = None,
    postprocess: PostProcess | None = None,
    keep_examples: bool = False,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Inputs:
    """The inputs of `utterances`: words where a tokenizer is given, sound where a VGGish is.

    Args:
        utterances: With the columns `text` and `emotion` where they are needed or known.
        waveforms: float32 `(samples,)` at 16 kHz, in the table's order. A recording shorter than one VGGish
            example (0.96 s) is filled with silence.
        tokenizer: Of the text stream.
        audio, postprocess: VGGish, and its own PCA, clipping and rounding.
        keep_examples: For a VGGish that is trained.
        cache: A folder for the audio embeddings, memory-mapped; None keeps them in memory.

    Raises:
        SernbError: Where words or recordings are missing.
    """
    emotion = utterances.get("emotion")
    classes = () if emotion is None else tuple(emotion.cat.categories)
    labels = np.full(len(utterances), UNLABELLED) if emotion is None else emotion.cat.codes.to_numpy(np.int64)
    inputs = Inputs(utterances.index, classes, np.where(labels < 0, UNLABELLED, labels))

    # Words
    if tokenizer is not None:
        if "text" not in utterances:
            raise SernbError(
                "a text stream needs a column 'text', and these utterances have none: leave the stream out."
            )
        tokens = Ragged.of(token_ids(utterances["text"], tokenizer), np.int64)
        inputs = replace(inputs, tokens=tokens, vocabulary=fingerprint_of(tokenizer))

    # Sound
    if audio is not None:
        count = 0 if waveforms is None else len(waveforms)
        if count != len(utterances):
            raise SernbError(
                f"an audio stream needs a recording for each of {len(utterances)} utterances, not {count}."
            )
        examples = _log_mel(utterances.index, waveforms, progress)
        states = audio_states(examples, audio, postprocess, cache, progress)
        inputs = replace(inputs, audio=states, examples=examples if keep_examples else None)
    return inputs


def audio_states(
    examples: Ragged,
    audio: VGGish,
    postprocess: PostProcess | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Ragged:
    """Embeddings `(examples, 128)` of log-mel examples `(examples, 96, 64)` by a frozen VGGish; the other
    arguments are those of `prepare`."""
    device = next(audio.parameters()).device
    audio.eval()
    modules = [audio, *([] if postprocess is None else [postprocess])]

    def batches():
        for rows in _parts(np.arange(len(examples)), "audio embeddings", progress):
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
    """Last hidden states `(tokens, width)` of each utterance by a frozen BERT; `cache` as in `prepare`."""
    device, lengths = next(text.parameters()).device, inputs.tokens.lengths
    text.eval()

    def batches():
        for rows in _parts(np.argsort(lengths, kind="stable"), "text states", progress):
            ids, mask = inputs.tokens.padded(rows)
            with torch.inference_mode():
                x = text(input_ids=ids.to(device), attention_mask=mask.long().to(device)).last_hidden_state
            items = zip(x.float().cpu().numpy(), lengths[rows], strict=True)
            yield rows, [states[:length] for states, length in items]

    name = f"text-{digest(text, inputs.tokens)}" if cache else ""
    return computed_once(cache, name, lengths, (text.config.hidden_size,), batches())


def outputs(
    model: ThreeMSER, inputs: Inputs, cache: str | Path | None = None, progress: bool = True
) -> Outputs:
    """What `model` says of all utterances of `inputs`: a teacher's side of distillation, computed once."""
    states = None
    if "text" in model.shape.streams:
        states = text_states(inputs, model.text, cache, progress)
    answers = [
        (out.logits.float().cpu().numpy(), out.fused.float().cpu().numpy())
        for out in _answered(model, inputs.dataset(states=states), progress)
    ]
    logits, fused = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    return Outputs(inputs.classes, inputs.vocabulary, logits, fused, states)


def predict(
    model: ThreeMSER, utterances: pd.DataFrame, inputs: Inputs, ids: pd.Index, fold: str, name: str
) -> pd.DataFrame:
    """The predictions table of the utterances `ids`; `fold` and `name` (of the model) stand in it."""
    outs = _answered(model, inputs.dataset(inputs.rows(ids)))
    scores = np.concatenate([out.logits.float().softmax(-1).cpu().numpy() for out in outs])
    return predictions_of(pd.DataFrame(scores, ids, list(model.shape.classes)), utterances, fold, name)


def attention_of(model: ThreeMSER, inputs: Inputs, row: int) -> np.ndarray:
    """How much position 0 takes from each token and audio example of one utterance: `(tokens + examples,)`.

    It adds up to 1. The fusion reads words that have passed through a self-attention before; its weight is
    followed back through that one (attention rollout: Abnar & Zuidema 2020, "Quantifying Attention Flow in
    Transformers", without their residual connections, as this network has none), onto BERT's own tokens.
    """
    (out,) = _answered(model, inputs.dataset([row]), attention=True)
    weights = out.fusion_attention[0].float()
    if out.text_attention is not None:
        tokens = out.text_attention.shape[-1]
        weights = torch.cat([weights[:tokens] @ out.text_attention[0].float(), weights[tokens:]])
    return weights.cpu().numpy()


def left_out(model: ThreeMSER, inputs: Inputs, row: int) -> np.ndarray:
    """How much less probable the predicted class becomes without each token, and without each audio example.

    `(tokens + examples,)` differences of probabilities; negative where leaving it out makes the class *more*
    probable. 0 for the first token ([CLS], where the network reads its answer) and for what is alone in its
    stream.
    """
    batch = inputs.dataset([row]).__getitems__([0])
    batch.pop("labels")
    lengths = {name: mask.shape[1] for name, mask in batch.items() if name.endswith("_mask")}
    total = sum(lengths.values())

    # A copy for the whole utterance, and one without each token and example
    counted = [
        (np.arange(length) >= (name == "text_mask")) & (length > 1) for name, length in lengths.items()
    ]
    counted = np.concatenate(counted)
    kept = torch.cat([torch.ones(1, total, dtype=torch.bool), ~torch.diag(torch.from_numpy(counted))])
    masks = dict(zip(lengths, kept.split(list(lengths.values()), 1), strict=True))
    copies = {name: column.expand(total + 1, *column.shape[1:]) for name, column in batch.items()} | masks

    # What each copy makes of the class that the whole one takes
    device = next(model.parameters()).device
    with torch.inference_mode():
        out = model.eval()(**{name: column.to(device) for name, column in copies.items()})
    scores = out.logits.float().softmax(-1).cpu().numpy()
    chosen = scores[:, scores[0].argmax()]
    return np.where(counted, chosen[0] - chosen[1:], 0.0)


def fingerprint_of(tokenizer) -> str:
    """The same for tokenizers with the same pieces and numbers."""
    return digest(sorted(tokenizer.get_vocab().items()))


@torch.inference_mode()
def _answered(
    model: ThreeMSER, dataset: Rows, progress: bool = False, attention: bool = False
) -> Iterator[ThreeMSEROutput]:
    """What `model` says of the rows of `dataset`, some at a time, in evaluation mode."""
    model.eval()
    device = next(model.parameters()).device
    for items in _parts(np.arange(len(dataset)), "outputs", progress):
        batch = dataset.__getitems__(items)
        batch = {name: column.to(device) for name, column in batch.items() if name != "labels"}
        yield model(**batch, attention=attention)


def _log_mel(index, waveforms, progress) -> Ragged:
    """VGGish's examples `(examples, 96, 64)` of each waveform."""
    examples = []
    named = zip(index, waveforms, strict=True)
    for name, waveform in tqdm(named, "log-mel examples", len(index), disable=not progress):
        try:
            examples.append(examples_of(waveform).numpy())
        except ValueError as problem:
            raise SernbError(f"{name}: {problem}") from None
    return Ragged.of(examples)


def _parts(rows, title, progress):
    """`rows`, some at a time."""
    parts = np.split(rows, range(BATCH, len(rows), BATCH))
    return tqdm(parts, title, leave=False, unit="batch", disable=not progress)
