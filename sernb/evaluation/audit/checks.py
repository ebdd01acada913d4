"""The audit: all checks of a corpus and its folds, as one table of findings."""

import warnings

import numpy as np
import pandas as pd

from sernb import protocols
from sernb.core.errors import SernbError
from sernb.evaluation.audit import by_parts, by_sound, by_words
from sernb.evaluation.audit.duplicates import duplicates
from sernb.evaluation.audit.finding import SEVERITIES, finding
from sernb.evaluation.audit.listening import CUES, listen
from sernb.evaluation.audit.split_gain import known_speakers
from sernb.protocols import Fold

SAMPLE = 4000  # utterances of which acoustic statistics are taken, to measure what a random split gains
MANY = 24  # folds; with more of them, simple models are tried on five folds of speakers instead
SOUND = ("recordings", "duplicates", *(f"{name} by class" for name in CUES))


def audit(
    utterances: pd.DataFrame,
    folds: list[Fold] | None = None,
    waveforms: list[np.ndarray] | None = None,
    progress: bool = True,
    jobs: int = 1,
    seed: int = 0,
) -> pd.DataFrame:
    """Look for leaks between the parts of the folds, and for what gives labels away: a row a finding, gravest first.

    Columns: check; severity, one of "leak" (scores under these folds cannot be believed for what the finding names),
    "caution" (know it before you conclude), "not checked" (something needed is absent) and "fine"; finding (a sentence);
    utterances (ids to listen to, worst first, ten at the most); value (the finding's main number, or NaN). attrs:
    protocol (of `folds`, where they were chosen here) and folds (how many).

    folds: None takes the corpus's default protocol, else its own parts, else a random split. waveforms: float32
    `(samples,)` each at 16 kHz, in the table's order; None reads the files, one at a time in each of `jobs` workers,
    and names the unreadable ones in a finding. A table of words alone has its recordings "not checked".

    Raises SernbError for an empty table, folds with other utterances, or waveforms of another number.
    """
    if utterances.empty:
        raise SernbError("there is nothing to audit: the table has no rows.")
    if utterances.index.has_duplicates:
        twice = utterances.index[utterances.index.duplicated()][0]
        raise SernbError(f"the id {twice!r} stands more than once; an audit needs an id for each utterance.")
    if waveforms is not None and len(waveforms) != len(utterances):
        raise SernbError(
            f"{len(waveforms)} waveforms for {len(utterances)} utterances; expected one each, in order."
        )
    protocol = "as given"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that speakers are shared is a finding
        if folds is None:
            protocol, folds = choose(utterances)
        apart = speakers_apart(utterances, folds, seed)
    rows = [
        by_parts.overlap(utterances, folds),
        by_parts.speakers(utterances, folds),
        *by_parts.contexts(utterances, folds),
        by_parts.balance(utterances, folds),
        by_words.transcripts(utterances, folds),
        by_words.text_and_label(utterances, folds),
        *(
            by_words.group_and_label(utterances, folds, column)
            for column in ("speaker", "gender", "session")
            if column in utterances or column == "speaker"
        ),
    ]
    sample = _sample(utterances, seed)
    if waveforms is None and "path" not in utterances:
        rows += [
            finding(check, "not checked", "This table has words only, no recordings.") for check in SOUND
        ]
        statistics = None
    else:
        heard, statistics = listen(
            utterances, waveforms, () if sample is None else sample.index, jobs, progress
        )
        rows.append(by_sound.recordings(heard))
        rows += by_sound.copies(
            utterances, folds, duplicates(utterances, waveforms, heard, progress=progress)
        )
        rows += [by_sound.cue(utterances, heard[name], apart) for name in CUES]
    rows.append(by_sound.split_gain(utterances, sample, statistics, apart))
    table = pd.DataFrame(rows)
    order = table["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    table = table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    table.attrs = {"protocol": protocol, "folds": len(folds)}
    return table


def choose(utterances: pd.DataFrame) -> tuple[str, list[Fold]]:
    """The protocol to audit where none is named, and its folds: the corpus's default, its own parts, or random."""
    problem = None
    for name in ("auto", "fixed", "random"):
        try:
            folds = protocols.by_name(name, utterances)
            return (protocols.default(utterances) if name == "auto" else name), folds
        except SernbError as refused:
            problem = problem or refused
    if len(utterances) < 2:  # nothing to divide; its recording can still be looked at
        return "all in one", [Fold("all", train=utterances.index, test=utterances.index[:0])]
    raise problem


def speakers_apart(utterances: pd.DataFrame, folds: list[Fold], seed: int = 0) -> list[Fold]:
    """The folds, if they keep speakers apart and are not many; else five folds (or fewer) of whole speakers.

    Utterances whose speaker is not known are in no part of them. The given folds where fewer than two speakers are known.
    """
    if "speaker" not in utterances or utterances["speaker"].nunique() < 2:
        return folds
    known = utterances[known_speakers(utterances)]
    mixed, _, _ = by_parts.across(utterances["speaker"], folds, utterances.index)
    if len(known) < len(utterances):
        parts = [
            [ids[ids.isin(known.index)] for ids in (fold.train, fold.validation, fold.test)] for fold in folds
        ]
        folds = [
            Fold(fold.name, *of) for fold, of in zip(folds, parts, strict=True) if len(of[0]) and len(of[2])
        ]
    if folds and not mixed and len(folds) <= MANY:
        return folds
    return protocols.group_k_fold(known, min(5, known["speaker"].nunique()), seed=seed)


def _sample(utterances: pd.DataFrame, seed: int) -> pd.DataFrame | None:
    """At most SAMPLE labelled utterances of known speakers, drawn evenly, in the table's order; None without two classes."""
    if "emotion" not in utterances or utterances["emotion"].nunique() < 2:
        return None
    labelled = np.flatnonzero(utterances["emotion"].notna() & known_speakers(utterances))
    if len(labelled) > SAMPLE:
        labelled = np.sort(np.random.default_rng(seed).choice(labelled, SAMPLE, replace=False))
    return utterances.iloc[labelled]
