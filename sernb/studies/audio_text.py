"""Speech, and speech with words, fold by fold: the systems of Table 1 and Figure 3, for any speech and text encoder.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient Self-Supervised
Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, 4.1 and 4.3.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import delayed, effective_n_jobs
from transformers import BertModel, HubertModel, Wav2Vec2Model

from sernb.core.errors import SernbError, some
from sernb.core.ragged import Ragged
from sernb.core.ratings import Targets, rated
from sernb.features.speech import frames
from sernb.features.text import LONGEST, token_ids
from sernb.models.audio_text_regressor import AudioTextRegressor, RegressorConfig, assemble
from sernb.protocols import Fold
from sernb.studies.parallel import side_by_side
from sernb.studies.regression import HEAD, LAPTOP, Recipe, Spoken, fit, frozen, predict

SPEECH, BOTH, FROZEN, WORDS = "speech", "speech + text", "speech + text, FT→FRZ", "text"
SYSTEMS = (SPEECH, BOTH, FROZEN)  # "text" alone is not in the paper
HEARS, READS = (SPEECH, BOTH, FROZEN), (BOTH, FROZEN, WORDS)


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

    waveforms: float32 `(samples,)` at 16 kHz, in the table's order. transcript: the column with the words ("asr_text" for
    those of a machine). Raises SernbError for recordings under 25 ms, where words are missing, and for targets of other
    utterances.
    """
    of = utterances.index if targets.index is None else targets.index
    if len(targets.values) != len(utterances) or not of.equals(utterances.index):
        raise SernbError(
            f"the targets are of {len(targets.values)} utterances, and not of these {len(utterances)} in this order. Make "
            "them of this table: sernb.core.ratings.targets_of(utterances)."
        )
    made = Spoken(utterances.index, targets)
    if speech is not None:
        if waveforms is None or len(waveforms) != len(utterances):
            count = 0 if waveforms is None else len(waveforms)
            raise SernbError(
                f"speech takes a recording for each of {len(utterances)} utterances; {count} were given."
            )
        made = replace(made, frames=frames(waveforms, utterances.index, speech, normalise, cache, progress))
    return made if tokenizer is None else with_words(made, utterances, tokenizer, transcript)


def with_words(spoken: Spoken, utterances: pd.DataFrame, tokenizer, transcript: str = "text") -> Spoken:
    """`spoken` with the words of the column `transcript`, as many tokens as the tokenizer's `model_max_length` allows.

    Raises SernbError where the column is absent or empty in some rows, and for a table of other utterances.

    An empty transcript ("", which a machine may well give) is text; a missing one is not.
    """
    if transcript not in utterances:
        raise SernbError(
            f"there is no column {transcript!r} to read; the utterances have {', '.join(utterances)}."
        )
    if not utterances.index.equals(spoken.index):
        raise SernbError(
            f"the table has {len(utterances)} utterances, and not the {len(spoken.index)} of these inputs in their order. "
            "Sort it with utterances.loc[spoken.index]."
        )
    missing = utterances[transcript].isna()
    if missing.any():
        raise SernbError(
            f"{int(missing.sum())} of {len(utterances)} utterances have no {transcript}: {some(utterances.index[missing])}. Leave them "
            "out with utterances.dropna(subset=[...]), or have a machine transcribe them (sernb.features.transcripts)."
        )
    longest = min(LONGEST, getattr(tokenizer, "model_max_length", LONGEST))
    return replace(spoken, tokens=Ragged.of(token_ids(utterances[transcript], tokenizer, longest), np.int64))


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
    """Train the systems on copies of these encoders: (predictions, learning curves, {(model, fold): first seed's}).

    systems: "speech" and "speech + text", all fine-tuned together; "speech + text, FT→FRZ", the fine-tuned speech model's
    encoder, frozen, with the text encoder as it was pretrained, frozen too, and a new head (paper, 4.3); "text" alone.
    The model's name is "<name>, <system>"; predictions have a `part`, validation or test, as in `sernb.studies.three_m_ser`.
    Folds with the same training part are trained once and tested each. Side by side in
    `with joblib.parallel_config(n_jobs=...)`. Raises SernbError where a system lacks an encoder or its input, without folds,
    and for a fold whose parts share utterances.
    """
    if wrong := [one for one in systems if one not in (*SYSTEMS, WORDS)]:
        raise SernbError(f"no system {wrong[0]!r}; choose from {', '.join((*SYSTEMS, WORDS))}.")
    _check_inputs(spoken, speech, text, systems)
    _check_folds(folds)
    groups: dict[tuple, list[Fold]] = {}
    for fold in folds:
        groups.setdefault((tuple(fold.train), tuple(fold.validation)), []).append(fold)
    alone = progress and effective_n_jobs(None) == 1
    encoders = (_packed(speech), _packed(text))
    runs = (
        delayed(_study)(utterances, spoken, group, encoders, name, systems, recipe, head, config, seed, alone)
        for group in groups.values()
        for seed in seeds
    )
    done = side_by_side(runs, name, len(groups) * len(seeds), "training", progress)
    models = {}
    for _, _, made in reversed(done):  # the first seed comes last and stays
        models |= {key: weights for keys, weights in made for key in keys}
    whole = {
        id(weights): _regressor(weights, speech if speech is not None else text)
        for weights in models.values()
    }
    models = {key: whole[id(weights)] for key, weights in models.items()}
    return pd.concat([one[0] for one in done]), pd.concat([one[1] for one in done], ignore_index=True), models


