"""From a text teacher to a speech student without labels, and from there to a corpus with labels.

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation",
Interspeech 2022, 2.3 and 3.2 to 3.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F

from sernb.core.errors import SernbError, some
from sernb.core.ragged import Ragged, row_numbers, rows_of
from sernb.core.tables import predictions_of
from sernb.features.frames import Scaled, Scaling
from sernb.losses import UNLABELLED, MCEDConfig, MultiLevelLoss
from sernb.models.speech_student import LAPTOP_STUDENT, SpeechStudent, StudentConfig
from sernb.protocols import Fold
from sernb.studies.recipes import MCED, Recipe
from sernb.studies.rows import Rows
from sernb.studies.teacher_states import InTheLoop, TeacherStates
from sernb.studies.training import Goal, fit, recall, run_folds

RECIPES = MCED
LAPTOP = RECIPES["laptop"]
PREDICT_BATCH = 64


PRINTED = pd.DataFrame(
    {
        "RL": (0.599, 0.573, 0.496, 0.438),
        "FL-4": (0.593, 0.570, 0.481, 0.423),
        "RL+FL-1": (0.608, 0.588, 0.499, 0.434),
        "RL+FL-2": (0.603, 0.591, 0.501, 0.438),
        "RL+FL-3": (0.611, 0.592, 0.482, 0.442),
        "RL+FL-4": (0.614, 0.601, 0.497, 0.446),
        "no pretraining": (0.589, 0.569, 0.458, 0.372),
    },
    ["IEMOCAP UAR", "IEMOCAP F1", "MELD WA", "MELD WF1"],
).T.rename_axis("way")  # the paper's Tables 5, 6 and 7


class Distilled(NamedTuple):
    """What `distil` made. `loss` holds the soft-align blocks; `held_out` are the rows that chose the
    epoch."""

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
    """Teach a new student, with the teacher's classes, on pairs of sound and words; no label is needed.

    Args:
        features: Of `sernb.features.frames`, item i of the text that the teacher's row i is about.
        teacher: What it says of these texts.
        rows: Which of them to use; None: all.
        config, mced: Shape of the student, and what it learns from; None: as the paper (3.2).
        held_out: Rows, or a share drawn with `seed`, that are not learned from: after each epoch the loss is
            tried on them, and the weights of the best epoch are kept. Features are scaled by the other rows.
        checkpoints: A folder from which a killed training goes on.
        progress: The title of a bar over epochs; None shows none.

    Returns:
        Its curve has the columns epoch, loss, learning_rate, held_out_loss, and held_out_<part> for each part
        of the loss before its weight.

    Raises:
        SernbError: Where sound and teacher do not belong together, for fewer than two rows, and for pairs of
            layers that teacher or student do not have.
    """
    mced = mced or MCEDConfig()
    if len(features) != len(teacher.index):
        raise SernbError(
            f"there are {len(features)} recordings and the teacher speaks of {len(teacher.index)} texts: "
            "give it the texts of the same utterances, in the same order."
        )
    learned, held_out = _split(rows, held_out, seed, len(features))
    if lacking := {theirs for theirs, _ in mced.pairs} - set(teacher.layers):
        raise SernbError(
            f"the teacher was not asked for its layers {sorted(lacking)}, only for {list(teacher.layers)}: "
            "ask for those that MCEDConfig.pairs names, or name others."
        )

    # A new student, and the loss with its soft-align blocks
    torch.manual_seed(seed)
    student = SpeechStudent(replace(config, classes=teacher.classes))
    try:
        depth = max(teacher.layers, default=0)
        loss = MultiLevelLoss(mced, teacher.width, config.width, depth, config.layers)
    except ValueError as problem:
        raise SernbError(f"{problem}.") from None

    # Training on pairs: the frames, and what the teacher says of their words
    scaling = Scaling.fitted(features, learned)
    columns = {("features", "mask"): scaling.applied(features)}
    sets = (Rows(columns, learned, teacher.batch), Rows(columns, held_out, teacher.batch).shortest_first())
    pupil = _Pupil(student, loss)
    goal = Goal("held_out", "teacher_logits", "loss", False, pupil.parts_of)
    curve = fit(pupil, *sets, recipe, goal, seed, checkpoints=checkpoints, progress=progress)
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
    """Train `student` in place by cross-entropy; returns the curve.

    Args:
        frames: Scaled by the training rows (`Scaling.fitted(...).applied(...)`).
        labels: `(n,)`, class numbers of the student's classes, -100 where none is known; such rows are left
            out.
        train_rows, validation_rows: Of `frames`. The weights of the epoch with the best UAR on the validation
            rows are kept, the last epoch's where there are none.
        checkpoints, progress: As in `distil`.

    Returns:
        A row an epoch: epoch, loss, learning_rate, validation_loss, validation_UAR.

    Raises:
        SernbError: Where no training row has a label, and for a class number that the student does not have.
    """
    labels = np.asarray(labels, np.int64)
    train_rows = row_numbers(train_rows, len(labels), "train_rows")
    validation_rows = row_numbers(validation_rows, len(labels), "validation_rows")
    train_rows, validation_rows = (part[labels[part] != UNLABELLED] for part in (train_rows, validation_rows))
    if not len(train_rows):
        raise SernbError("there is nothing to train on: no training row has a label.")
    known = len(student.shape.classes)
    used = labels[np.concatenate([train_rows, validation_rows])]
    if used.min() < 0 or used.max() >= known:
        raise SernbError(
            f"labels run from {used.min()} to {used.max()}, and the student has {known} classes: give it "
            "others with student.with_classes(...)."
        )
    columns = {("features", "mask"): frames, "labels": labels}
    sets = (Rows(columns, train_rows), Rows(columns, validation_rows).shortest_first())
    goal = Goal(measures=recall)
    return fit(_Tuned(student), *sets, recipe, goal, seed, checkpoints=checkpoints, progress=progress)


@torch.inference_mode()
def predict(student: SpeechStudent, frames: Scaled | Ragged, rows: np.ndarray) -> np.ndarray:
    """Probabilities float32 `(len(rows), classes)`."""
    device = next(student.parameters()).device
    student.eval()
    rows = np.asarray(rows, int)
    scores = np.empty((len(rows), len(student.shape.classes)), np.float32)
    order = np.argsort(frames.lengths[rows], kind="stable")
    for part in np.split(order, range(PREDICT_BATCH, len(order), PREDICT_BATCH)):
        x, mask = (tensor.to(device) for tensor in frames.padded(rows[part]))
        scores[part] = student(x, mask).logits.float().softmax(-1).cpu().numpy()
    return scores


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
    """Fine-tune from each of `starts` on each fold and share of the labels: (predictions, learning curves).

    For a fold, seed and share all starts see the same rows in the same order, features scaled by these rows,
    for the same number of steps (`recipe.patience` is not heeded), and begin with the same new classifier.
    Side by side within `with joblib.parallel_config(n_jobs=...)`.

    Args:
        features: An item for each of `utterances`, which hold `emotion`.
        starts: By name, a pretrained student, one for each seed ({seed: student}), or None for none (the
            paper's "Student-MCED").
        config: The shape of those without pretraining; None takes that of the pretrained ones.
        shares: 1, 1/2, … of the training rows, stratified by emotion; a smaller share lies within a larger
            one, and validation stays whole.

    Returns:
        predictions have the columns `start`, `share`, `seed` and `part` (validation or test) beside the
        usual; the model's name is the start's, with the share where it is below 1.

    Raises:
        SernbError: Without emotions, for students of different shapes, and for a seed without its student.
    """
    classes, labels = _labels(utterances, features)
    shape, recipe = _shape(starts, config, seeds), replace(recipe, patience=None)

    def train_one(fold_and_share, seed, watched):
        fold, share = fold_and_share
        parts = (fold.train, fold.validation, fold.test)
        train, validation, test = (rows_of(utterances.index, ids) for ids in parts)
        chosen = share_of(labels, train, share, seed)
        if not len(chosen):
            raise SernbError(f"{fold.name}: there is nothing to train on: no training row has an emotion.")
        frames = Scaling.fitted(features, chosen).applied(features)
        of_share = "" if share == 1 else f", {Fraction(share).limit_denominator(100)} of the labels"

        tables, curves = [], []
        for start, pretrained in _of_seed(starts, seed).items():
            # The body that it starts from, and the same new classifier for all
            torch.manual_seed(seed)
            body = SpeechStudent(shape) if pretrained is None else pretrained
            torch.manual_seed(seed)
            student = body.with_classes(classes)

            name = start + of_share
            title = f"{name}, {fold.name}" if watched else None
            curve = fine_tune(student, frames, labels, chosen, validation, recipe, seed, progress=title)
            known = {"start": start, "share": float(share), "seed": seed}
            curves.append(curve.assign(model=name, fold=fold.name, **known))
            for part, rows in (("validation", validation), ("test", test)):
                rows = rows[labels[rows] != UNLABELLED]
                if len(rows):
                    scores = predict(student, frames, rows)
                    scores = pd.DataFrame(scores, utterances.index[rows], list(classes))
                    table = predictions_of(scores, utterances, fold.name, name)
                    tables.append(table.assign(part=part, **known))
        return pd.concat(tables), pd.concat(curves, ignore_index=True), None

    runs = [(fold, share) for fold in folds for share in shares]
    predictions, curves, _ = run_folds(train_one, runs, seeds, "fine-tuning", progress)
    return predictions, curves


def share_of(labels: np.ndarray, rows: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """A share of the labelled `rows`, in their order, stratified by class, one of each class at least; a
    smaller share of the same seed lies within a larger one. SernbError for a share outside of (0, 1]."""
    if not 0 < share <= 1:
        raise SernbError(f"the share of labels is {share:g}; it must lie above 0 and be 1 at most.")
    rng, rows = np.random.default_rng(seed), np.asarray(rows, int)
    kept = []
    for label in np.unique(labels[rows][labels[rows] != UNLABELLED]):
        of_class = rng.permutation(np.flatnonzero(labels[rows] == label))
        kept.append(of_class[: max(1, round(share * len(of_class)))])
    return rows[np.sort(np.concatenate(kept))] if kept else rows[:0]


class _Pupil(torch.nn.Module):
    """A student and what it learns by, soft-align blocks included."""

    def __init__(self, student, loss):
        super().__init__()
        self.student, self.loss, self.names = student, loss, []

    def forward(self, features, mask, **teacher):
        total, parts = self.loss(self.student(features, mask), **teacher)
        self.names = list(parts)
        return {"loss": total, "parts": torch.stack(list(parts.values())).expand(len(features), -1)}

    def parts_of(self, answers):
        """Each part of the loss on the held-out pairs, before its weight."""
        return dict(zip(self.names, map(float, answers.predictions.mean(0)), strict=True))


class _Tuned(torch.nn.Module):
    """A student and its cross-entropy."""

    def __init__(self, student):
        super().__init__()
        self.student = student

    def forward(self, features, mask, labels):
        logits = self.student(features, mask).logits.float()
        return {"loss": F.cross_entropy(logits, labels), "logits": logits}


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
            f"distillation takes pairs to learn from and pairs held out; of {len(rows)} there would be "
            f"{len(learned)} and {len(held_out)}."
        )
    return learned, held_out


def _labels(utterances, features):
    """The classes, and the class number of each utterance."""
    emotion = utterances.get("emotion")
    if emotion is None:
        raise SernbError("fine-tuning needs a column 'emotion', and these utterances have none.")
    if len(features) != len(utterances):
        raise SernbError(
            f"there are features of {len(features)} recordings for {len(utterances)} utterances."
        )
    codes = emotion.cat.codes.to_numpy(np.int64)
    return tuple(emotion.cat.categories), np.where(codes < 0, UNLABELLED, codes)


def _of_seed(starts, seed):
    return {name: start[seed] if isinstance(start, Mapping) else start for name, start in starts.items()}


def _shape(starts, config, seeds):
    """The shape of all students, whatever their classes."""
    for name, start in starts.items():
        if isinstance(start, Mapping) and (lacking := [seed for seed in seeds if seed not in start]):
            raise SernbError(f"{name!r} has no student for seed {lacking[0]}, only for {some(start)}.")
    shapes = [] if config is None else [config]
    for seed in seeds:
        shapes += [student.shape for student in _of_seed(starts, seed).values() if student is not None]
    shapes = [replace(shape, classes=("any",)) for shape in shapes]
    if different := [shape for shape in shapes if shape != shapes[0]]:
        raise SernbError(
            f"students of different shapes cannot be compared: {shapes[0]} and {different[0]}. Pretrain all "
            "with one config, and leave `config` out or give the same."
        )
    return shapes[0] if shapes else LAPTOP_STUDENT
