"""The explorer in a notebook: a widget whose state, view and notes are plain data on both sides."""

import contextlib
import html
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import anywidget
import numpy as np
import pandas as pd
import traitlets
from pydantic import BaseModel, NonNegativeInt, ValidationError

from sernb.core.errors import SernbError
from sernb.core.tables import read_rows
from sernb.explorer import front, page
from sernb.explorer.clips import Clips
from sernb.explorer.notes import as_dict, as_table, read_notes
from sernb.explorer.state import Material, read, state_of
from sernb.explorer.view import asked, cells, complete, matrix, rows_of

REPORT_CAP = 3_000_000  # bytes of the page that a report shows instead of the live widget


def explore(
    predictions: pd.DataFrame | str | Path,
    utterances: pd.DataFrame | None = None,
    *,
    title: str = "",
    overlay: Callable | None = None,
    notes: str | Path | pd.DataFrame | Mapping | None = None,
    root: str | Path | None = None,
    view: dict | None = None,
) -> "Explorer":
    """Look at predictions: confusion matrix, dimensions, clips with sound, notes, a listening quiz.

    Args:
        predictions: a predictions table, of one model or several, or the path of a CSV that holds one.
        utterances: the corpus's table, for sound, words and filters.
        title: what stands above it.
        overlay: a function of an utterance's id: what a model looked at (`sernb.explorer.clips.clip`).
        notes: of a file, table or dict, to go on with.
        root: the folder that recordings must lie in; by default the corpus's, where the table knows it. Where
            neither is known, any path of the utterances table is read.
        view: what is shown first, as `explorer.view` gives it.

    Raises:
        SernbError: nothing can be shown. What is only missing in part is told below the explorer.
    """
    if isinstance(predictions, (str, os.PathLike)):
        predictions = read_rows(predictions)
    return Explorer(
        read(predictions, utterances), title=title, overlay=overlay, notes=notes, root=root, view=view
    )


class Told(BaseModel):
    """What a page tells: which rows pass its view and which it lists (None: all, and those that pass).

    view: what of it decides that (`sernb.explorer.view.asked`); noted: ids with a note, where they matter.
    """

    view: dict
    noted: list[str] | None
    passing: list[NonNegativeInt] | None
    listed: list[NonNegativeInt] | None


