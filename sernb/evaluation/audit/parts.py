"""Checks of the folds: utterances, speakers and other groups in two parts, and the balance of classes."""

import numpy as np
import pandas as pd

from sernb.core.errors import some
from sernb.evaluation.audit.finding import count, finding, part_codes
from sernb.protocols import Fold

UNEVEN = 0.25  # total variation distance of two parts' classes that is worth a word


def overlap(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """Utterances in two parts of a fold, tested in several folds, or in none."""
    twice, tested = [], np.zeros(len(utterances), int)
    for fold in folds:
        parts = fold.train.append([fold.validation, fold.test])
        twice += list(parts[parts.duplicated()])
        tested += part_codes(fold, utterances.index) == 3
    if both := len(set(twice)):
        sentence = f"{count(both, 'utterance')} stand in two parts of one fold: tested on what was learnt."
        return finding("parts", "leak", sentence, twice, both / len(utterances))
    if len(several := utterances.index[tested > 1]):
        sentence = (
            f"{count(len(several), 'utterance')} are tested in several folds, and count more than once."
        )
        return finding("parts", "caution", sentence, several, len(several) / len(utterances))
    rest = f"; {count(int((tested == 0).sum()), 'utterance')} are never tested" if (tested == 0).any() else ""
    sentence = f"No utterance stands in two parts of a fold ({count(len(folds), 'fold')}){rest}."
    return finding("parts", "fine", sentence)


def across(groups: pd.Series, folds: list[Fold], index: pd.Index) -> tuple[list, list, float]:
    """Groups (speakers, dialogues) in several parts of a fold, tested utterances of such, and their share."""
    codes, names = pd.factorize(groups)
    shared, hit = np.zeros(len(names), bool), np.zeros(len(index), bool)
    met = tested = 0
    for fold in folds:
        part = part_codes(fold, index)
        has = np.zeros((4, len(names) + 1), bool)  # the last column takes the missing (-1)
        has[part, codes] = True
        known = (part == 3) & (has[1] | has[2])[codes] & (codes >= 0)
        shared |= (has[1:].sum(0) > 1)[:-1]
        hit |= known
        met, tested = met + int(known.sum()), tested + int((part == 3).sum())
    return list(names[shared]), list(index[hit]), met / max(tested, 1)


def speakers(utterances: pd.DataFrame, folds: list[Fold]) -> dict:
    """Whether training hears the voices of the test."""
    if "speaker" not in utterances or utterances["speaker"].isna().all():
        sentence = "Nothing says who speaks (no column 'speaker'): a voice may be both trained on and tested."
        return finding("speakers", "not checked", sentence)
    names, hit, share = across(utterances["speaker"], folds, utterances.index)
    unknown = int(utterances["speaker"].isna().sum())
    beside = f" Of {count(unknown, 'utterance')} the speaker is not known." if unknown else ""
    if names:
        who = f"{count(len(names), 'speaker')} ({some(sorted(map(str, names)))})"
        sentence = f"{who} stand in several parts of a fold; "
        sentence += f"{share:.0%} of what is tested is by a voice that training has heard.{beside}"
        return finding("speakers", "leak", sentence, hit, share)
    sizes = f"{count(utterances['speaker'].nunique(), 'speaker')}, {count(len(folds), 'fold')}"
    sentence = f"No speaker stands in two parts of a fold ({sizes}).{beside}"
    return finding("speakers", "caution" if unknown else "fine", sentence, (), 0.0)


def contexts(utterances: pd.DataFrame, folds: list[Fold]) -> list[dict]:
    """Dialogues, sessions, podcasts across parts: the same talk, room, microphone; of the columns there."""
    rows = []
    for column in ("session", "dialogue", "podcast"):
        if column not in utterances or utterances[column].nunique() < 2:
            continue
        names, hit, share = across(utterances[column], folds, utterances.index)
        severity, sentence = "fine", f"No {column} is divided between parts."
        if names:
            learnt = f"{share:.0%} of what is tested shares its {column} (topic, room) with training"
            severity = "caution"
            sentence = f"{count(len(names), column)} are divided between parts: {learnt}."
        rows.append(finding(f"{column}s", severity, sentence, hit, share if names else 0.0))
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
        never, unasked = (test > 0) & (train == 0), (train > 0) & (test == 0)
        if never.any():
            unlearnt.append(f"{fold.name} ({', '.join(classes[never])})")
            example += list(utterances.index[(part == 3) & np.isin(codes, np.flatnonzero(never))])
        if unasked.any():
            untested.append(f"{fold.name} ({', '.join(classes[unasked])})")
        distance = float(np.abs(train / train.sum() - test / test.sum()).sum() / 2)
        worst = max(worst, (distance, fold.name))

    # Say it, the sizes of the classes first.
    sizes = utterances["emotion"].value_counts()
    sizes = sizes[sizes > 0]
    (most, commonest), (least, rarest) = ((sizes.iloc[at], sizes.index[at]) for at in (0, -1))
    facts = [f"{commonest} is the commonest class ({most:,}), {rarest} the rarest ({least:,})"]
    if most == least:
        facts = [f"each class has {most:,} utterances"]
    for names, what in ((unlearnt, "that is tested cannot be learnt"), (untested, "is never tested")):
        if names:
            facts.append(f"a class {what} in {count(len(names), 'fold')}: {some(names, 3)}")
    if worst[0] >= 0.01:
        facts.append(f"training and test differ most in {worst[1]}, by {worst[0]:.0%} of the labels")
    sentence = "; ".join(facts)
    severity = "caution" if unlearnt or untested or worst[0] > UNEVEN else "fine"
    return finding("balance", severity, f"{sentence[:1].upper()}{sentence[1:]}.", example, worst[0])
