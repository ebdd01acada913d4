"""The text teacher's sentences: XED's subtitles and MELD's dialogues in five classes.

Source: Li, Zhao, Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech
2022, 3.1.1 and 3.1.3. The paper combined XED with EmotionLines (the part from Friends), which MELD labelled
anew.
"""

import re

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.protocols import normalised

CLASSES = ("neutral", "happy", "surprised", "sad", "angry")
PARTS = ("train", "validation", "test")
SHARES = (0.7, 0.1, 0.2)  # of XED's sentences; the paper's parts have 71, 9 and 20 % of its rows
_PLACEHOLDER = re.compile(r"\[[^\[\]]*\]")
_SPACE_BEFORE = re.compile(r"\s+(?=[.?!:;…])")
_STRAIGHT = str.maketrans("’‘“”,", "''\"\" ")


def even(text: str) -> str:
    """A sentence without what tells XED's two files apart: commas, [PERSON] and such, spaces before marks.

    Curly apostrophes and quotes become straight ones, as both files have them and MELD has not.
    """
    text = _PLACEHOLDER.sub(" ", str(text)).translate(_STRAIGHT)
    return " ".join(_SPACE_BEFORE.sub("", text).split())


def teacher_texts(xed: pd.DataFrame, meld: pd.DataFrame, evened: bool = True, seed: int = 0) -> pd.DataFrame:
    """The teacher's data set: utterances with text, emotion (CLASSES), part, source (xed, meld), dialogue.

    XED's lines of the same words are one sentence with the labels of all. It counts where one of its labels
    is of the five, and as neutral only where nobody gave its words another. XED has no parts: its sentences
    are drawn into them, 70, 10 and 20 % of each class. MELD keeps its own parts, which hold whole
    dialogues. No words of the validation and test parts stand in the training part, whatever their marks
    and case. attrs["dropped"] is a list of {source, why, count}.

    Args:
        xed, meld: what `corpora.load` gives.
        evened: take away what tells XED's two files apart (see `even`).
        seed: of the draw into parts.

    Raises:
        SernbError: a table without the columns needed, and classes that a part lacks.
    """
    dropped = []
    table = pd.concat([_subtitles(xed, dropped), _friends(meld, dropped)])
    if evened:
        table["text"] = table["text"].map(even)
    own = table["source"] == "xed"
    table.loc[own, "part"] = _drawn(table[own], seed)
    training = table["part"] == "train"
    again = training & table["words"].isin(set(table.loc[~training, "words"]))
    table = _without(table, again, "words of the validation or test part, in training", dropped)

    there = set(zip(table["part"], table["emotion"], strict=True))
    lacking = [f"{part}: {emotion}" for part in PARTS for emotion in CLASSES if (part, emotion) not in there]
    if lacking:
        raise SernbError(
            f"the teacher's texts have no {', no '.join(lacking)}; all five classes are needed in each part."
        )
    table = table[["text", "emotion", "part", "source", "dialogue"]].rename_axis("utterance")
    table["emotion"] = pd.Categorical(table["emotion"], CLASSES)
    table.attrs = {"dropped": dropped}
    return table


def in_domain(texts: pd.DataFrame, *others: pd.Series, evened: bool = True) -> list[str]:
    """Different sentences to read for M1: the training part of `texts`, and what of `others` is in no part.

    others: columns of text, labelled or not, such as XED's and MELD's. Nothing of the validation and test
    parts is among them, whatever its marks and case.
    """
    training = texts["part"] == "train"
    held = set(texts.loc[~training, "text"].map(normalised))
    every = pd.concat([texts.loc[training, "text"], *others], ignore_index=True).dropna()
    every = every.map(even) if evened else every
    words = every.map(normalised)
    return list(every[~words.isin(held) & (words != "") & ~words.duplicated()])


def _subtitles(xed: pd.DataFrame, dropped: list[dict]) -> pd.DataFrame:
    """XED's sentences that have one label of the five classes: text, emotion, words."""
    if missing := {"text", "labels"} - set(xed.columns):
        raise SernbError(f"XED's table has no column {', '.join(sorted(missing))}: take corpora.load('xed').")
    words, labels = xed["text"].map(even).map(normalised), xed["labels"].str.split("; ")
    table = xed[["text"]].assign(source="xed", words=words, labels=labels)
    table = _without(table, table["words"] == "", "no words", dropped)

    # A neutral line counts only where nobody gave its words an emotion of the five.
    neutral = table["labels"].map(lambda labels: labels == ["neutral"])
    felt = table["labels"].map(lambda labels: bool(set(labels) & set(CLASSES))) & ~neutral
    other = neutral & table["words"].isin(table.loc[felt, "words"])
    table = _without(table, other, "neutral, and annotated with an emotion of the five elsewhere", dropped)

    # Lines of the same words are one sentence with the labels of all.
    every = (
        table[["words", "labels"]].explode("labels").drop_duplicates().groupby("words")["labels"].agg(list)
    )
    table["labels"] = table["words"].map(every)
    table = _without(table, table.duplicated("words"), "the same words once more", dropped)

    table["emotion"] = table["labels"].map(lambda labels: [label for label in labels if label in CLASSES])
    table = _without(table, table["emotion"].str.len() == 0, "no label of the five classes", dropped)
    table = _without(table, table["emotion"].str.len() > 1, "several labels of the five classes", dropped)
    return table.drop(columns="labels").assign(emotion=table["emotion"].str[0], part="", dialogue=None)


def _friends(meld: pd.DataFrame, dropped: list[dict]) -> pd.DataFrame:
    """MELD's rows of the five classes, with their parts."""
    needed = ["text", "emotion", "part", "dialogue"]
    if missing := set(needed) - set(meld.columns):
        raise SernbError(
            f"MELD's table has no column {', '.join(sorted(missing))}: take corpora.load('meld')."
        )
    table = meld[needed].assign(source="meld", words=meld["text"].map(even).map(normalised))
    table = _without(table, ~table["emotion"].isin(CLASSES), "no label of the five classes", dropped)
    table = _without(table, table["words"] == "", "no words", dropped)
    return table.set_axis("meld_" + table.index.astype(str)).astype({"emotion": str})


def _without(table: pd.DataFrame, rows: pd.Series, why: str, dropped: list[dict]) -> pd.DataFrame:
    """The table without these rows, which are counted by their source."""
    counts = table.loc[rows, "source"].value_counts()
    dropped += [{"source": source, "why": why, "count": int(count)} for source, count in counts.items()]
    return table[~rows]


def _drawn(table: pd.DataFrame, seed: int) -> pd.Series:
    """A part for each row: different sentences (column words) of each class, shuffled and cut by SHARES."""
    rng, part = np.random.default_rng(seed), {}
    first = table.drop_duplicates("words")
    for emotion in CLASSES:
        words = sorted(first.loc[first["emotion"] == emotion, "words"])
        ends = np.round(np.cumsum(SHARES[:2]) * len(words)).astype(int)
        for name, drawn in zip(PARTS, np.split(rng.permutation(words), ends), strict=True):
            part |= dict.fromkeys(drawn, name)
    return table["words"].map(part)
