"""What is known of the utterances beside labels: columns to filter and group by, and raters' votes."""

import os
import re
from functools import cache

import numpy as np
import pandas as pd
import soundfile

from sernb.core.tables import DIMENSIONS, EMOTIONS, in_order, text_of
from sernb.explorer.text import clean

FIRST = ("speaker", "gender", "session", "fold")
FEW, MANY = 60, 1000  # values of other columns, and of the first ones, that can still be chosen from
FILES = 3000  # more are not looked at one by one
RESERVED = ("emotion", "predicted", "other", "length", "confidence", "text")  # have a meaning in views
_SHOWN_ELSEWHERE = {"path", "text", "start", "end", "emotion", *FIRST, *DIMENSIONS}
_RATER = re.compile(rf"({'|'.join(DIMENSIONS)}|emotion)_\d+")


def columns_of(known: dict, utterances: pd.DataFrame | None, at: np.ndarray, sound_file) -> tuple[list, list]:
    """The state's `columns`, and notices.

    Args:
        known: {name of FIRST: texts (n,), or None}.
        utterances: the corpus's table, or None.
        at: positions in `utterances` `(n,)`, -1 = not in it.
        sound_file: path -> Path, or None where there is no file that may be opened.
    """
    made, notices = [], []
    for name, values in known.items():
        column = None if values is None else _category(name, pd.Series(values, dtype=object), None, 1, MANY)
        if column:
            made.append(column)
        elif values is not None:
            notices.append(f"There are more than {MANY:,} values of {name}, too many to choose from.")
    if utterances is None:
        return made, notices

    lengths, measured_by = _lengths_of(utterances, at, sound_file)
    if np.isfinite(lengths).any():
        made.append({"name": "length", "kind": "number", "values": numbers(lengths, 3), "unit": "s"})
    for name in utterances.columns:
        text, values = str(name), utterances[name]
        if text in _SHOWN_ELSEWHERE or text == measured_by or _RATER.fullmatch(text):
            continue  # single raters' labels are shown with their clip
        label = clean(f"{text} (column)" if text in RESERVED else text)
        if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
            if not pd.api.types.is_datetime64_any_dtype(values):
                made.append(_category(label, values, at, 2, FEW))
        elif not pd.api.types.is_complex_dtype(values):
            made.append(_number(label, values, at))
    return [column for column in made if column], notices


def votes_of(utterances: pd.DataFrame, at: np.ndarray) -> list | None:
    """{class: count} of the raters' labels a row; who names two counts half for each. None without raters."""
    raters = sorted(name for name in map(str, utterances.columns) if re.fullmatch(r"emotion_\d+", name))
    if not raters:
        return None
    labels = np.stack([text_of(utterances[name]).to_numpy(object) for name in raters], 1)
    count = cache(_count)  # there are few combinations
    votes = [count(tuple(labels[i])) if i >= 0 else None for i in at]
    return votes if any(votes) else None


def listeners_of(utterances: pd.DataFrame, at: np.ndarray) -> list | None:
    """[[what, value], …] a row: shares of EMO-DB's listeners in per cent, what CREMA-D's listeners heard."""
    made = [[] for _ in at]
    for name in ("recognised", "natural"):
        if name in utterances and pd.api.types.is_numeric_dtype(utterances[name]):
            values = take(utterances[name].to_numpy(float, na_value=np.nan), at, np.nan)
            for row in np.flatnonzero(np.isfinite(values)):
                made[row].append([name, round(float(values[row]), 3)])
    if "heard" in utterances:
        values = take(text_of(utterances["heard"]).to_numpy(object), at, None)
        for row in np.flatnonzero(~pd.isna(values)):
            made[row].append(["heard", clean(values[row])])
    return [row or None for row in made] if any(made) else None


def numbers(values: np.ndarray, digits: int) -> list[float | None]:
    """Rounded numbers; what is not finite becomes None, which JSON can hold."""
    rounded = np.round(values, digits).tolist()
    for row in np.flatnonzero(~np.isfinite(values)):
        rounded[row] = None
    return rounded


