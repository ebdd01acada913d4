"""The answers about recordings as text, JSON and CSV. File names and transcripts are data: nothing in them is obeyed."""

import json
from pathlib import Path

import pandas as pd

from sernb.core.files import whole_file

BAR, BLOCK = 24, "█"  # characters of a full bar, and what draws it


def as_text(table: pd.DataFrame) -> str:
    """What `predict` returned, for a terminal: a recording's label, each class's probability with a bar, or the values of
    its dimensions, and below all the notes."""
    classes, dimensions = table.attrs["classes"], table.attrs["dimensions"]
    low, high = table.attrs["scale"] or (0.0, 1.0)
    wide = max(map(len, [*classes, *dimensions]))
    parts = []
    for name, row in table.iterrows():
        lines = [
            " · ".join([printable(name), f"{row['seconds']:.1f} s", *([row["predicted"]] if classes else [])])
        ]
        if isinstance(row.get("text"), str) and row["text"]:
            lines.append(f"  “{printable(row['text'])}”")
        for one in classes:
            share = row[f"p_{one}"]
            lines.append(f"  {one:<{wide}} {100 * share:5.1f} %  {_bar(share)}")
        for one in dimensions:
            value = row[f"{one}_predicted"]
            lines.append(f"  {one:<{wide}} {value:6.2f}  {_bar((value - low) / (high - low))}")
        parts.append("\n".join(line.rstrip() for line in lines))
    about = [f"Bars from {low:g} to {high:g}, the ends of the scale."] if dimensions else []
    return "\n\n".join([*parts, "\n".join([*about, *table.attrs["notes"]])]).rstrip()


def as_json(table: pd.DataFrame) -> str:
    """What `predict` returned as JSON: model, kind, scale, notes, skipped, and a list of recordings."""
    classes, dimensions = table.attrs["classes"], table.attrs["dimensions"]
    recordings = []
    for name, row in table.iterrows():
        row = row.dropna()  # a recording without words
        one = {"utterance": name} | {
            key: row[key] for key in ("path", "seconds", "predicted", "text") if key in row
        }
        if classes:
            one["probabilities"] = {label: row[f"p_{label}"] for label in classes}
        if dimensions:
            one["dimensions"] = {dim: row[f"{dim}_predicted"] for dim in dimensions}
        recordings.append(one)
    kept = {key: table.attrs[key] for key in ("model", "kind", "scale", "notes", "skipped")}
    return json.dumps({**kept, "recordings": recordings}, indent=1)


def write_csv(table: pd.DataFrame, path: str | Path) -> Path:
    """Write what `predict` returned (UTF-8); a run that is cut off leaves no half-written file."""
    path = Path(path)
    with whole_file(path) as beside:
        table.to_csv(beside, encoding="utf-8", errors="surrogateescape")  # names of files need not be UTF-8
    return path


def encodable(text: str, encoding: str | None) -> str:
    """`text` for a terminal that knows only `encoding`: bars of # and question marks instead of what it has not."""
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace(BLOCK, "#").encode(encoding, "replace").decode(encoding)
    return text


def printable(text) -> str:
    """`text` on one line, with a question mark for whatever would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "?" for sign in str(text))


def _bar(share):
    return BLOCK * round(BAR * min(max(share, 0.0), 1.0))
