"""The text teacher's sentences beside Table 1 of the MCED paper: which rule of counting gives the paper's
numbers?"""

import pandas as pd

from making.benchmarks.text_emotions import CLASSES, PARTS, even
from sernb.protocols import normalised

PAPER = pd.DataFrame(
    [(10193, 3285, 2908, 2111, 3175), (1270, 419, 389, 287, 481), (2889, 838, 792, 564, 921)],
    index=pd.Index(PARTS, name="part"),
    columns=pd.Index(CLASSES, name="emotion"),
)  # Table 1
# Chen et al., "EmotionLines", LREC 2018: the utterances of Friends with these labels, of 14,503. No part of
# the kit.
EMOTION_LINES = pd.Series((6530, 1710, 1657, 498, 759), CLASSES)
MARKS = {"comma": ",", "placeholder": r"\[[A-Z -]+\]", "space before a mark": r"\s[.?!]"}


def beside_paper(texts: pd.DataFrame) -> pd.DataFrame:
    """Table 1: rows (part, emotion); columns xed, meld, ours (both), paper, difference (ours − paper)."""
    table = (
        texts.groupby(["part", "emotion", "source"], observed=False).size().unstack("source", fill_value=0)
    )
    table = table.reindex(pd.MultiIndex.from_product([PARTS, CLASSES], names=["part", "emotion"]))
    table = table.reindex(columns=["xed", "meld"]).fillna(0).astype(int)
    table["ours"] = table.sum(axis=1)
    table["paper"] = PAPER.stack().reindex(table.index)
    return table.assign(difference=table["ours"] - table["paper"]).rename_axis(columns=None)


def counting_rules(xed: pd.DataFrame, meld: pd.DataFrame) -> pd.DataFrame:
    """How large each class is by three rules, with EmotionLines' published counts and with MELD's; all
    parts together.

    A line of XED counts where it has one label, and that is of the five ("alone"); where one of its labels
    is of the five, whatever others it has ("one"); once for each label that is of the five ("every"). A
    neutral line counts once, and only where its words were not annotated with another of the five. Rows
    (texts, counting); columns: the classes, and `away`: the differences from the paper's totals, without
    their signs, added up. The last row is the paper.
    """
    lines = pd.DataFrame(
        {"words": xed["text"].map(even).map(normalised), "labels": xed["labels"].str.split("; ")}
    )
    lines = lines[lines["words"] != ""]
    lines["neutral"] = lines["labels"].map(lambda labels: labels == ["neutral"])
    lines["fives"] = lines["labels"].map(lambda labels: [label for label in labels if label in CLASSES])
    felt = lines.loc[~lines["neutral"] & (lines["fives"].str.len() > 0), "words"]
    again = lines.duplicated(["words", "neutral"]) | lines["words"].isin(felt)
    lines = lines[~(lines["neutral"] & again)]
    rules = {
        "alone": lines["labels"].str.len() == 1,
        "one": lines["fives"].str.len() == 1,
        "every": lines["fives"].str.len() > 0,
    }

    counts = {}
    for name, dialogues in (("EmotionLines", EMOTION_LINES), ("MELD", meld["emotion"].value_counts())):
        for rule, counted in rules.items():
            subtitles = lines.loc[counted, "fives"].explode().value_counts()
            both = subtitles.reindex(CLASSES, fill_value=0) + dialogues.reindex(CLASSES, fill_value=0)
            counts[f"XED + {name}", rule] = both
    counts["paper", ""] = PAPER.sum()
    table = pd.DataFrame(counts).T.rename_axis(["texts", "counting"]).rename_axis(columns=None)
    return table.assign(away=(table - PAPER.sum()).abs().sum(axis=1))


def telling_marks(xed: pd.DataFrame) -> pd.DataFrame:
    """How many of XED's annotated and of its neutral sentences have each of MARKS: shares, a row a mark."""
    rows = {
        name: xed["text"].str.contains(mark).groupby(xed["source"]).mean() for name, mark in MARKS.items()
    }
    return pd.DataFrame(rows).T.rename_axis(columns=None)
