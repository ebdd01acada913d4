"""What the explorer shows, as plain data (JSON): a row an utterance, a list a column, an entry a model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.core.tables import text_of
from sernb.explorer import doubts
from sernb.explorer.clips import sound_file
from sernb.explorer.columns import FILES, FIRST, columns_of, listeners_of, take, votes_of
from sernb.explorer.readable import clean, cleaned, readable, readable_utterances
from sernb.explorer.said import dimensions_of, model_of, models_of, truth_of
from sernb.figures.palette import EMOTION_COLORS, SERIES_COLORS

VERSION = 1


@dataclass(frozen=True)
class Material:
    """The tables behind a state, checked, and how its rows lie in them.

    ids: the utterances in order of first appearance, n; at: their positions in `utterances` (-1: not there); row: the
    state's row of each prediction; models: {name: (n,) position in `predictions`, -1 where it says nothing}.
    """

    predictions: pd.DataFrame
    utterances: pd.DataFrame | None
    ids: pd.Index
    at: np.ndarray
    row: np.ndarray
    models: dict[str, np.ndarray]
    notices: list[str]


def make_state(
    predictions: pd.DataFrame, utterances: pd.DataFrame | None = None, *, title: str = "", root=None
) -> dict:
    """The state (`version`, `title`, `n`, `notices`, `utterance`, `text`, `classes`, …) as plain JSON-able data.

    root: the folder that recordings must lie in, by default `utterances.attrs["root"]`. What is missing or does not fit
    is left out and told in `notices`. Raises SernbError where nothing can be shown, a model says something twice, or
    models disagree about the truth.
    """
    return state_of(read(predictions, utterances), title, root)


def read(predictions: pd.DataFrame, utterances: pd.DataFrame | None = None) -> Material:
    """The tables, checked leniently (`sernb.explorer.readable`) and brought together."""
    table, notices = readable(predictions)
    row, ids = pd.factorize(table.index)
    at = np.full(len(ids), -1)
    if utterances is None:
        notices.append("There is no utterances table: no sound is known, and nothing to filter by but folds.")
    else:
        utterances = readable_utterances(utterances)
        at = utterances.index.get_indexer(ids)
        missing = at < 0
        alike = doubts.ids_alike(ids, utterances.index, at)
        if missing.all():
            notices.append(
                f"None of the {len(ids):,} predicted utterances is in the utterances table ({some(ids, 2)} against "
                f"{some(utterances.index, 2)}), so only the predictions are shown."
            )
            utterances = None
        elif missing.any():
            notices.append(
                f"{int(missing.sum()):,} of {len(ids):,} predicted utterances are not in the utterances table: "
                f"{some(ids[missing], 3)}. Their sound and what else it tells are missing."
            )
        notices += alike
    return Material(table, utterances, ids, at, row, models_of(table, row, len(ids)), notices)


def state_of(material: Material, title: str = "", root=None) -> dict:
    """As `make_state`, of tables that are read already."""
    table, utterances, notices = material.predictions, material.utterances, list(material.notices)
    root = utterances.attrs.get("root") if root is None and utterances is not None else root
    text, known = _text(material), _known(material)
    columns, told = columns_of(known, utterances, material.at, lambda path: _file(path, root))
    notices += told
    classes, emotion = truth_of(material, notices)
    dimensions = dimensions_of(material, notices)
    models = [
        model_of(material, name, where, classes, emotion, notices) for name, where in material.models.items()
    ]
    mute = [model["name"] for model in models if not model["predicted"] and not model["dimensions"]]
    models = [model for model in models if model["name"] not in mute]
    if not models:
        raise SernbError(
            "predictions: no row holds a prediction; fill in 'predicted', or 'arousal_predicted' and so on."
        )
    if mute:
        notices.append(f"There is no prediction of {some(mute)}.")
    if any(model["errors"] for model in models) and "fold" not in table:
        notices.append(
            "The predictions name no folds: the list of likely label errors assumes that the model had not seen these clips."
        )
    notices += doubts.labels_apart(material, classes, emotion)
    notices += doubts.written_unlike(material, classes, emotion)
    sound = _sound(material, root, notices)
    own = [one for one in classes if one not in EMOTION_COLORS]
    colors = EMOTION_COLORS | {one: SERIES_COLORS[i % len(SERIES_COLORS)] for i, one in enumerate(own)}
    return {
        "version": VERSION,
        "title": clean(str(title)),
        "n": len(material.ids),
        "notices": cleaned(list(dict.fromkeys(notices))),
        "utterance": list(material.ids),
        "text": text,
        "classes": cleaned(classes),
        "colors": [colors[one] for one in classes],
        "emotion": emotion.tolist() if classes else None,
        "models": models,
        "columns": columns,
        "dimensions": dimensions,
        "votes": None if utterances is None else votes_of(utterances, material.at),
        "listeners": None if utterances is None else listeners_of(utterances, material.at),
        "sound": sound,
        "embedded": None,
        "quiz": None,
        "limit": None,
    }


def _text(material):
    """Words by row: the utterances', else those that the predictions bring; None where there are none."""
    words = np.full(len(material.ids), None, object)
    for table, at in (
        (material.predictions, _one_position(material)),
        (material.utterances, material.at),
    ):
        if table is not None and "text" in table:
            own = take(text_of(table["text"]).to_numpy(object), at, None)
            words = np.where(pd.isna(own), words, own)
    known = ~pd.isna(words)
    if not known.any():
        return None
    words[~known] = None
    words[known] = cleaned(list(words[known]))
    return words.tolist()


def _known(material):
    """{speaker, gender, session, fold: values by row}: the utterances' own, folds and what else from the predictions."""
    found = {}
    for name in FIRST:
        column = pd.Series([None] * len(material.ids), dtype=object)
        if name in material.predictions:
            own = material.predictions[name]
            column = text_of(own).iloc[_one_position(material)].reset_index(drop=True)
        if material.utterances is not None and name in material.utterances:
            own = take(text_of(material.utterances[name]).to_numpy(object), material.at, None)
            column = pd.Series(own, dtype=object).where(~pd.isna(own), column)
        if column.notna().any():
            found[name] = column
    return found


def _one_position(material):
    """A position of each row in the predictions, its first."""
    first = np.zeros(len(material.ids), int)
    first[material.row[::-1]] = np.arange(len(material.row))[::-1]
    return first


def _sound(material, root, notices):
    """1 where the utterances table names a recording; few files are looked for: those missing are told, and 0."""
    if material.utterances is None or "path" not in material.utterances:
        if material.utterances is not None:
            notices.append("The utterances have no recordings (no column 'path'): there is nothing to hear.")
        return None
    paths = take(material.utterances["path"].to_numpy(object), material.at, None)
    has = ~pd.isna(paths)
    if not has.any():
        notices.append("The utterances table names no recordings: there is nothing to hear.")
        return None
    named, count = np.flatnonzero(has), int(has.sum())
    if count < FILES:
        lost = [row for row in named if not _file(paths[row], root)]
        if lost:
            has[lost] = False
            notices.append(
                f"The recordings of {len(lost):,} of {count:,} utterances are not where the table says: "
                f"{some(material.ids[lost], 3)}."
            )
    return has.astype(int).tolist()


def _file(path, root) -> Path | None:
    try:
        return sound_file(path, root)
    except (SernbError, OSError, ValueError, RuntimeError):
        return None
