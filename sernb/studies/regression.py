"""Training of a regressor for arousal, valence and dominance, on `transformers.Trainer`.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient Self-Supervised
Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 3.2 and 3.3.
"""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import TrainerCallback, set_seed

from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.core.ratings import Targets, check_differ, rows_of
from sernb.losses import concordance, concordance_loss
from sernb.models.audio_text_regressor import AudioTextRegressor
from sernb.studies.batches import Shuffled, rising_and_falling, train
from sernb.studies.run_checkpoints import digest

PREDICT_BATCH = 32
DIVERGED = "training diverged"


@dataclass(frozen=True)
class Recipe:
    """How a regressor is fine-tuned; the defaults are the paper's: Adam at 1e-5, batches of 16 of like length, early stopping.

    The paper names neither the epochs nor the patience: `epochs` is the most there can be, `patience` how many epochs in a
    row may pass without a better CCC on the development part. head_rate: learning rate of the head; None: the same.
    warm_up: share of `epochs` in which the rates rise from zero. falling: afterwards they fall in a straight line to zero at
    `epochs`; the paper's stay. standardised: the head speaks in standard deviations of the training part's ratings (see
    `AudioTextRegressor.standardise`); the paper says nothing of it. bf16: half-precision products, on a GPU only (on
    CPUs oneDNN gets the grouped positional convolution of narrow encoders wrong in bfloat16, without a word).
    """

    epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 1e-5
    head_rate: float | None = None
    patience: int = 5
    warm_up: float = 0.0
    falling: bool = False
    by_length: bool = True
    standardised: bool = False
    bf16: bool = False

    def __post_init__(self):
        for name, least in (("epochs", 1), ("batch_size", 2), ("patience", 1)):
            if getattr(self, name) < least:
                raise SernbError(f"{name} is {getattr(self, name)}; it must be at least {least}.")
        for name in ("learning_rate", "head_rate"):
            rate = getattr(self, name)
            if rate is not None and not 0 < rate < np.inf:
                raise SernbError(f"{name} is {rate}; it must be a number above 0.")
        if not 0 <= self.warm_up < 1:
            raise SernbError(
                f"warm_up is {self.warm_up}; it is a share of the epochs, at least 0 and below 1."
            )


PAPER = Recipe()
LAPTOP = Recipe(
    epochs=4, learning_rate=6e-4, head_rate=2e-3, patience=2, warm_up=0.1, falling=True, standardised=True
)
HEAD = Recipe(
    epochs=40, learning_rate=1e-3, patience=5, standardised=True
)  # a head alone, encoders are frozen
RECIPES = {"paper": PAPER, "laptop": LAPTOP}


@dataclass(frozen=True)
class Spoken:
    """Utterances as a regressor takes them; row i belongs to `index[i]`.

    frames: `(K, channels)` an utterance, of the frozen front end; tokens: ids `(N,)`. Instead of these, what frozen
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

    def lengths(self, rows) -> np.ndarray:
        """What batches of like length go by: frames, or tokens where there is no speech; ones where all is pooled."""
        ragged = self.frames if self.frames is not None else self.tokens
        return np.ones(len(rows), int) if ragged is None else ragged.lengths[rows]

    def batch(self, rows) -> dict:
        """What the regressor's forward takes for these rows, padded."""
        given = {}
        if self.speech_pooled is not None:
            given["speech_pooled"] = torch.from_numpy(self.speech_pooled[rows])
        elif self.frames is not None:
            given["frames"], given["frame_mask"] = self.frames.padded(rows)
        if self.text_pooled is not None:
            given["text_pooled"] = torch.from_numpy(self.text_pooled[rows])
        elif self.tokens is not None:
            given["input_ids"], given["text_mask"] = self.tokens.padded(rows)
        return given


