"""The teacher's text: XED's subtitles and MELD's dialogues in five classes, beside Table 1 of the paper.

Source: Li, Zhao, Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation", Interspeech 2022, 3.1.1 and
3.1.3. The paper combined XED with EmotionLines (the part from Friends), which MELD labelled anew.
"""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sernb.core.errors import SernbError
from sernb.protocols.sentences import normalised

CLASSES = ("neutral", "happy", "surprised", "sad", "angry")
PARTS = ("train", "validation", "test")
SHARES = (0.7, 0.1, 0.2)  # of XED's sentences; the paper's parts have 71, 9 and 20 % of its rows
PAPER = pd.DataFrame(
    [(10193, 3285, 2908, 2111, 3175), (1270, 419, 389, 287, 481), (2889, 838, 792, 564, 921)],
    index=pd.Index(PARTS, name="part"),
    columns=pd.Index(CLASSES, name="emotion"),
)  # Table 1
# Chen et al., "EmotionLines", LREC 2018: the utterances of Friends with these labels, of 14,503. It is no part of the kit.
EMOTION_LINES = pd.Series((6530, 1710, 1657, 498, 759), CLASSES)
COUNTING = {
    "alone": "a sentence counts where it has one label, and that is of the five",
    "one": "a sentence counts where one of its labels is of the five, whatever others it has",
    "every": "a sentence counts once for each of its labels that is of the five",
}
OVERLAP = ("none", "utterances")
_PLACEHOLDER = re.compile(r"\[[^\[\]]*\]")
_SPACE_BEFORE = re.compile(r"\s+(?=[.?!:;…])")


def even(text: str) -> str:
    """A sentence without what tells XED's two files apart: commas, placeholders as [PERSON], spaces before marks.

    Curly apostrophes and quotes become straight ones, as both files have them and MELD has not.
    """
    text = _PLACEHOLDER.sub(" ", str(text)).replace("’", "'").replace("‘", "'")
    text = text.replace("“", '"').replace("”", '"').replace(",", " ")
    return " ".join(_SPACE_BEFORE.sub("", text).split())


def teacher_texts(
    xed: pd.DataFrame,
    meld: pd.DataFrame,
    counting: str = "one",
    evened: bool = True,
    overlap: str = "none",
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
) -> pd.DataFrame:
    """The teacher's data set: an utterances table with text, emotion (CLASSES), part, source (xed, meld) and dialogue.

    xed, meld: what `corpora.load` gives. MELD keeps its own parts, which hold whole dialogues. XED has none: its different
    sentences are drawn into parts by `shares` and `seed`, in each class alike. Lines of the same words are one sentence with
    the labels of all, and neutral only where nobody gave it one of the other four. counting: one of COUNTING ("every" repeats
    a sentence, in one part, with other answers). evened: see `even`. overlap="none": no words of the validation and test parts stand in the training part,
    whatever their marks and case; "utterances" keeps MELD's training rows that repeat such words ("Okay."), which are other utterances.

    attrs: dropped, a list of {source, why, count}.
    Raises SernbError for an unknown setting, a table without the columns needed, and classes that a part lacks.
    """
    if overlap not in OVERLAP:
        raise SernbError(f"overlap is {overlap!r}; choose one of {', '.join(OVERLAP)}.")
    if len(shares) != 3 or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise SernbError(
            f"shares are {shares}; expected three of train, validation and test that add up to 1."
        )
    dropped = []
    table = pd.concat([_counted(xed, counting, dropped), _friends(meld, dropped)])
    if evened:
        table["text"] = table["text"].map(even)
    own = table["source"] == "xed"
    table.loc[own, "part"] = _drawn(table[own], shares, seed)
    held = set(table.loc[table["part"] != "train", "words"])
    told = (table["part"] == "train") & table["words"].isin(held)
    if overlap == "utterances":
        told &= table["source"] == "xed"
    table = _without(table, told, "words of the validation or test part, in training", dropped)
    lacking = [
        f"{part}: {one}"
        for part in PARTS
        for one in CLASSES
        if not ((table["part"] == part) & (table["emotion"] == one)).any()
    ]
    if lacking:
        raise SernbError(
            f"the teacher's texts have no {', no '.join(lacking)}; all five classes are needed in each part."
        )
    table = table[["text", "emotion", "part", "source", "dialogue"]].rename_axis("utterance")
    table["emotion"] = pd.Categorical(table["emotion"], CLASSES)
    names = ("source", "why", "count")
    table.attrs = {"dropped": [dict(zip(names, one, strict=True)) for one in dropped if one[2]]}
    return table


