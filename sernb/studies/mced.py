"""From a text teacher to a speech student without labels, and from there to a corpus with labels, fold by fold.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022,
2.3 and 3.2 to 3.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from joblib import delayed, effective_n_jobs
from sklearn.metrics import recall_score
from torch.nn import functional as F

from sernb.core.errors import SernbError, some
from sernb.core.ragged import Ragged, row_numbers
from sernb.core.tables import predictions_of
from sernb.features.frames import Scaled, Scaling
from sernb.losses import UNLABELLED, MCEDConfig, MultiLevelLoss
from sernb.models.speech_student import LAPTOP_STUDENT, SpeechStudent, StudentConfig
from sernb.protocols import Fold
from sernb.studies.parallel import side_by_side
from sernb.studies.student_training import LAPTOP, Goal, Recipe, fit
from sernb.studies.teacher_states import InTheLoop, TeacherStates

PREDICT_BATCH = 64
SHARES = (1, 1 / 2, 1 / 3, 1 / 5)  # of the training labels, Table 7


class Distilled(NamedTuple):
    """What `distil` made. `loss` holds the soft-align blocks; `held_out` are the rows that chose the epoch."""

    student: SpeechStudent
    loss: MultiLevelLoss
    curve: pd.DataFrame
    scaling: Scaling
    held_out: np.ndarray


def distil(
    features: Ragged,
    teacher: TeacherStates | InTheLoop,
    rows: Sequence[int] | None = None,
    config: StudentConfig = LAPTOP_STUDENT,
    mced: MCEDConfig | None = None,
    recipe: Recipe = LAPTOP,
    seed: int = 0,
    held_out: float | Sequence[int] = 0.1,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> Distilled:
    """Teach a new student, with the teacher's classes, on pairs of sound and words; no label is given or needed.

    features: `sernb.features.frames`, item i of the text that the teacher's row i is about; rows: which of them to use (None: all).
    held_out: rows, or a share drawn with `seed`, that are not learned from: after each epoch the loss is tried on them, and the
    weights of the best epoch are kept. Features are scaled by the other rows. checkpoints: a folder from which a killed
    training goes on. The curve has the columns epoch, loss, learning_rate, held_out_loss, and held_out_<part> for each
    part of the loss before its weight.
    Raises SernbError where sound and teacher do not belong together, for fewer than two rows, and for pairs of layers that teacher or
    student do not have.
    """
    mced = mced or MCEDConfig()
    config = replace(config, classes=teacher.classes)
    if len(features) != len(teacher.index):
        raise SernbError(
            f"there are {len(features)} recordings and the teacher speaks of {len(teacher.index)} texts: give it the texts of "
            "the same utterances, in the same order."
        )
    learned, held_out = _split(rows, held_out, seed, len(features))
    if lacking := {theirs for theirs, _ in mced.pairs} - set(teacher.layers):
        raise SernbError(
            f"the teacher was not asked for its layers {sorted(lacking)}, only for {list(teacher.layers)}: ask for those that "
            "MCEDConfig.pairs names, or name others."
        )
    torch.manual_seed(seed)
    student = SpeechStudent(config)
    try:
        depth = max(teacher.layers, default=0)
        loss = MultiLevelLoss(mced, teacher.width, config.width, depth, config.layers)
    except ValueError as problem:
        raise SernbError(f"{problem}.") from None
    scaling = Scaling.fitted(features, learned)
    frames = scaling.applied(features)
    pupil = _Pupil(student, loss)
    sets = (_Pairs(frames, one, teacher) for one in (learned, _by_length(frames, held_out)))
    goal = Goal("held_out", "teacher_logits", "loss", False, pupil.parts_of)
    curve = fit(pupil, *sets, goal, recipe, seed, checkpoints, progress)
    return Distilled(student, loss, curve, scaling, held_out)


def fine_tune(
    student: SpeechStudent,
    frames: Scaled | Ragged,
    labels: np.ndarray,
    train_rows: np.ndarray,
    validation_rows: np.ndarray = (),
    recipe: Recipe = LAPTOP,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> pd.DataFrame:
    """Train `student` in place by cross-entropy; returns the curve (epoch, loss, learning_rate, validation_loss,
    validation_UAR).

    frames: scaled by the training rows (`Scaling.fitted(...).applied(...)`). labels `(n,)`: class numbers of the student's classes, -100
    where none is known; such rows are left out. The weights of the epoch with the best UAR on the validation rows are kept, the
    last epoch's where there are none. Raises SernbError where no training row has a label, and for a class number that
    the student does not have.
    """
    labels = np.asarray(labels, np.int64)
    parts = {"train_rows": train_rows, "validation_rows": validation_rows}
    train_rows, validation_rows = (row_numbers(one, len(labels), name) for name, one in parts.items())
    train_rows, validation_rows = (one[labels[one] != UNLABELLED] for one in (train_rows, validation_rows))
    if not len(train_rows):
        raise SernbError("there is nothing to train on: no training row has a label.")
    known = len(student.shape.classes)
    used = labels[np.concatenate([train_rows, validation_rows])]
    if used.min() < 0 or used.max() >= known:
        raise SernbError(
            f"labels run from {used.min()} to {used.max()}, and the student has {known} classes: give it others with "
            "student.with_classes(...)."
        )
    sets = (_Labelled(frames, one, labels) for one in (train_rows, _by_length(frames, validation_rows)))
    goal = Goal("validation", "labels", "UAR", True, _recall)
    return fit(_Tuned(student), *sets, goal, recipe, seed, checkpoints, progress)


@torch.inference_mode()
def predict(student: SpeechStudent, frames: Scaled | Ragged, rows: np.ndarray) -> np.ndarray:
    """Probabilities float32 `(len(rows), classes)`."""
    device = next(student.parameters()).device
    student.eval()
    rows = np.asarray(rows, int)
    found = np.empty((len(rows), len(student.shape.classes)), np.float32)
    order = np.argsort(frames.lengths[rows], kind="stable")
    for part in np.split(order, range(PREDICT_BATCH, len(order), PREDICT_BATCH)):
        x, mask = (one.to(device) for one in frames.padded(rows[part]))
        found[part] = student(x, mask).logits.float().softmax(-1).cpu().numpy()
    return found


def train_folds(
    utterances: pd.DataFrame,
    features: Ragged,
    folds: Sequence[Fold],
    starts: Mapping[str, SpeechStudent | Mapping[int, SpeechStudent] | None],
    config: StudentConfig | None = None,
    recipe: Recipe = LAPTOP,
    seeds: Sequence[int] = (0,),
    shares: Sequence[float] = (1,),
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fine-tune from each of `starts` on each fold and share of the training labels: (predictions, learning curves).

    starts: by name, a pretrained student, one for each seed ({seed: student}), or None for none (the paper's "Student-MCED").
    config: the shape of those without pretraining; None takes that of the pretrained ones. shares: 1, 1/2, … of the
    training rows, stratified by emotion; a smaller share lies within a larger one, and validation stays whole. For a
    fold, seed and share all starts see the same rows in the same order, features scaled by these rows, for the same number
    of steps (`recipe.patience` is not heeded), and begin with the same new classifier.

    predictions have the columns `start`, `share`, `seed` and `part` (validation or test) beside the usual; the model's name is the
    start's, with the share where it is below 1. Side by side within `with joblib.parallel_config(n_jobs=...)`.
    Raises SernbError without emotions, for students of different shapes, and for a seed without its student.
    """
    classes, labels = _labels(utterances, features)
    shape = _shape(starts, config, seeds)
    alone = progress and effective_n_jobs(None) == 1
    recipe = replace(recipe, patience=None)
    runs = (
        delayed(_study)(utterances, features, labels, classes, fold, _of_seed(starts, seed), shape, recipe, seed, share, alone)
        for fold in folds
        for seed in seeds
        for share in shares
    )  # fmt: skip
    done = side_by_side(runs, "fine-tuning", len(folds) * len(seeds) * len(shares), "training", progress)
    return pd.concat([one[0] for one in done]), pd.concat([one[1] for one in done], ignore_index=True)


