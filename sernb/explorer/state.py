"""What the explorer shows, as plain data (JSON): a row an utterance, a list a column, an entry a model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import DIMENSIONS, check_predictions, check_utterances, in_order, text_of
from sernb.explorer import columns, doubts
from sernb.explorer.clips import sound_file
from sernb.explorer.columns import numbers, take
from sernb.explorer.text import clean, clean_table
from sernb.figures.palette import EMOTION_COLORS, SERIES_COLORS


@dataclass(frozen=True)
class Material:
    """The tables behind a state, checked, and how its rows lie in them.

    ids: the utterances in order of first appearance, n; at `(n,)`: their positions in `utterances`, -1 = not
    there; row: the state's row of each prediction; models: {name: positions `(n,)` in `predictions`, -1 where
    it says nothing}.
    """

    predictions: pd.DataFrame
    utterances: pd.DataFrame | None
    ids: pd.Index
    at: np.ndarray
    row: np.ndarray
    models: dict[str, np.ndarray]
    notices: list[str]

    def texts(self, name: str) -> np.ndarray | None:
        """The utterances' column as text `(n,)`, None where it is missing; None without such a column."""
        if self.utterances is None or name not in self.utterances:
            return None
        return take(text_of(self.utterances[name]).to_numpy(object), self.at, None)

    def first(self, values: np.ndarray, known: np.ndarray, missing) -> np.ndarray:
        """For each row the first of its predictions' `values` that is `known` (both by prediction)."""
        at = np.flatnonzero(known)
        rows, first = np.unique(self.row[at], return_index=True)
        found = np.full(len(self.ids), missing, dtype=values.dtype)
        found[rows] = values[at[first]]
        return found


def read(predictions: pd.DataFrame, utterances: pd.DataFrame | None = None) -> Material:
    """The tables, checked leniently and brought together; what is missing in them is told in `notices`.

    Raises SernbError where nothing can be shown: no predictions, ids missing, no numbers, a row twice.
    """
    table = check_predictions(clean_table(predictions), strict=False)
    notices = doubts.gaps(table)
    row, ids = pd.factorize(table.index)
    at = np.full(len(ids), -1)
    if utterances is None:
        notices.append("There is no utterances table: no sound is known, and nothing to filter by but folds.")
    else:
        utterances = check_utterances(clean_table(utterances), strict=False)
        at = utterances.index.get_indexer(ids)
        notices += doubts.strangers(ids, utterances.index, at)
        utterances = None if (at < 0).all() else utterances
    return Material(table, utterances, ids, at, row, _models_of(table, row, len(ids)), notices)


def state_of(material: Material, title: str = "", root: str | Path | None = None) -> dict:
    """The state: `title`, `n`, `notices`, `utterance`, `text`, `classes`, `models`, … as plain JSON-able
    data.

    root: the folder that recordings must lie in, by default `utterances.attrs["root"]`. What is missing or
    does not fit is left out and told in `notices`. Raises SernbError where nothing can be shown, or models
    disagree about the truth.
    """
    utterances, notices = material.utterances, list(material.notices)
    root = utterances.attrs.get("root") if root is None and utterances is not None else root

    # What is known of the utterances, what is true of them, and what each model says.
    known, words = {name: _texts(material, name) for name in columns.FIRST}, _texts(material, "text")
    of_utterances, told = columns.columns_of(known, utterances, material.at, lambda path: _file(path, root))
    notices += told
    classes, truth = _truth(material, notices)
    predicted = [dim for dim in DIMENSIONS if f"{dim}_predicted" in material.predictions]
    dimensions = [_dimension(material, dim, notices) for dim in predicted]
    models = [_model(material, name, classes, truth, notices) for name in material.models]
    mute = [model["name"] for model in models if not model["predicted"] and not model["dimensions"]]
    models = [model for model in models if model["name"] not in mute]
    if not models:
        raise SernbError(
            "predictions: no row holds a prediction; fill in 'predicted', or 'arousal_predicted' and so on."
        )

    # What looks like a slip.
    if mute:
        notices.append(f"There is no prediction of {some(mute)}.")
    if any(model["errors"] for model in models) and "fold" not in material.predictions:
        notices.append(
            "The predictions name no folds: the list of likely label errors assumes that the model had not "
            "seen these clips."
        )
    notices += doubts.labels_apart(material, classes, truth)
    notices += doubts.written_unlike(material, classes, truth)
    sound = _sound(material, root, notices)

    own = [name for name in classes if name not in EMOTION_COLORS]
    colors = EMOTION_COLORS | {name: SERIES_COLORS[i % len(SERIES_COLORS)] for i, name in enumerate(own)}
    return {
        "version": 1,
        "title": clean(str(title)),
        "n": len(material.ids),
        "notices": [clean(notice) for notice in dict.fromkeys(notices)],
        "utterance": list(material.ids),
        "text": None if words is None else [clean(text) for text in words],
        "classes": [clean(name) for name in classes],
        "colors": [colors[name] for name in classes],
        "emotion": truth.tolist() if classes else None,
        "models": models,
        "columns": of_utterances,
        "dimensions": dimensions,
        "votes": None if utterances is None else columns.votes_of(utterances, material.at),
        "listeners": None if utterances is None else columns.listeners_of(utterances, material.at),
        "sound": sound,
        # A saved page fills these: rows whose clips are in it, rows of its quiz, what did not fit.
        "embedded": None,
        "quiz": None,
        "limit": None,
    }


