"""A regressor of arousal, valence and dominance: inputs, training, predictions, and what each word brings.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient
Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 3.2 and 3.3.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import HubertModel, Wav2Vec2Model

from sernb.core.errors import SernbError, some
from sernb.core.ragged import Ragged, rows_of
from sernb.core.ratings import Targets, check_differ
from sernb.features.speech import frames
from sernb.features.text import EMPTY, LONGEST, clean, token_ids
from sernb.losses import concordance, concordance_loss
from sernb.models.audio_text_regressor import AudioTextRegressor
from sernb.studies.recipes import AUDIO_TEXT, Recipe
from sernb.studies.rows import Rows
from sernb.studies.training import Goal, fit

PAPER, LAPTOP, HEAD = (AUDIO_TEXT[name] for name in ("paper", "laptop", "head"))
RECIPES = {name: AUDIO_TEXT[name] for name in ("paper", "laptop")}
PREDICT_BATCH = 32
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Spoken:
    """Utterances as a regressor takes them; row i belongs to `index[i]`.

    `frames (K, channels)` of the frozen front end, and `tokens (N,)`, of each; instead of these, what frozen
    encoders pooled: `speech_pooled (n, d_A)`, `text_pooled (n, d_T)`.
    """

    index: pd.Index
    targets: Targets
    frames: Ragged | None = None
    tokens: Ragged | None = None
    speech_pooled: np.ndarray | None = None
    text_pooled: np.ndarray | None = None

    def rows(self, ids) -> np.ndarray:
        """Row numbers of the utterances `ids`; SernbError for one that is not here."""
        return rows_of(self.index, ids)

    def lengths(self) -> np.ndarray:
        """What batches of like length go by: frames, or else tokens; ones where all is pooled."""
        ragged = self.frames if self.frames is not None else self.tokens
        return np.ones(len(self.index), int) if ragged is None else ragged.lengths

    def examples(self, rows: np.ndarray) -> Rows:
        """These rows as the regressor's forward takes them, with their targets."""
        columns = {"targets": self.targets.values}
        if self.speech_pooled is not None:
            columns["speech_pooled"] = self.speech_pooled
        elif self.frames is not None:
            columns["frames", "frame_mask"] = self.frames
        if self.text_pooled is not None:
            columns["text_pooled"] = self.text_pooled
        elif self.tokens is not None:
            columns["input_ids", "text_mask"] = self.tokens
        return Rows(columns, rows, lengths=self.lengths())


def prepare(
    utterances: pd.DataFrame,
    targets: Targets,
    waveforms: Sequence[np.ndarray] | None = None,
    speech: HubertModel | Wav2Vec2Model | None = None,
    normalise: bool = True,
    tokenizer=None,
    transcript: str = "text",
    cache: str | Path | None = None,
    progress: bool = True,
) -> Spoken:
    """What a regressor on this speech encoder and tokenizer takes; None leaves a branch out.

    Args:
        targets, waveforms: `targets_of(utterances)`; float32 `(samples,)` at 16 kHz, in the same order.
        speech, normalise: The encoder whose frozen front end makes the frames; see `speech.frames`.
        tokenizer, transcript: The text encoder's; the column with the words ("asr_text": a machine's).
        cache: A folder for the frames, memory-mapped; None keeps them in memory.

    Raises:
        SernbError: For recordings under 25 ms, missing words, and targets of other utterances.
    """
    index = utterances.index if targets.index is None else targets.index
    if len(targets.values) != len(utterances) or not index.equals(utterances.index):
        counts = f"{len(targets.values)} utterances, not of these {len(utterances)} in order"
        raise SernbError(f"the targets are of {counts}. Make them of this table: targets_of(utterances).")
    spoken = Spoken(utterances.index, targets)
    if speech is not None:
        if (count := 0 if waveforms is None else len(waveforms)) != len(utterances):
            raise SernbError(f"expected {len(utterances)} recordings, one an utterance; {count} were given.")
        heard = frames(waveforms, utterances.index, speech, normalise, cache, progress)
        spoken = replace(spoken, frames=heard)
    return spoken if tokenizer is None else with_words(spoken, utterances, tokenizer, transcript)


