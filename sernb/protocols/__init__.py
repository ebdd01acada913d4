"""Protocols by name: functions from utterances to folds, which say who is trained on and who is tested."""

import pandas as pd

from sernb.core.errors import SernbError
from sernb.protocols.folds import (
    Fold,
    fixed,
    group_k_fold,
    groups_of,
    leave_one_session_out,
    leave_one_speaker_out,
    normalised,
    random_split,
    sentence_k_fold,
    speaker_and_sentence_k_fold,
    with_validation,
)
from sernb.protocols.published import distilser_split, ravdess_folds

NAMED = 30  # speakers that `describe` names; more are counted
FEW_SPEAKERS = 12  # up to this many, each speaker is a fold of the user's own corpus
PROTOCOLS = {
    "leave-one-speaker-out": leave_one_speaker_out,
    "leave-one-session-out": leave_one_session_out,
    "group-k-fold": group_k_fold,
    "group-k-fold-by-sentence": sentence_k_fold,
    "group-k-fold-by-both": speaker_and_sentence_k_fold,
    "fixed": fixed,
    "ravdess-folds": ravdess_folds,
    "distilser": distilser_split,
    "random": random_split,
}
ALIASES = {"loso": "leave-one-speaker-out"}


def by_name(name: str, utterances: pd.DataFrame, **options) -> list[Fold]:
    """The folds of the protocol `name` (a key of PROTOCOLS, "loso", or "auto": the corpus's default)."""
    name = default(utterances) if name == "auto" else name
    chosen = ALIASES.get(name, name.replace("_", "-"))
    if chosen not in PROTOCOLS:
        names = ", ".join(["auto", *ALIASES, *PROTOCOLS])
        raise SernbError(f"unknown protocol {name!r}; the protocols are {names}.")
    return PROTOCOLS[chosen](utterances, **options)


def default(utterances: pd.DataFrame) -> str:
    """The protocol to use when none is named: the corpus's own, else by the number of speakers."""
    if utterances.attrs.get("protocol"):
        return utterances.attrs["protocol"]
    few = groups_of(utterances, "speaker", "auto").nunique() <= FEW_SPEAKERS
    return "leave-one-speaker-out" if few else "group-k-fold"


def describe(folds: list[Fold], utterances: pd.DataFrame) -> pd.DataFrame:
    """Who and what each fold holds: a row a part, with its speakers, how many utterances and sentences, and a
    column of counts for each emotion. "left out" is what a fold uses nowhere."""
    words = utterances["text"].dropna().astype(str).map(normalised) if "text" in utterances else None
    rows = []
    for fold in folds:
        parts = fold.parts()
        used = parts["train"].append([parts["validation"], parts["test"]])
        parts["left out"] = utterances.index.difference(used, sort=False)
        for part, ids in parts.items():
            if ids.empty:
                continue
            chosen, row = utterances.loc[ids], {"fold": fold.name, "part": part}
            if "speaker" in chosen:
                names = sorted(chosen["speaker"].dropna().astype(str).unique())
                row["speakers"] = ", ".join(names) if len(names) <= NAMED else f"{len(names)} speakers"
            row["utterances"] = len(chosen)
            if words is not None:
                row["sentences"] = words[words.index.isin(ids)].nunique()
            if "emotion" in chosen:
                row |= chosen["emotion"].value_counts(sort=False).to_dict()
            rows.append(row)
    return pd.DataFrame(rows)
