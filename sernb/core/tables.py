"""The two tables that join everything: utterances (what a corpus holds) and predictions (what a model said).

Both are plain DataFrames indexed by `utterance`. `check_utterances` and `check_predictions` bring one to its
agreed types and say which rows are wrong and why; the values are never changed, and no row is left out.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.files import whole_file

EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised", "calm", "bored")
DIMENSIONS = ("arousal", "valence", "dominance")
SUM_TOLERANCE = 0.01  # probabilities written with three digits still add up to 1 within this
SHOWN = 5  # wrong rows that a message spells out; the rest are counted

_TEXT = ("path", "speaker", "gender", "session", "text", "part")
_PREDICTION_TEXT = ("fold", "model", "speaker", "emotion", "predicted")
_SLACK = 1e-6  # a probability may lie so far outside 0 to 1


def check_utterances(table: pd.DataFrame, source: str = "utterances", strict: bool = True) -> pd.DataFrame:
    """Check an utterances table and return a copy with the agreed types.

    The index is `utterance` (str, unique). Known columns: path (str), start and end (seconds, NaN = the whole
    file), speaker, gender, session, text, part (str), emotion (categorical; the labels in use, in the order
    of `EMOTIONS`), arousal, valence, dominance (float). Columns that are absent stay absent, columns that are
    not known stay as they are.

    Args:
        table: utterances, indexed by id or with a column `utterance`.
        source: what messages call it, such as a file's name.
        strict: `path` or `text` must be there, no row lacks its path, and labels outside `EMOTIONS` must be
            listed in `table.attrs["own_labels"]` (the manifest loader does this on request). If False, none
            of this is asked.

    Raises:
        SernbError: names `source`, the wrong rows and what was expected.
    """
    import pandera.pandas as pa  # here, since it takes half a second that listing corpora does not need

    table = _start(table, source)
    if strict and not {"path", "text"} & set(table.columns):
        raise SernbError(
            f"{source}: an utterance needs a recording or words, so a column 'path' or 'text'; "
            f"the table has {_names(table.columns)}."
        )

    # Types: text and numbers.
    for column in {*_TEXT, "emotion"} & set(table.columns):
        table[column] = text_of(table[column])
        if not strict and column in ("path", "emotion"):
            table[column] = table[column].mask(table[column] == "")
    numbers = [column for column in ("start", "end", *DIMENSIONS) if column in table]
    _to_numbers(table, numbers, source)

    # Rules of single columns, then of whole rows.
    finite = pa.Check(np.isfinite, error="must be a finite number")
    columns = {column: pa.Column(float, finite, nullable=True) for column in numbers}
    if "path" in table:
        filled = pa.Check(lambda path: path != "", error="must not be empty")
        columns["path"] = pa.Column(checks=filled, nullable=not strict)
    if "emotion" in table and strict:
        allowed = (*EMOTIONS, *table.attrs.get("own_labels", ()))
        known = pa.Check(lambda label: label.isin(allowed), error=f"must be one of {', '.join(allowed)}")
        columns["emotion"] = pa.Column(checks=known, nullable=True)
    wrong = []
    if "start" in table:
        wrong.append((table["start"] < 0, table["start"], "must be 0 seconds or later"))
    if "end" in table:
        begin = table["start"].fillna(0.0) if "start" in table else 0.0
        wrong.append((table["end"] <= begin, table["end"], "must be later than the start"))
    _validate(table, columns, wrong, source)

    if "emotion" in table:
        table["emotion"] = pd.Categorical(table["emotion"], in_order(table["emotion"].dropna().unique()))
    return table


def check_predictions(table: pd.DataFrame, source: str = "predictions", strict: bool = True) -> pd.DataFrame:
    """Check a predictions table and return a copy with the agreed types.

    The index is `utterance` (str). Needed: `emotion` and `predicted`, or a dimension with its prediction
    (`arousal` and `arousal_predicted`). Known beside them: fold, model, speaker (str), seed, and `p_<class>`
    (0–1, adding up to 1 in each row). Several models and seeds may stand in one table; (model, seed,
    utterance) is unique.

    Args:
        table: predictions, indexed by utterance or with a column `utterance`.
        source: what messages call it, such as a file's name.
        strict: every row must be whole. If False, what may be missing is accepted and left NaN: true values
            (also whole columns), labels, folds and predicted dimensions in some rows, the `p_` columns of
            some labels; probabilities that are not 0 to 1 and 1 in sum become NaN, and a missing model is
            "model".

    Raises:
        SernbError: names `source`, the wrong rows and what was expected.
    """
    import pandera.pandas as pa  # here, since it takes half a second that listing corpora does not need

    # Which predictions there are, and the true values that belong to them.
    table = _start(table, source, unique=False)
    dims = [dim for dim in DIMENSIONS if f"{dim}_predicted" in table]
    labels = ["emotion", "predicted"] if "predicted" in table else []
    if not labels and not dims:
        raise SernbError(
            f"{source}: predictions need the columns 'emotion' and 'predicted' (or 'arousal' and "
            f"'arousal_predicted', …); the table has {_names(table.columns)}."
        )
    absent = [truth for truth in (*dims, *labels[:1]) if truth not in table]
    if absent and strict:
        raise SernbError(f"{source}: the true values are missing: no column {_names(absent)}.")
    for truth in absent:
        table[truth] = np.nan

    # Types: text and numbers.
    for column in set(_PREDICTION_TEXT) & set(table.columns):
        table[column] = text_of(table[column])
    probabilities = [column for column in table if str(column).startswith("p_")]
    if not strict:
        _leave_gaps(table, ["fold", *labels], probabilities)
    numbers = [*probabilities, *dims, *(f"{dim}_predicted" for dim in dims)]
    _to_numbers(table, numbers, source)

    # Rules of single columns, then of whole rows.
    columns = {
        column: pa.Column(nullable=not strict) for column in ("model", "fold", *labels) if column in table
    }
    columns |= {column: pa.Column(float, nullable=column in dims or not strict) for column in numbers}
    wrong = []
    if strict and probabilities:
        inside = pa.Check(lambda p: p.between(-_SLACK, 1 + _SLACK), error="must be a probability, 0 to 1")
        columns |= {column: pa.Column(float, inside) for column in probabilities}
        classes = classes_of(table)
        known = pa.Check(
            lambda label: label.isin(classes), error=f"must be a class with a p_ column: {', '.join(classes)}"
        )
        columns |= {column: pa.Column(checks=known) for column in labels}
        total = table[probabilities].sum(axis=1, skipna=False).rename(None)
        wrong.append(((total - 1).abs() > SUM_TOLERANCE, total, f"{_names(probabilities)} must add up to 1"))
    _validate(table, columns, wrong, source)
    _once_a_model(table, source)

    known = {column.removeprefix("p_") for column in probabilities}
    known |= {label for column in labels for label in table[column].dropna().unique()}
    for column in labels:
        table[column] = pd.Categorical(table[column], in_order(known))
    return table


def classes_of(predictions: pd.DataFrame) -> list[str]:
    """The classes of a predictions table, in the order of EMOTIONS: from its p_ columns, else its labels."""
    names = [column.removeprefix("p_") for column in predictions if str(column).startswith("p_")]
    if not names:
        names = pd.concat([predictions[c].astype(object) for c in ("emotion", "predicted")]).dropna().unique()
    return in_order(names)


def in_order(labels) -> list[str]:
    """Labels in the order of EMOTIONS; labels of the user's own follow, by name."""
    labels = {str(label) for label in labels}
    return [label for label in EMOTIONS if label in labels] + sorted(labels - set(EMOTIONS))


