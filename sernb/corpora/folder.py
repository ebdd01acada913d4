"""Corpora whose files say in their names what they hold: find the recordings, read the names, count what is there."""

import os
import warnings
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError

AUDIO = (".wav", ".flac")
SHOWN = 10  # files that a message names; the rest are counted


def audio_files(root: Path, endings: tuple[str, ...] = AUDIO) -> list[Path]:
    """All wav and flac files (or of other `endings`) below `root`, sorted, links followed (each folder once).

    Hidden files and folders, such as the `._name.wav` that macOS leaves beside each file, are no recordings.
    """

    def unreadable(problem: OSError):
        raise SernbError(f"{problem.filename}: the folder cannot be read ({problem.strerror}).")

    found, seen = [], set()
    for folder, folders, files in os.walk(root, followlinks=True, onerror=unreadable):
        state = os.stat(folder)
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")
        found += [
            Path(folder, file)
            for file in files
            if file.lower().endswith(endings) and not file.startswith(".")
        ]
    return sorted(found)


def read_names(root: Path, parse, title: str, layout: str, on_bad: str) -> tuple[pd.DataFrame, list[dict]]:
    """One row a recording below `root`; `parse(stem)` gives its columns as a dict, or a str that says what is wrong.

    Returns the rows, indexed by the file's stem, and the files left out ({utterance, path, why}), which with
    `on_bad="raise"` are an error instead: names that do not follow the corpus's code, and a clip found twice.
    """
    root = Path(root).resolve()
    files = audio_files(root)
    if not files:
        raise SernbError(f"{root}: no wav or flac file is in this folder. {title} is expected as {layout}.")
    rows, bad = {}, []
    for file in files:
        facts = parse(file.stem)
        if file.stem in rows:
            facts = f"the same clip as {rows[file.stem]['path']}"
        if isinstance(facts, str):
            bad.append({"utterance": file.stem, "path": str(file), "why": facts})
        else:
            rows[file.stem] = {"path": str(file), **facts}
    if not rows:
        raise SernbError(
            f"{root}: none of its {len(files)} recordings is named as in {title} (for example {files[0].name}: "
            f"{bad[0]['why']}). Expected: {layout}. Is this another corpus? A table of your own goes through 'manifest'."
        )
    refuse(bad, f"{title} in {root}", len(files), "recordings do not fit the corpus", on_bad)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance"), bad


def check_on_bad(on_bad: str) -> None:
    if on_bad not in ("raise", "skip"):
        raise SernbError(f"on_bad must be 'raise' or 'skip', got {on_bad!r}.")


def refuse(bad: list[dict], source: str, total: int, what: str, on_bad: str) -> None:
    """Raise for what cannot be used, naming the first ten; with `on_bad="skip"` warn instead."""
    if not bad:
        return
    shown = "\n".join(f"  {one['utterance']} ({one['path']}): {one['why']}" for one in bad[:SHOWN])
    more = f"\n  … and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    message = f"{source}: {len(bad)} of {total} {what}:\n{shown}{more}\n"
    if on_bad == "raise":
        raise SernbError(message + 'Repair or remove them, or leave them out with on_bad="skip".')
    warnings.warn(message + "They are left out.", stacklevel=3)


def count(
    table: pd.DataFrame,
    published: dict[str, int],
    title: str,
    column: str = "emotion",
    what: str = "recordings",
) -> list[str]:
    """Compare the labels' counts with the published ones; the notes (also a warning) tell of any difference."""
    counts = table[column].value_counts()
    differ = [
        f"{emotion} {counts.get(emotion, 0)} of {full}"
        for emotion, full in published.items()
        if counts.get(emotion, 0) != full
    ]
    if not differ:
        return []
    note = f"{title}: {len(table)} {what}, published are {sum(published.values())} ({', '.join(differ)})."
    warnings.warn(note, stacklevel=3)
    return [note]
