"""Checks of the recordings: unreadable ones, duplicates, what a model could cheat on, random splits."""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from sernb.core.errors import SernbError, some
from sernb.evaluation import paired_bootstrap
from sernb.evaluation.audit.finding import SHOWN, count, finding, guessed, part_codes, uar
from sernb.evaluation.baselines import baseline
from sernb.features.acoustics import SHORTEST
from sernb.protocols import Fold

SHORT = 0.25  # seconds
LOUD = "which may be the emotion itself or how it was recorded; listen, and see that it is not the recording"
EDIT = "which has more to do with recording or cutting than with the emotion; a model may learn it instead"
# Format and what to think of it, by cue.
CUES = {"length": ("{:.2f} s", LOUD), "loudness": ("{:.1f} dB", LOUD), "silence": ("{:.0%}", EDIT)}
CUES |= {"clipping": ("{:.2%}", EDIT), "background": ("{:.1f} dB", EDIT)}
DEPTH = 3  # of the tree that guesses by one number, so up to eight steps of it
REPEATS = 3  # random splits that are averaged


def recordings(heard: pd.DataFrame) -> dict:
    """Recordings that cannot be read, are silent or very short."""
    facts, ids = [], []
    short = (heard["length"] < SHORT) & ~heard["silent"]
    poor = {"cannot be read": heard["problem"].notna(), "are silent": heard["silent"]}
    for what, rows in (poor | {f"are shorter than {SHORT} s": short}).items():
        if rows.any():
            why = f" (the first: {first})" if (first := heard.loc[rows, "problem"].iloc[0]) else ""
            facts.append(f"{rows.sum():,} of {count(len(heard), 'recording')} {what}{why}")
            ids += list(heard.index[rows])
    if facts:
        return finding("recordings", "caution", f"{'; '.join(facts)}.", ids, len(set(ids)) / len(heard))
    sentence = f"All {len(heard):,} recordings can be read, and none is silent."
    return finding("recordings", "fine", sentence, (), 0.0)


def copies(utterances: pd.DataFrame, folds: list[Fold], pairs: pd.DataFrame) -> list[dict]:
    """Duplicates divided between parts of a fold, and within one part. pairs: from `duplicates`."""
    if pairs.empty:
        sentence = "No recording is in the corpus twice, whole, resampled or cut."
        return [finding("duplicates", "fine", sentence, (), 0.0)]
    a, b = (utterances.index.get_indexer(pairs[side]) for side in "ab")
    divided = np.zeros(len(pairs), bool)
    for fold in folds:
        part = part_codes(fold, utterances.index)
        divided |= (part[a] != part[b]) & (part[a] > 0) & (part[b] > 0)
    rows = []
    for which, severity, where in (
        (divided, "leak", "divided between the parts of a fold, so it is trained on and tested"),
        (~divided, "caution", "both in the same part of every fold, where it counts twice"),
    ):
        if not which.any():
            continue
        chosen, odd = pairs[which], []  # pairs, and what of them differs
        for column in ("emotion", "speaker"):
            if column in utterances:
                one, two = (utterances.loc[chosen[side], column].to_numpy(object) for side in "ab")
                differ = int(((one != two) & pd.notna(one) & pd.notna(two)).sum())
                odd += [f"in {count(differ, 'pair')} the {column}s differ"] if differ else []
        kinds = ", ".join(f"{number} {kind}" for kind, number in chosen["kind"].value_counts().items())
        names = some((f"{one} = {two}" for one, two in zip(chosen["a"], chosen["b"], strict=True)), 3)
        beside = f" Beware: {' and '.join(odd)}." if odd else ""
        number = count(len(chosen), "pair of utterances is", "pairs of utterances are")
        sentence = f"{number} one recording twice ({kinds}), {where}: {names}.{beside}"
        ids = chosen[["a", "b"]].to_numpy().ravel()
        rows.append(finding("duplicates", severity, sentence, ids, len(chosen)))
    return rows