def fit(
    model: AudioTextRegressor,
    spoken: Spoken,
    train_rows: np.ndarray,
    development_rows: np.ndarray = (),
    recipe: Recipe = LAPTOP,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `model` in place to a low 1 - CCC; returns the learning curve (epoch, loss, learning_rate, development_CCC).

    After each epoch the development rows are tried (CCC, the mean over dimensions, of all of them together); the weights
    of the best epoch are kept, and training ends after `recipe.patience` epochs without a better one. Without
    development rows all epochs are run. What is given as pooled is not trained. Where the last batch of an epoch would be
    one row, it is left out of that epoch: one point has no concordance. checkpoints: a folder from which a killed training
    goes on; of a finished one it gives the result. The model ends up on the GPU where there is one.

    Raises SernbError where the ratings of a part are too few or all the same, where training diverges, and where
    `checkpoints` is of a run with other settings, utterances or ratings.
    """
    train_rows, development_rows = np.asarray(train_rows, int), np.asarray(development_rows, int)
    tried = len(development_rows) > 0
    known = ~np.isnan(spoken.targets.values).all(axis=1)
    train_rows, development_rows = train_rows[known[train_rows]], development_rows[known[development_rows]]
    if recipe.bf16 and not torch.cuda.is_available():
        raise SernbError(
            "bf16 needs a GPU: on a CPU the positional convolution of narrow encoders comes out wrong in it."
        )
    if len(train_rows) < 2:
        raise SernbError(
            f"{len(train_rows)} training utterances have a rating; concordance takes two or more."
        )
    check_differ(spoken.targets, train_rows, "training", every=True)
    if tried:
        check_differ(spoken.targets, development_rows, "development", every=False)
    if recipe.standardised:
        model.standardise(torch.from_numpy(spoken.targets.values[train_rows]))
    set_seed(seed)
    learner = _Learner(model.to("cuda" if torch.cuda.is_available() else "cpu"), spoken)
    order = _Batches(spoken.lengths(train_rows), recipe.batch_size, seed, recipe.by_length)
    steps = -(-len(order) // recipe.batch_size)
    optimizer = _optimizer(learner, recipe)
    total = steps * recipe.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rising_and_falling(step, total, recipe.warm_up, recipe.falling)
    )
    parts = (train_rows, development_rows)
    settings = (recipe, seed, model.shape, *(list(spoken.index[rows]) for rows in parts))
    by_length = np.argsort(spoken.lengths(development_rows), kind="stable")  # less padding
    curve = train(
        learner,
        order,
        _Examples(spoken, train_rows),
        _Examples(spoken, development_rows[by_length]) if tried else None,
        (optimizer, schedule),
        steps,
        total,
        seed,
        truth="targets",
        part="development",
        best=("CCC", True) if tried else None,
        measures=_development,
        callbacks=[_Finite()] if tried else [],
        patience=recipe.patience if tried else None,
        checkpoints=checkpoints,
        run=digest(settings, *(spoken.targets.values[rows] for rows in parts)),
        progress=progress,
        per_device_eval_batch_size=PREDICT_BATCH,
        bf16=recipe.bf16,
    )
    if not all(one.isfinite().all() for one in learner.parameters()):
        raise SernbError(
            f"{DIVERGED} in the last epoch: lower learning_rate (it was {recipe.learning_rate:g})."
        )
    return curve.drop(columns="development_loss", errors="ignore")  # of batches, no CCC of the whole part


@torch.inference_mode()
def predict(model: AudioTextRegressor, spoken: Spoken, rows: np.ndarray) -> np.ndarray:
    """Predictions float32 `(len(rows), dimensions)` on the scale of the targets, [0, 1]; on the device of the first part."""
    device = _ready(model)
    found = np.empty((len(rows), len(model.shape.dimensions)), np.float32)
    for part in _of_like_length(spoken.lengths(rows)):
        given = {name: one.to(device) for name, one in spoken.batch(np.asarray(rows)[part]).items()}
        found[part] = model(**given).predicted.float().cpu().numpy()
    return found


@torch.inference_mode()
def frozen(model: AudioTextRegressor, spoken: Spoken) -> Spoken:
    """`spoken` with each branch of `model` computed once and pooled: what a head on frozen encoders learns from."""
    device = _ready(model)
    found = {}
    for branch, given in (("speech", spoken.frames), ("text", spoken.tokens)):
        if getattr(model.shape, branch) is None or given is None:
            continue
        rows = []
        for part in _of_like_length(given.lengths):
            one, mask = (x.to(device) for x in given.padded(part))
            pool = model.pool_speech if branch == "speech" else model.pool_text
            rows.append(pd.DataFrame(pool(one, mask).float().cpu().numpy(), part))
        found[f"{branch}_pooled"] = pd.concat(rows).sort_index().to_numpy()
    return replace(spoken, frames=None, tokens=None, **found)


def _ready(model):
    """The model in evaluation mode, all of it on the device of its first weights: fresh heads begin on the CPU."""
    device = next(model.parameters()).device
    model.to(device).eval()
    return device


class _Batches(Shuffled):
    """Without a last batch of a single row: its loss would be 0, and it would wear down Adam's averages."""

    def __len__(self):
        return len(self.lengths) - (len(self.lengths) % self.batch_size == 1)

    def __iter__(self):
        return islice(super().__iter__(), len(self))


class _Finite(TrainerCallback):
    """Ends a run whose predictions are no longer numbers: the loss may still be one, from before its last steps."""

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        if not np.isfinite(metrics["eval_CCC"]):
            rate = max(one["lr"] for one in kwargs["optimizer"].param_groups)
            raise SernbError(f"{DIVERGED} in epoch {state.epoch:.0f}: lower learning_rate (it was {rate:g}).")


class _Examples(torch.utils.data.Dataset):
    """Rows of `Spoken`, handed out a whole padded batch at a time."""

    def __init__(self, spoken, rows):
        self.spoken, self.rows = spoken, rows

    def __len__(self):
        return len(self.rows)

    def __getitems__(self, items):
        rows = self.rows[np.asarray(items)]
        return {"targets": torch.from_numpy(self.spoken.targets.values[rows]), **self.spoken.batch(rows)}


class _Learner(torch.nn.Module):
    """The parts that learn: what is frozen stays out of the optimizer and out of the checkpoints."""

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


def _development(found):
    """CCC over all of the development part: the mean over the dimensions that are known there."""
    predicted, target = (
        torch.from_numpy(np.asarray(one, np.float64)) for one in (found.predictions, found.label_ids)
    )
    told = (~target.isnan()).sum(0) > 1
    return {"CCC": float(concordance(predicted, target)[told].mean()) if told.any() else 0.0}


def _optimizer(learner, recipe):
    head = list(learner.head.parameters())
    own = {id(one) for one in head}
    encoders = [one for one in learner.parameters() if id(one) not in own and one.requires_grad]
    groups = [{"params": head, "lr": recipe.head_rate or recipe.learning_rate}]
    if encoders:
        groups.append({"params": encoders, "lr": recipe.learning_rate})
    return torch.optim.Adam(groups, fused=True)


def _of_like_length(lengths):
    """Row numbers, some at a time, from short to long."""
    rows = np.argsort(lengths, kind="stable")
    return np.split(rows, range(PREDICT_BATCH, len(rows), PREDICT_BATCH))
