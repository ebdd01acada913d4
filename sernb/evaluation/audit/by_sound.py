"""Checks of the recordings: unreadable or silent ones, duplicates, and what a model could cheat on."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.evaluation.audit.by_parts import part_codes
from sernb.evaluation.audit.cues import extremes, told_by
from sernb.evaluation.audit.finding import SHOWN, count, finding, tells, uar
from sernb.evaluation.audit.split_gain import known_speakers, random_split_gain
from sernb.features.acoustics import SHORTEST
from sernb.protocols import Fold

SHORT = 0.25  # seconds
LOUD = "which may be the emotion itself or how it was recorded; listen, and see that it is not the recording"
EDIT = (
    "which has more to do with how it was recorded or cut than with the emotion; a model may learn it instead"
)
# unit, format and what to think of it, by cue
CUES = {
    "length": ("s", "{:.2f}", LOUD),
    "loudness": ("dB", "{:.1f}", LOUD),
    "silence": ("%", "{:.0%}", EDIT),
    "clipping": ("%", "{:.2%}", EDIT),
    "background": ("dB", "{:.1f}", EDIT),
}


def recordings(heard: pd.DataFrame) -> dict:
    """Recordings that cannot be read, are silent or very short."""
    said, ids = [], []
    for rows, what in (
        (heard["problem"].notna(), "cannot be read"),
        (heard["silent"], "are silent"),
        ((heard["length"] < SHORT) & ~heard["silent"], f"are shorter than {SHORT} s"),
    ):
        if rows.any():
            why = f" (the first: {heard.loc[rows, 'problem'].iloc[0]})" if what == "cannot be read" else ""
            said.append(f"{int(rows.sum()):,} of {count(len(heard), 'recording')} {what}{why}")
            ids += list(heard.index[rows])
    if said:
        return finding("recordings", "caution", f"{'; '.join(said)}.", ids, len(set(ids)) / len(heard))
    return finding(
        "recordings", "fine", f"All {len(heard):,} recordings can be read, and none is silent.", (), 0.0
    )


def copies(utterances: pd.DataFrame, folds: list[Fold], pairs: pd.DataFrame) -> list[dict]:
    """Duplicates: those divided between parts of a fold, and those within one part. pairs: from `duplicates`."""
    if pairs.empty:
        return [
            finding(
                "duplicates", "fine", "No recording is in the corpus twice, whole, resampled or cut.", (), 0.0
            )
        ]
    a, b = (utterances.index.get_indexer(pairs[side]) for side in "ab")
    divided = np.zeros(len(pairs), bool)
    for fold in folds:
        part = part_codes(fold, utterances.index)
        divided |= (part[a] != part[b]) & (part[a] > 0) & (part[b] > 0)
    rows = []
    for which, severity, where in (
        (divided, "leak", "divided between the parts of a fold, so it is trained on and tested"),
        (~divided, "caution", "both in the same part of every fold, where it counts twice"),
    ):
        if not which.any():
            continue
        chosen = pairs[which]
        kinds = ", ".join(f"{number} {kind}" for kind, number in chosen["kind"].value_counts().items())
        odd = [
            f"in {count(int(differ.sum()), 'pair')} the {column}s differ"
            for column in ("emotion", "speaker")
            if column in utterances
            and (differ := _differ(utterances[column].astype(object).to_numpy(), a[which], b[which])).any()
        ]
        names = [f"{one} = {two}" for one, two in zip(chosen["a"], chosen["b"], strict=True)]
        beside = f" Beware: {' and '.join(odd)}." if odd else ""
        sentence = f"{count(len(chosen), 'pair of utterances is', 'pairs of utterances are')} one recording twice ({kinds}), {where}: {some(names, 3)}.{beside}"
        rows.append(
            finding("duplicates", severity, sentence, chosen[["a", "b"]].to_numpy().ravel(), len(chosen))
        )
    return rows


def cue(utterances: pd.DataFrame, values: pd.Series, folds: list[Fold]) -> dict:
    """How far one number (`values.name`, a key of CUES) gets at telling the emotion."""
    name = values.name
    check, (unit, form, note) = f"{name} by class", CUES[name]
    if "emotion" not in utterances or utterances["emotion"].nunique() < 2:
        return finding(check, "not checked", "Needs two classes of emotion.")
    if values.nunique() < 2:
        return finding(check, "fine", f"The {name} is the same everywhere, and tells nothing.")
    predictions = told_by(values, utterances, folds)
    if predictions.empty or predictions["emotion"].nunique() < 2:
        return finding(check, "not checked", "No fold has labels to learn and to test.")
    value, low, high, chance, unit_of = uar(predictions)
    lowest, highest, ids = extremes(values, utterances["emotion"], SHOWN)
    medians = values.groupby(utterances["emotion"].astype(object)).median()
    least, most = (form.format(medians[label]) for label in (lowest, highest))
    spread = f"medians from {least}{_unit(unit)} ({lowest}) to {most}{_unit(unit)} ({highest})"
    facts = f"a UAR of {value:.2f} [{low:.2f}, {high:.2f}, by {unit_of}] (chance {chance:.2f}); {spread}{_without(utterances)}"
    if not tells(low, chance):
        return finding(check, "fine", f"The {name} alone tells little: {facts}.", (), value)
    grave = low > (1 + chance) / 2
    return finding(
        check, "leak" if grave else "caution", f"The {name} alone gives {facts}, {note}.", ids, value
    )


def split_gain(
    utterances: pd.DataFrame,
    sample: pd.DataFrame | None,
    statistics: pd.DataFrame | None,
    folds: list[Fold],
) -> dict:
    """What a random split would add to the score. sample: the labelled utterances to measure it on (None: too few
    classes); statistics: of their sound (None: there is none, so of their words); folds: speaker-independent."""
    if absent := _unmeasurable(utterances, sample, statistics):
        return finding("random split", "not checked", absent)
    whole = int(known_speakers(utterances).sum())
    try:
        gain = random_split_gain(sample, statistics, folds)
    except SernbError as problem:
        return finding("random split", "not checked", f"{str(problem)[:1].upper()}{str(problem)[1:]}")
    what = "the words" if statistics is None else "acoustic statistics"
    taken = (
        f", a sample of {gain['utterances']:,} of {whole:,} utterances" if gain["utterances"] < whole else ""
    )
    sentence = (
        f"The same simple model of {what} reaches a UAR of {gain['random']:.3f} on random splits and {gain['folds']:.3f} where speakers "
        f"are kept apart: {gain['gain']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}, by {gain['unit']}]{taken}{_without(utterances)}"
    )
    if gain["low"] > 0:
        return finding("random split", "caution", f"A random split flatters. {sentence}.", (), gain["gain"])
    return finding(
        "random split",
        "fine",
        f"A random split gains nothing that could be told from chance. {sentence}.",
        (),
        gain["gain"],
    )


def _unmeasurable(
    utterances: pd.DataFrame, sample: pd.DataFrame | None, statistics: pd.DataFrame | None
) -> str:
    """What the gain of a random split cannot be measured without, in a sentence; "" where all is there."""
    speakers = utterances["speaker"].nunique() if "speaker" in utterances else 0
    if sample is None:
        return "Needs two classes of emotion."
    if not speakers:
        return "No speaker is known, so there is no split to compare a random one with."
    if speakers < 2:
        return "There is one speaker only, so none can be kept apart."
    if statistics is None and "text" not in sample:
        return "Neither recordings nor words are there to measure it with."
    if statistics is not None and statistics.empty:
        return f"None of the labelled recordings can be read and lasts {SHORTEST} s, as acoustic statistics need."
    return ""


def _without(utterances: pd.DataFrame) -> str:
    """A word on the utterances that folds with speakers apart leave out; "" where there are none."""
    unknown = int((~known_speakers(utterances)).sum())
    return f"; {count(unknown, 'utterance')} of unknown speakers left out" if unknown else ""


def _differ(values: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    one, two = pd.Series(values[a]), pd.Series(values[b])
    return ((one != two) & one.notna() & two.notna()).to_numpy()


def _unit(unit: str) -> str:
    return "" if unit == "%" else f" {unit}"