def write_predictions(table: pd.DataFrame, path: str | Path) -> Path:
    """Check a predictions table and write it as CSV (UTF-8), whole or not at all."""
    path = Path(path)
    table = check_predictions(table, str(path))
    with whole_file(path) as beside:
        table.to_csv(beside, encoding="utf-8")
    return path


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read a predictions CSV, made by `write_predictions` or elsewhere, and check it.

    Ids, folds, models, speakers and labels are read as text ("03" stays "03"). SernbError names the file.
    """
    return check_predictions(read_rows(path), str(path))


def read_rows(path: str | Path) -> pd.DataFrame:
    """The rows of a predictions CSV as they are, indexed by utterance. SernbError names the file."""
    path = Path(path)
    text = ("utterance", *_PREDICTION_TEXT, *_TEXT)
    try:
        # Only an empty field is missing: "NA" and "None" may well be somebody's ids.
        table = pd.read_csv(
            path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except FileNotFoundError:
        raise SernbError(f"{path}: no such file; expected a CSV of predictions.") from None
    except (OSError, ValueError) as problem:  # pandas' parser errors and wrong encodings are ValueErrors
        raise SernbError(f"{path}: cannot be read as a CSV of predictions: {problem}") from problem
    if "utterance" not in table:
        raise SernbError(f"{path}: expected a column 'utterance'; the file has {_names(table.columns)}.")
    if table["utterance"].isna().any():
        rows = ", ".join(str(row + 2) for row in np.flatnonzero(table["utterance"].isna())[:SHOWN])
        raise SernbError(f"{path}: the column 'utterance' is empty in row {rows}.")
    return table.set_index("utterance")


def _start(table: pd.DataFrame, source: str, unique: bool = True) -> pd.DataFrame:
    """A copy, its index text and called `utterance`; refuses no rows, empty and (`unique`) repeated ids."""
    if not isinstance(table, pd.DataFrame):
        raise SernbError(f"{source}: expected a pandas DataFrame, got {type(table).__name__}.")
    if "utterance" in table.columns:
        table = table.set_index("utterance")
    if table.empty:
        raise SernbError(f"{source}: the table has no rows.")
    if table.columns.has_duplicates:
        raise SernbError(
            f"{source}: columns stand twice: {_names(table.columns[table.columns.duplicated()])}."
        )
    table = table.copy()
    empty = table.index.isna() | (table.index.astype(str) == "")
    if empty.any():
        raise SernbError(
            f"{source}: {empty.sum()} rows have no utterance id, the first is row {empty.argmax() + 1}."
        )
    table.index = pd.Index(table.index.map(str), name="utterance")
    if unique and table.index.has_duplicates:
        twice = table.index[table.index.duplicated()].unique()
        rows_of = {name: np.flatnonzero(table.index == name)[:SHOWN] + 1 for name in twice[:SHOWN]}
        where = [f"{name!r} (rows {', '.join(map(str, rows))})" for name, rows in rows_of.items()]
        raise SernbError(
            f"{source}: {len(twice)} utterance ids stand more than once: {', '.join(where)}"
            f"{' …' if len(twice) > SHOWN else ''}. Each utterance needs an id of its own."
        )
    return table


def text_of(values: pd.Series) -> pd.Series:
    """Text, missing values left missing; 1.0 becomes "1": a missing value makes floats of whole numbers."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype(object).map(str, na_action="ignore")


