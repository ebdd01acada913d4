"""A corpus as notebooks want it: chosen, checked, heard, and looked at."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from IPython.display import display

from sernb import corpora
from sernb.core.errors import SernbError
from sernb.evaluation.annotators import rating_columns
from sernb.features.audio import read_audio, read_utterances
from sernb.notebook.cards import listen

RATE = 16000  # Hz, of the waveforms


def load(
    corpus: str,
    root: str = "",
    *,
    needs: tuple[str, ...] = (),
    emotions: str = "",
    labels: dict | None = None,
    per_speaker: int = 0,
    on_bad: str = "raise",
    waveforms: bool = True,
    **loader,
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The utterances of a corpus and their waveforms; prints how many there are, and what is incomplete.

    Args:
        corpus: A name of `sernb corpora`.
        root: Its folder; "": where sernb looks for it.
        needs: Columns without which the notebook cannot go on.
        emotions: Labels to keep, with commas between ("neutral,happy"); "": all.
        labels: A manifest's own label words, such as {"cheerful": "happy"}.
        per_speaker: Keep so many utterances of each speaker's emotions; 0: all.
        on_bad: "raise" or "skip": what to do about what cannot be used.
        waveforms: Read the recordings; without, the second value is [].
        loader: Options of the corpus's own loader (docs/corpora.md).

    Returns:
        The utterances table, and in its order float32 `(samples,)` each, at 16 kHz.

    Raises:
        SernbError: where a column of `needs` is lacking, and as `corpora.load` and `read_utterances` do.
    """
    # the table
    wanted = [label.strip() for label in emotions.split(",") if label.strip()] or None
    loader |= {"labels": labels} if labels else {}
    utterances = corpora.load(corpus, root or None, emotions=wanted, on_bad=on_bad, **loader)
    if lacking := [column for column in needs if column not in utterances]:
        raise SernbError(
            f"this notebook needs the column {', '.join(lacking)}; the corpus {corpus} has "
            f"{', '.join(utterances)}: see docs/corpora.md"
        )

    # a part of it
    if per_speaker:
        known = [column for column in ("speaker", "emotion") if column in utterances]
        groups = utterances.groupby(known, observed=True, dropna=False) if known else utterances
        utterances = groups.head(per_speaker if known else 100 * per_speaker)

    # the recordings
    heard, told = [], f"{len(utterances)} utterances"
    if waveforms:
        utterances, heard = read_utterances(utterances, on_bad=on_bad)
        minutes = sum(map(len, heard)) / RATE / 60
        told = f"{len(utterances)} utterances, {minutes:.1f} minutes"
        told += f"; repaired or unusual: {utterances.attrs['repairs'] or 0}"
    print(f"{told}; left out: {len(utterances.attrs['skipped'])}")
    for note in utterances.attrs["notes"]:
        print(textwrap.fill(note, 105))
    return utterances, heard


def knows(utterances: pd.DataFrame) -> set[str]:
    """The columns that notebooks look at and that hold something; shows them, and prints what is lacking."""
    names = {
        "path": "recordings", "text": "words", "emotion": "emotions", "arousal": "arousal",
        "valence": "valence", "dominance": "dominance", "speaker": "speakers", "gender": "gender",
        "session": "sessions", "part": "parts of its own",
    }  # fmt: skip
    has = {name for name in names if name in utterances and utterances[name].notna().any()}
    lacking = [what for name, what in names.items() if name not in has]
    lacking += [] if rating_columns(utterances) else ["single annotators' ratings"]
    print("Not in this corpus:", ", ".join(lacking) or "nothing that this notebook looks for")
    print("Also in the table:", ", ".join(name for name in utterances if name not in names) or "no more")
    rows = {
        what: {"known of": utterances[name].notna().sum(), "different": utterances[name].nunique()}
        for name, what in names.items()
        if name in has
    }
    display(pd.DataFrame.from_dict(rows, orient="index"))
    return has


@contextmanager
def where_possible(otherwise: str, told: bool = True) -> Iterator[None]:
    """A block that the corpus may not allow: its SernbError is printed behind `otherwise`, or raised if not
    `told`."""
    try:
        yield
    except SernbError as problem:
        if not told:
            raise
        print(f"{otherwise} {problem}")


def glance(table: pd.DataFrame, count: int = 4, sounds: int = 2, also: tuple[str, ...] = ()) -> None:
    """Show the first utterances of a list of predictions in words, and play the first few.

    Args:
        table: An explorer's `selected`, say: predictions with what is known of the utterances.
        count: How many rows are shown.
        sounds: How many of them are heard.
        also: Columns to show beside text, emotion, predicted and speaker.
    """
    print(f"{len(table)} utterances in the list; the first {min(count, len(table))}:")
    for name, row in table.head(sounds).iterrows():
        if pd.notna(row.get("path")):
            wave = read_audio(row["path"], row.get("start"), row.get("end"))
            listen(wave, caption=f"{name}: true {row['emotion']}, predicted {row['predicted']}")
    columns = ["text", "emotion", "predicted", *also, "speaker"]
    shown = table.head(count)[[column for column in columns if column in table]]
    chances = [column for column in table if column.startswith("p_")]
    if chances:
        shown = shown.assign(sure=table[chances].max(axis=1).round(2))
    if len(table):
        display(shown)