def answers(
    model: AudioTextRegressor, utterances: pd.DataFrame, spoken: Spoken, fold: Fold, name: str, seed: int = 0
) -> pd.DataFrame:
    """The predictions table of a fold's validation and test part."""
    tables = [
        rated(
            predict(model, spoken, spoken.rows(ids)), ids, utterances, spoken.targets, fold.name, name
        ).assign(part=part, seed=seed)
        for part, ids in (("validation", fold.validation), ("test", fold.test))
        if len(ids)
    ]
    return pd.concat(tables)


def _study(utterances, spoken, folds, encoders, name, systems, recipe, head, config, seed, watched):
    """All systems of one training part and seed: (predictions, curves, [(names, what _regressor makes a model of)])."""
    tables, curves, models = [], [], []
    rows = (spoken.rows(folds[0].train), spoken.rows(folds[0].validation))
    kept = config or RegressorConfig()
    kept = replace(kept, dimensions=spoken.targets.dimensions)
    heard, read = (replace(spoken, **{one: None}) for one in ("tokens", "frames"))

    def trained(system, inputs, speech, text, recipe):
        torch.manual_seed(seed)
        model = assemble(_unpacked(speech), _unpacked(text), kept)
        title = f"{name}, {system}, {folds[0].name}" if watched else None
        curve = fit(model, inputs, *rows, recipe, seed, progress=title)
        return model, curve

    def told(system, model, inputs, curve):
        label = f"{name}, {system}"
        for fold in folds:
            tables.append(answers(model, utterances, inputs, fold, label, seed))
            curves.append(curve.assign(model=label, fold=fold.name, seed=seed))
        weights = {name: one.detach().cpu() for name, one in model.state_dict().items()}
        models.append(([(label, fold.name) for fold in folds], (model.shape, weights)))

    speech, text = encoders
    tuned = None
    if SPEECH in systems or FROZEN in systems:
        tuned, curve = trained(SPEECH, heard, speech, None, recipe)
        if SPEECH in systems:
            told(SPEECH, tuned, heard, curve)
    if WORDS in systems:
        model, curve = trained(WORDS, read, None, text, recipe)
        told(WORDS, model, read, curve)
    if BOTH in systems:
        model, curve = trained(BOTH, spoken, speech, text, recipe)
        told(BOTH, model, spoken, curve)
    if FROZEN in systems:
        torch.manual_seed(seed)
        model = assemble(tuned.speech, _unpacked(text), kept)
        pooled = frozen(model, spoken)
        curve = fit(model, pooled, *rows, head, seed)
        told(FROZEN, model, pooled, curve)
    return pd.concat(tables), pd.concat(curves, ignore_index=True), models


def _check_inputs(spoken, speech, text, systems):
    """SernbError that names what a system has not been given."""
    for system in systems:
        given = []
        if system in HEARS:
            heard = spoken.frames if spoken.speech_pooled is None else spoken.speech_pooled
            given += [("a speech encoder (speech)", speech), ("waveforms (in prepare)", heard)]
        if system in READS:
            read = spoken.tokens if spoken.text_pooled is None else spoken.text_pooled
            given += [("a text encoder (text)", text), ("a tokenizer (in prepare)", read)]
        if absent := [name for name, one in given if one is None]:
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
                raise SernbError(
                    f"fold {fold.name!r}: {len(shared)} utterances are in {one} and in {other}: {some(shared)}. A model "
                    "is not tested on what it was trained or chosen on; take them out of one."
                )


def _packed(encoder):
    """What a copy of an encoder is made of: torch does not send its weight norm (`parametrizations`) to other processes."""
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


def _regressor(packed, like):
    """The model of a packed shape and weights, on the device of `like`."""
    shape, weights = packed
    model = AudioTextRegressor(shape)
    model.load_state_dict(weights)
    return model.to(next(like.parameters()).device).eval()