def in_domain(texts: pd.DataFrame, *others: pd.Series, evened: bool = True) -> list[str]:
    """Different sentences to read for M1: the training part of `texts`, and of `others` all that no other part holds.

    others: columns of text, labelled or not, such as XED's and MELD's. Nothing of the validation and test parts is among them,
    whatever its marks and case.
    """
    held = set(texts.loc[texts["part"] != "train", "text"].map(normalised))
    every = pd.concat([texts.loc[texts["part"] == "train", "text"], *others], ignore_index=True).dropna()
    every = every.map(even) if evened else every
    words = every.map(normalised)
    return list(every[~words.isin(held) & (words != "") & ~words.duplicated()])


def beside_paper(texts: pd.DataFrame) -> pd.DataFrame:
    """Table 1: rows (part, emotion); columns xed, meld, ours (their sum), paper, difference (ours − paper)."""
    table = (
        texts.groupby(["part", "emotion", "source"], observed=False).size().unstack("source", fill_value=0)
    )
    table = table.reindex(pd.MultiIndex.from_product([PARTS, CLASSES], names=["part", "emotion"]))
    table = table.reindex(columns=["xed", "meld"]).fillna(0).astype(int)
    table["ours"] = table.sum(axis=1)
    table["paper"] = PAPER.stack().reindex(table.index)
    return table.assign(difference=table["ours"] - table["paper"]).rename_axis(columns=None)


def counting_rules(xed: pd.DataFrame, meld: pd.DataFrame) -> pd.DataFrame:
    """How large each class is by each rule of COUNTING, with EmotionLines' published counts and with MELD's.

    All parts together. Each annotated line of XED counts; a neutral one counts once, and only where its words were not annotated
    with another of the five. Rows (texts, counting); columns: the classes, and `away`: the differences from the paper's
    totals, without their signs, added up. The last row is the paper.
    """
    friends = meld["emotion"].value_counts().reindex(CLASSES).fillna(0).astype(int)
    subtitles = {
        rule: _counted(xed, rule, [], by_words=False)["emotion"].value_counts().reindex(CLASSES).fillna(0)
        for rule in COUNTING
    }
    counts = {
        (f"XED + {name}", rule): subtitles[rule].astype(int) + dialogues
        for name, dialogues in (("EmotionLines", EMOTION_LINES), ("MELD", friends))
        for rule in COUNTING
    }
    counts["paper", ""] = PAPER.sum()
    table = pd.DataFrame(counts).T.rename_axis(["texts", "counting"]).rename_axis(columns=None)
    return table.assign(away=(table - PAPER.sum()).abs().sum(axis=1))


def telling_marks(xed: pd.DataFrame, marks: Mapping[str, str] | None = None) -> pd.DataFrame:
    """How many of XED's annotated and of its neutral sentences have each mark: shares, a row a mark."""
    marks = marks or {"comma": ",", "placeholder": r"\[[A-Z -]+\]", "space before a mark": r"\s[.?!]"}
    rows = {
        name: xed["text"].str.contains(pattern).groupby(xed["source"]).mean()
        for name, pattern in marks.items()
    }
    return pd.DataFrame(rows).T.rename_axis(columns=None)


