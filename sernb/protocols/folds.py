"""Protocols: functions from utterances to folds, which say who is trained on and who is tested."""

import re
import unicodedata
import warnings
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, train_test_split

from sernb.core.errors import SernbError, some

PARTS = dict.fromkeys(("train", "training"), "train")
PARTS |= dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation")
PARTS |= dict.fromkeys(("test", "testing", "eval", "evaluation"), "test")
HELD_OUT = 0.15  # of the training part, for validation
FEWEST = 3  # sessions or speakers that must be left to train on where others are set aside for validation
_NO_WORD = re.compile(r"[\W_]+")


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
    """LOSO: each speaker is tested once, by a model that heard all the others."""
    return _leave_one_out(utterances, "speaker", "leave-one-speaker-out")


def leave_one_session_out(utterances: pd.DataFrame) -> list[Fold]:
    """Each session is tested once. Warns if a speaker takes part in several, and so is heard before."""
    folds = _leave_one_out(utterances, "session", "leave-one-session-out")
    warn_of_shared(folds, utterances, "leave-one-session-out")
    return folds


def group_k_fold(utterances: pd.DataFrame, folds: int = 5, by: str = "speaker", seed: int = 0) -> list[Fold]:
    """`folds` test parts of whole groups (values of the column `by`), emotions balanced as far as they allow.

    `by="sentence"` takes the words where there is no such column. Raises SernbError for fewer groups than
    folds. Warns if groups other than speakers leave speakers shared.
    """
    protocol = f"group k-fold by {by}"
    tests = _group_tests(utterances, folds, by, seed, protocol)
    result = [_fold(utterances, f"part {number}", test) for number, test in enumerate(tests, 1)]
    if by != "speaker":
        warn_of_shared(result, utterances, protocol)
    return result


def sentence_k_fold(utterances: pd.DataFrame, folds: int | None = None, seed: int = 0) -> list[Fold]:
    """Each sentence is tested once, in at most five folds. Warns if speakers are shared."""
    count = groups_of(utterances, "sentence", "group k-fold by sentence").nunique()
    return group_k_fold(utterances, folds or max(2, min(5, count)), by="sentence", seed=seed)


def speaker_and_sentence_k_fold(
    utterances: pd.DataFrame, folds: int = 5, sentence_folds: int = 2, seed: int = 0
) -> list[Fold]:
    """Tests on speakers and sentences that are both new: a fold for each group of speakers and of sentences.

    What shares only one of them with the test part is left out, so of 5 × 2 folds each trains on about 40 %.
    Raises SernbError for too few speakers or sentences, and where a fold has nobody to train on (each speaker
    with sentences of their own: then speakers alone will do).
    """
    protocol = "group k-fold by speaker and sentence"
    voices = _group_tests(utterances, folds, "speaker", seed, protocol)
    words = _group_tests(utterances, sentence_folds, "sentence", seed, protocol)
    result, index = [], utterances.index
    for (i, speakers), (j, sentences) in product(enumerate(voices, 1), enumerate(words, 1)):
        train, test = ~speakers & ~sentences, speakers & sentences
        if test.any() and not train.any():
            nothing = f"nothing is left to train on beside part {i}.{j}"
            raise SernbError(f"{protocol}: {nothing}. {possible(utterances)}")
        if test.any():  # else these speakers never say these sentences
            result.append(Fold(f"part {i}.{j}", index[train], test=index[test]))
    return result


def fixed(utterances: pd.DataFrame, column: str = "part") -> list[Fold]:
    """The split that the corpus brings in `column`: train / validation / test (or dev, eval, …), one fold.

    Several test parts (test1, test2, …) are a fold each. If the column holds none of these words (fold
    numbers, say), each of its values is tested once. Raises SernbError for a mix of both and for a part that
    is missing. Warns if parts share speakers.
    """
    protocol = f"fixed (column {column!r})"
    values = groups_of(utterances, column, protocol)
    words = values.str.strip().str.lower()
    parts = words.map(lambda word: PARTS.get(word, "test" if word.startswith("test") else None))
    train, validation, test = (parts == part for part in ("train", "validation", "test"))
    if parts.isna().all():
        folds = _leave_one_out(utterances, column, protocol)
    elif parts.isna().any():
        odd = f"{parts.isna().sum()} utterances are in parts called {some(values[parts.isna()].unique())}"
        raise SernbError(f"{protocol}: {odd}; expected {', '.join(PARTS)}, or names that begin with test.")
    elif not (train.any() and test.any()):
        missing = "test" if train.any() else "train"
        raise SernbError(f"{protocol}: no utterance is marked {missing}; found {some(values.unique())}.")
    else:
        index, tests = utterances.index, sorted(words[test].unique())
        names = {word: "fixed" if len(tests) == 1 else f"fixed, {word}" for word in tests}
        parts = index[train], index[validation]
        folds = [Fold(name, *parts, index[words == word]) for word, name in names.items()]
    warn_of_shared(folds, utterances, protocol)
    return folds