def _models_of(table, row, n):
    """{name: positions `(n,)` in the table, -1 = none} in order of first appearance.

    The seeds of a model that has several are models of their own, "name · seed 1".
    """
    names = text_of(table["model"]).to_numpy(object) if "model" in table else np.full(len(table), "model")
    seeds = text_of(table["seed"]).fillna("").to_numpy(object) if "seed" in table else np.full(len(table), "")
    codes, runs = pd.factorize(pd.MultiIndex.from_arrays([names, seeds]))
    seeds_of = pd.Series([name for name, _ in runs]).value_counts()
    wanted = [f"{name} · seed {seed}" if seeds_of[name] > 1 and seed else name for name, seed in runs]

    models = {}
    for code, name in enumerate(map(clean, wanted)):
        unique, number = name, 2
        while unique in models:  # "m · seed 1" may be somebody's name, too
            unique, number = f"{name} ({number})", number + 1
        positions = np.flatnonzero(codes == code)
        models[unique] = np.full(n, -1)
        models[unique][row[positions]] = positions
    return models


def _truth(material, notices):
    """The classes ([] without class predictions), and each row's true one `(n,)`, -1 where it is not known.

    Where the predictions know no truth at all, the utterances' is taken.
    """
    table = material.predictions
    if "predicted" not in table:
        return [], np.full(len(material.ids), -1)
    classes = list(table["predicted"].cat.categories)
    codes = table["emotion"].cat.codes.to_numpy(int)
    truth = material.first(codes, codes >= 0, -1)
    _agree((codes >= 0) & (codes != truth[material.row]), "emotion", table)
    if (truth >= 0).any():
        return classes, truth

    own = material.texts("emotion")
    if own is None or pd.isna(own).all():
        notices.append("The predictions have no true labels: which of them are right cannot be shown.")
        return classes, truth
    notices.append("The predictions bring no true labels: those of the utterances table are taken.")
    classes = in_order([*classes, *own[pd.notna(own)]])
    return classes, pd.Categorical(own, classes).codes.astype(int)


def _model(material, name, classes, truth, notices):
    """A model's entry of the state, by row."""
    table, where = material.predictions, material.models[name]
    model = {"name": name, "predicted": None, "p": None, "confidence": None, "dimensions": {}, "errors": None}
    for dim in DIMENSIONS:
        if f"{dim}_predicted" in table:
            values = take(table[f"{dim}_predicted"].to_numpy(float), where, np.nan)
            if np.isfinite(values).any():
                model["dimensions"][dim] = numbers(values, 4)

    # Its classes.
    if "predicted" not in table:
        return model
    code_of = pd.Index(classes).get_indexer(table["predicted"].cat.categories)  # there may be more classes
    predicted = take(np.append(code_of, -1)[table["predicted"].cat.codes.to_numpy(int)], where, -1)
    if not (predicted >= 0).any():
        return model
    model["predicted"] = predicted.tolist()

    # Its probabilities `(n, classes)`, and what they tell.
    p = np.full((len(where), len(classes)), np.nan)
    for k, label in enumerate(classes):
        if f"p_{label}" in table:
            p[:, k] = take(table[f"p_{label}"].to_numpy(float), where, np.nan)
    p[predicted < 0] = np.nan
    if np.isnan(p).all():
        return model
    model["p"] = [numbers(p[:, k], 3) for k in range(len(classes))]
    confidence = np.where(np.isnan(p), -1.0, p).max(1)
    model["confidence"] = numbers(np.where(confidence < 0, np.nan, confidence), 4)
    notices += doubts.not_the_largest(material.ids, name, predicted, p, classes)
    errors, why = doubts.likely_label_errors(truth, p)
    if errors is not None:
        model["errors"] = {"rows": errors.tolist()}
    elif (truth >= 0).any():  # without any truth there is a notice already
        notices.append(why)
    return model


