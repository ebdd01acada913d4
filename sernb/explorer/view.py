"""Views: what of a state is shown, as plain JSON that people can pass on.

Which rows a view lists is decided in one place, `front/rows.js`, and the page tells Python
(`Explorer.selected`). Where no page has answered, as in a run without a browser, `rows_of` knows the simple
views that notebooks set; a test in the browser holds it against the page. It knows: the model, another one
with `outcome`, `threshold`, filters of categories, `cells` of the model, the list of likely label errors, and
what is sorted by confidence or residual.
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from sernb.core.errors import SernbError, some
from sernb.explorer.text import Text, in_words

OUTCOMES = {"both": (True, True), "only_a": (True, False), "only_b": (False, True), "neither": (False, False)}
AXES = ("emotion", "predicted", "other")
UNLISTED = ("show", "order", "utterance", "quiz")  # what of a view does not change its list
# Values that `rows_of` knows, where it does not know all.
SIMPLE = {
    "which": ["model"],
    "list": ["cells", "errors"],
    "sort": ["given", "confidence", "unsure", "residual"],
    "residual": [[None, None]],
    "box": [None],
}

Number = StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]
Pair = Field(min_length=2, max_length=2)
Limits = Annotated[list[Number | None], Pair]  # lowest, highest; None = no limit
Cells = list[Annotated[list[Text], Pair]]  # row value, column value; "" = missing
Filter = Text | Limits | list[Text]


class Box(BaseModel, extra="forbid"):
    """A rectangle around dots: of predicted against true values, or of the plane of arousal and valence."""

    x: Annotated[list[Number], Pair]
    y: Annotated[list[Number], Pair]
    plane: StrictBool


class Quiz(BaseModel, extra="forbid"):
    """How many clips a quiz has, and the number that they are drawn with."""

    size: Number = 10
    seed: Number = 1


class View(BaseModel, extra="forbid"):
    """A view, checked against the state that is the validation's context: people pass views on, so nothing is
    trusted.

    What needs a second model is at its default where none is chosen.
    """

    tab: Literal["matrix", "dimensions", "quiz"]
    model: Text
    other: Text | None = None
    rows: Text = "emotion"
    columns: Text = "predicted"
    show: Literal["count", "row", "column", "all", "right"] = "count"
    order: Literal["given", "name", "confusion"] = "given"
    filters: dict[Text, Filter] = {}
    outcome: Literal["both", "only_a", "only_b", "neither"] | None = None
    threshold: Annotated[Number, Field(ge=0, le=1)] = 0
    cells: Cells = []
    which: Literal["model", "other", "difference"] = "model"
    list: Literal["cells", "errors", "noted", "heard"] = "cells"
    sort: Literal["given", "confidence", "unsure", "length", "residual"] = "given"
    dimension: Text | None
    residual: Limits = [None, None]
    box: Box | None = None
    plane: Literal["true", "predicted"] = "true"
    utterance: Text | None = None
    quiz: Quiz = Quiz()

    @model_validator(mode="after")
    def _of_the_state(self, info):
        state, models = info.context, [model["name"] for model in info.context["models"]]
        columns = {column["name"]: column for column in state["columns"]}
        axes = dict.fromkeys(AXES, state["classes"])
        axes |= {name: column["values"] for name, column in columns.items() if column["kind"] == "category"}
        _known(self.model, models, "model")
        _known(self.other, [None, *models], "other")
        _known(self.rows, list(axes), "rows")
        _known(self.columns, list(axes), "columns")
        _known(self.dimension, [None, *(dimension["name"] for dimension in state["dimensions"])], "dimension")
        if self.utterance is not None and self.utterance not in state["utterance"]:
            raise ValueError(f"utterance {self.utterance!r:.100} is not among the predicted ones")
        for name, wanted in self.filters.items():
            _known(name, ["text", "confidence", *columns], "filters")
            _check_filter(name, wanted, axes.get(name))

        if self.other in (None, self.model):
            self.other, self.outcome, self.which = None, None, "model"
            self.rows = "emotion" if self.rows == "other" else self.rows
            self.columns = "predicted" if self.columns == "other" else self.columns
        for down, across in self.cells:
            _known(down, ["", *axes[self.rows]], f"cell ({self.rows})")
            _known(across, ["", *axes[self.columns]], f"cell ({self.columns})")
        return self


def default_view(state: dict) -> dict:
    """The view that a state starts with."""
    return View.model_construct(
        tab="matrix" if any(model["predicted"] for model in state["models"]) else "dimensions",
        model=state["models"][0]["name"],
        dimension=state["dimensions"][0]["name"] if state["dimensions"] else None,
    ).model_dump()


def complete(view: dict, state: dict) -> dict:
    """The view, checked (`View`), with defaults for what it leaves out. SernbError says what is not known."""
    if not isinstance(view, dict):
        raise SernbError(f"a view is a dict, as in {{'model': …, 'filters': …}}; got {type(view).__name__}.")
    try:
        return View.model_validate(default_view(state) | view, context=state).model_dump()
    except ValidationError as error:
        raise SernbError(f"the view's {in_words(error)}") from None


def asked(view: dict) -> dict:
    """What of a view decides which rows it lists."""
    return {name: value for name, value in view.items() if name not in UNLISTED}


def rows_of(state: dict, view: dict) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the rows that pass a complete, simple view (all but its `cells`), and of those listed, in
    their order.

    Raises SernbError for a view that is not simple: only the page knows its rows.
    """
    kinds = {column["name"]: column["kind"] for column in state["columns"]}
    others = [f"{name}={view[name]!r:.100}" for name, known in SIMPLE.items() if view[name] not in known]
    others += [f"a filter of {name}" for name in view["filters"] if kinds.get(name) != "category"]
    if others:
        raise SernbError(
            f"only the page knows the rows of this view ({some(others)}), and no page has told them: show "
            "the explorer, and ask in a later cell."
        )
    passes = _passes(state, view)
    passing = np.flatnonzero(passes)

    # What is listed of those that pass, and in which order.
    listed, model = passing, _model(state, view["model"])
    if view["tab"] == "matrix" and view["cells"]:
        chosen = set(map(tuple, view["cells"]))
        pairs = zip(
            *(_axis(state, view, name)[1][passing] for name in (view["rows"], view["columns"])), strict=True
        )
        listed = passing[[pair in chosen for pair in pairs]]
    if view["list"] == "errors":
        errors = np.array(model["errors"]["rows"] if model["errors"] else [], int)
        listed = errors[np.isin(errors, listed)]
    key = None
    if view["sort"] in ("confidence", "unsure") and model["confidence"]:
        key = _numbers(model["confidence"]) * (-1 if view["sort"] == "confidence" else 1)
    if view["sort"] == "residual" and view["dimension"] in model["dimensions"]:
        truth = next(one["truth"] for one in state["dimensions"] if one["name"] == view["dimension"])
        key = -np.abs(_numbers(model["dimensions"][view["dimension"]]) - _numbers(truth))
    if key is not None:
        listed = listed[np.lexsort((listed, key[listed]))]  # NaN last
    return passing, listed