def random_split(
    utterances: pd.DataFrame, test: float = 0.1, validation: float = 0.1, seed: int = 0, name: str = "random"
) -> list[Fold]:
    """One random fold, stratified by emotion: what several papers do, and why their numbers look high.

    test and validation are shares of all utterances; validation may be 0. Warns that speakers are shared.
    Raises SernbError where the shares leave nothing to train on, or there are too few utterances.
    """
    labels = utterances["emotion"].astype(str).to_numpy() if "emotion" in utterances else None
    rest, parts = np.arange(len(utterances)), {}
    for part, share in (("test", test), ("validation", validation)):
        if share or part == "test":
            rest, drawn = _drawn(rest, round(share * len(utterances)), labels, seed, name)
            parts[part] = utterances.index[np.sort(drawn)]
    folds = [Fold(name, train=utterances.index[np.sort(rest)], **parts)]
    warn_of_shared(folds, utterances, name)
    return folds


def with_validation(folds: list[Fold], utterances: pd.DataFrame, seed: int = 0) -> list[Fold]:
    """The folds, each with some of its training part set aside to choose by, unless it has such a part.

    That is a whole session, another one in each fold, or else about 15 % of the speakers, where three others
    are left; else 15 % of the utterances, in each emotion alike, with a warning: it then knows the voices,
    though the test does not. Raises SernbError for a training part too small to be split.
    """
    result = []
    for number, fold in enumerate(folds):
        if fold.validation.empty:
            train = utterances.loc[fold.train]
            if (held := _whole_groups(train, number, seed)) is None:
                held = _some_of_all(train, seed + number, fold.name)
            fold = Fold(fold.name, fold.train[~held], fold.train[held], fold.test)
        result.append(fold)
    return result


def normalised(text: str) -> str:
    """The words alone: case, punctuation and spaces make no difference, nor does how a letter is encoded."""
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _fold(utterances: pd.DataFrame, name: str, test: np.ndarray) -> Fold:
    return Fold(name, utterances.index[~test], test=utterances.index[test])


def _leave_one_out(utterances: pd.DataFrame, column: str, protocol: str) -> list[Fold]:
    groups = groups_of(utterances, column, protocol)
    names = sorted(groups.unique())
    if len(names) < 2:
        there = f"these utterances have {len(names)} ({some(names)}). {possible(utterances)}"
        raise SernbError(f"{protocol} needs at least 2 different values of {column!r}, {there}")
    return [_fold(utterances, f"{column} {name}", (groups == name).to_numpy()) for name in names]


def _group_tests(utterances: pd.DataFrame, folds: int, by: str, seed: int, protocol: str) -> list[np.ndarray]:
    """Which rows `(utterances,)` are in the test part of each fold."""
    groups = groups_of(utterances, by, protocol)
    count = groups.nunique()
    if count < 2:
        raise SernbError(f"{protocol}: all utterances are of {groups.iloc[0]!r}, nobody is left to test on.")
    if not 2 <= folds <= count:
        there = f"there are {count} values of {by!r} ({some(sorted(groups.unique()))})"
        advice = f"choose 2 to {count} folds, or another protocol. {possible(utterances)}"
        raise SernbError(f"{protocol}: {folds} folds were asked for and {there}; {advice}")

    # Balanced by emotion where each has a share for every fold, unless that leaves a part without any group.
    labels = utterances["emotion"].astype(str) if "emotion" in utterances else None
    balanced = labels is not None and labels.value_counts().min() >= folds
    for splitter in (StratifiedGroupKFold, GroupKFold) if balanced else (GroupKFold,):
        split = splitter(folds, shuffle=True, random_state=seed).split(groups, labels, groups)
        tests = [np.isin(np.arange(len(groups)), test) for _, test in split]
        if all(test.any() for test in tests):
            break
    return tests