def _to_numbers(table: pd.DataFrame, columns: list[str], source: str) -> None:
    for column in columns:
        numbers = pd.to_numeric(table[column], errors="coerce")
        wrong = numbers.isna() & table[column].notna()
        if wrong.any():
            shown = ", ".join(
                f"{row!r}: {value!r}" for row, value in table.loc[wrong, column].head(SHOWN).items()
            )
            raise SernbError(
                f"{source}: column {column!r} must hold numbers; {wrong.sum()} rows do not ({shown})."
            )
        table[column] = numbers.astype(float)


def _leave_gaps(table: pd.DataFrame, columns: list[str], probabilities: list[str]) -> None:
    """NaN, in place, for empty text, and for a row's probabilities that are not 0 to 1 and 1 in sum.

    Probabilities that a model never fills are not its own: it does not know that class.
    """
    for column in set(columns) & set(table.columns):
        table[column] = table[column].mask(table[column] == "")
    if "model" in table:
        table["model"] = table["model"].fillna("model")
    if not probabilities:
        return

    values = table[probabilities].apply(pd.to_numeric, errors="coerce").to_numpy(float, copy=True)
    models = table["model"].to_numpy() if "model" in table else np.zeros(len(table))
    for rows in pd.Series(models).groupby(models).indices.values():
        own = values[rows][:, ~np.isnan(values[rows]).all(0)]
        inside = ((own >= -_SLACK) & (own <= 1 + _SLACK)).all(1)
        whole = inside & (np.abs(own.sum(1) - 1) <= SUM_TOLERANCE)
        values[rows[~whole]] = np.nan
    table[probabilities] = values