class Explorer(anywidget.AnyWidget):
    """What `explore` gives: `view` and `notes` can be set; `selected`, `cells`, `matrix` follow the view."""

    state = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    notes = traitlets.Dict().tag(sync=True)

    def __init__(self, material: Material, *, title="", overlay=None, notes=None, root=None, view=None):
        self.material = material
        self.clips = Clips(material.ids, material.utterances, root, overlay)
        self.report_cap = REPORT_CAP
        self._told = None  # by the page that was drawn last
        state = state_of(material, title, root)
        notes = read_notes(notes) if isinstance(notes, (str, os.PathLike)) else notes
        self._esm, self._css = front.module(), front.read("explorer.css")  # anywidget makes traits of these
        view, notes = complete(view or {}, state), as_dict({} if notes is None else notes)
        super().__init__(state=state, view=view, notes=notes)
        self.on_msg(self._answer)

    @property
    def selected(self) -> pd.DataFrame:
        """The rows of the list, in its order: the model's predictions, what the corpus knows of them, notes.

        As the page lists them; without one, only of simple views (`sernb.explorer.view`), else SernbError.
        """
        material, (_, listed) = self.material, self._rows()
        table = material.predictions.iloc[material.models[self.view["model"]][listed]].copy()
        if material.utterances is not None:
            known = material.utterances.drop(columns=table.columns, errors="ignore").reindex(table.index)
            table = table.join(known)
        if self.notes:
            noted = as_table(self.notes).reindex([self.state["utterance"][row] for row in listed]).fillna("")
            table = table.assign(note=noted["note"].to_numpy(), tags=noted["tags"].to_numpy())
        return table

    @property
    def cells(self) -> dict[tuple[str, str], list[str]]:
        """{(row value, column value): utterances} of the matrix, filtered as it is; "" is a missing value."""
        return cells(self.state, self.view, self._rows()[0])

    @property
    def matrix(self) -> pd.DataFrame:
        """The counts of the matrix as it is filtered now, in the kit's order."""
        return matrix(self.state, self.view, self._rows()[0])

    def _rows(self):
        """Rows that pass the view, and those it lists: as the page told, else of simple views (`rows_of`)."""
        told, n = self._told, self.state["n"]
        stale = told is None or told.view != asked(self.view)
        if stale or (self.view["list"] == "noted" and set(told.noted or []) != set(self.notes)):
            return rows_of(self.state, self.view)
        passing = np.arange(n) if told.passing is None else np.array(told.passing, int)
        return passing, passing if told.listed is None else np.array(told.listed, int)

    def notes_table(self) -> pd.DataFrame:
        """The notes as a table: index utterance, columns note and tags; `write_notes` keeps it."""
        return as_table(self.notes)

    def save(self, path: str | Path, cap: int = page.CAP, progress: bool = True) -> Path:
        """Write one HTML page of at most `cap` bytes that works without Python, with the clips that fit."""
        return page.write_page(self.html(cap, progress)[0], path)

    def html(self, cap: int = page.CAP, progress: bool = True) -> tuple[str, int]:
        """The page that `save` writes, and how many clips are in it."""
        return page.filled(
            self.state, self.view, self.notes, partial(self.clips.made, small=True), cap, progress
        )

    def in_words(self) -> str:
        """What there is, where widgets are not drawn."""
        state, told = self.state, []
        title = f" “{state['title']}”" if state["title"] else ""
        for model in state["models"]:
            pairs = zip(state["emotion"] or [], model["predicted"] or [], strict=False)
            right = [truth == said for truth, said in pairs if truth >= 0 and said >= 0]
            share = f": right in {sum(right) / len(right):.1%} of {len(right):,}" if right else ""
            told.append(f"{model['name']}{share}")
        found = sum(map(bool, state["sound"] or []))
        return (
            f"Explorer{title}: {state['n']:,} utterances, {found:,} with sound. {'; '.join(told)}. Open the "
            "notebook in JupyterLab to look at them, or write a page: explorer.save('explorer.html')."
        )

    def open(self):
        """Nothing where nobody is there to click (`sernb run`): a report would keep all of the state."""
        if not os.environ.get("SERNB_REPORT"):
            super().open()

    def set_state(self, sync_data):
        """What a browser sends: views and notes that fit are taken, everything else is left."""
        fits, wrong = {}, []
        for name, check in (("view", lambda view: complete(view, self.state)), ("notes", as_dict)):
            if isinstance(sync_data, Mapping) and name in sync_data:
                try:
                    fits[name] = check(sync_data[name])
                except (SernbError, RecursionError):
                    wrong.append(name)
        if fits:
            super().set_state(fits)
        if wrong:
            self.send_state(wrong)  # so that the page shows what holds

    @traitlets.validate("view")
    def _whole_view(self, proposal):
        return complete(proposal.value, self.state)

    @traitlets.validate("notes")
    def _whole_notes(self, proposal):
        return as_dict(proposal.value)

    def _answer(self, _, content, __):
        """A clip for the page that asks for one; the rows that it tells are kept. Anything else is left."""
        if not isinstance(content, Mapping):
            return
        if content.get("ask") == "clip":
            number = content.get("number")
            number = number if isinstance(number, int) else None
            self.send({"answer": "clip", "number": number, "clip": self.clips.of(content.get("row"))})
        if content.get("tell") == "rows":
            with contextlib.suppress(ValidationError):
                told = Told.model_validate(content)
                if max([*(told.passing or []), *(told.listed or [])], default=0) < self.state["n"]:
                    self._told = told

    def _repr_mimebundle_(self, **kwargs):
        if os.environ.get("SERNB_REPORT"):
            return {"text/html": self._in_report(), "text/plain": self.in_words()}
        bundle = super()._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = self.in_words()
        return bundle

    def _in_report(self):
        """The saved page in a frame that can run its own code and reach nothing else."""
        cap = int(os.environ.get("SERNB_REPORT_CAP") or self.report_cap)
        try:
            text, _ = self.html(cap, progress=False)
        except SernbError as problem:
            return f"<p>{html.escape(self.in_words())} It is not shown here: {html.escape(str(problem))}</p>"
        title = html.escape(f"Explorer: {self.state['title'] or 'predictions'}")
        return (
            f'<iframe title="{title}" sandbox="allow-scripts allow-downloads" srcdoc="{html.escape(text)}" '
            'style="width:100%;height:1250px;border:1px solid #8884"></iframe>'
        )
