"""What a random split gains over one that keeps speakers (or whatever the folds keep) apart, measured."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.evaluation import paired_bootstrap
from sernb.evaluation.baselines import baseline
from sernb.protocols import Fold

REPEATS = 3  # random splits that are averaged


def known_speakers(utterances: pd.DataFrame) -> pd.Series:
    """Which utterances can be measured with speakers apart, bool by utterance: those whose speaker is known.

    All of them where fewer than two speakers are known, since nobody can be kept apart then.
    """
    if "speaker" not in utterances or utterances["speaker"].nunique() < 2:
        return pd.Series(True, utterances.index)
    return utterances["speaker"].notna()


def random_split_gain(
    utterances: pd.DataFrame, statistics: pd.DataFrame | None, folds: list[Fold], seed: int = 0
) -> dict:
    """UAR of the same simple model under `folds` and under random splits, on the same test utterances.

    statistics: `acoustics.acoustic_table(utterances)`, for a logistic regression on acoustic statistics; None: on the
    words (TF-IDF). The random splits have parts of the same sizes, stratified by emotion, and test each utterance that
    `folds` test. There are 3 of them, averaged. Folds keep the utterances that have a label (and statistics), and a known
    speaker where two or more are known: one of an unknown voice may be in training whatever the folds.

    Returns folds and random (UAR, 0–1), gain (random − folds), low and high (its 95 % interval, by speaker where
    speakers are known), unit, units, note, utterances (tested), chance. Raises SernbError where no emotions are
    known, a fold is left with a single class to learn, or nothing is left to test.
    """
    if "emotion" not in utterances:
        raise SernbError(
            "what a random split gains needs emotions; these utterances have no column 'emotion'."
        )
    used = utterances[utterances["emotion"].notna() & known_speakers(utterances)]
    if statistics is not None:
        used = used.loc[_kept(used.index, statistics.index)]
    elif "text" in used:
        used = used[used["text"].notna()]
    labels = used["emotion"].astype(str)
    apart = [Fold(f.name, _kept(f.train, used.index), test=_kept(f.test, used.index)) for f in folds]
    apart = [fold for fold in apart if len(fold.test)]
    poor = [fold.name for fold in apart if labels[fold.train].nunique() < 2]
    if poor or not apart:
        raise SernbError(
            f"what a random split gains cannot be measured: {', '.join(poor[:3])} has fewer than 2 classes to learn."
            if poor
            else "what a random split gains cannot be measured: no labelled utterance is in a test part."
        )
    tested = pd.Index(np.unique(np.concatenate([fold.test for fold in apart])))
    tables = [_predict(used, apart, statistics, "folds", tested)]
    for repeat in range(REPEATS):
        mixed = _mixed(apart, labels, tested, seed + repeat)
        tables.append(_predict(used, mixed, statistics, "random", tested).assign(seed=repeat))
    tables[0]["seed"] = 0
    predictions = pd.concat(tables)
    unit = "speaker" if "speaker" in used and used["speaker"].notna().all() else "utterance"
    gain = paired_bootstrap(predictions, "random", "folds", unit=unit, seed=seed)
    return {
        "folds": float(gain["value_b"]), "random": float(gain["value_a"]), "gain": float(gain["difference"]),
        "low": float(gain["low"]), "high": float(gain["high"]), "unit": unit, "units": int(gain["units"]),
        "note": gain["note"], "utterances": len(tested), "chance": 1 / labels[tested].nunique(),
    }  # fmt: skip


def _kept(ids: pd.Index, those: pd.Index) -> pd.Index:
    return ids[those.get_indexer(ids) >= 0]


def _mixed(apart: list[Fold], labels: pd.Series, tested: pd.Index, seed: int) -> list[Fold]:
    """Random folds over the same utterances: as many tested in each, as many trained on, alike in classes."""
    draw = np.random.default_rng(seed)
    pool = np.unique(np.concatenate([np.concatenate([fold.train, fold.test]) for fold in apart]))
    pool = pool[draw.permutation(len(pool))]
    pool = pool[np.argsort(labels[pool].to_numpy(), kind="stable")]
    count = max(2, round(len(pool) / np.mean([len(fold.test) for fold in apart])))
    size = round(np.mean([len(fold.train) for fold in apart]))
    part = np.arange(len(pool)) % count  # dealt like cards, class after class
    folds = []
    for number in range(count):
        train = pool[part != number]
        spread = (
            np.linspace(0, len(train) - 1, min(size, len(train))).round().astype(int)
        )  # each class its share
        test = pd.Index(pool[part == number])
        test = _kept(test, tested)
        if len(test):
            folds.append(Fold(f"random {number + 1}", train=pd.Index(train[spread]), test=test))
    return folds


def _predict(utterances, folds, statistics, name: str, tested) -> pd.DataFrame:
    kind = "text" if statistics is None else "audio"
    table = baseline(utterances, folds, kind, acoustics=statistics).assign(model=name)
    table = table[[column for column in table if not column.startswith("p_")]]  # folds may differ in classes
    return table[~table.index.duplicated()].loc[tested]  # folds may test an utterance twice