def take(values: np.ndarray, at: np.ndarray, missing) -> np.ndarray:
    """`values[at]`, and `missing` where `at` is -1."""
    taken = values[at].copy()
    taken[at < 0] = missing
    return taken


def _category(name, values, at, least, most):
    """A column of text, its values in order (numbers in names by size); None for too few or too many."""
    codes, names = pd.factorize(text_of(values))
    if "" in names:
        codes = np.where(codes == list(names).index(""), -1, codes)
    codes = codes if at is None else take(codes, at, -1)
    used = np.unique(codes[codes >= 0])
    if not least <= len(used) <= most:
        return None

    # The kit's order for emotions, a categorical's own, else by name.
    ordered = list(values.cat.categories) if isinstance(values.dtype, pd.CategoricalDtype) else None
    ordered = in_order(names) if set(names) <= {*EMOTIONS, ""} else ordered
    place = {str(value): i for i, value in enumerate(ordered)} if ordered else None
    used = sorted(used, key=lambda code: place[names[code]] if place else _natural(names[code]))
    new = np.full(len(names) + 1, -1)  # the last one for -1
    new[used] = np.arange(len(used))
    return {
        "name": name,
        "kind": "category",
        "values": [clean(names[code]) for code in used],
        "codes": new[codes].tolist(),
    }


def _number(name, values, at):
    """A column of numbers that varies, floats to six digits; None for one that does not."""
    if pd.api.types.is_integer_dtype(values) and (at >= 0).all() and values.notna().all():
        known = values.to_numpy()[at]
        listed = known.tolist()
    else:
        taken = take(values.to_numpy(float, na_value=np.nan), at, np.nan)
        known = taken[np.isfinite(taken)]
        sizes = np.abs(known[known != 0])
        digits = 5 - int(np.floor(np.log10(sizes.max()))) if len(sizes) else 0
        listed = numbers(taken, min(max(digits, 0), 15))
    if not len(known) or known.min() == known.max():
        return None
    return {"name": name, "kind": "number", "values": listed, "unit": ""}


def _lengths_of(utterances, at, sound_file):
    """Seconds `(n,)` from start and end, else a column `seconds` (the second is its name), else the files."""
    length = np.full(len(at), np.nan)
    if {"start", "end"} <= set(utterances.columns):
        start, end = (take(utterances[name].to_numpy(float), at, np.nan) for name in ("start", "end"))
        length = end - np.nan_to_num(start)
    measured_by = None
    if "seconds" in utterances and pd.api.types.is_numeric_dtype(utterances["seconds"]):
        measured_by = "seconds"
        seconds = take(utterances["seconds"].to_numpy(float, na_value=np.nan), at, np.nan)
        length = np.where(np.isnan(length), seconds, length)
    elif "path" in utterances and np.isnan(length).any():
        rows = np.flatnonzero(np.isnan(length) & (at >= 0))
        paths = utterances["path"].to_numpy(object)[at[rows]]
        files = set(paths[~pd.isna(paths)])
        if len(files) <= FILES:
            seconds = {path: _seconds(sound_file(path)) for path in files}
            start = utterances["start"].to_numpy(float)[at[rows]] if "start" in utterances else 0.0
            length[rows] = [seconds.get(path, np.nan) for path in paths] - np.nan_to_num(start)
    return np.where(length >= 0, length, np.nan), measured_by


def _seconds(path):
    """A file's length in seconds, NaN where it cannot be told."""
    try:
        length = np.nan if path is None else soundfile.info(os.fspath(path)).duration
    except (soundfile.SoundFileError, OSError, TypeError, ValueError):
        return np.nan
    return length if length < 1e7 else np.nan  # a streamed flac does not say


def _count(labels):
    """{class: count} of one clip's labels; "angry; sad" counts half for each. None where there are none."""
    counts = {}
    for label in filter(pd.notna, labels):
        names = [clean(name.strip()) for name in label.split(";") if name.strip()]
        for name in names:
            counts[name] = counts.get(name, 0) + 1 / len(names)
    return {name: round(count, 3) for name, count in counts.items()} or None


def _natural(name):
    """A key that sorts "take 2" before "take 10"."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name)]
