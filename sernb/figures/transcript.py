"""Words and what they do to a prediction: coloured words, and a transcript to rewrite while the prediction follows."""

import html
import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.colors import to_hex

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS
from sernb.figures.palette import AGAINST_FOR, FAINT, INK

STATIC = "A picture of the first state: open the notebook in JupyterLab to change the words."
SMALL = 0.1  # of the largest: words that do less stay white
BAR = "#9aa5b1"  # grey: colours are for the words
DIAMOND = (
    "position:absolute;top:.22em;width:.62em;height:.62em;transform:rotate(45deg);background:#ffffff;"
    f"border:2px solid {INK};box-sizing:border-box"
)
FULL = 0.8  # how far into the colours the largest value goes: the darkest would hide the words


def token_attributions(
    words: list[str], values, unit: str = "points", title: str = "", most: float | None = None
) -> HTML:
    """Each word coloured by how far it pushes a prediction up (orange) or down (blue), its number below it; white where
    that is under a tenth of the largest.

    ``values`` (words,), or a dict or DataFrame of them by dimension: a line for each, all on one scale of colours, whose
    ends the legend tells in ``unit``: the largest value, or ``most`` where that is larger. Words and names are data and
    are escaped. Raises SernbError for lengths that differ and for numbers that are not finite.
    """
    words = [str(word) for word in words]
    lines = _lines(words, values)
    largest = max(most or 0.0, _largest(lines))
    parts = [f"<div style='font-weight:bold;margin-bottom:.3em'>{_escape(title)}</div>"] if title else []
    for name, line in lines.items():
        label = f"<div style='font-size:.9em;margin-top:.5em'>{_escape(name)}</div>" if name else ""
        parts.append(
            f"{label}<div style='line-height:1.25'>{''.join(map(_word, words, line, _colors(line, largest)))}</div>"
        )
    parts.append(_legend(largest, unit))
    return HTML(f"<div style='margin:.5em 0'>{''.join(parts)}</div>")


def transcript_editor(
    predict,
    text: str,
    scale: tuple[float, float],
    caption: str = "",
    truth: Mapping[str, float] | None = None,
):
    """A transcript to rewrite: on Enter, or on leaving the field, the prediction and its words' pushes are drawn anew.

    ``predict(text)`` gives ({dimension: value}, DataFrame with one row a word: ``word``, and for each dimension the word's
    push on it, in the scale's points). ``text`` is where it starts and what every change is compared with; ``scale`` the
    lowest and highest value of a dimension; ``truth``: what raters said of the first transcript, a diamond (NaN: none). What
    ``predict`` raises is shown as text, and the field stays open.

    Returns an ipywidgets widget (its ``children``: field and button, message, picture); in a report (`sernb run`),
    where nobody can write, a picture of the first state. Raises SernbError for a scale without width, and what ``predict``
    raises for the first text.
    """
    low, high = scale
    if not low < high:
        raise SernbError(f"a scale goes from its lowest to its highest value, e.g. (1, 5); got {scale}.")
    first = _predicted(predict, text)
    most = _largest(first[1].drop(columns="word"))  # one scale of colours, before and after a change

    def picture(state):
        values, words = state
        pushes = token_attributions(words["word"], words.drop(columns="word"), most=most)
        return _bars(values, first[0], truth or {}, low, high) + pushes.data

    if os.environ.get("SERNB_REPORT"):
        said = "".join(
            f"<p style='margin:.3em 0'>{_escape(one)}</p>" for one in (caption, f"“{text}”", STATIC) if one
        )
        return HTML(said + picture(first))
    import ipywidgets

    field = ipywidgets.Text(
        value=text, description="Transcript", continuous_update=False, tooltip="Change words, then press Enter",
        layout={"width": "85%"},
    )  # fmt: skip
    back = ipywidgets.Button(description="As it was", tooltip="Put the first transcript back")
    message = ipywidgets.HTML(_message(caption))
    shown = ipywidgets.HTML(picture(first))

    def changed(_):
        try:
            shown.value, message.value = picture(_predicted(predict, field.value)), _message(caption)
        except (
            Exception
        ) as problem:  # whatever a model raises belongs below the field, not into a log nobody reads
            kind = "" if isinstance(problem, SernbError) else f"{type(problem).__name__}: "
            message.value = _message(f"No prediction for these words. {kind}{problem}", alert=True)

    def restore(_):
        field.value = text

    field.observe(changed, names="value")
    back.on_click(restore)
    return ipywidgets.VBox([ipywidgets.HBox([field, back]), message, shown])