def _validate(table: pd.DataFrame, columns: dict, wrong: list[tuple], source: str) -> None:
    """Run the pandera schema, and add what is `wrong` in whole rows: (bool by row, values to show, rule).

    One error tells of everything.
    """
    import pandera.pandas as pa

    problems = []
    # pandera drops the index labels of repeated ids, so it sees row numbers.
    try:
        pa.DataFrameSchema(columns).validate(table.reset_index(drop=True), lazy=True)
    except pa.errors.SchemaErrors as error:
        for (column, check), cases in error.failure_cases.groupby(["column", "check"], sort=False):
            rule = "must not be missing" if check == "not_nullable" else check
            rows = [int(row) for row in cases["index"]]
            problems.append(_problem(column, rule, rows, list(cases["failure_case"]), table))
    for mask, values, rule in wrong:
        if rows := np.flatnonzero(mask).tolist():
            problems.append(_problem(values.name, rule, rows, list(values.iloc[rows]), table))
    if problems:
        raise SernbError(f"{source}: " + "\n".join(problems))


def _problem(column: str | None, rule: str, rows: list[int], values: list, table: pd.DataFrame) -> str:
    """A sentence: the rule that is broken, where, and by which values."""
    texts = [f"{value:.6g}" if isinstance(value, float) else repr(value) for value in values[:SHOWN]]
    shown = "; ".join(
        f"row {row + 1}, utterance {table.index[row]!r}: {text}"
        for row, text in zip(rows, texts, strict=False)
    )
    more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    where = f"column {column!r} " if column else ""
    return f"{where}{rule}. Wrong in {len(rows)} of {len(table)} rows ({shown}{more})."


def _once_a_model(table: pd.DataFrame, source: str) -> None:
    """SernbError where a model (and seed) predicts an utterance twice."""
    keys = ["utterance", *(column for column in ("model", "seed") if column in table)]
    key = pd.MultiIndex.from_frame(table.reset_index()[keys])
    if not key.has_duplicates:
        return
    twice = key[key.duplicated()].unique()
    shown = ", ".join(" / ".join(map(str, np.atleast_1d(one))) for one in twice[:SHOWN])
    raise SernbError(
        f"{source}: {len(twice)} of ({', '.join(keys)}) stand more than once: {shown}"
        f"{' …' if len(twice) > SHOWN else ''}. Each utterance is predicted once by a model and seed; "
        "give repeated runs a 'seed' or 'model' column of their own."
    )


def _names(columns) -> str:
    return ", ".join(repr(str(column)) for column in columns)


def predictions_of(
    probabilities: pd.DataFrame, utterances: pd.DataFrame, fold: str, model: str
) -> pd.DataFrame:
    """The predictions table of utterances `(n, classes)`: probabilities by class, indexed as in `utterances`.

    Columns: fold, model, emotion, speaker where it is known, predicted, and p_<class> in their order.
    """
    truth = utterances.loc[probabilities.index]
    known = {"fold": fold, "model": model, "emotion": truth["emotion"].astype(str)}
    if "speaker" in truth:
        known["speaker"] = truth["speaker"]
    guess = probabilities.columns.to_numpy(object)[np.asarray(probabilities).argmax(1)]
    table = pd.DataFrame(known, index=probabilities.index).assign(predicted=guess)
    return pd.concat([table, probabilities.add_prefix("p_")], axis=1).rename_axis("utterance")