def share_of(labels: np.ndarray, rows: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """A share of the labelled `rows`, in their order, stratified by class, one of each class at least; a smaller share of
    the same seed lies within a larger one. SernbError for a share outside of (0, 1]."""
    if not 0 < share <= 1:
        raise SernbError(f"the share of labels is {share:g}; it must lie above 0 and be 1 at most.")
    rng, rows = np.random.default_rng(seed), np.asarray(rows, int)
    kept = []
    for one in np.unique(labels[rows][labels[rows] != UNLABELLED]):
        mine = rng.permutation(np.flatnonzero(labels[rows] == one))
        kept.append(mine[: max(1, round(share * len(mine)))])
    return rows[np.sort(np.concatenate(kept))] if kept else rows[:0]


def _study(utterances, features, labels, classes, fold, starts, shape, recipe, seed, share, watched):
    """All starts on one fold, seed and share of the labels: (predictions, curves)."""
    train, validation, test = (
        _rows(utterances, one, fold.name) for one in (fold.train, fold.validation, fold.test)
    )
    chosen = share_of(labels, train, share, seed)
    if not len(chosen):
        raise SernbError(f"{fold.name}: there is nothing to train on: no training row has an emotion.")
    frames, tables, curves = Scaling.fitted(features, chosen).applied(features), [], []
    for name, start in starts.items():
        torch.manual_seed(seed)
        body = SpeechStudent(shape) if start is None else start
        torch.manual_seed(seed)  # the same new classifier for all
        student = body.with_classes(classes)
        told = name if share == 1 else f"{name}, {Fraction(share).limit_denominator(100)} of the labels"
        title = f"{told}, {fold.name}" if watched else None
        curve = fine_tune(student, frames, labels, chosen, validation, recipe, seed, progress=title)
        known = {"start": name, "share": float(share), "seed": seed}
        curves.append(curve.assign(model=told, fold=fold.name, **known))
        for part, rows in (("validation", validation), ("test", test)):
            rows = rows[labels[rows] != UNLABELLED]
            if len(rows):
                said = pd.DataFrame(predict(student, frames, rows), utterances.index[rows], list(classes))
                tables.append(predictions_of(said, utterances, fold.name, told).assign(part=part, **known))
    return pd.concat(tables), pd.concat(curves, ignore_index=True)


class _Frames(torch.utils.data.Dataset):
    """Rows of scaled frames, handed out a whole padded batch at a time, with what is to be learned of them."""

    def __init__(self, frames, rows, told):
        self.frames, self.rows, self.told = frames, rows, told

    def __len__(self):
        return len(self.rows)

    def lengths(self):
        return self.frames.lengths[self.rows]

    def __getitems__(self, items):
        rows = self.rows[np.asarray(items)]
        features, mask = self.frames.padded(rows)
        return {"features": features, "mask": mask, **self.about(rows)}


class _Pairs(_Frames):
    def about(self, rows):
        return self.told.batch(rows)


class _Labelled(_Frames):
    def about(self, rows):
        return {"labels": torch.from_numpy(self.told[rows])}


class _Pupil(torch.nn.Module):
    """A student and what it learns by, soft-align blocks included."""

    def __init__(self, student, loss):
        super().__init__()
        self.student, self.loss, self.names = student, loss, []

    def forward(self, features, mask, **teacher):
        total, parts = self.loss(self.student(features, mask), **teacher)
        self.names = list(parts)
        return {"loss": total, "parts": torch.stack(list(parts.values())).expand(len(features), -1)}

    def parts_of(self, found):
        """Each part of the loss on the held-out pairs, before its weight."""
        return dict(zip(self.names, map(float, found.predictions.mean(0)), strict=True))


class _Tuned(torch.nn.Module):
    def __init__(self, student):
        super().__init__()
        self.student = student

    def forward(self, features, mask, labels):
        logits = self.student(features, mask).logits.float()
        return {"loss": F.cross_entropy(logits, labels), "logits": logits}


def _by_length(frames, rows):
    """Less padding where the order does not matter."""
    return rows[np.argsort(frames.lengths[rows], kind="stable")]


def _recall(found):
    """UAR over the classes that are there."""
    classes = np.unique(found.label_ids)
    guess = found.predictions.argmax(-1)
    return {"UAR": recall_score(found.label_ids, guess, labels=classes, average="macro", zero_division=0)}


def _split(rows, held_out, seed, count):
    """Rows to learn from, and rows held out."""
    rows = row_numbers(np.arange(count) if rows is None else rows, count, "rows")
    if np.ndim(held_out):
        held_out = row_numbers(held_out, count, "held_out")
    else:
        if not 0 < held_out < 1:
            raise SernbError(f"held_out is {held_out:g}; give a share between 0 and 1, or rows.")
        wanted = min(max(1, round(held_out * len(rows))), len(rows) - 1)
        held_out = np.random.default_rng(seed).permutation(rows)[: max(0, wanted)]
    learned = rows[~np.isin(rows, held_out)]
    if not len(learned) or not len(held_out):
        raise SernbError(
            f"distillation takes pairs to learn from and pairs held out; of {len(rows)} there would be {len(learned)} and "
            f"{len(held_out)}."
        )
    return learned, held_out


def _labels(utterances, features):
    emotion = utterances.get("emotion")
    if emotion is None:
        raise SernbError("fine-tuning needs a column 'emotion', and these utterances have none.")
    if len(features) != len(utterances):
        raise SernbError(
            f"there are features of {len(features)} recordings for {len(utterances)} utterances."
        )
    codes = emotion.cat.codes.to_numpy(np.int64)
    return tuple(emotion.cat.categories), np.where(codes < 0, UNLABELLED, codes)


def _rows(utterances, ids, fold):
    rows = utterances.index.get_indexer(ids)
    if (rows < 0).any():
        raise SernbError(
            f"{fold}: {int((rows < 0).sum())} utterances are not in the table: {some(ids[rows < 0])}. Make folds of this table."
        )
    return rows


def _of_seed(starts, seed):
    return {name: one[seed] if isinstance(one, Mapping) else one for name, one in starts.items()}


def _shape(starts, config, seeds):
    """The shape of all students, whatever their classes."""
    for name, one in starts.items():
        if isinstance(one, Mapping) and (lacking := [seed for seed in seeds if seed not in one]):
            raise SernbError(f"{name!r} has no student for seed {lacking[0]}, only for {some(one)}.")
    shapes = [] if config is None else [config]
    for seed in seeds:
        shapes += [one.shape for one in _of_seed(starts, seed).values() if one is not None]
    shapes = [replace(one, classes=("any",)) for one in shapes]
    if different := [one for one in shapes if one != shapes[0]]:
        raise SernbError(
            f"students of different shapes cannot be compared: {shapes[0]} and {different[0]}. Pretrain all with one config, and "
            "leave `config` out or give the same."
        )
    return shapes[0] if shapes else LAPTOP_STUDENT