def _predicted(predict, text):
    """What `predict` says, after a check of its shape."""
    if not text.strip():
        raise SernbError("write at least one word.")
    values, words = predict(text)
    lacking = [one for one in ["word", *values] if one not in words]
    if lacking or not values:
        raise SernbError(
            f"predict must give a table with the columns word, {', '.join(map(str, values))}; there are "
            f"{', '.join(map(str, words.columns))}."
        )
    if not np.isfinite([float(one) for one in values.values()]).all():
        raise SernbError("predict gave a value that is not a finite number.")
    order = [one for one in DIMENSIONS if one in values] + [one for one in values if one not in DIMENSIONS]
    return {one: float(values[one]) for one in order}, words[["word", *order]]


def _lines(words, values):
    """{name: values (words,)}, checked; one line without a name where no dict was given."""
    if not isinstance(values, (dict, pd.DataFrame)):
        values = {"": values}
    lines = {str(name): np.asarray(line, float) for name, line in values.items()}
    for name, line in lines.items():
        if line.shape != (len(words),):
            raise SernbError(
                f"expected a value {'of ' + name + ' ' if name else ''}for each of the {len(words)} words, got the shape "
                f"{line.shape}."
            )
        if not np.isfinite(line).all():
            raise SernbError(f"the values {'of ' + name + ' ' if name else ''}must be finite numbers.")
    return lines


def _largest(lines):
    return max(
        (float(np.abs(line).max(initial=0)) for line in map(np.asarray, dict(lines).values())), default=0.0
    )


def _colors(line, largest):
    share = line / largest if largest else np.zeros(len(line))
    return [AGAINST_FOR(0.5 + 0.5 * FULL * one * (abs(one) >= SMALL)) for one in share]


def _word(word, value, color):
    ink = "#ffffff" if np.dot(color[:3], [0.299, 0.587, 0.114]) < 0.55 else INK
    return (
        f"<span style='display:inline-block;text-align:center;background:{to_hex(color)};color:{ink};border-radius:4px;"
        f"padding:.15em .45em;margin:.12em'>{_escape(word)}<br><span style='font-size:.78em'>{_signed(value)}</span></span> "
    )


def _legend(largest, unit):
    if not largest:
        return "<div style='font-size:.85em;margin-top:.4em'>No word changes the prediction.</div>"
    stops = ", ".join(to_hex(AGAINST_FOR(0.5 + 0.5 * FULL * one)) for one in np.linspace(-1, 1, 7))
    return (
        "<div style='font-size:.85em;margin-top:.5em'>pushes down "
        f"{_signed(-largest)} <span style='display:inline-block;width:9em;height:.8em;border:1px solid {FAINT};"
        f"vertical-align:middle;background:linear-gradient(to right, {stops})'></span> {_signed(largest)} pushes up "
        f"({_escape(unit)})</div>"
    )


def _bars(values, first, truth, low, high):
    """A bar for each dimension, from the scale's lowest value: a dark line where the first transcript was, a diamond where
    the raters are."""

    def at(value):
        return f"{100 * min(max((value - low) / (high - low), 0), 1):.1f}%"

    rows, said = [], False
    for name, now in values.items():
        before, rated = first.get(name, np.nan), float(truth.get(name, np.nan))
        change = f", {_signed(now - before)} from {_number(before)}" if abs(now - before) >= 0.005 else ""
        diamond = ""
        if np.isfinite(rated):
            said = True
            change += f" · raters {_number(rated)}"
            diamond = f"<span style='{DIAMOND};left:calc({at(rated)} - .32em)'></span>"
        rows.append(
            f"<div style='display:grid;grid-template-columns:6.5em minmax(8em, 22em) auto;gap:.8em;align-items:center;"
            f"margin:.25em 0'><span>{_escape(name)}</span>"
            f"<span style='position:relative;height:1.1em;background:#ececec;border-radius:3px'>"
            f"<span style='position:absolute;left:0;top:0;bottom:0;width:{at(now)};background:{BAR};border-radius:3px'>"
            f"</span><span style='position:absolute;left:calc({at(before)} - 1px);top:-.2em;bottom:-.2em;width:3px;"
            f"background:{INK};border:1px solid #ffffff'></span>{diamond}</span>"
            f"<span><strong>{_number(now)}</strong>{change}</span></div>"
        )
    ends = f"bars from {low:g} to {high:g}; dark line: the first transcript"
    ends += "; diamond: what the raters said" if said else ""
    return f"<div role='status' style='margin:.4em 0'>{''.join(rows)}<div style='font-size:.85em'>{ends}</div></div>"


def _message(text, alert=False):
    role = " role='alert'" if alert else ""
    color = ";color:#b02a02;font-weight:bold" if alert else ""
    return f"<div{role} style='margin:.2em 0{color}'>{_escape(text)}</div>" if text else ""


def _number(value):
    return f"{value:.2f}".replace("-", "−")


def _signed(value):
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "−")


def _escape(text):
    return html.escape(str(text))
