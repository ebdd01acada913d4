"""What is known of the utterances beside labels: columns to filter and group by, lengths, raters' votes, listeners."""

import os
import re

import numpy as np
import pandas as pd
import soundfile

from sernb.core.tables import DIMENSIONS, EMOTIONS, in_order, text_of
from sernb.explorer.readable import clean, cleaned

FIRST = ("speaker", "gender", "session", "fold")
FEW, MANY = 60, 1000  # values of other columns, and of the first ones, that can still be chosen from
FILES = 3000  # more are not looked at one by one
RESERVED = ("emotion", "predicted", "other", "length", "confidence", "text")  # have a meaning in views
_RATER = re.compile(rf"({'|'.join(DIMENSIONS)}|emotion)_\d+")


def columns_of(known: dict, utterances: pd.DataFrame | None, at: np.ndarray, sound_file) -> tuple[list, list]:
    """The state's `columns`, and notices.

    known: {name: values (n,)} of FIRST, where there are any; at `(n,)`: positions in `utterances`, -1 = not in it.
    sound_file: path -> Path or None, as allowed.
    """
    made, notices = [], []
    for name in FIRST:
        if name in known:
            column = category(name, known[name], None, 1, MANY)
            if column:
                made.append(column)
            elif known[name].notna().any():
                notices.append(f"There are more than {MANY:,} values of {name}, too many to choose from.")
    if utterances is None:
        return made, notices
    lengths, measured_by = lengths_of(utterances, at, sound_file)
    if lengths is not None and np.isfinite(lengths).any():
        made.append({"name": "length", "kind": "number", "values": numbers(lengths, 3), "unit": "s"})
    for name in utterances.columns:
        text = str(name)
        if text in ("path", "text", "start", "end", "emotion", measured_by, *FIRST, *DIMENSIONS):
            continue
        if _RATER.fullmatch(text):
            continue  # single raters' labels are shown with their clip
        values = utterances[name]
        label = clean(f"{text} (column)" if text in RESERVED else text)
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            if not pd.api.types.is_datetime64_any_dtype(values):
                made.append(category(label, values, at, 2, FEW))
        elif not pd.api.types.is_complex_dtype(values):
            made.append(_number(label, values, at))
    return [column for column in made if column], notices


def category(name: str, values: pd.Series, at: np.ndarray | None, least: int, most: int) -> dict | None:
    """A column of text, its values in their order (numbers in names by size); None for too few or too many values."""
    codes, names = pd.factorize(text_of(values))
    given = list(values.cat.categories) if isinstance(values.dtype, pd.CategoricalDtype) else None
    given = in_order(names) if set(names) <= {*EMOTIONS, ""} else given
    if "" in names:
        codes = np.where(codes == list(names).index(""), -1, codes)
    codes = codes if at is None else take(codes, at, -1)
    used = np.unique(codes[codes >= 0])
    if not least <= len(used) <= most:
        return None
    order = {str(one): i for i, one in enumerate(given)} if given else None
    used = sorted(used, key=lambda code: order[names[code]] if order else _natural(names[code]))
    new = np.full(len(names) + 1, -1)  # the last one for -1
    new[used] = np.arange(len(used))
    return {
        "name": name,
        "kind": "category",
        "values": cleaned([names[i] for i in used]),
        "codes": new[codes].tolist(),
    }


def lengths_of(utterances, at, sound_file) -> tuple[np.ndarray | None, str | None]:
    """Seconds `(n,)` from start and end, else from a column `seconds` (its name is the second), else from the files."""
    length = np.full(len(at), np.nan)
    if {"start", "end"} <= set(utterances.columns):
        start, end = (take(utterances[one].to_numpy(float), at, np.nan) for one in ("start", "end"))
        length = end - np.where(np.isnan(start), 0.0, start)
    measured_by = None
    if "seconds" in utterances and pd.api.types.is_numeric_dtype(utterances["seconds"]):
        measured_by = "seconds"
        seconds = take(utterances["seconds"].to_numpy(float, na_value=np.nan), at, np.nan)
        length = np.where(np.isnan(length), seconds, length)
    elif "path" in utterances and np.isnan(length).any():
        rows = np.flatnonzero(np.isnan(length) & (at >= 0))
        paths = utterances["path"].to_numpy(object)[at[rows]]
        each = set(paths[~pd.isna(paths)])
        if len(each) <= FILES:
            seconds = {path: _seconds(path, sound_file) for path in each}
            start = utterances["start"].to_numpy(float)[at[rows]] if "start" in utterances else 0.0
            length[rows] = [seconds.get(path, np.nan) for path in paths] - np.nan_to_num(start)
    return np.where(length >= 0, length, np.nan), measured_by