def _dimension(material, dim, notices):
    """Name, truth by row and scale of a dimension; the scale is the corpus's, else what the values span.

    Truth that the predictions do not bring is the utterances', and told; so is that there is none.
    """
    table, utterances = material.predictions, material.utterances
    values, predicted = table[dim].to_numpy(float), table[f"{dim}_predicted"].to_numpy(float)
    truth = material.first(values, np.isfinite(values), np.nan)
    with np.errstate(invalid="ignore"):
        _agree(np.isfinite(values) & (np.abs(values - truth[material.row]) > 1e-6), dim, table)
    if np.isnan(truth).all():
        if utterances is not None and dim in utterances:
            truth = take(utterances[dim].to_numpy(float), material.at, np.nan)
        if np.isfinite(truth).any():
            notices.append(
                f"The predictions bring no true {dim}: the values of the utterances table are taken."
            )
        elif count := int(np.isfinite(predicted).sum()):
            notices.append(
                f"There is no true {dim} of any of {count:,} predicted values, so how far off they are "
                f"cannot be shown: give the predictions or the utterances a column {dim!r}."
            )

    try:
        low, high = map(float, utterances.attrs["scale"])
    except (AttributeError, KeyError, TypeError, ValueError):  # no scale is known
        known = np.concatenate([truth, predicted])
        known = known[np.isfinite(known)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    low, high = (low, high) if low < high else (low - 0.5, low + 0.5)
    return {"name": dim, "truth": numbers(truth, 4), "low": round(low, 4), "high": round(high, 4)}


def _agree(contradicts, column, table):
    if contradicts.any():
        name = table.index[contradicts][0]
        values = ", ".join(map(str, table.loc[[name], column].dropna().unique()))
        raise SernbError(
            f"predictions: {int(contradicts.sum())} rows contradict others about the truth: {name!r} has "
            f"{values} as {column!r}. An utterance has one true value, whichever model predicts it; correct "
            "the rows."
        )


def _texts(material, name):
    """A column as text `(n,)`: the utterances', else the predictions'. None where nothing is known."""
    values, own = np.full(len(material.ids), None, object), material.texts(name)
    if name in material.predictions:
        first = np.unique(material.row, return_index=True)[1]  # the first prediction of each row
        values = text_of(material.predictions[name]).to_numpy(object)[first]
    if own is not None:
        values = np.where(pd.isna(own), values, own)
    return None if pd.isna(values).all() else np.where(pd.isna(values), None, values)


def _sound(material, root, notices):
    """1 where the utterances table names a recording; 0 where a file is missing, which is told."""
    paths = material.texts("path")
    has = ~pd.isna(paths) if paths is not None else np.zeros(len(material.ids), bool)
    if not has.any():
        if material.utterances is not None:
            notices.append(
                "The utterances table names no recordings (column 'path'): there is nothing to hear."
            )
        return None
    few = np.flatnonzero(has) if has.sum() < columns.FILES else []
    lost = [row for row in few if not _file(paths[row], root)]
    if lost:
        notices.append(
            f"The recordings of {len(lost):,} of {int(has.sum()):,} utterances are not where the table says: "
            f"{some(material.ids[lost], 3)}."
        )
        has[lost] = False
    return has.astype(int).tolist()


def _file(path, root):
    """The recording that a path names, None where there is none that may be opened."""
    try:
        return sound_file(path, root)
    except (SernbError, OSError, ValueError, RuntimeError):
        return None