def cue(utterances: pd.DataFrame, values: pd.Series, folds: list[Fold]) -> dict:
    """How far one number (`values.name`, a key of CUES) gets at telling the emotion."""
    name = values.name
    check, (form, note) = f"{name} by class", CUES[name]
    if "emotion" not in utterances or utterances["emotion"].nunique() < 2:
        return finding(check, "not checked", "Needs two classes of emotion.")
    if values.nunique() < 2:
        return finding(check, "fine", f"The {name} is the same everywhere, and tells nothing.")
    predictions = told_by(values, utterances, folds)
    if predictions.empty or predictions["emotion"].nunique() < 2:
        return finding(check, "not checked", "No fold has labels to learn and to test.")
    guess = uar(predictions)
    medians, ids = extremes(values, utterances["emotion"])
    lowest, highest = (f"{form.format(median)} ({label})" for label, median in medians.items())
    facts = f"{guess.value:.2f} [{guess.low:.2f}, {guess.high:.2f}, by {guess.unit}]"
    facts += f" (chance {guess.chance:.2f}); medians from {lowest} to {highest}{_without(utterances)}"
    if not guess.tells:
        return finding(check, "fine", f"The {name} alone tells little: a UAR of {facts}.", (), guess.value)
    severity = "leak" if guess.low > (1 + guess.chance) / 2 else "caution"
    return finding(check, severity, f"The {name} alone gives a UAR of {facts}, {note}.", ids, guess.value)


