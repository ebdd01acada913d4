"""Speech, and speech with words, fold by fold, for any two encoders; and the CCCs that the paper prints.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient
Self-Supervised Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 4.1 and 4.3,
Tables 1 and 2 (MSP-Podcast v1.10).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

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
# Whether it hears, reads, and the system whose fine-tuned speech encoder it keeps; in the order of training.
_SYSTEMS = {
    SPEECH: (True, False, None),
    WORDS: (False, True, None),
    BOTH: (True, True, None),
    FROZEN: (True, True, SPEECH),
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
    """Train the systems on copies of these encoders; side by side in `joblib.parallel_config(n_jobs=...)`.

    Args:
        utterances: The table of `spoken`, which `sernb.studies.regression.prepare` made for these encoders.
        folds: Those with the same training part are trained once and tested each.
        speech, text: The pretrained encoders; None where no system takes it.
        name: Of the encoder; the model's name is "<name>, <system>".
        systems: "speech" and "speech + text", fine-tuned as a whole; "speech + text, FT→FRZ", the fine-tuned
            speech and the pretrained text encoder, both frozen, with a new head (paper, 4.3); "text" alone.
        recipe, head: Of fine-tuning, and of a head on frozen encoders.
        config: Of the head and its pooling; its dimensions are those of the targets.

    Returns:
        (predictions with a `part`, validation or test; learning curves; {(model, fold): first seed's}).

    Raises:
        SernbError: Where a system lacks an encoder or its input, without folds, and where parts overlap.
    """
    if wrong := [system for system in systems if system not in _SYSTEMS]:
        raise SernbError(f"no system {wrong[0]!r}; choose from {', '.join((*SYSTEMS, WORDS))}.")
    _check_inputs(spoken, speech, text, systems)
    _check_folds(folds)
    groups: dict[tuple, list[Fold]] = {}
    for fold in folds:
        groups.setdefault((tuple(fold.train), tuple(fold.validation)), []).append(fold)
    shape = replace(config or RegressorConfig(), dimensions=spoken.targets.dimensions)
    packed_speech, packed_text = _packed(speech), _packed(text)
    needed = {_SYSTEMS[system][2] for system in systems} | set(systems)

    def train_one(folds, seed, watched):
        rows = (spoken.rows(folds[0].train), spoken.rows(folds[0].validation))
        trained, tables, curves = {}, [], []
        for system, (hears, reads, frozen_from) in _SYSTEMS.items():
            if system not in needed:
                continue
            torch.manual_seed(seed)
            label = f"{name}, {system}"

            # Fine-tuned as a whole, or a new head on what is frozen
            if frozen_from is None:
                model = assemble(_unpacked(hears and packed_speech), _unpacked(reads and packed_text), shape)
                inputs = spoken if reads else replace(spoken, tokens=None)
                inputs = inputs if hears else replace(inputs, frames=None)
                title = f"{label}, {folds[0].name}" if watched else None
                curve = train_regressor(model, inputs, *rows, recipe, seed, progress=title)
            else:
                model = assemble(trained[frozen_from].speech, _unpacked(packed_text), shape)
                inputs = frozen(model, spoken)
                curve = train_regressor(model, inputs, *rows, head, seed)
            trained[system] = model

            for fold in folds if system in systems else ():
                tables.append(answers(model, utterances, inputs, fold, label, seed))
                curves.append(curve.assign(model=label, fold=fold.name, seed=seed))
        packed = {f"{name}, {system}": _packed(trained[system]) for system in systems}
        return pd.concat(tables), pd.concat(curves, ignore_index=True), packed

    parts = list(groups.values())
    predictions, curves, packed = run_folds(train_one, parts, seeds, name, progress)
    device = next((speech if speech is not None else text).parameters()).device
    models = {}
    for folds, packed_models in zip(parts, packed[:: len(seeds)], strict=True):
        for label, packed_model in packed_models.items():
            model = _unpacked(packed_model).to(device).eval()
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
    """Predictions of finished models on their test parts, where they read other words.

    Args:
        finished: (model, what it hears, fold) each; the words in the second are left aside.
        utterances: With the other words in the column text.
        name: Of the models in the predictions.
        head: How a new head, on the frozen encoders, learns from these words first; None: nothing learns.
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
    return pd.concat(tables).query("part == 'test'")


def of_systems() -> pd.DataFrame:
    """Table 1: a row for each (encoder, system), columns (part, dimension)."""
    columns = pd.MultiIndex.from_product([PARTS, DIMENSIONS], names=["part", "dimension"])
    rows = pd.MultiIndex.from_tuples(_TABLE_1, names=["encoder", "system"])
    return pd.DataFrame(list(_TABLE_1.values()), index=rows, columns=columns)


def of_recognisers() -> pd.DataFrame:
    """Table 2: a row for each way to get the words; WER (0.25: a quarter are wrong) and the dimensions."""
    return pd.DataFrame.from_dict(_TABLE_2, orient="index", columns=["WER", *DIMENSIONS])


def relative_gains(dimension: str = "valence") -> pd.DataFrame:
    """How much words add, as a share of the CCC of speech alone (Figure 3, FT): encoder, part, value."""
    table = of_systems().xs(dimension, axis=1, level="dimension")
    both, alone = (table.xs(system, level="system") for system in (BOTH, SPEECH))
    gains = (both / alone - 1).rename_axis(columns=None)
    return gains.melt(var_name="part", ignore_index=False).reset_index()


def _check_inputs(spoken, speech, text, systems):
    for system in systems:
        (hears, reads, _), needed = _SYSTEMS[system], []
        if hears:
            heard = spoken.frames if spoken.speech_pooled is None else spoken.speech_pooled
            needed += [("a speech encoder (speech)", speech), ("waveforms (in prepare)", heard)]
        if reads:
            read = spoken.tokens if spoken.text_pooled is None else spoken.text_pooled
            needed += [("a text encoder (text)", text), ("a tokenizer (in prepare)", read)]
        if absent := [what for what, value in needed if value is None]:
            raise SernbError(f"the system {system!r} takes {' and '.join(absent)}, and none was given.")


def _check_folds(folds):
    if not len(folds):
        raise SernbError("there are no folds to train on; expected one or more, of sernb.protocols.")
    for fold in folds:
        for (part, ids), (other, others) in combinations(fold.parts().items(), 2):
            if len(shared := ids.intersection(others)):
                where = f"{len(shared)} utterances are in {part} and in {other}: {some(shared)}"
                raise SernbError(f"fold {fold.name!r}: {where}. Take them out of one.")


def _packed(network):
    """The makings of a copy: torch does not send its weight norm (`parametrizations`) to other processes."""
    if network is None:
        return None
    settings = network.shape if isinstance(network, AudioTextRegressor) else network.config
    weights = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    return type(network), settings, weights


def _unpacked(packed):
    if not packed:
        return None
    kind, settings, weights = packed
    network = kind(settings)
    network.load_state_dict(weights, strict=False)  # a BERT may come without its pooler
    return network
