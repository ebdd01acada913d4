"""A view (plain JSON) applied to a state: which rows pass, in which cells they lie, in which order they are listed.

`front/rows.js` does the same in the browser; a test there holds the two against each other.
"""

import numpy as np
import pandas as pd

from sernb.explorer.view_checks import OUTCOMES, complete, default_view

__all__ = ["cells", "complete", "default_view", "matrix", "passing", "rows_of"]


def passing(state: dict, view: dict) -> np.ndarray:
    """Numbers of the rows, in order, that pass everything but the choice of cells."""
    return np.flatnonzero(_passes(state, complete(view, state)))


def rows_of(state: dict, view: dict, notes: dict | None = None) -> np.ndarray:
    """Numbers of the rows that the list shows, in its order; `notes`: {utterance: …}, for the list of those noted."""
    view = complete(view, state)
    passes, model = _passes(state, view), _model(state, view["model"])
    if view["tab"] == "matrix" and view["cells"]:
        passes &= _in_cells(state, view)
    if view["list"] == "noted":
        passes &= np.array([name in (notes or {}) for name in state["utterance"]], bool)
    if view["list"] == "heard":
        passes &= _heard(state)
    rows = np.flatnonzero(passes)
    if view["list"] == "errors":
        rows = np.array(model["errors"]["rows"] if model["errors"] else [], int)
        rows = rows[passes[rows]]
    key = _sort_key(state, view, model)
    if key is None:
        return rows
    return rows[np.lexsort((rows, np.nan_to_num(key[rows]), np.isnan(key[rows])))]


def cells(state: dict, view: dict, which: str = "model") -> dict[tuple[str, str], list[str]]:
    """{(row value, column value): utterances} of the rows that pass; "" is a missing value.

    which: "model", or "other" for the model that is compared. Every cell of the matrix is there, empty ones too.
    """
    down, across, rows, (row_codes, column_codes) = _laid_out(state, view, which)
    names = {(one, two): [] for one in down for two in across}
    for row in rows:
        names[row_codes[row], column_codes[row]].append(state["utterance"][row])
    return names


def matrix(state: dict, view: dict, which: str = "model") -> pd.DataFrame:
    """Counts of the rows that pass: index and columns are the axes' values in the view's order, "" (missing) last."""
    view = complete(view, state)
    down, across, rows, codes = _laid_out(state, view, which)
    counts = pd.crosstab(codes[0][rows], codes[1][rows]).reindex(index=down, columns=across, fill_value=0)
    names = _axes(view, which)
    return counts.rename_axis(index=names[0], columns=names[1])


def _laid_out(state, view, which):
    """The matrix: row values and column values in their order, rows that pass, and each row's two values."""
    view = complete(view, state)
    rows = np.flatnonzero(_passes(state, view))
    right = _right(state, _model(state, view["model" if which == "model" else "other"]))
    known_rows = rows[
        _codes(state["emotion"], state["n"])[rows] >= 0
    ]  # what has no truth is neither right nor wrong
    values, orders = [], []
    axes = [_axis(state, view, name) for name in _axes(view, which)]
    for known, codes in axes:
        values.append(np.array([*known, ""], object)[codes])  # -1, missing, is the last
        errors = {}
        for k in range(len(known)):
            inside = known_rows[codes[known_rows] == k]
            errors[known[k]] = 1 - right[inside].sum() / len(inside) if len(inside) else -1
        orders.append((list(known), errors))
    if axes[0][0] is axes[1][0]:  # of two class axes the columns stand as the rows do
        orders[1] = (orders[1][0], orders[0][1])
    for (known, errors), one in zip(orders, values, strict=True):
        if view["order"] == "name":
            known.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))  # as JavaScript does
        elif view["order"] == "confusion":
            known.sort(key=lambda name, errors=errors: -errors[name])
        if (one[rows] == "").any():
            known.append("")
    return orders[0][0], orders[1][0], rows, values


def _passes(state, view):
    """(n,) whether each row passes; the view is complete."""
    n, model = state["n"], _model(state, view["model"])
    passes = np.ones(n, bool)
    for name, wanted in view["filters"].items():
        column = next((one for one in state["columns"] if one["name"] == name), None)
        if name == "text":
            passes &= _has_words(state, wanted) if wanted else True
        elif name == "confidence":
            passes &= _between(_array(model["confidence"], n), wanted)
        elif column["kind"] == "category":
            if wanted:
                passes &= np.isin(column["codes"], [column["values"].index(value) for value in wanted])
        else:
            passes &= _between(_array(column["values"], n), wanted)
    tab = _rated if view["tab"] == "dimensions" else _classed
    return passes & tab(state, view, model)


