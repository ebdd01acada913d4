"""A corpus as notebooks want it: chosen, checked, and heard."""

import textwrap

import numpy as np
import pandas as pd

from sernb import corpora
from sernb.core.errors import SernbError
from sernb.features.audio import read_utterances

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
