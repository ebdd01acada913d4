"""Protocols: who is trained on and who is tested. Each is a function from utterances to folds, and knows no model."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, train_test_split

from sernb.errors import SernbError

# Test and validation actors of arXiv 2606.03359 (ResLSTM-SA), to compare with its numbers on RAVDESS.
RAVDESS_TEST = (
    (2, 5, 14, 15, 16),
    (3, 6, 7, 13, 18),
    (10, 11, 12, 19, 20),
    (8, 17, 21, 23, 24),
    (1, 4, 9, 22),
)
RAVDESS_VALIDATION = ((3, 6), (10, 11), (8, 17), (1, 14), (2, 5))
PARTS = {
    word: part
    for part, words in {
        "train": "train training",
        "validation": "validation valid val dev development",
        "test": "test testing eval evaluation",
    }.items()
    for word in words.split()
}
FEW_SPEAKERS = 12  # up to this many, each speaker of the user's own corpus is a fold by default


@dataclass(frozen=True, eq=False)
class Fold:
    """One round of an experiment: the ids of the utterances in each part. `validation` may be empty."""

    name: str
    train: pd.Index
    validation: pd.Index = field(default_factory=lambda: pd.Index([], name="utterance", dtype=object))
    test: pd.Index = field(default_factory=lambda: pd.Index([], name="utterance", dtype=object))

    def parts(self) -> dict[str, pd.Index]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def leave_one_speaker_out(utterances: pd.DataFrame) -> list[Fold]:
    """LOSO: each speaker is tested once, by a model that heard all the others. Raises SernbError for one speaker."""
    return _leave_one_out(utterances, "speaker", "leave-one-speaker-out")


def leave_one_session_out(utterances: pd.DataFrame) -> list[Fold]:
    """Each session is tested once. Warns if a speaker takes part in several sessions, and so is trained and tested."""
    folds = _leave_one_out(utterances, "session", "leave-one-session-out")
    _warn_of_shared(folds, utterances, "leave-one-session-out")
    return folds


def group_k_fold(utterances: pd.DataFrame, folds: int = 5, by: str = "speaker", seed: int = 0) -> list[Fold]:
    """`folds` test parts of whole groups (values of the column `by`), the emotions balanced as far as groups allow.

    By scikit-learn's StratifiedGroupKFold, or GroupKFold where there are no emotions or too few of one to balance.
    Raises SernbError for fewer groups than folds. Warns if groups other than speakers leave speakers shared.
    """
    protocol = f"group k-fold by {by}"
    groups = _groups(utterances, by, protocol)
    count = groups.nunique()
    if count < 2:
        raise SernbError(f"{protocol}: all utterances are of {groups.iloc[0]!r}, nobody is left to test on.")
    if not 2 <= folds <= count:
        raise SernbError(
            f"{protocol}: {folds} folds were asked for and there are {count} values of {by!r} "
            f"({_some(sorted(groups.unique()))}); choose 2 to {count} folds, "
            f"or another protocol. {_hint(utterances)}"
        )
    labels = utterances["emotion"].astype(str) if "emotion" in utterances else None
    balanced = labels is not None and labels.value_counts().min() >= folds
    splitter = (StratifiedGroupKFold if balanced else GroupKFold)(folds, shuffle=True, random_state=seed)
    tests = [test for _, test in splitter.split(groups, labels, groups)]
    if min(map(len, tests)) == 0:  # balancing can leave a part empty when groups are few
        tests = [
            test for _, test in GroupKFold(folds, shuffle=True, random_state=seed).split(groups, None, groups)
        ]
    result = [_fold(utterances, f"part {number}", test) for number, test in enumerate(tests, 1)]
    if by != "speaker":
        _warn_of_shared(result, utterances, protocol)
    return result


def fixed(utterances: pd.DataFrame, column: str = "part") -> list[Fold]:
    """The split that the corpus brings in `column`: train / validation / test (or dev, eval, …), one fold.

    If the column holds none of these words (fold numbers, say), each of its values is tested once.
    Raises SernbError for a mix of both and for a part that is missing. Warns if parts share speakers.
    """
    protocol = f"fixed (column {column!r})"
    values = _groups(utterances, column, protocol)
    parts = values.str.strip().str.lower().map(PARTS)
    if parts.isna().all():
        folds = _leave_one_out(utterances, column, protocol)
    elif parts.isna().any():
        unknown = sorted(values[parts.isna()].unique())
        raise SernbError(
            f"{protocol}: {int(parts.isna().sum())} utterances are in parts called {_some(unknown)}; "
            f"expected {', '.join(PARTS)}."
        )
    else:
        ids = {part: utterances.index[parts == part] for part in ("train", "validation", "test")}
        empty = [part for part in ("train", "test") if ids[part].empty]
        if empty:
            raise SernbError(
                f"{protocol}: no utterance is marked {' or '.join(empty)}; found {_some(values.unique())}."
            )
        folds = [Fold("fixed", **ids)]
    _warn_of_shared(folds, utterances, protocol)
    return folds


def ravdess_folds(utterances: pd.DataFrame) -> list[Fold]:
    """The five published folds of RAVDESS (arXiv 2606.03359): test and validation actors by list, the others train.

    Raises SernbError for speakers other than RAVDESS's actors 1–24; warns of actors that are missing.
    """
    protocol = "ravdess-folds"
    groups = _groups(utterances, "speaker", protocol)
    actors = pd.to_numeric(groups, errors="coerce")
    strange = sorted(groups[~actors.isin(range(1, 25))].unique())
    if strange:
        raise SernbError(
            f"{protocol} are made of RAVDESS's actors 1 to 24; these utterances have speakers {_some(strange)}. "
            + _hint(utterances)
        )
    folds = []
    for number, (test, validation) in enumerate(zip(RAVDESS_TEST, RAVDESS_VALIDATION, strict=True), 1):
        tested, validated = actors.isin(test), actors.isin(validation)
        fold = Fold(
            f"fold {number}",
            utterances.index[~tested & ~validated],
            utterances.index[validated],
            utterances.index[tested],
        )
        for part, ids in fold.parts().items():
            if ids.empty:
                raise SernbError(
                    f"{protocol}: fold {number} has nothing in its {part} part: actors "
                    f"{_some(sorted(actors.unique()))} are here. {_hint(utterances)}"
                )
        folds.append(fold)
    absent = sorted(set(range(1, 25)) - set(actors))
    if absent:
        warnings.warn(
            f"{protocol}: actors {_some(absent)} are missing, so numbers do not compare.", stacklevel=2
        )
    return folds


def random_split(
    utterances: pd.DataFrame, test: float = 0.1, validation: float = 0.1, seed: int = 0
) -> list[Fold]:
    """One random fold, stratified by emotion: what several papers do, and why their numbers look high.

    `test` and `validation` are shares of all utterances. Warns (UserWarning) that speakers are shared.
    """
    if not (0 < test < 1 and 0 <= validation < 1 and test + validation < 1):
        raise SernbError(
            f"random: test={test} and validation={validation} must be shares that leave some for training."
        )
    rest, rows = np.arange(len(utterances)), {}
    labels = utterances["emotion"].astype(str).to_numpy() if "emotion" in utterances else None
    for part, share in (("test", test), ("validation", validation)):
        if share == 0:
            continue
        try:
            rest, rows[part] = train_test_split(
                rest,
                test_size=round(share * len(utterances)),
                random_state=seed,
                stratify=None if labels is None else labels[rest],
            )
        except ValueError as problem:
            raise SernbError(
                f"random: {len(utterances)} utterances cannot be split so ({problem})."
            ) from problem
    parts = {part: utterances.index[np.sort(chosen)] for part, chosen in rows.items()}
    folds = [Fold("random", train=utterances.index[np.sort(rest)], **parts)]
    _warn_of_shared(folds, utterances, "random")
    return folds


PROTOCOLS = {
    "leave-one-speaker-out": leave_one_speaker_out,
    "leave-one-session-out": leave_one_session_out,
    "group-k-fold": group_k_fold,
    "fixed": fixed,
    "ravdess-folds": ravdess_folds,
    "random": random_split,
}
ALIASES = {"loso": "leave-one-speaker-out"}
DEFAULT_PROTOCOL = {
    "embedded": "leave-one-session-out",
    "emodb": "leave-one-speaker-out",
    "ravdess": "ravdess-folds",
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
    few = _groups(utterances, "speaker", "auto").nunique() <= FEW_SPEAKERS
    return "leave-one-speaker-out" if few else "group-k-fold"


def describe(folds: list[Fold], utterances: pd.DataFrame) -> pd.DataFrame:
    """Who and what each fold holds: a row a part, with speakers, utterances, and a column of counts for each emotion."""
    rows = []
    for fold in folds:
        for part, ids in fold.parts().items():
            if ids.empty:
                continue
            chosen = utterances.loc[ids]
            row = {"fold": fold.name, "part": part}
            if "speaker" in chosen:
                row["speakers"] = ", ".join(sorted(chosen["speaker"].dropna().astype(str).unique()))
            row["utterances"] = len(chosen)
            if "emotion" in chosen:
                row |= chosen["emotion"].value_counts(sort=False).to_dict()
            rows.append(row)
    return pd.DataFrame(rows)


def _leave_one_out(utterances: pd.DataFrame, column: str, protocol: str) -> list[Fold]:
    groups = _groups(utterances, column, protocol)
    names = sorted(groups.unique())
    if len(names) < 2:
        raise SernbError(
            f"{protocol} needs at least 2 different values of {column!r}, these utterances have {len(names)} "
            f"({_some(names)}). {_hint(utterances)}"
        )
    return [_fold(utterances, f"{column} {name}", np.flatnonzero(groups == name)) for name in names]


def _fold(utterances: pd.DataFrame, name: str, test: np.ndarray) -> Fold:
    tested = np.zeros(len(utterances), dtype=bool)
    tested[test] = True
    return Fold(name, utterances.index[~tested], test=utterances.index[tested])


def _groups(utterances: pd.DataFrame, column: str, protocol: str) -> pd.Series:
    """The column as text; an error where it is absent or has gaps."""
    if column not in utterances:
        raise SernbError(
            f"{protocol} needs a column {column!r}, which these utterances lack. {_hint(utterances)}"
        )
    groups = utterances[column]
    if groups.isna().any():
        rows = utterances.index[groups.isna()]
        raise SernbError(
            f"{protocol}: {len(rows)} of {len(groups)} utterances have no {column}: {_some(rows)}. "
            f"Fill in the column, or leave them out with utterances[utterances[{column!r}].notna()]."
        )
    return groups.astype(str)


def _warn_of_shared(folds: list[Fold], utterances: pd.DataFrame, protocol: str) -> None:
    if "speaker" not in utterances:
        warnings.warn(f"{protocol}: no speakers are known, so train and test may share them.", stacklevel=3)
        return
    speakers = utterances["speaker"]
    shared = set()
    for fold in folds:
        heard = set(speakers[fold.train].dropna()) | set(speakers[fold.validation].dropna())
        shared |= heard & set(speakers[fold.test].dropna())
    if shared:
        warnings.warn(
            f"{protocol}: {len(shared)} speakers are both trained on and tested ({_some(sorted(shared))}), which flatters "
            "the results: the model may know the voice. A speaker-independent protocol shows what it does for new ones.",
            stacklevel=3,
        )


def _hint(utterances: pd.DataFrame) -> str:
    """Which protocols these utterances have the columns for, without trying them."""
    names = [
        name
        for name, column, least in (
            ("leave-one-speaker-out", "speaker", 2),
            ("group-k-fold", "speaker", 5),
            ("leave-one-session-out", "session", 2),
            ("fixed", "part", 2),
        )
        if column in utterances and utterances[column].notna().all() and utterances[column].nunique() >= least
    ]
    return f"Possible here: {', '.join([*names, 'random'])}."


def _some(names, shown: int = 8) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:shown]) + (f", … ({len(names)})" if len(names) > shown else "")