def groups_of(utterances: pd.DataFrame, column: str, protocol: str) -> pd.Series:
    """The column as text, for "sentence" also the words; SernbError where it is absent or has gaps."""
    words = column == "sentence" and "sentence" not in utterances
    column = "text" if words else column
    if column not in utterances:
        needed = "'sentence' or 'text'" if words else repr(column)
        raise SernbError(f"{protocol} needs a column {needed}, which is absent. {possible(utterances)}")
    groups = utterances[column]
    if groups.isna().any():
        absent = f"{groups.isna().sum()} of {len(groups)} utterances have no {column}"
        advice = f"Fill it in, or leave them out with utterances[utterances[{column!r}].notna()]"
        raise SernbError(f"{protocol}: {absent}: {some(utterances.index[groups.isna()])}. {advice}.")
    return groups.astype(str).map(normalised) if words else groups.astype(str)


def possible(utterances: pd.DataFrame) -> str:
    """Which protocols these utterances have the columns for, without trying them."""
    known = utterances.loc[:, utterances.notna().all()]
    counts = {column: known[column].nunique() for column in ("speaker", "session", "part") if column in known}
    needed = {"leave-one-speaker-out": ("speaker", 2), "group-k-fold": ("speaker", 5)}
    needed |= {"leave-one-session-out": ("session", 2), "fixed": ("part", 2)}
    names = [name for name, (column, least) in needed.items() if counts.get(column, 0) >= least]
    return f"Possible here: {', '.join([*names, 'random'])}."


def warn_of_shared(folds: list[Fold], utterances: pd.DataFrame, protocol: str) -> None:
    if "speaker" not in utterances:
        warnings.warn(f"{protocol}: no speakers are known, so train and test may share them.", stacklevel=3)
        return
    speakers, shared = utterances["speaker"], set()
    for fold in folds:
        heard = set(speakers[fold.train].dropna()) | set(speakers[fold.validation].dropna())
        shared |= heard & set(speakers[fold.test].dropna())
    if shared:
        heard = f"{len(shared)} speakers are both trained on and tested ({some(sorted(shared))})"
        why = "which flatters the results: the model may know the voice. Others keep speakers apart"
        warnings.warn(f"{protocol}: {heard}, {why}.", stacklevel=3)


def _whole_groups(train: pd.DataFrame, number: int, seed: int) -> np.ndarray | None:
    """Which rows `(train,)` are of the sessions or speakers to set aside; None where too few are known."""
    for column in ("session", "speaker"):
        if column not in train or train[column].isna().any():
            continue
        groups = train[column].astype(str)
        names = sorted(groups.unique())
        count = 1 if column == "session" else max(1, round(HELD_OUT * len(names)))
        if len(names) - count < FEWEST:
            continue
        if column == "speaker":
            names = list(pd.Series(names).sample(frac=1, random_state=seed))
        held = [names[(number * count + step) % len(names)] for step in range(count)]
        rows = groups.isin(held).to_numpy()
        if "emotion" not in train or set(train["emotion"][~rows].dropna()) == set(train["emotion"].dropna()):
            return rows
    return None


def _some_of_all(train: pd.DataFrame, seed: int, name: str) -> np.ndarray:
    """Which rows `(train,)` are set aside where whole sessions or speakers cannot be."""
    labels = train["emotion"].astype(str) if "emotion" in train else pd.Series("", train.index)
    rows = np.arange(len(train))
    _, held = _drawn(rows, HELD_OUT, labels.to_numpy(), seed, f"{name}, validation part")
    few = "too few sessions or speakers to set whole ones aside"
    what = "so the validation part shares its voices with training; the test part does not change"
    warnings.warn(f"{name}: {few}, {what}.", stacklevel=3)
    return np.isin(rows, held)


def _drawn(rows: np.ndarray, size: float, labels: np.ndarray | None, seed: int, name: str) -> list:
    """The rows in two: the rest, and those drawn (`size`: how many, or which share), in each label alike."""
    try:
        stratify = None if labels is None else labels[rows]
        return train_test_split(rows, test_size=size, random_state=seed, stratify=stratify)
    except ValueError as problem:
        raise SernbError(f"{name}: {len(rows)} utterances cannot be split so ({problem}).") from problem
