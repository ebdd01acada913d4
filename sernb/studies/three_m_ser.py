"""Teachers and students, fold by fold: 3M-SER with all of BERT, and with its first layers, with and without a teacher.

Source: Nguyen, Tran, Dang, "Enhancing Speech Emotion Recognition through Knowledge Distillation", 2024 (Table II).
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import delayed, effective_n_jobs
from transformers import BertModel

from sernb.core.errors import SernbError, some
from sernb.core.tables import predictions_of
from sernb.features.encoders import first_layers
from sernb.losses import DistillationConfig
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig, assemble
from sernb.models.vggish import PostProcess, VGGish
from sernb.protocols import Fold
from sernb.studies.multimodal import BATCH, Examples, Inputs, Outputs, fingerprint_of, outputs
from sernb.studies.parallel import side_by_side
from sernb.studies.saved import load
from sernb.studies.two_stages import LAPTOP, TwoStages, train


@dataclass(frozen=True)
class Way:
    """How a student learns: from labels alone (`distillation=None`) or from a teacher too; `sentences`: also from the
    utterances without labels that the teacher has read."""

    distillation: DistillationConfig | None = None
    sentences: bool = False


ALONE, TAUGHT = Way(), Way(DistillationConfig())
WAYS = {"alone": ALONE, "KD": TAUGHT}


@dataclass(frozen=True)
class Encoders:
    """The pretrained encoders of a study; None leaves a stream out. Every training starts from copies of them."""

    text: BertModel | None
    audio: VGGish | None
    config: ThreeMSERConfig = field(default_factory=ThreeMSERConfig)
    postprocess: PostProcess | None = None

    def network(self, classes: Sequence[str], seed: int, layers: int | None = None) -> ThreeMSER:
        """A `ThreeMSER` on the first `layers` text layers (None: all), its head drawn with `seed`."""
        torch.manual_seed(seed)
        text = self.text
        if text is not None:
            text = first_layers(text, layers or text.config.num_hidden_layers)
        postprocess = None if self.audio is None else self.postprocess
        return assemble(text, self.audio, replace(self.config, classes=tuple(classes)), postprocess)


def train_teachers(
    utterances: pd.DataFrame,
    inputs: Inputs,
    folds: Sequence[Fold],
    encoders: Encoders,
    recipe: TwoStages = LAPTOP,
    name: str = "teacher",
    seeds: Sequence[int] = (0,),
    cache: str | Path | None = None,
    checkpoints: str | Path | None = None,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, ThreeMSER]]:
    """One network a fold and seed, from labels: (predictions, learning curves, {fold: network of the first seed}).

    predictions hold the column `part`, "validation" or "test"; look at them apart (an utterance can be in the validation
    part of several folds, but is tested once). Folds run side by side within
    `with joblib.parallel_config(n_jobs=...)`. cache: a folder for the states of the frozen text encoder, memory-mapped; None
    takes a temporary one. checkpoints: a folder from which a killed training goes on.
    """
    alone = progress and effective_n_jobs(None) == 1
    with _folder(cache) as place:
        runs = (
            delayed(_teach)(
                utterances,
                inputs,
                fold,
                encoders,
                recipe,
                name,
                seed,
                place,
                None if checkpoints is None else Path(checkpoints) / f"{name} {fold.name} {seed}",
                fold.name if alone else None,
            )
            for fold in folds
            for seed in seeds
        )
        done = side_by_side(runs, name, len(folds) * len(seeds), "training", progress)
    models = {fold.name: done[number * len(seeds)][2] for number, fold in enumerate(folds)}
    return pd.concat([one[0] for one in done]), pd.concat([one[1] for one in done], ignore_index=True), models


def train_students(
    utterances: pd.DataFrame,
    inputs: Inputs,
    folds: Sequence[Fold],
    encoders: Encoders,
    teachers: Mapping[str, Outputs],
    layers: Sequence[int],
    ways: Mapping[str, Way] = WAYS,
    recipe: TwoStages = LAPTOP,
    seeds: Sequence[int] = (0,),
    sentences: np.ndarray = (),
    cache: str | Path | None = None,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Students with the first `layers` of the text encoder, each in all `ways`: (predictions, learning curves).

    teachers: what each fold's teacher says of `inputs` (`sernb.studies.multimodal.outputs`), keyed by the fold's name.
    sentences: rows of `inputs` without a label, for ways that use them. The ways of one fold, seed and number of layers
    share their transfer stage, where no teacher speaks, so they start fine-tuning from the same weights and differ in the
    loss alone; all take the same number of steps. cache: as in `train_teachers`. The model's name is "BERT<layers> <way>".
    """
    with _folder(cache) as place:
        runs = (
            delayed(_study)(
                utterances,
                inputs,
                fold,
                encoders,
                teachers[fold.name],
                count,
                dict(ways),
                recipe,
                seed,
                sentences,
                place,
            )
            for count in layers
            for fold in folds
            for seed in seeds
        )
        done = side_by_side(runs, "students", len(folds) * len(seeds) * len(layers), "training", progress)
    return pd.concat([one[0] for one in done]), pd.concat([one[1] for one in done], ignore_index=True)