def _counted(xed: pd.DataFrame, counting: str, dropped: list, by_words: bool = True) -> pd.DataFrame:
    """XED's rows of the five classes: text, emotion, words; one that counts for several is called annotated_1/angry.

    A neutral line counts once, and only where nobody gave its words an emotion of the five. by_words: annotated lines of
    the same words are one sentence with the labels of all; else each line counts.
    """
    if counting not in COUNTING:
        raise SernbError(f"counting is {counting!r}; choose one of {', '.join(COUNTING)}.")
    if missing := {"text", "labels"} - set(xed.columns):
        raise SernbError(f"XED's table has no column {', '.join(sorted(missing))}: take corpora.load('xed').")
    table = xed[["text"]].assign(
        words=xed["text"].map(even).map(normalised), labels=xed["labels"].str.split("; ")
    )
    table = _without(table.assign(source="xed"), table["words"] == "", "no words", dropped)
    neutral = table["labels"].map(lambda found: found == ["neutral"])
    felt = table["labels"].map(lambda found: bool(set(found) & set(CLASSES))) & ~neutral
    other = neutral & table["words"].isin(table.loc[felt, "words"])
    table = _without(table, other, "neutral, and annotated with an emotion of the five elsewhere", dropped)
    neutral = neutral[table.index]
    again = (
        table.duplicated("words")
        if by_words
        else neutral & table.assign(neutral=neutral).duplicated(["words", "neutral"])
    )
    if by_words:
        every = table[["words", "labels"]].explode("labels").drop_duplicates()
        table["labels"] = table["words"].map(every.groupby("words")["labels"].agg(list))
    table = _without(table, again, "the same words once more", dropped)
    fives = table["labels"].map(lambda found: [one for one in found if one in CLASSES])
    table, number = table.assign(emotion=fives), fives.str.len()
    kept = {"alone": table["labels"].str.len() == 1, "one": number == 1, "every": number > 0}[counting]
    table = _without(table, number == 0, "no label of the five classes", dropped)
    table = _without(table, ~kept[table.index], f"several labels (counting {counting!r})", dropped)
    table = table.explode("emotion").drop(columns="labels")
    repeated = table.index.duplicated(keep=False)
    names = table.index.astype(str)
    table.index = np.where(repeated, names + "/" + table["emotion"].to_numpy(str), names)
    return table.assign(part="", dialogue=None)


def _friends(meld: pd.DataFrame, dropped: list) -> pd.DataFrame:
    """MELD's rows of the five classes, with their parts."""
    needed = ["text", "emotion", "part", "dialogue"]
    if missing := set(needed) - set(meld.columns):
        raise SernbError(
            f"MELD's table has no column {', '.join(sorted(missing))}: take corpora.load('meld')."
        )
    kept = meld["emotion"].isin(CLASSES)
    dropped.append(("meld", "no label of the five classes", int((~kept).sum())))
    table = meld.loc[kept, needed].assign(source="meld", words=meld["text"].map(even).map(normalised))
    table = _without(table, table["words"] == "", "no words", dropped)
    return table.set_axis("meld_" + table.index.astype(str)).astype({"emotion": str})


def _without(table: pd.DataFrame, rows: pd.Series, why: str, dropped: list) -> pd.DataFrame:
    """The table without these rows, which are counted by their source."""
    dropped += [
        (source, why, int(count)) for source, count in table.loc[rows, "source"].value_counts().items()
    ]
    return table[~rows]


def _drawn(table: pd.DataFrame, shares: tuple, seed: int) -> pd.Series:
    """A part for each row: different sentences (column words) of each class, shuffled and cut by `shares`."""
    rng, part = np.random.default_rng(seed), {}
    first = table.drop_duplicates("words")
    for one in CLASSES:
        words = sorted(first.loc[first["emotion"] == one, "words"])
        ends = np.round(np.cumsum(shares[:2]) * len(words)).astype(int)
        for name, drawn in zip(PARTS, np.split(rng.permutation(words), ends), strict=True):
            part |= dict.fromkeys(drawn, name)
    return table["words"].map(part)
