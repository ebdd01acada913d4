"""What the models say of each row of a state, and what is true of it."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, in_order, text_of
from sernb.explorer.columns import numbers, take
from sernb.explorer.doubts import not_the_largest
from sernb.explorer.label_errors import likely_label_errors
from sernb.explorer.readable import NO_RATING, NO_TRUTH, cleaned


def models_of(table: pd.DataFrame, row: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """{name: positions (n,) in `table`, -1 = none} in order of first appearance; `row`: the state's row of each line.

    The seeds of a model that has several are models of their own, "name · seed 1".
    """
    names = text_of(table["model"]).to_numpy(object) if "model" in table else np.full(len(table), "model")
    seeds = text_of(table["seed"]).fillna("").to_numpy(object) if "seed" in table else np.full(len(table), "")
    codes, pairs = pd.factorize(pd.MultiIndex.from_arrays([names, seeds]))
    several = {
        name for name, runs in pd.Series([name for name, _ in pairs]).value_counts().items() if runs > 1
    }
    told = [f"{name} · seed {seed}" if name in several and seed else name for name, seed in pairs]
    found = {}
    for code, name in enumerate(unlike(cleaned(told))):
        rows = np.flatnonzero(codes == code)
        found[name] = np.full(n, -1)
        found[name][row[rows]] = rows
    return found


def truth_of(material, notices: list[str]) -> tuple[list[str], np.ndarray]:
    """The classes ([] without class predictions), and each row's true one `(n,)`, -1 where it is not known.

    Where the predictions know no truth at all, the utterances' is taken. Raises SernbError where models disagree.
    """
    table, utterances = material.predictions, material.utterances
    if "predicted" not in table:
        return [], np.full(len(material.ids), -1)
    classes = list(table["predicted"].cat.categories)
    codes = table["emotion"].cat.codes.to_numpy(int)
    truth = _first(codes, codes >= 0, material, -1)
    _agree((codes >= 0) & (codes != truth[material.row]), "emotion", table)
    if (truth < 0).all() and utterances is not None and "emotion" in utterances:
        own = take(text_of(utterances["emotion"]).to_numpy(object), material.at, None)
        if pd.notna(own).any():
            notices[:] = [one for one in notices if one != NO_TRUTH]
            notices.append("The predictions bring no true labels: those of the utterances table are taken.")
            classes = in_order([*classes, *own[pd.notna(own)]])
            truth = pd.Categorical(own, classes).codes.astype(int)
    return classes, truth


def model_of(
    material, name: str, where: np.ndarray, classes: list[str], truth: np.ndarray, notices: list
) -> dict:
    """A model's entry of the state, by row; `where (n,)`: positions of its predictions, -1 = none."""
    table = material.predictions
    model = {"name": name, "predicted": None, "p": None, "confidence": None, "dimensions": {}, "errors": None}
    for dim in DIMENSIONS:
        if f"{dim}_predicted" in table:
            values = take(table[f"{dim}_predicted"].to_numpy(float), where, np.nan)
            if np.isfinite(values).any():
                model["dimensions"][dim] = numbers(values, 4)
    if "predicted" not in table:
        return model
    at = pd.Index(classes).get_indexer(
        table["predicted"].cat.categories
    )  # the classes may be more than these
    predicted = take(np.append(at, -1)[table["predicted"].cat.codes.to_numpy(int)], where, -1)
    if not (predicted >= 0).any():
        return model
    model["predicted"] = predicted.tolist()
    p = np.full((len(where), len(classes)), np.nan)
    for k, one in enumerate(classes):
        if f"p_{one}" in table:
            p[:, k] = take(table[f"p_{one}"].to_numpy(float), where, np.nan)
    p[predicted < 0] = np.nan
    if np.isnan(p).all():
        return model
    model["p"] = [numbers(p[:, k], 3) for k in range(len(classes))]
    confidence = np.where(np.isnan(p), -1.0, p).max(1)
    model["confidence"] = numbers(np.where(confidence < 0, np.nan, confidence), 4)
    notices += not_the_largest(material.ids, name, predicted, p, classes)
    found, why = likely_label_errors(truth, p)
    if found is None and (truth >= 0).any():  # without any truth there is a notice already
        notices.append(why)
    elif found is not None:
        model["errors"] = {"rows": found["row"].tolist(), "scores": numbers(found["score"].to_numpy(), 4)}
    return model


def dimensions_of(material, notices: list[str]) -> list[dict]:
    """Name, truth by row and scale of each dimension that is predicted; the scale is the corpus's, else what the values
    span. Truth that the predictions do not bring is the utterances', and told; so is that there is none. Raises SernbError
    where models disagree about the truth."""
    table, utterances, made = material.predictions, material.utterances, []
    scale = None if utterances is None else utterances.attrs.get("scale")
    for dim in DIMENSIONS:
        if f"{dim}_predicted" not in table:
            continue
        values = table[dim].to_numpy(float)
        truth = _first(values, np.isfinite(values), material, np.nan)
        with np.errstate(invalid="ignore"):
            _agree(np.isfinite(values) & (np.abs(values - truth[material.row]) > 1e-6), dim, table)
        if np.isnan(truth).all():
            notices[:] = [one for one in notices if one != NO_RATING.format(dim)]
            if utterances is not None and dim in utterances:
                truth = take(utterances[dim].to_numpy(float), material.at, np.nan)
            if np.isfinite(truth).any():
                notices.append(
                    f"The predictions bring no true {dim}: the values of the utterances table are taken."
                )
            elif said := int(np.isfinite(table[f"{dim}_predicted"].to_numpy(float)).sum()):
                notices.append(
                    f"There is no true {dim} of any of {said:,} predicted values, so how far off they are cannot be shown: "
                    f"give the predictions or the utterances a column {dim!r}."
                )
        low, high = _span(scale, np.concatenate([truth, table[f"{dim}_predicted"].to_numpy(float)]))
        made.append({"name": dim, "truth": numbers(truth, 4), "low": low, "high": high})
    return made


def unlike(names: list[str]) -> list[str]:
    """Names, those that are there already with a number behind them."""
    if len(set(names)) == len(names):
        return names
    seen = {}
    for name in names:
        number, new = 2, name
        while new in seen:
            new, number = f"{name} ({number})", number + 1
        seen[new] = None
    return list(seen)


def _first(values, known, material, missing):
    """Each row's first known value."""
    found = np.full(len(material.ids), missing, dtype=values.dtype)
    known = np.flatnonzero(known)[::-1]  # the first is written last
    found[material.row[known]] = values[known]
    return found


def _agree(wrong, column, table):
    if wrong.any():
        name = table.index[wrong][0]
        said = ", ".join(map(str, table.loc[[name], column].dropna().unique()))
        raise SernbError(
            f"predictions: {int(wrong.sum())} rows contradict others about the truth: {name!r} has {said} as {column!r}. "
            "An utterance has one true value, whichever model predicts it; correct the rows."
        )


def _span(scale, values):
    try:
        low, high = map(float, scale)
    except (TypeError, ValueError):  # no scale is known
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return (round(low, 4), round(high, 4)) if low < high else (round(low - 0.5, 4), round(low + 0.5, 4))