def votes_of(utterances: pd.DataFrame, at: np.ndarray) -> list | None:
    """{class: count} of the raters' own labels a row; who names two counts half for each. None without such columns."""
    raters = sorted(name for name in map(str, utterances.columns) if re.fullmatch(r"emotion_\d+", name))
    if not raters:
        return None
    coded = [pd.factorize(text_of(utterances[name])) for name in raters]
    combined, where = np.unique(np.stack([codes for codes, _ in coded], 1), axis=0, return_inverse=True)
    each = [
        _count([names[i] for i, (_, names) in zip(row, coded, strict=True) if i >= 0]) for row in combined
    ]
    each.append(None)  # for those that are not in the table
    votes = [each[i] for i in take(where.reshape(-1), at, -1)]
    return votes if any(votes) else None


def listeners_of(utterances: pd.DataFrame, at: np.ndarray) -> list | None:
    """[[what, value], …] a row: the shares of EMO-DB's listeners in per cent, what CREMA-D's listeners heard."""
    found = [[] for _ in at]
    for name in ("recognised", "natural"):
        if name in utterances and pd.api.types.is_numeric_dtype(utterances[name]):
            values = take(utterances[name].to_numpy(float, na_value=np.nan), at, np.nan)
            for row in np.flatnonzero(np.isfinite(values)):
                found[row].append([name, round(float(values[row]), 3)])
    if "heard" in utterances:
        values = take(text_of(utterances["heard"]).to_numpy(object), at, None)
        for row in np.flatnonzero(~pd.isna(values)):
            found[row].append(["heard", clean(values[row])])
    return [one or None for one in found] if any(found) else None


def numbers(values: np.ndarray, digits: int) -> list[float | None]:
    """Rounded numbers; what is not finite becomes None, which JSON can hold."""
    found = np.round(values, digits).tolist()
    for row in np.flatnonzero(~np.isfinite(values)):
        found[row] = None
    return found


def take(values: np.ndarray, at: np.ndarray, missing) -> np.ndarray:
    """`values[at]`, and `missing` where `at` is -1."""
    found = values[at].copy()
    found[at < 0] = missing
    return found


def _number(name, values, at):
    """A column of numbers that varies, floats to six digits; None for one that does not."""
    if pd.api.types.is_integer_dtype(values) and (at >= 0).all() and values.notna().all():
        found = values.to_numpy()[at]
        listed = found.tolist()
    else:
        found = take(values.to_numpy(float, na_value=np.nan), at, np.nan)
        finite = found[np.isfinite(found) & (found != 0)]
        digits = 5 - int(np.floor(np.log10(np.abs(finite).max()))) if len(finite) else 0
        listed = numbers(found, min(max(digits, 0), 15))
        found = found[np.isfinite(found)]
    if not len(found) or found.min() == found.max():
        return None
    return {"name": name, "kind": "number", "values": listed, "unit": ""}


def _seconds(path, sound_file):
    path = sound_file(path)
    if path is None:
        return np.nan
    try:
        length = soundfile.info(os.fspath(path)).duration
    except (soundfile.SoundFileError, OSError, TypeError, ValueError):
        return np.nan
    return length if length < 1e7 else np.nan  # a streamed flac does not say


def _count(labels):
    counts = {}
    for label in labels:
        names = [name.strip() for name in label.split(";") if name.strip()]
        for name in names:
            counts[clean(name)] = counts.get(clean(name), 0) + 1 / len(names)
    return {name: round(count, 3) for name, count in counts.items()} or None


def _natural(name):
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name)]
