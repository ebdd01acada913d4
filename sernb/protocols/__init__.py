"""Protocols: who is trained on and who is tested. Each is a function from utterances to folds, and knows no model."""

import pandas as pd

from sernb.core.errors import SernbError
from sernb.protocols.folds import Fold, groups_of
from sernb.protocols.given import fixed
from sernb.protocols.grouped import (
    group_k_fold,
    leave_one_session_out,
    leave_one_speaker_out,
    sentence_k_fold,
    speaker_and_sentence_k_fold,
)
from sernb.protocols.mixed import random_split
from sernb.protocols.published import distilser_split, ravdess_folds
from sernb.protocols.sentences import normalised
from sernb.protocols.validation import with_validation

__all__ = [
    "ALIASES", "DEFAULT_PROTOCOL", "PROTOCOLS", "Fold", "by_name", "default", "describe", "distilser_split", "fixed",
    "group_k_fold", "leave_one_session_out", "leave_one_speaker_out", "random_split", "ravdess_folds",
    "sentence_k_fold", "speaker_and_sentence_k_fold",
    "with_validation",
]  # fmt: skip
NAMED = 30  # speakers that `describe` names; more are counted
FEW_SPEAKERS = 12  # up to this many, each speaker of the user's own corpus is a fold by default
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
DEFAULT_PROTOCOL = {
    "embedded": "leave-one-session-out",
    "embedded_pairs": "leave-one-session-out",
    "emodb": "leave-one-speaker-out",
    "ravdess": "ravdess-folds",
    "cremad": "group-k-fold",
    "meld": "fixed",
    "iemocap": "leave-one-session-out",
    "msp_podcast": "fixed",
    "emobank": "fixed",
}


def by_name(name: str, utterances: pd.DataFrame, **options) -> list[Fold]:
    """The folds of the protocol `name` (a key of PROTOCOLS, "loso", or "auto": the corpus's default)."""
    if name == "auto":
        name = default(utterances)
    chosen = ALIASES.get(name, name.replace("_", "-"))
    if chosen not in PROTOCOLS:
        raise SernbError(
            f"unknown protocol {name!r}; the protocols are auto, {', '.join([*ALIASES, *PROTOCOLS])}."
        )
    return PROTOCOLS[chosen](utterances, **options)


def default(utterances: pd.DataFrame) -> str:
    """The protocol to use when none is named: DEFAULT_PROTOCOL by corpus, else by the number of speakers."""
    known = DEFAULT_PROTOCOL.get(utterances.attrs.get("corpus"))
    if known:
        return known
    few = groups_of(utterances, "speaker", "auto").nunique() <= FEW_SPEAKERS
    return "leave-one-speaker-out" if few else "group-k-fold"


def describe(folds: list[Fold], utterances: pd.DataFrame) -> pd.DataFrame:
    """Who and what each fold holds: a row a part, with its speakers, how many utterances and different sentences (where
    the words are known), and a column of counts for each emotion. A part "left out" holds what a fold uses nowhere."""
    said = utterances["text"].dropna().astype(str).map(normalised) if "text" in utterances else None
    rows = []
    for fold in folds:
        parts = fold.parts()
        used = parts["train"].append([parts["validation"], parts["test"]])
        for part, ids in {**parts, "left out": utterances.index.difference(used, sort=False)}.items():
            if ids.empty:
                continue
            chosen = utterances.loc[ids]
            row = {"fold": fold.name, "part": part}
            if "speaker" in chosen:
                names = sorted(chosen["speaker"].dropna().astype(str).unique())
                row["speakers"] = ", ".join(names) if len(names) <= NAMED else f"{len(names)} speakers"
            row["utterances"] = len(chosen)
            if said is not None:
                row["sentences"] = said[said.index.isin(ids)].nunique()
            if "emotion" in chosen:
                row |= chosen["emotion"].value_counts(sort=False).to_dict()
            rows.append(row)
    return pd.DataFrame(rows)