def saved_teachers(
    folder: str | Path, utterances: pd.DataFrame, inputs: Inputs, folds: Sequence[Fold], name: str = "teacher"
) -> tuple[pd.DataFrame, dict[str, ThreeMSER]]:
    """Teachers that `sernb.studies.saved.save` wrote into `folder`/<name of the fold>: (predictions, networks).

    Raises SernbError for one that is missing, has other labels or another tokenizer than `inputs`, or learnt from what
    is tested here.
    """
    tables, models = [], {}
    for fold in folds:
        place = Path(folder) / fold.name
        saved = load(place, "ThreeMSER")
        model, tokenizer = saved.model, saved.tokenizer
        if model.shape.classes != inputs.classes:
            raise SernbError(
                f"{place}: its labels are {', '.join(model.shape.classes)}; here they are {', '.join(inputs.classes)}."
            )
        if tokenizer is not None and fingerprint_of(tokenizer) != inputs.vocabulary:
            raise SernbError(f"{place}: it reads with another tokenizer than the students' text encoder.")
        if heard := set(saved.about.get("learnt_from", ())) & set(fold.test):
            raise SernbError(
                f"{place}: it learnt from {len(heard)} utterances that are tested here, {some(sorted(heard))}. Train it with "
                "the same corpus, protocol and seed."
            )
        models[fold.name] = model
        tables.append(_answers(model, utterances, inputs, fold, name, 0))
    return pd.concat(tables), models


def teacher_outputs(
    models: Mapping[str, ThreeMSER], inputs: Inputs, cache: str | Path | None = None, progress: bool = True
) -> dict[str, Outputs]:
    """What each fold's teacher says of all `inputs`, computed once; text states memory-mapped where `cache` is a folder."""
    return {fold: outputs(model, inputs, cache, progress) for fold, model in models.items()}


def predict(
    model: ThreeMSER, utterances: pd.DataFrame, inputs: Inputs, ids: pd.Index, fold: str, name: str
) -> pd.DataFrame:
    """The predictions table of the utterances `ids`."""
    model.eval()
    device = next(model.parameters()).device
    examples, found = Examples(inputs, inputs.rows(ids), live_audio=inputs.examples is not None), []
    for items in np.split(np.arange(len(ids)), range(BATCH, len(ids), BATCH)):
        batch = {key: one.to(device) for key, one in examples.__getitems__(items).items() if key != "labels"}
        with torch.inference_mode():
            found.append(model(**batch).logits.float().softmax(-1).cpu().numpy())
    table = pd.DataFrame(np.concatenate(found), ids, list(model.shape.classes))
    return predictions_of(table, utterances, fold, name)


def _teach(utterances, inputs, fold, encoders, recipe, name, seed, cache, checkpoints, title):
    model = encoders.network(inputs.classes, seed)
    rows = (inputs.rows(fold.train), inputs.rows(fold.validation))
    curve = train(
        model, inputs, *rows, recipe, cache=cache, seed=seed, checkpoints=checkpoints, progress=title
    )
    table, curve = _told(model, utterances, inputs, fold, name, curve, seed)
    return table, curve, model


def _study(utterances, inputs, fold, encoders, teacher, layers, ways, recipe, seed, sentences, cache):
    model = encoders.network(inputs.classes, seed, layers)
    train_rows, validation_rows = inputs.rows(fold.train), inputs.rows(fold.validation)
    curves, tables = [], []
    first = pd.DataFrame()
    if recipe.transfer is not None:
        alone = replace(recipe, fine_tune=None)
        first = train(model, inputs, train_rows, validation_rows, alone, cache=cache, seed=seed)
    start = {key: value.clone() for key, value in model.state_dict().items()}
    for name, way in ways.items():
        model.load_state_dict(start)
        rows = np.concatenate([train_rows, np.asarray(sentences, int)]) if way.sentences else train_rows
        told = {"teacher": teacher, "distillation": way.distillation} if way.distillation else {}
        curve = train(model, inputs, rows, validation_rows, replace(recipe, transfer=None), seed=seed, **told)
        curve = pd.concat([first, curve], ignore_index=True)
        table, curve = _told(model, utterances, inputs, fold, f"BERT{layers} {name}", curve, seed)
        tables.append(table)
        curves.append(curve)
    return pd.concat(tables), pd.concat(curves, ignore_index=True)


def _told(model, utterances, inputs, fold, name, curve, seed):
    """The answers and the curve, with what they belong to."""
    table = _answers(model, utterances, inputs, fold, name, seed)
    return table, curve.assign(model=name, fold=fold.name, seed=seed)


def _answers(model, utterances, inputs, fold, name, seed):
    """Predictions of the validation and the test part."""
    tables = [
        predict(model, utterances, inputs, ids, fold.name, name).assign(part=part, seed=seed)
        for part, ids in (("validation", fold.validation), ("test", fold.test))
        if len(ids)
    ]
    return pd.concat(tables)


def _folder(cache):
    """The folder named, or one that goes when the trainings are done."""
    return nullcontext(cache) if cache else tempfile.TemporaryDirectory()
