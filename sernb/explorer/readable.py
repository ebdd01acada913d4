"""Predictions as people bring them: what is wrong in a row is left out of what is shown, and said, instead of refused."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import (
    DIMENSIONS,
    SUM_TOLERANCE,
    check_predictions,
    check_utterances,
    in_order,
    text_of,
)

NO_TRUTH = "The predictions have no true labels: which of them are right cannot be shown."
NO_RATING = "The predictions have no true {}: residuals cannot be shown."
GONE = ""  # stands for a missing label or fold while the table is checked


def readable(table: pd.DataFrame, source: str = "predictions") -> tuple[pd.DataFrame, list[str]]:
    """The predictions, checked, and notices: sentences on what could not be used.

    As `check_predictions`, but these are accepted: true labels that are absent, in part or all; labels, predictions and
    folds that are missing in some rows (NaN); labels without a `p_` column; probabilities that are missing or do not
    add up to 1 (that row's become NaN). Labels become a Categorical over all classes: those of the labels and of `p_`.

    Raises SernbError for what remains: no predictions at all, ids missing, numbers that are none, a row twice.
    """
    table = _encodable(table)
    try:
        checked = check_predictions(table, source)
        if not any((checked[name] == GONE).any() for name in ("emotion", "predicted") if name in checked):
            return checked, []
    except SernbError:
        if not isinstance(table, pd.DataFrame) or table.empty or table.columns.has_duplicates:
            raise
        if not {"predicted", *(f"{dim}_predicted" for dim in DIMENSIONS)} & set(table.columns):
            raise
    table = table.set_index("utterance") if "utterance" in table else table.copy()
    probabilities = table[[name for name in table if str(name).startswith("p_")]]
    relaxed, gone, notices = _relaxed(table.drop(columns=probabilities.columns))
    checked = check_predictions(relaxed, source)
    for column, missing in gone.items():
        checked[column] = checked[column].mask(missing)
    if "predicted" in checked:
        notices += _missing_labels(checked)
        names = [str(name).removeprefix("p_") for name in probabilities]
        labels = set(checked["emotion"].dropna()) | set(checked["predicted"].dropna())
        if probabilities.shape[1] and labels - set(names):
            without = in_order(labels - set(names))
            notices.append(
                f"The table has no probabilities of {some(without)} (no column p_{without[0]}): these show none."
            )
        for column in ("emotion", "predicted"):
            checked[column] = pd.Categorical(checked[column].astype(object), in_order([*labels, *names]))
    used, told = _whole_rows(probabilities, checked)
    return pd.concat([checked, used], axis=1), notices + told


def readable_utterances(table: pd.DataFrame, source: str = "utterances") -> pd.DataFrame:
    """The utterances, checked; labels of the user's own, rows without a path, and tables without path and text are
    accepted. Raises SernbError for what remains (ids missing or twice, seconds that are no numbers …)."""
    table = _encodable(table)
    try:
        return check_utterances(table, source)
    except SernbError:
        if not isinstance(table, pd.DataFrame) or table.empty or table.columns.has_duplicates:
            raise
    attrs, table = table.attrs, table.set_index("utterance") if "utterance" in table else table.copy()
    aside = table[[name for name in ("path", "emotion") if name in table]]
    table = table.drop(columns=aside.columns)
    lacking = "text" not in table
    checked = check_utterances(table.assign(text="") if lacking else table, source)
    checked = checked.drop(columns="text") if lacking else checked
    for name in aside:
        text = text_of(aside[name]).mask(aside[name] == "")
        checked.insert(0, name, text.to_numpy())
    if "emotion" in checked:
        checked["emotion"] = pd.Categorical(checked["emotion"], in_order(checked["emotion"].dropna()))
    checked.attrs = attrs
    return checked


def clean(text: str) -> str:
    """Text that UTF-8 can hold: halves of characters (lone surrogates) become U+FFFD. All else stays, NUL too."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def cleaned(texts: list[str]) -> list[str]:
    """`clean` of many."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return [clean(text) for text in texts]
    return texts


def _encodable(table):
    """The table with its text `clean`; pandas' own texts are that already, only objects need to be looked at."""
    if not isinstance(table, pd.DataFrame) or table.columns.has_duplicates:
        return table  # the checks refuse it
    changed = {}
    for name in filter(lambda name: pd.api.types.is_object_dtype(table[name]), table):
        texts = [value for value in table[name] if isinstance(value, str)]
        if cleaned(texts) is not texts:
            own = [clean(value) if isinstance(value, str) else value for value in table[name]]
            changed[name] = pd.Series(own, table.index, dtype=object)
    table = table.assign(**changed) if changed else table
    if table.index.dtype == object:
        names = [name for name in table.index if isinstance(name, str)]
        if cleaned(names) is not names:
            table = table.set_axis([clean(name) if isinstance(name, str) else name for name in table.index])
    return table


def _relaxed(table):
    """The table with something in every place that may be empty, and where these places are {column: rows}."""
    gone, notices = {}, []
    if "predicted" in table and "emotion" not in table:
        table["emotion"] = None
    for column in ("emotion", "predicted", "fold") if "predicted" in table else ("fold",):
        if column in table:
            missing = (table[column].isna() | (table[column] == "")).to_numpy()
            table[column] = text_of(table[column]).where(~missing, GONE)
            gone[column] = missing
    if "model" in table:
        table["model"] = text_of(table["model"]).fillna("model")
    for dim in DIMENSIONS:
        if f"{dim}_predicted" in table:
            if dim not in table:
                table[dim] = np.nan
                notices.append(NO_RATING.format(dim))
            gone[f"{dim}_predicted"] = table[f"{dim}_predicted"].isna().to_numpy()
            table[f"{dim}_predicted"] = table[f"{dim}_predicted"].astype(object).fillna(0.0).infer_objects()
    return table, gone, notices


def _missing_labels(table):
    """Sentences on labels that are missing. A model that has no labels at all (of dimensions) is not missing any."""
    model = table["model"] if "model" in table else pd.Series("model", table.index)
    labelled = table["predicted"].notna().groupby(model.to_numpy()).transform("any")
    notices = []
    truth, said = table["emotion"].isna() & labelled, table["predicted"].isna() & labelled
    if labelled.any() and truth.sum() == labelled.sum():
        notices.append(NO_TRUTH)
    elif truth.any():
        notices.append(
            f"{_of(truth, labelled)} have no true label: {some(table.index[truth], 3)}. They stand under (none)."
        )
    if said.any():
        notices.append(
            f"{_of(said, labelled)} name no class: {some(table.index[said], 3)}. They are left out."
        )
    return notices


def _whole_rows(probabilities, table):
    """The probabilities, NaN in rows whose own are not 0 to 1 and 1 in sum; columns that a model never fills are not
    its own."""
    if not probabilities.shape[1]:
        return probabilities, []
    values = probabilities.apply(pd.to_numeric, errors="coerce").to_numpy(float, copy=True)
    whole = np.zeros(len(values), bool)
    for rows in table.groupby("model").indices.values() if "model" in table else [np.arange(len(values))]:
        part = values[rows]
        own = part[:, ~np.isnan(part).all(0)]
        inside = ((own >= -1e-6) & (own <= 1 + 1e-6)).all(1)
        whole[rows] = inside & (np.abs(own.sum(1) - 1) <= SUM_TOLERANCE)
    values[~whole] = np.nan
    used = pd.DataFrame(values, table.index, [str(name) for name in probabilities])
    asked = table["predicted"].notna().to_numpy() if "predicted" in table else np.ones(len(values), bool)
    bad = asked & ~whole
    if not bad.any():
        return used, []
    return used, [
        f"The probabilities of {int(bad.sum()):,} of {int(asked.sum()):,} predictions are not used, because they are "
        f"missing or do not add up to 1: {some(table.index[bad], 3)}. Their labels are shown all the same."
    ]


def _of(some_rows, rows):
    return f"{int(some_rows.sum()):,} of {int(rows.sum()):,} predictions"
