"""The audit: all checks of a corpus and its folds, as one table of findings; as text to read, and as JSON."""

import json
import math
import textwrap
import warnings

import numpy as np
import pandas as pd

from sernb import protocols
from sernb.core.errors import SernbError
from sernb.evaluation.audit import parts, sound, words
from sernb.evaluation.audit.duplicates import duplicates
from sernb.evaluation.audit.finding import SEVERITIES, count, finding
from sernb.evaluation.audit.listening import CUES, listen
from sernb.protocols import Fold

SAMPLE = 4000  # utterances of which acoustic statistics are taken, to measure what a random split gains
MANY = 24  # folds; with more of them, simple models are tried on five folds of speakers instead
WIDTH = 110  # columns of text


def audit(
    utterances: pd.DataFrame, folds: list[Fold] | None = None, waveforms=None, progress=True, jobs=1, seed=0
) -> pd.DataFrame:
    """Leaks between the parts of the folds, and what gives labels away: a row a finding, gravest first.

    Args:
        utterances: the table. One of words alone has its recordings "not checked".
        folds: None takes the corpus's default protocol, else its own parts, else a random split.
        waveforms: float32 `(samples,)` each at 16 kHz, in the table's order; None reads the files.
        progress, jobs, seed: whether to show bars; workers; of what is drawn.

    Returns:
        check; severity ("leak", "caution", "not checked", "fine"); finding (a sentence); utterances (ids to
        hear, worst first, ten at most); value (the main number, or NaN). attrs: protocol, folds.

    Raises:
        SernbError: an empty table, folds with other utterances, or waveforms of another number.
    """
    if utterances.empty:
        raise SernbError("there is nothing to audit: the table has no rows.")
    if utterances.index.has_duplicates:
        twice = utterances.index[utterances.index.duplicated()][0]
        raise SernbError(f"the id {twice!r} stands more than once; an audit needs an id for each utterance.")
    if waveforms is not None and len(waveforms) != len(utterances):
        raise SernbError(f"{len(waveforms)} waveforms for {len(utterances)} utterances; one each is needed.")
    protocol = "as given"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that speakers are shared is a finding
        if folds is None:
            protocol, folds = _chosen(utterances)
        apart = speakers_apart(utterances, folds, seed)

    # The folds, and the words.
    before, after = (parts.overlap, parts.speakers), (parts.balance, words.transcripts, words.text_and_label)
    rows = [check(utterances, folds) for check in before] + parts.contexts(utterances, folds)
    rows += [check(utterances, folds) for check in after]
    columns = ["speaker", *(name for name in ("gender", "session") if name in utterances)]
    rows += [words.group_and_label(utterances, folds, column) for column in columns]

    # The recordings, each heard once.
    sample, statistics = _sample(utterances, seed), None
    if waveforms is None and "path" not in utterances:
        checks = ("recordings", "duplicates", *(f"{name} by class" for name in CUES))
        rows += [finding(check, "not checked", "This table has words, no recordings.") for check in checks]
    else:
        of = () if sample is None else sample.index
        heard, statistics = listen(utterances, waveforms, of, jobs, progress)
        pairs = duplicates(utterances, waveforms, heard, progress=progress)
        rows += [sound.recordings(heard), *sound.copies(utterances, folds, pairs)]
        rows += [sound.cue(utterances, heard[name], apart) for name in CUES]
    rows.append(sound.split_gain(utterances, sample, statistics, apart))

    rows.sort(key=lambda row: SEVERITIES.index(row["severity"]))
    table = pd.DataFrame(rows)
    table.attrs = {"protocol": protocol, "folds": len(folds)}
    return table


def speakers_apart(utterances: pd.DataFrame, folds: list[Fold], seed: int = 0) -> list[Fold]:
    """The folds, if they keep speakers apart and are not many; else at most five of whole known speakers."""
    if "speaker" not in utterances or utterances["speaker"].nunique() < 2:
        return folds
    known = utterances[sound.known_speakers(utterances)]
    mixed, _, _ = parts.across(utterances["speaker"], folds, utterances.index)
    if len(known) < len(utterances):
        of = known.index
        kept = (Fold(f.name, *(p[p.isin(of)] for p in (f.train, f.validation, f.test))) for f in folds)
        folds = [fold for fold in kept if len(fold.train) and len(fold.test)]
    if folds and not mixed and len(folds) <= MANY:
        return folds
    return protocols.group_k_fold(known, min(5, known["speaker"].nunique()), seed=seed)


def as_text(findings: pd.DataFrame, title: str) -> str:
    """Findings as paragraphs, gravest first, with the utterances to listen to, and a count at the end."""

    def wrapped(text):
        indents = {"initial_indent": "  ", "subsequent_indent": "  "}
        return textwrap.wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False, **indents)

    lines = [f"{title}: {findings.attrs['protocol']}, {count(findings.attrs['folds'], 'fold')}", ""]
    for (severity, sentence), rows in findings.groupby(["severity", "finding"], sort=False):
        lines += [f"{severity.upper()}: {', '.join(rows['check'])}", *wrapped(sentence)]
        if (ids := rows["utterances"].iloc[0]) and severity != "fine":
            lines += wrapped(f"Listen to: {', '.join(ids)}")
        lines.append("")
    sizes = findings["severity"].value_counts()
    total = ", ".join(f"{severity} {sizes.get(severity, 0)}" for severity in SEVERITIES)
    return "\n".join([*lines, f"In all: {total}."])


def as_json(findings: pd.DataFrame, **about) -> str:
    """Valid JSON (what is not a number is null): `about`, protocol, folds, and a list of findings."""
    rows = findings.to_dict("records")
    rows = [row | {"value": row["value"] if math.isfinite(row["value"]) else None} for row in rows]
    everything = about | findings.attrs | {"findings": rows}
    return json.dumps(everything, ensure_ascii=False, indent=2, allow_nan=False)


def _chosen(utterances: pd.DataFrame) -> tuple[str, list[Fold]]:
    """The protocol where none is named, and its folds: the corpus's default, its own parts, or random."""
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


def _sample(utterances: pd.DataFrame, seed: int) -> pd.DataFrame | None:
    """At most SAMPLE labelled utterances of known speakers, in order; None without two classes."""
    if "emotion" not in utterances or utterances["emotion"].nunique() < 2:
        return None
    labelled = np.flatnonzero(utterances["emotion"].notna() & sound.known_speakers(utterances))
    if len(labelled) > SAMPLE:
        labelled = np.sort(np.random.default_rng(seed).choice(labelled, SAMPLE, replace=False))
    return utterances.iloc[labelled]
