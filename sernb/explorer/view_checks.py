"""Views: what of a state is shown, as plain JSON that people can pass on; defaults, and checks of what comes."""

import math

from sernb.core.errors import SernbError, some

TABS = ("matrix", "dimensions", "quiz")
SHOWS = ("count", "row", "column", "all", "right")
ORDERS = ("given", "name", "confusion")
OUTCOMES = {"both": (1, 1), "only_a": (1, 0), "only_b": (0, 1), "neither": (0, 0)}
WHICH = ("model", "other", "difference")
LISTS = ("cells", "errors", "noted", "heard")
SORTS = ("given", "confidence", "unsure", "length", "residual")
AXES = ("emotion", "predicted", "other")


def default_view(state: dict) -> dict:
    """The view that a state starts with."""
    models = state["models"]
    return {
        "tab": "matrix" if any(model["predicted"] for model in models) else "dimensions",
        "model": models[0]["name"],
        "other": None,
        "rows": "emotion",
        "columns": "predicted",
        "show": "count",
        "order": "given",
        "filters": {},
        "outcome": None,
        "threshold": 0,
        "cells": [],
        "which": "model",
        "list": "cells",
        "sort": "given",
        "dimension": state["dimensions"][0]["name"] if state["dimensions"] else None,
        "residual": [None, None],
        "box": None,
        "plane": "true",
        "utterance": None,
        "quiz": {"size": 10, "seed": 1},
    }


def complete(view: dict, state: dict) -> dict:
    """The view with defaults for what it leaves out. Views are passed on between people, so nothing in it is trusted.

    What needs a second model is at its default where none is chosen. Raises SernbError for what is not known.
    """
    whole = default_view(state)
    if not isinstance(view, dict):
        raise SernbError(f"a view is a dict, as in {{'model': …, 'filters': …}}; got {type(view).__name__}.")
    unknown = [name for name in view if name not in whole]
    if unknown:
        raise SernbError(f"a view has no {some(map(repr, unknown))}; it knows {', '.join(whole)}.")
    whole |= view
    columns = {column["name"]: column for column in state["columns"]}
    models = [model["name"] for model in state["models"]]
    groups = [name for name, column in columns.items() if column["kind"] == "category"]
    choices = {
        "tab": TABS, "model": models, "other": [None, *models], "rows": [*AXES, *groups], "columns": [*AXES, *groups],
        "show": SHOWS, "order": ORDERS, "outcome": [None, *OUTCOMES], "which": WHICH, "list": LISTS, "sort": SORTS,
        "plane": ("true", "predicted"), "dimension": [None, *(one["name"] for one in state["dimensions"])],
    }  # fmt: skip
    for name, known in choices.items():
        _one_of(whole[name], known, name)
    if whole["utterance"] is not None and not (
        isinstance(whole["utterance"], str) and whole["utterance"] in state["utterance"]
    ):
        raise SernbError(f"the view's utterance {whole['utterance']!r:.100} is not among the predicted ones.")
    if not _number(whole["threshold"]) or not 0 <= whole["threshold"] <= 1:
        raise SernbError(
            f"the view's threshold is {whole['threshold']!r:.100}; expected a number from 0 to 1."
        )
    _limits(whole["residual"], "residual")
    if whole["box"] is not None:
        _box(whole["box"])
    quiz = whole["quiz"]
    if not isinstance(quiz, dict) or set(quiz) - {"size", "seed"} or not all(map(_number, quiz.values())):
        raise SernbError(f"the view's quiz is {quiz!r:.100}; expected {{'size': 10, 'seed': 1}}.")
    whole["quiz"] = {"size": 10, "seed": 1} | quiz
    _filters(whole["filters"], columns)
    if whole["other"] in (None, whole["model"]):
        whole |= {"other": None, "outcome": None, "which": "model"}
        whole["rows"] = "emotion" if whole["rows"] == "other" else whole["rows"]
        whole["columns"] = "predicted" if whole["columns"] == "other" else whole["columns"]
    _cells(whole, state)
    return whole


def _one_of(value, known, name):
    if not (value is None or isinstance(value, str)) or value not in known:
        raise SernbError(f"the view's {name} is {value!r:.100}; here it can be {some(map(repr, known), 20)}.")


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _limits(value, name, open_ends=True):
    fits = isinstance(value, (list, tuple)) and len(value) == 2
    if not fits or not all(_number(one) or (open_ends and one is None) for one in value):
        ends = "numbers, or None for no limit" if open_ends else "numbers"
        raise SernbError(f"the view's {name} is {value!r:.100}; expected [lowest, highest], {ends}.")


def _box(box):
    if not isinstance(box, dict) or set(box) != {"x", "y", "plane"} or not isinstance(box["plane"], bool):
        raise SernbError(
            f"the view's box is {box!r:.100}; expected {{'x': [0, 1], 'y': [0, 1], 'plane': False}}."
        )
    for axis in ("x", "y"):
        _limits(box[axis], f"box, {axis},", open_ends=False)


def _filters(filters, columns):
    if not isinstance(filters, dict):
        raise SernbError(f"the view's filters are {filters!r:.100}; expected {{column: values}}.")
    for name, wanted in filters.items():
        if name == "text":
            if not isinstance(wanted, str):
                raise SernbError(f"the view's filter of text is {wanted!r:.100}; expected words.")
        elif name != "confidence" and name not in columns:
            raise SernbError(
                f"the view filters by {name!r:.100}; here there are {some(['text', 'confidence', *columns], 20)}."
            )
        elif name == "confidence" or columns[name]["kind"] == "number":
            _limits(wanted, f"filter of {name}")
        else:
            if not isinstance(wanted, (list, tuple)):
                raise SernbError(
                    f"the view's filter of {name} is {wanted!r:.100}; expected a list of values."
                )
            for value in wanted:
                _one_of(value, columns[name]["values"], f"filter of {name}")


def _cells(view, state):
    """Cells name a value of both axes; "" stands for a missing one."""
    values = {column["name"]: column.get("values") for column in state["columns"]}
    values |= dict.fromkeys(AXES, state["classes"])
    if not isinstance(view["cells"], (list, tuple)):
        raise SernbError(
            f"the view's cells are {view['cells']!r:.100}; expected [[row value, column value], …]."
        )
    for cell in view["cells"]:
        if not isinstance(cell, (list, tuple)) or len(cell) != 2:
            raise SernbError(f"a cell of the view is {cell!r:.100}; expected [row value, column value].")
        for value, axis in zip(cell, ("rows", "columns"), strict=True):
            if value != "":
                _one_of(value, values[view[axis]], f"cell ({view[axis]})")
