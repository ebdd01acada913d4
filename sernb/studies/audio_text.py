"""Speech, and speech with words, fold by fold: the systems of Table 1 and Figure 3, for any speech and text
encoder; and the CCCs that the paper prints, to lay beside one's own.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient
Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 4.1 and 4.3,
Tables 1 and 2 (MSP-Podcast v1.10).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import pandas as pd
import torch
from transformers import BertModel, HubertModel, Wav2Vec2Model

from sernb.core.errors import SernbError, some
from sernb.core.ratings import rated
from sernb.core.tables import DIMENSIONS
from sernb.models.audio_text_regressor import AudioTextRegressor, RegressorConfig, assemble
from sernb.protocols import Fold
from sernb.studies.recipes import Recipe
from sernb.studies.regression import HEAD, LAPTOP, Spoken, frozen, predict, train_regressor, with_words
from sernb.studies.training import run_folds

SPEECH, BOTH, FROZEN, WORDS = "speech", "speech + text", "speech + text, FT→FRZ", "text"
SYSTEMS = (SPEECH, BOTH, FROZEN)  # "text" alone is not in the paper


class _System(NamedTuple):
    hears: bool
    reads: bool
    frozen_from: str | None = None  # the system whose fine-tuned speech encoder it keeps


# In the order in which they are trained.
_SYSTEMS = {
    SPEECH: _System(hears=True, reads=False),
    WORDS: _System(hears=False, reads=True),
    BOTH: _System(hears=True, reads=True),
    FROZEN: _System(hears=True, reads=True, frozen_from=SPEECH),
}

PARTS = ("seen", "unseen")  # podcasts that are in training too, and those that are not
_TABLE_1 = {  # arousal, valence, dominance in seen scenarios, then in unseen ones
    ("w2v2-L-robust(p)", SPEECH): (0.627, 0.470, 0.521, 0.462, 0.263, 0.390),
    ("HuBERT base", SPEECH): (0.608, 0.440, 0.486, 0.388, 0.225, 0.344),
    ("DistilHuBERT", SPEECH): (0.622, 0.328, 0.513, 0.470, 0.169, 0.395),
    ("w2v2-L-robust(p)", BOTH): (0.619, 0.560, 0.484, 0.469, 0.347, 0.353),
    ("HuBERT base", BOTH): (0.613, 0.532, 0.493, 0.461, 0.315, 0.396),
    ("DistilHuBERT", BOTH): (0.614, 0.519, 0.509, 0.475, 0.333, 0.392),
}
_TABLE_2 = {  # word error rate, and arousal, valence, dominance in seen scenarios
    "human": (0.0, 0.614, 0.519, 0.509),
    "Whisper base": (0.222, 0.620, 0.521, 0.511),
    "Whisper tiny": (0.241, 0.618, 0.524, 0.510),
}


def train_systems(
    utterances: pd.DataFrame,
    spoken: Spoken,
    folds: Sequence[Fold],
    speech: HubertModel | Wav2Vec2Model | None,
    text: BertModel | None,
    name: str,
    systems: Sequence[str] = SYSTEMS,
    recipe: Recipe = LAPTOP,
    head: Recipe = HEAD,
    config: RegressorConfig | None = None,
    seeds: Sequence[int] = (0,),
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[tuple, AudioTextRegressor]]:
    """Train the systems on copies of these encoders, side by side in `with
    joblib.parallel_config(n_jobs=...)`.

    Args:
        utterances: The table of `spoken`, which `sernb.studies.regression.prepare` made for these encoders.
        folds: Those with the same training part are trained once and tested each.
        speech, text: The pretrained encoders; None where no system takes it.
        name: Of the encoder; the model's name is "<name>, <system>".
        systems: "speech" and "speech + text", fine-tuned as a whole; "speech + text, FT→FRZ", the fine-tuned
            speech
            encoder and the pretrained text encoder, both frozen, with a new head (paper, 4.3); "text" alone.
        recipe, head: Of fine-tuning, and of a head on frozen encoders.
        config: Of the head and its pooling; its dimensions are those of the targets.

    Returns:
        (predictions, learning curves, {(model, fold): first seed's}); predictions have a `part`, validation
        or test.

    Raises:
        SernbError: Where a system lacks an encoder or its input, without folds, and for a fold whose parts
        share
            utterances.
    """
    if wrong := [system for system in systems if system not in _SYSTEMS]:
        raise SernbError(f"no system {wrong[0]!r}; choose from {', '.join((*SYSTEMS, WORDS))}.")
    _check_inputs(spoken, speech, text, systems)
    _check_folds(folds)
    groups: dict[tuple, list[Fold]] = {}
    for fold in folds:
        groups.setdefault((tuple(fold.train), tuple(fold.validation)), []).append(fold)
    shape = replace(config or RegressorConfig(), dimensions=spoken.targets.dimensions)
    packed = (_packed(speech), _packed(text))
    needed = {_SYSTEMS[system].frozen_from for system in systems} | set(systems)

    def train_one(folds, seed, watched):
        """All systems on one training part."""
        rows = (spoken.rows(folds[0].train), spoken.rows(folds[0].validation))
        trained, tables, curves = {}, [], []
        for system, (hears, reads, frozen_from) in _SYSTEMS.items():
            if system not in needed:
                continue
            torch.manual_seed(seed)
            label = f"{name}, {system}"

            # Fine-tuned as a whole, or a new head on what is frozen
            if frozen_from is None:
                model = assemble(
                    _unpacked(packed[0] if hears else None), _unpacked(packed[1] if reads else None), shape
                )
                inputs = spoken if reads else replace(spoken, tokens=None)
                inputs = inputs if hears else replace(inputs, frames=None)
                title = f"{label}, {folds[0].name}" if watched else None
                curve = train_regressor(model, inputs, *rows, recipe, seed, progress=title)
            else:
                model = assemble(trained[frozen_from].speech, _unpacked(packed[1]), shape)
                inputs = frozen(model, spoken)
                curve = train_regressor(model, inputs, *rows, head, seed)
            trained[system] = model

            for fold in folds if system in systems else ():
                tables.append(answers(model, utterances, inputs, fold, label, seed))
                curves.append(curve.assign(model=label, fold=fold.name, seed=seed))
        weights = {f"{name}, {system}": _packed_regressor(trained[system]) for system in systems}
        return pd.concat(tables), pd.concat(curves, ignore_index=True), weights

    parts = list(groups.values())
    predictions, curves, weights = run_folds(train_one, parts, seeds, name, progress)
    device = next((speech if speech is not None else text).parameters()).device
    models = {}
    for number, folds in enumerate(parts):
        for label, packed_model in weights[number * len(seeds)].items():
            model = _regressor(packed_model).to(device).eval()
            models |= {(label, fold.name): model for fold in folds}
    return predictions, curves, models


def answers(
    model: AudioTextRegressor, utterances: pd.DataFrame, spoken: Spoken, fold: Fold, name: str, seed: int = 0
) -> pd.DataFrame:
    """The predictions table of a fold's validation and test part."""
    tables = []
    for part, ids in (("validation", fold.validation), ("test", fold.test)):
        if len(ids):
            predicted = predict(model, spoken, spoken.rows(ids))
            table = rated(predicted, ids, utterances, spoken.targets, fold.name, name)
            tables.append(table.assign(part=part, seed=seed))
    return pd.concat(tables)


def with_other_words(
    finished: Sequence[tuple[AudioTextRegressor, Spoken, Fold]],
    utterances: pd.DataFrame,
    tokenizer,
    name: str,
    seed: int = 0,
    head: Recipe | None = None,
) -> pd.DataFrame:
    """Predictions of finished models on their test parts, where they read the words of `utterances` instead.

    Args:
        finished: (model, what it hears, fold) each; the words in the second are left aside.
        utterances: With the other words in the column text.
        tokenizer: Of the models' text encoders.
        name: What the models are called in the predictions.
        seed: Of a new head, and in the predictions.
        head: How a new head, on the model's frozen encoders, learns from these words first; None: nothing
            learns.
    """
    tables = []
    for model, spoken, fold in finished:
        spoken = with_words(spoken, utterances, tokenizer)
        if head is not None:
            spoken = frozen(model, spoken)
            torch.manual_seed(seed)
            model = assemble(model.speech, model.text, RegressorConfig(dimensions=spoken.targets.dimensions))
            train_regressor(model, spoken, spoken.rows(fold.train), spoken.rows(fold.validation), head, seed)
        tables.append(answers(model, utterances, spoken, fold, name, seed))
    table = pd.concat(tables)
    return table[table["part"] == "test"]


def of_systems() -> pd.DataFrame:
    """Table 1: a row for each (encoder, system), columns (part, dimension)."""
    columns = pd.MultiIndex.from_product([PARTS, DIMENSIONS], names=["part", "dimension"])
    rows = pd.MultiIndex.from_tuples(_TABLE_1, names=["encoder", "system"])
    return pd.DataFrame(list(_TABLE_1.values()), index=rows, columns=columns)


def of_recognisers() -> pd.DataFrame:
    """Table 2: a row for each way to get the words; WER (0.25 = a quarter of the words wrong) and the
    dimensions."""
    return pd.DataFrame.from_dict(_TABLE_2, orient="index", columns=["WER", *DIMENSIONS])


def relative_gains(dimension: str = "valence") -> pd.DataFrame:
    """How much words add, as a share of the CCC of speech alone (Figure 3, FT): encoder, part, value."""
    table = of_systems().xs(dimension, axis=1, level="dimension")
    both, alone = (table.xs(one, level="system") for one in (BOTH, SPEECH))
    return (
        (both / alone - 1).rename_axis(columns=None).melt(var_name="part", ignore_index=False).reset_index()
    )


def _check_inputs(spoken, speech, text, systems):
    """SernbError that names what a system has not been given."""
    for system in systems:
        needed = []
        if _SYSTEMS[system].hears:
            heard = spoken.frames if spoken.speech_pooled is None else spoken.speech_pooled
            needed += [("a speech encoder (speech)", speech), ("waveforms (in prepare)", heard)]
        if _SYSTEMS[system].reads:
            read = spoken.tokens if spoken.text_pooled is None else spoken.text_pooled
            needed += [("a text encoder (text)", text), ("a tokenizer (in prepare)", read)]
        if absent := [what for what, value in needed if value is None]:
            raise SernbError(f"the system {system!r} takes {' and '.join(absent)}, and none was given.")


def _check_folds(folds):
    """SernbError for no folds at all, and where the parts of one share utterances."""
    if not len(folds):
        raise SernbError(
            "there are no folds to train on; expected one or more, as sernb.protocols makes them."
        )
    for fold in folds:
        for (one, ids), (other, others) in combinations(fold.parts().items(), 2):
            if len(shared := ids.intersection(others)):
                where = f"fold {fold.name!r}: {len(shared)} utterances are in {one} and in {other}: {some(shared)}"
                raise SernbError(
                    f"{where}. Nothing is tested that was trained or chosen on; take them out of one."
                )


def _packed(encoder):
    """What a copy of an encoder is made of: torch does not send its weight norm (`parametrizations`) to other
    processes."""
    if encoder is None:
        return None
    weights = {name: one.detach().cpu() for name, one in encoder.state_dict().items()}
    return type(encoder), encoder.config, weights, next(encoder.parameters()).device


def _unpacked(packed):
    if packed is None:
        return None
    kind, config, weights, device = packed
    encoder = kind(config)
    encoder.load_state_dict(weights, strict=False)  # a BERT may come without its pooler
    return encoder.to(device)


def _packed_regressor(model):
    return model.shape, {name: weights.detach().cpu() for name, weights in model.state_dict().items()}


def _regressor(packed):
    shape, weights = packed
    model = AudioTextRegressor(shape)
    model.load_state_dict(weights)
    return model
