"""Words and what they do to a prediction: coloured, and a transcript to rewrite."""

import os
from html import escape

import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.colors import to_hex

from sernb.core.errors import SernbError
from sernb.figures import drawing as draw
from sernb.figures.palette import AGAINST_FOR, FAINT, INK

STATIC = "A picture of the first state: open the notebook in JupyterLab to change the words."
SMALL = 0.1  # of the largest: words that do less stay white
FULL = 0.8  # how far into the colours the largest value goes: the darkest would hide the words

# Styles of a word, of the legend's strip of colours, and of a dimension's row: its bar (grey: colours are for
# words), where it began, and what raters said.
WORD = "display:inline-block;text-align:center;border-radius:4px;padding:.15em .45em;margin:.12em"
STRIP = f"display:inline-block;width:9em;height:.8em;border:1px solid {FAINT};vertical-align:middle"
ROW = "display:grid;grid-template-columns:6.5em minmax(8em, 22em) auto;gap:.8em;"
ROW += "align-items:center;margin:.25em 0"
TRACK = "position:relative;height:1.1em;background:#ececec;border-radius:3px"
BAR = "position:absolute;left:0;top:0;bottom:0;background:#9aa5b1;border-radius:3px"
START = f"position:absolute;top:-.2em;bottom:-.2em;width:3px;background:{INK};border:1px solid #ffffff"
DIAMOND = "position:absolute;top:.22em;width:.62em;height:.62em;transform:rotate(45deg);background:#ffffff;"
DIAMOND += f"border:2px solid {INK};box-sizing:border-box"


def token_attributions(
    words: list[str], values, unit: str = "points", title: str = "", most: float | None = None
) -> HTML:
    """Each word coloured by how far it pushes a prediction up (orange) or down (blue), its number below it.

    A word is white where that is under a tenth of the largest. Raises SernbError for lengths that differ, and
    numbers that are not finite.

    Args:
        values: `(words,)`, or a dict or DataFrame of them by dimension: a line each, one scale of colours.
        unit: what the legend calls the numbers.
        most: the end of the scale of colours, where no value is larger.
    """
    lines = values if isinstance(values, (dict, pd.DataFrame)) else {"": values}
    count = len(words)
    lines = {
        str(name): draw.array_of(line, (count,), f"{name or 'a value'} for each of the {count} words")
        for name, line in lines.items()
    }
    largest = max(most or 0.0, _largest(lines))

    parts = [f"<div style='font-weight:bold;margin-bottom:.3em'>{escape(title)}</div>"] if title else []
    for name, line in lines.items():
        if name:
            parts.append(f"<div style='font-size:.9em;margin-top:.5em'>{escape(name)}</div>")
        spans = "".join(_word(str(word), value, largest) for word, value in zip(words, line, strict=True))
        parts.append(f"<div style='line-height:1.25'>{spans}</div>")
    return HTML(f"<div style='margin:.5em 0'>{''.join(parts)}{_legend(largest, unit)}</div>")