def cells(state: dict, view: dict, passing: np.ndarray) -> dict[tuple[str, str], list[str]]:
    """{(row value, column value): utterances} of rows that pass, every cell of the matrix in the kit's order.

    "" is a missing value, last and only where there is one.
    """
    (downs, down), (acrosses, across) = (_axis(state, view, name) for name in (view["rows"], view["columns"]))
    downs = [*downs, *([""] if (down[passing] == "").any() else [])]
    acrosses = [*acrosses, *([""] if (across[passing] == "").any() else [])]
    names = {(value, other): [] for value in downs for other in acrosses}
    for row in passing:
        names[down[row], across[row]].append(state["utterance"][row])
    return names


def matrix(state: dict, view: dict, passing: np.ndarray) -> pd.DataFrame:
    """The counts of `cells`."""
    names = cells(state, view, passing)
    downs, acrosses = (list(dict.fromkeys(cell[axis] for cell in names)) for axis in (0, 1))
    counts = [[len(names[down, across]) for across in acrosses] for down in downs]
    return pd.DataFrame(
        counts, pd.Index(downs, name=view["rows"]), pd.Index(acrosses, name=view["columns"]), int
    )


def _known(value, known, name):
    if value not in known:
        raise ValueError(f"{name} is {value!r:.100}; here it can be {some(map(repr, known), 20)}")


def _check_filter(name, wanted, values):
    """`values`: of a column of categories; None for words and numbers."""
    if name == "text":
        fits, expected = isinstance(wanted, str), "words"
    elif values is None:
        fits = len(wanted) == 2 and not any(isinstance(end, str) for end in wanted)
        expected = "[lowest, highest], None for no limit"
    else:
        fits = isinstance(wanted, list) and all(value in values for value in wanted)
        expected = f"a list of values; here they can be {some(map(repr, values), 20)}"
    if not fits:
        raise ValueError(f"filter of {name} is {wanted!r:.100}; expected {expected}")


def _passes(state, view):
    """Whether each row passes a simple view `(n,)`."""
    passes, model = np.ones(state["n"], bool), _model(state, view["model"])
    for name, wanted in view["filters"].items():
        passes &= np.isin(_axis(state, view, name)[1], wanted) if wanted else True
    if view["tab"] == "dimensions":
        return passes & ~np.isnan(_numbers(model["dimensions"].get(view["dimension"], [None] * state["n"])))

    # The matrix and the quiz ask for a class from each model that is looked at, sure enough, as they agree.
    truth, predicted, other = (_axis(state, view, name)[1] for name in AXES)
    passes &= predicted != ""
    passes &= other != "" if view["other"] else True
    if view["outcome"]:
        first, second = OUTCOMES[view["outcome"]]
        passes &= (truth != "") & ((predicted == truth) == first) & ((other == truth) == second)
    if view["threshold"] > 0 and model["confidence"]:
        passes &= _numbers(model["confidence"]) >= view["threshold"]
    return passes


def _axis(state, view, name):
    """The values of an axis or of a column of categories, and each row's `(n,)`, "" where it is missing."""
    if name in AXES:
        model = _model(state, view["other" if name == "other" else "model"] or view["model"])
        names, codes = state["classes"], state["emotion"] if name == "emotion" else model["predicted"]
    else:
        column = next(column for column in state["columns"] if column["name"] == name)
        names, codes = column["values"], column["codes"]
    return names, np.array([*names, ""], object)[np.full(state["n"], -1) if codes is None else codes]


def _model(state, name):
    return next(model for model in state["models"] if model["name"] == name)


def _numbers(values):
    return np.array(values, float)  # None becomes NaN