def _classed(state, view, model):
    """(n,) what the matrix and the quiz ask for: a class from each model that is looked at, sure enough, as they agree."""
    n, other = state["n"], _model(state, view["other"]) if view["other"] else None
    passes = _codes(model["predicted"], n) >= 0
    if other:
        passes &= _codes(other["predicted"], n) >= 0
    if view["outcome"]:
        need = OUTCOMES[view["outcome"]]
        passes &= _codes(state["emotion"], n) >= 0
        passes &= _right(state, model) == need[0]
        passes &= _right(state, other) == need[1]
    if view["threshold"] > 0 and model["confidence"] is not None:
        passes &= _between(_array(model["confidence"], n), (view["threshold"], None))
    return passes


def _rated(state, view, _):
    """(n,) what the tab of dimensions asks for: a predicted value, within the residuals and the box."""
    truth, said = _dimension(state, view, view["dimension"])
    passes = ~np.isnan(said)
    if view["residual"] != [None, None] and tuple(view["residual"]) != (None, None):
        passes &= _between(said - truth, view["residual"])
    if view["box"]:
        x, y = _plotted(state, view)
        passes &= _between(x, view["box"]["x"]) & _between(y, view["box"]["y"])
    return passes


def _in_cells(state, view):
    """(n,) whether each row lies in a chosen cell; of the difference: with one model, not with both."""
    if view["which"] != "difference":
        return _in_cells_of(state, view, view["which"])
    return _in_cells_of(state, view, "model") != _in_cells_of(state, view, "other")


def _in_cells_of(state, view, which):
    chosen = {tuple(cell) for cell in view["cells"]}
    (down, rows), (across, columns) = (_axis(state, view, name) for name in _axes(view, which))
    inside = np.zeros((len(down) + 1, len(across) + 1), bool)
    for one, two in chosen:
        inside[down.index(one) if one else -1, across.index(two) if two else -1] = True
    return inside[rows, columns]


def _axes(view, which):
    return view["rows"], "other" if which == "other" and view["columns"] == "predicted" else view["columns"]


def _axis(state, view, name):
    """An axis's values, and each row's number among them (-1: missing)."""
    if name == "emotion":
        return state["classes"], _codes(state["emotion"], state["n"])
    if name in ("predicted", "other"):
        model = _model(state, view["model" if name == "predicted" else "other"])
        return state["classes"], _codes(model["predicted"], state["n"])
    column = next(one for one in state["columns"] if one["name"] == name)
    return column["values"], np.array(column["codes"])


def _sort_key(state, view, model):
    """(n,) what the list is sorted by, smallest first and NaN last; None where that is not known."""
    n, sort = state["n"], view["sort"]
    if sort in ("confidence", "unsure") and model["confidence"]:
        return _array(model["confidence"], n) * (-1 if sort == "confidence" else 1)
    if sort == "length":
        found = [one["values"] for one in state["columns"] if one["name"] == "length"]
        return -_array(found[0], n) if found else None
    if sort == "residual" and view["dimension"]:
        truth, said = _dimension(state, view, view["dimension"])
        return -np.abs(said - truth)
    return None


def _plotted(state, view):
    """What lies across and up where the view's box was drawn."""
    if not view["box"]["plane"]:
        return _dimension(state, view, view["dimension"])
    at = 0 if view["plane"] == "true" else 1
    return _dimension(state, view, "valence")[at], _dimension(state, view, "arousal")[at]


def _dimension(state, view, name):
    """True and predicted values `(n,)`, NaN where not known."""
    truth = next((one["truth"] for one in state["dimensions"] if one["name"] == name), None)
    said = _model(state, view["model"])["dimensions"].get(name)
    return _array(truth, state["n"]), _array(said, state["n"])


def _has_words(state, query):
    query = query.lower()
    texts = state["text"] or [None] * state["n"]
    pairs = zip(state["utterance"], texts, strict=True)
    return np.array(
        [query in name.lower() or (text is not None and query in text.lower()) for name, text in pairs]
    )


def _heard(state):
    """(n,) whether the sound can be had: a recording is known and, in a saved page, lies in it."""
    found = np.array(state["sound"] or [0] * state["n"], bool)
    return found if state["embedded"] is None else found & np.isin(np.arange(state["n"]), state["embedded"])


def _right(state, model):
    truth = _codes(state["emotion"], state["n"])
    return (truth >= 0) & (truth == _codes(model["predicted"], state["n"]))


def _model(state, name):
    return next(model for model in state["models"] if model["name"] == name)


def _codes(values, n):
    return np.full(n, -1) if values is None else np.array(values, int)


def _array(values, n):
    return np.full(n, np.nan) if values is None else np.array(values, float)  # None becomes NaN


def _between(values, limits):
    """Whether each lies between the limits (None = no limit), both included; NaN does not."""
    low, high = limits
    with np.errstate(invalid="ignore"):
        return ~np.isnan(values) & (low is None or values >= low) & (high is None or values <= high)