def transcript_editor(predict, text: str, scale: tuple[float, float], truth: dict[str, float] | None = None):
    """A transcript to rewrite: on Enter, or on leaving the field, prediction and pushes are drawn anew.

    ``predict(text)`` gives ({dimension: value}, DataFrame with one row a word: ``word``, and for each
    dimension the word's push on it, in the scale's points); what it raises is shown as text. ``text`` is
    where it starts and what every change is compared with; ``scale`` the lowest and highest value of a
    dimension; ``truth``: what raters said of the first transcript, a diamond (NaN: none).

    Returns an ipywidgets widget (its ``children``: field and button, message, picture); in a report (`sernb
    run`) a picture of the first state. Raises SernbError for a scale without width, and as ``predict`` does.
    """
    low, high = scale
    if not low < high:
        raise SernbError(f"a scale goes from its lowest to its highest value, e.g. (1, 5); got {scale}.")
    first, words = _predicted(predict, text)
    most = _largest(words.drop(columns="word"))  # one scale of colours, before and after a change

    def picture(values, words):
        pushes = token_attributions(words["word"], words.drop(columns="word"), most=most)
        return _bars(values, first, truth or {}, low, high) + pushes.data

    if os.environ.get("SERNB_REPORT"):
        lines = "".join(f"<p style='margin:.3em 0'>{escape(line)}</p>" for line in (f"“{text}”", STATIC))
        return HTML(lines + picture(first, words))
    import ipywidgets

    field = ipywidgets.Text(value=text, description="Transcript", tooltip="Change words, then press Enter",
                            continuous_update=False, layout={"width": "85%"})  # fmt: skip
    back = ipywidgets.Button(description="As it was", tooltip="Put the first transcript back")
    message, shown = ipywidgets.HTML(), ipywidgets.HTML(picture(first, words))

    def changed(_):
        try:
            shown.value, message.value = picture(*_predicted(predict, field.value)), ""
        # Whatever a model raises belongs below the field, not into a log that nobody reads.
        except Exception as problem:
            kind = "" if isinstance(problem, SernbError) else f"{type(problem).__name__}: "
            style = "margin:.2em 0;color:#b02a02;font-weight:bold"
            said = f"No prediction for these words. {escape(f'{kind}{problem}')}"
            message.value = f"<div role='alert' style='{style}'>{said}</div>"

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
    if not values or not {"word", *values} <= set(words):
        expected, present = ", ".join(map(str, values)), ", ".join(map(str, words.columns))
        raise SernbError(f"predict must give a table with the columns word, {expected}; there are {present}.")
    values = {name: float(values[name]) for name in draw.dimensions_first(values)}
    if not np.isfinite(list(values.values())).all():
        raise SernbError("predict gave a value that is not a finite number.")
    return values, words[["word", *values]]


def _largest(lines):
    sizes = (np.abs(np.asarray(line)).max(initial=0) for line in dict(lines).values())
    return float(max(sizes, default=0.0))


def _color(share):
    return AGAINST_FOR(0.5 + 0.5 * FULL * share)


def _word(word, value, largest):
    share = value / largest if largest else 0.0
    color = _color(share if abs(share) >= SMALL else 0.0)
    style = f"{WORD};background:{to_hex(color)};color:{draw.ink_on(color)}"
    number = f"<span style='font-size:.78em'>{_signed(value)}</span>"
    return f"<span style='{style}'>{escape(word)}<br>{number}</span> "


def _legend(largest, unit):
    if not largest:
        return "<div style='font-size:.85em;margin-top:.4em'>No word changes the prediction.</div>"
    stops = ", ".join(to_hex(_color(share)) for share in np.linspace(-1, 1, 7))
    strip = f"<span style='{STRIP};background:linear-gradient(to right, {stops})'></span>"
    ends = f"pushes down {_signed(-largest)} {strip} {_signed(largest)} pushes up ({escape(unit)})"
    return f"<div style='font-size:.85em;margin-top:.5em'>{ends}</div>"


def _bars(values, first, truth, low, high):
    """A bar for each dimension; a dark line where the first transcript was, a diamond for the raters."""

    def at(value):
        return f"{100 * min(max((value - low) / (high - low), 0), 1):.1f}%"

    rows, ends = [], f"bars from {low:g} to {high:g}; dark line: the first transcript"
    for name, now in values.items():
        before, rated = first.get(name, np.nan), float(truth.get(name, np.nan))
        change = f", {_signed(now - before)} from {_number(before)}" if abs(now - before) >= 0.005 else ""
        marks = f"<span style='{BAR};width:{at(now)}'></span>"
        marks += f"<span style='{START};left:calc({at(before)} - 1px)'></span>"
        if np.isfinite(rated):
            change += f" · raters {_number(rated)}"
            marks += f"<span style='{DIAMOND};left:calc({at(rated)} - .32em)'></span>"
        numbers = f"<strong>{_number(now)}</strong>{change}"
        cells = f"<span>{escape(name)}</span><span style='{TRACK}'>{marks}</span><span>{numbers}</span>"
        rows.append(f"<div style='{ROW}'>{cells}</div>")
    if any(np.isfinite(float(truth.get(name, np.nan))) for name in values):
        ends += "; diamond: what the raters said"
    legend = f"<div style='font-size:.85em'>{ends}</div>"
    return f"<div role='status' style='margin:.4em 0'>{''.join(rows)}{legend}</div>"


def _number(value):
    return f"{value:.2f}".replace("-", "−")


def _signed(value):
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "−")