def told_by(cue: pd.Series, utterances: pd.DataFrame, folds: list[Fold]) -> pd.DataFrame:
    """Predictions of the emotion on each fold from one number, by a tree with balanced classes."""
    labels = utterances["emotion"].astype(object).to_numpy()
    values = cue.reindex(utterances.index).to_numpy(float)[:, None]

    def guess(train, test):
        leaf = {"max_depth": DEPTH, "min_samples_leaf": max(2, len(train) // 100)}
        tree = DecisionTreeClassifier(**leaf, class_weight="balanced", random_state=0)
        return tree.fit(values[train], labels[train].astype(str)).predict(values[test])

    return guessed(utterances, folds, ~np.isnan(values[:, 0]), guess, cue.name)


def extremes(cue: pd.Series, labels: pd.Series) -> tuple[pd.Series, list[str]]:
    """The lowest and the highest median of a number, by class, and utterances to hear the difference by."""
    medians = cue.groupby(labels.astype(object)).median().sort_values().iloc[[0, -1]]
    lowest = cue[labels == medians.index[0]].nsmallest(SHOWN // 2)
    highest = cue[labels == medians.index[1]].nlargest(SHOWN - SHOWN // 2)
    return medians, [*highest.index, *lowest.index]


def split_gain(
    utterances: pd.DataFrame, sample: pd.DataFrame | None, statistics: pd.DataFrame | None, folds: list[Fold]
) -> dict:
    """What a random split adds to the score of `sample`, by statistics of its sound, or (None) its words."""
    speakers, absent = utterances["speaker"].nunique() if "speaker" in utterances else 0, ""
    if sample is None:
        absent = "Needs two classes of emotion."
    elif speakers < 2:
        known = "There is one speaker only" if speakers else "No speaker is known"
        absent = f"{known}, so none can be kept apart."
    elif statistics is None and "text" not in sample:
        absent = "Neither recordings nor words are there to measure it with."
    elif statistics is not None and statistics.empty:
        absent = f"None of the labelled recordings can be read and lasts {SHORTEST} s."
    try:
        gain = None if absent else random_split_gain(sample, statistics, folds)
    except SernbError as problem:
        absent = f"{str(problem)[:1].upper()}{str(problem)[1:]}"
    if absent:
        return finding("random split", "not checked", absent)

    what, part = "the words" if statistics is None else "acoustic statistics", ""
    if gain["utterances"] < (whole := known_speakers(utterances).sum()):
        part = f", a sample of {gain['utterances']:,} of {whole:,} utterances"
    flatters = gain["low"] > 0
    sentence = (
        f"A random split {'flatters' if flatters else 'gains nothing that could be told from chance'}. "
        f"A simple model of {what} has UAR {gain['random']:.3f} on random splits, {gain['folds']:.3f} with "
        f"speakers apart: {gain['gain']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}, by {gain['unit']}]"
        f"{part}{_without(utterances)}."
    )
    return finding("random split", "caution" if flatters else "fine", sentence, (), gain["gain"])


def random_split_gain(
    utterances: pd.DataFrame, statistics: pd.DataFrame | None, folds: list[Fold], seed: int = 0
) -> dict:
    """UAR of the same simple model under `folds` and under 3 random splits, on the same test utterances.

    statistics: `acoustic_table(utterances)`; None: the words (TF-IDF). Utterances need a label, and a speaker
    where two are known. Random splits have parts of the same sizes, stratified. Returns folds and random
    (UAR), gain, low and high (95 %), unit, units, note, utterances (tested), chance. Raises SernbError where
    it cannot be measured.
    """
    if "emotion" not in utterances:
        raise SernbError("what a random split gains needs emotions: there is no column 'emotion'.")

    # Keep what can be learnt from and tested.
    used = utterances[utterances["emotion"].notna() & known_speakers(utterances)]
    if statistics is not None:
        used = used[used.index.isin(statistics.index)]
    elif "text" in used:
        used = used[used["text"].notna()]
    labels = used["emotion"].astype(str)
    kept = [(fold.name, *(ids[ids.isin(used.index)] for ids in (fold.train, fold.test))) for fold in folds]
    apart = [Fold(name, train, test=test) for name, train, test in kept if len(test)]
    poor = [fold.name for fold in apart if labels[fold.train].nunique() < 2]
    if poor or not apart:
        why = f"{some(poor, 3)} has fewer than 2 classes" if poor else "no labelled utterance is tested"
        raise SernbError(f"what a random split gains cannot be measured: {why}.")

    # Predict the same utterances both ways.
    tested = pd.Index(np.unique(np.concatenate([fold.test for fold in apart])))
    mixed = (("random", n, _mixed(apart, labels, tested, seed + n)) for n in range(REPEATS))
    tables, kind = [], "text" if statistics is None else "audio"
    for model, number, divided in (("folds", 0, apart), *mixed):
        table = baseline(used, divided, kind, statistics).assign(model=model, seed=number)
        table = table[[name for name in table if not name.startswith("p_")]]  # folds may differ in classes
        tables.append(table[~table.index.duplicated()].loc[tested])  # folds may test an utterance twice
    unit = "speaker" if "speaker" in used and used["speaker"].notna().all() else "utterance"
    gain = paired_bootstrap(pd.concat(tables), "random", "folds", unit=unit, seed=seed)
    gain = gain.rename({"value_b": "folds", "value_a": "random", "difference": "gain"})
    values = gain[["folds", "random", "gain", "low", "high", "unit", "units", "note"]].to_dict()
    return values | {"utterances": len(tested), "chance": 1 / labels[tested].nunique()}


def known_speakers(utterances: pd.DataFrame) -> pd.Series:
    """Which utterances can be measured with speakers apart, bool; all, if fewer than two are known."""
    if "speaker" not in utterances or utterances["speaker"].nunique() < 2:
        return pd.Series(True, utterances.index)
    return utterances["speaker"].notna()


def _without(utterances: pd.DataFrame) -> str:
    unknown = int((~known_speakers(utterances)).sum())
    return f"; {count(unknown, 'utterance')} of unknown speakers left out" if unknown else ""


def _mixed(apart: list[Fold], labels: pd.Series, tested: pd.Index, seed: int) -> list[Fold]:
    """Random folds over the same utterances: as many tested in each, as many trained on, alike in classes."""
    draw = np.random.default_rng(seed)
    pool = np.unique(np.concatenate([np.concatenate([fold.train, fold.test]) for fold in apart]))
    pool = pool[draw.permutation(len(pool))]
    pool = pool[np.argsort(labels[pool].to_numpy(), kind="stable")]
    parts = max(2, round(len(pool) / np.mean([len(fold.test) for fold in apart])))
    size = round(np.mean([len(fold.train) for fold in apart]))
    part, folds = np.arange(len(pool)) % parts, []  # dealt like cards, class after class
    for number in range(parts):
        train, test = pd.Index(pool[part != number]), pd.Index(pool[part == number])
        each_its_share = np.linspace(0, len(train) - 1, min(size, len(train))).round().astype(int)
        test = test[test.isin(tested)]
        if len(test):
            folds.append(Fold(f"random {number + 1}", train=train[each_its_share], test=test))
    return folds
