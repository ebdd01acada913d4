"""Checks of the folds themselves: utterances, speakers and other groups in two parts, and the balance of classes."""

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError, some
from sernb.evaluation.audit.finding import count, finding
from sernb.protocols import Fold

PARTS = ("no part", "train", "validation", "test")
UNEVEN = 0.25  # total variation distance of two parts' classes that is worth a word: a quarter would have to change


def part_codes(fold: Fold, index: pd.Index) -> np.ndarray:
    """The part that each utterance is in, int8 `(utterances,)`: 0 none, 1 train, 2 validation, 3 test (the last wins).

    Raises SernbError where the fold names utterances that are not in the table.
    """
    codes = np.zeros(len(index), np.int8)
    for code, part in enumerate((fold.train, fold.validation, fold.test), 1):
        rows = index.get_indexer(part)
        if (rows < 0).any():
            raise SernbError(
                f"fold {fold.name!r} has {int((rows < 0).sum())} utterances that the table lacks, the first is "
                f"{part[(rows < 0).argmax()]!r}. Make the folds from the same table."
            )
        codes[rows] = code
    return codes


def overlap(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """Utterances in two parts of a fold, tested in several folds, or in none."""
    twice, tested = [], np.zeros(len(utterances), int)
    for fold in folds:
        parts = fold.train.append([fold.validation, fold.test])
        twice += list(parts[parts.duplicated()])
        tested += part_codes(fold, utterances.index) == 3
    if twice:
        return finding(
            "parts", "leak",
            f"{count(len(set(twice)), 'utterance')} stand in two parts of one fold, so a model is tested on what it learnt.",
            twice, len(set(twice)) / len(utterances),
        )  # fmt: skip
    several = utterances.index[tested > 1]
    if len(several):
        return finding(
            "parts", "caution",
            f"{count(len(several), 'utterance')} are tested in more than one fold, and so count more than once.",
            several, len(several) / len(utterances),
        )  # fmt: skip
    rest = f"; {count(int((tested == 0).sum()), 'utterance')} are never tested" if (tested == 0).any() else ""
    return finding(
        "parts", "fine", f"No utterance stands in two parts of a fold ({count(len(folds), 'fold')}){rest}."
    )


def across(groups: pd.Series, folds: list[Fold], index: pd.Index) -> tuple[list, list, float]:
    """Groups (speakers, dialogues) in several parts of a fold: their names, tested utterances of such, and their share
    of all that is tested. An utterance that several folds test counts in the share once for each of them."""
    codes, names = pd.factorize(groups)
    shared, hit = np.zeros(len(names), bool), np.zeros(len(index), bool)
    met = tested = 0
    for fold in folds:
        part = part_codes(fold, index)
        has = np.zeros((4, len(names) + 1), bool)  # the last column takes the missing (-1)
        has[part, codes] = True
        elsewhere = (has[1] | has[2])[codes] & (codes >= 0)
        shared |= (has[1:].sum(0) > 1)[:-1]
        hit |= (part == 3) & elsewhere
        met += int(((part == 3) & elsewhere).sum())
        tested += int((part == 3).sum())
    return list(names[shared]), list(index[hit]), met / max(tested, 1)


def speakers(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    if "speaker" not in utterances or utterances["speaker"].isna().all():
        return finding(
            "speakers", "not checked",
            "Nothing says who speaks (no column 'speaker'), so a voice may be both trained on and tested.",
        )  # fmt: skip
    names, hit, share = across(utterances["speaker"], folds, utterances.index)
    unknown = int(utterances["speaker"].isna().sum())
    beside = f" Of {count(unknown, 'utterance')} the speaker is not known." if unknown else ""
    if names:
        return finding(
            "speakers", "leak",
            f"{count(len(names), 'speaker')} ({some(sorted(map(str, names)))}) stand in several parts of a fold; {share:.0%} of what is tested "
            f"is by a voice that the model has heard, so the scores say little about new speakers.{beside}",
            hit, share,
        )  # fmt: skip
    total = utterances["speaker"].nunique()
    return finding(
        "speakers", "caution" if unknown else "fine",
        f"No speaker stands in two parts of a fold ({count(total, 'speaker')}, {count(len(folds), 'fold')}).{beside}", (), 0.0,
    )  # fmt: skip


def contexts(utterances: pd.DataFrame, folds: list[Fold]) -> list[dict]:
    """Dialogues, sessions, podcasts across parts: the same talk, room and microphone; where such columns are."""
    rows = []
    for column, plural in (("session", "sessions"), ("dialogue", "dialogues"), ("podcast", "podcasts")):
        if column not in utterances or utterances[column].nunique() < 2:
            continue
        names, hit, share = across(utterances[column], folds, utterances.index)
        if names:
            sentence = (
                f"{count(len(names), column, plural)} are divided between parts: {share:.0%} of what is tested shares its {column} "
                "(topic, room, microphone) with training."
            )
            rows.append(finding(plural, "caution", sentence, hit, share))
        else:
            rows.append(finding(plural, "fine", f"No {column} is divided between parts.", (), 0.0))
    return rows


def balance(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """Classes that a fold's training or test part lacks, and how far the two differ."""
    if "emotion" not in utterances or utterances["emotion"].isna().all():
        return finding("balance", "not checked", "No emotion labels, so no balance of classes.")
    codes, classes = pd.factorize(utterances["emotion"].astype(object), sort=True)
    unlearnt, untested, worst, example = [], [], (0.0, ""), []
    for fold in folds:
        part = part_codes(fold, utterances.index)
        train, test = (np.bincount(codes[(part == p) & (codes >= 0)], minlength=len(classes)) for p in (1, 3))
        if not test.sum() or not train.sum():
            continue
        never = (test > 0) & (train == 0)
        if never.any():
            unlearnt.append(f"{fold.name} ({', '.join(classes[never])})")
            example += list(utterances.index[(part == 3) & np.isin(codes, np.flatnonzero(never))])
        if ((train > 0) & (test == 0)).any():
            untested.append(f"{fold.name} ({', '.join(classes[(train > 0) & (test == 0)])})")
        distance = float(np.abs(train / train.sum() - test / test.sum()).sum() / 2)
        worst = max(worst, (distance, fold.name))
    sizes = utterances["emotion"].value_counts()
    sizes = sizes[sizes > 0]
    if sizes.iloc[0] == sizes.iloc[-1]:
        said = [f"each class has {sizes.iloc[0]:,} utterances"]
    else:
        said = [
            f"{sizes.index[0]} is the commonest class ({sizes.iloc[0]:,}), {sizes.index[-1]} the rarest ({sizes.iloc[-1]:,})"
        ]
    if unlearnt:
        said.append(
            f"a class that is tested cannot be learnt in {count(len(unlearnt), 'fold')}: {some(unlearnt, 3)}"
        )
    if untested:
        said.append(
            f"a class is never tested in {count(len(untested), 'fold')}: {some(untested, 3)}; score the folds together"
        )
    if worst[0] >= 0.01:
        said.append(
            f"training and test differ most in {worst[1]}, where {worst[0]:.0%} of labels would have to change to agree"
        )
    grave = unlearnt or untested or worst[0] > UNEVEN
    return finding("balance", "caution" if grave else "fine", f"{_sentence(said)}.", example, worst[0])


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]