def with_words(spoken: Spoken, utterances: pd.DataFrame, tokenizer, transcript: str = "text") -> Spoken:
    """`spoken` with the words of the column `transcript`, cut to the tokenizer's `model_max_length`.

    An empty transcript (a machine may well give "") is text; a missing one is not. Raises SernbError where
    the column is absent or has gaps, and for a table of other utterances.
    """
    if transcript not in utterances:
        raise SernbError(f"there is no column {transcript!r} to read, only {', '.join(utterances)}.")
    if not utterances.index.equals(spoken.index):
        counts = f"{len(utterances)} utterances, and not the {len(spoken.index)} of these inputs in order"
        raise SernbError(f"the table has {counts}. Sort it with utterances.loc[spoken.index].")
    missing = utterances.index[utterances[transcript].isna()]
    if len(missing):
        lacking = f"{len(missing)} of {len(utterances)} utterances have no {transcript}: {some(missing)}"
        raise SernbError(f"{lacking}. Leave them out, or transcribe them with sernb.features.transcripts.")
    longest = min(LONGEST, getattr(tokenizer, "model_max_length", LONGEST))
    return replace(spoken, tokens=Ragged.of(token_ids(utterances[transcript], tokenizer, longest), np.int64))


def train_regressor(
    model: AudioTextRegressor,
    spoken: Spoken,
    train_rows: np.ndarray,
    development_rows: np.ndarray = (),
    recipe: Recipe = LAPTOP,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `model` in place to a low 1 - CCC; the curve has epoch, loss, learning_rate, development_CCC.

    What is given as pooled is not trained. The model ends up on the GPU where there is one.

    Args:
        train_rows: Of `spoken`; those without a rating are left out.
        development_rows: Tried after each epoch (CCC of all of them together, the mean over dimensions): the
            best epoch counts, and training ends after `recipe.patience` epochs without a better one.
        checkpoints, progress: A folder from which a killed training goes on; the title of a bar.

    Raises:
        SernbError: For a part whose ratings are too few or all the same, and as `sernb.studies.training.fit`.
    """
    rated, tried = ~np.isnan(spoken.targets.values).all(axis=1), len(development_rows) > 0
    parts = (np.asarray(rows, int) for rows in (train_rows, development_rows))
    train_rows, development_rows = (rows[rated[rows]] for rows in parts)
    if recipe.bf16 and not torch.cuda.is_available():
        # oneDNN gets the grouped positional convolution of narrow encoders wrong in bfloat16, without a word
        raise SernbError("bf16 needs a GPU: on a CPU narrow encoders come out wrong in it.")
    if len(train_rows) < 2:
        raise SernbError(f"{len(train_rows)} training utterances have a rating; concordance takes two.")
    check_differ(spoken.targets, train_rows, "training", every=True)
    if tried:
        check_differ(spoken.targets, development_rows, "development", every=False)

    if recipe.standardised:
        model.standardise(torch.from_numpy(spoken.targets.values[train_rows]))
    learner = _Learner(model.to("cuda" if torch.cuda.is_available() else "cpu"), spoken)
    sets = spoken.examples(train_rows), spoken.examples(development_rows).shortest_first() if tried else None
    goal = Goal("development", "targets", "CCC", True, _development, least=2)  # one point has no concordance
    curve = fit(learner, *sets, recipe, goal, seed, checkpoints=checkpoints, progress=progress)
    return curve.drop(columns="development_loss", errors="ignore")  # of batches, no CCC of the whole part


@torch.inference_mode()
def predict(model: AudioTextRegressor, spoken: Spoken, rows: np.ndarray) -> np.ndarray:
    """Predictions float32 `(len(rows), dimensions)` in [0, 1], as the targets; on the first part's device."""
    device, examples = _ready(model), spoken.examples(rows)
    predicted = np.empty((len(rows), len(model.shape.dimensions)), np.float32)
    for items in _of_like_length(examples.lengths()):
        batch = examples.__getitems__(items)
        batch = {name: tensor.to(device) for name, tensor in batch.items() if name != "targets"}
        predicted[items] = model(**batch).predicted.float().cpu().numpy()
    return predicted


@torch.inference_mode()
def frozen(model: AudioTextRegressor, spoken: Spoken) -> Spoken:
    """`spoken` with each branch of `model` computed once and pooled, for a head on frozen encoders."""
    device, pooled = _ready(model), {}
    for branch, items in (("speech", spoken.frames), ("text", spoken.tokens)):
        if getattr(model.shape, branch) is None or items is None:
            continue
        pool, tables = getattr(model, f"pool_{branch}"), []
        for rows in _of_like_length(items.lengths):
            values = pool(*(tensor.to(device) for tensor in items.padded(rows)))
            tables.append(pd.DataFrame(values.float().cpu().numpy(), rows))
        pooled[f"{branch}_pooled"] = pd.concat(tables).sort_index().to_numpy()
    return replace(spoken, frames=None, tokens=None, **pooled)


@torch.inference_mode()
def word_effects(
    model: AudioTextRegressor, text: str, tokenizer, targets: Targets, speech_pooled: np.ndarray | None = None
) -> tuple[dict[str, float], pd.DataFrame]:
    """({dimension: rating} of one utterance, how much of it each word brings, a row a word).

    A word's effect is the rating with all words less the one without it, on the corpus's scale: above 0 where
    the word raises it. Effects do not add up to the rating, since words work together.

    Args:
        text: Notes in brackets are no words; a text without words has no rows.
        targets: For the names of the dimensions and their scale.
        speech_pooled: The utterance's speech, pooled before `(d_A,)` (`frozen`); None: the model only reads.
    """
    cleaned = clean(text)  # notes in brackets first, or half of one might be left
    words = [] if cleaned == EMPTY else WORD.findall(cleaned)
    without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]

    # An empty text becomes "NULL", as in training; a word of its own keeps one from being refused
    longest = min(LONGEST, model.text.config.max_position_embeddings)
    ids = token_ids(pd.Series([" ".join(words), *without, "-"]), tokenizer, longest)[:-1]
    device = _ready(model)
    tokens, mask = (tensor.to(device) for tensor in Ragged.of(ids, np.int64).padded(np.arange(len(ids))))
    batch = {"input_ids": tokens, "text_mask": mask}
    if speech_pooled is not None:
        speech = torch.tensor(np.asarray(speech_pooled), dtype=torch.float32).to(device)
        batch["speech_pooled"] = speech.expand(len(ids), -1)

    low, high = targets.scale
    ratings = low + (high - low) * model(**batch).predicted.float().cpu().numpy()
    effects = pd.DataFrame(ratings[0] - ratings[1:], columns=list(targets.dimensions))
    effects.insert(0, "word", words)
    return dict(zip(targets.dimensions, map(float, ratings[0]), strict=True)), effects


class _Learner(torch.nn.Module):
    """The parts that learn: what is frozen stays out of the optimizer and out of the checkpoints."""

    pretrained = ("projection", "encoder", "text")

    def __init__(self, model, spoken):
        super().__init__()
        self.whole = [model]  # in a list, so that its frozen parts are not this module's
        self.head = model.head
        if model.shape.speech is not None and spoken.speech_pooled is None:
            self.projection, self.encoder = model.speech.feature_projection, model.speech.encoder
        if model.shape.text is not None and spoken.text_pooled is None:
            self.text = model.text

    def forward(self, targets, **batch):
        predicted = self.whole[0](**batch).predicted.float()
        return {"loss": concordance_loss(predicted, targets), "predicted": predicted}


def _development(answers):
    """CCC over all of the development part: the mean over the dimensions that are known there."""
    both = answers.predictions, answers.label_ids
    predicted, target = (torch.from_numpy(np.asarray(values, np.float64)) for values in both)
    known = (~target.isnan()).sum(0) > 1
    return {"CCC": float(concordance(predicted, target)[known].mean()) if known.any() else 0.0}


def _ready(model):
    """The device of the model's first weights, to which all of it moves: fresh heads begin on the CPU."""
    device = next(model.parameters()).device
    model.to(device).eval()
    return device


def _of_like_length(lengths):
    """Row numbers, some at a time, from short to long."""
    rows = np.argsort(lengths, kind="stable")
    return np.split(rows, range(PREDICT_BATCH, len(rows), PREDICT_BATCH))
