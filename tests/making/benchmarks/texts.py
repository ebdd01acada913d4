"""Made-up sentences as XED and MELD have them."""

import pandas as pd

from making.benchmarks.text_emotions import CLASSES


def xed_of(rows):
    table = pd.DataFrame(rows, columns=["text", "labels"])
    table["source"] = ["neutral" if one == "neutral" else "annotated" for one in table["labels"]]
    table.index = [f"{source}_{number}" for number, source in enumerate(table["source"])]
    return table


def xed_table():
    """Ten sentences a class, and what is to be dropped, merged or kept apart."""
    rows = [(f"{one} sentence {number} .", one) for one in CLASSES for number in range(10)]
    rows += [
        ("It is mine , [PERSON] .", "angry; trusting"),  # one of the five
        ("How could you ?", "angry; sad"),  # two
        ("Trust me .", "trusting"),  # none
        ("Get out !", "angry"),
        ("Get out!", "neutral"),  # neutral, though somebody called it angry
        ("No way .", "surprised"),
        ("no way...", "sad"),  # the same words, another label
        ("Sit down.", "neutral"),
        ("Sit down", "neutral"),
        ("...", "angry"),
        ("Fine today .", "happy"),  # said in MELD's test part
    ]
    return xed_of(rows)


def meld_table():
    rows = []
    for part in ("train", "validation", "test"):
        for one in (*CLASSES, "fearful"):
            rows += [
                (f"Friends {part}, {one} {number}", one, part, f"{part}_dia{number}") for number in range(2)
            ]
    rows += [("Okay.", "neutral", "train", "train_dia0"), ("Okay!", "happy", "test", "test_dia0")]
    rows += [("Fine, today!", "happy", "test", "test_dia0"), ("?!", "surprised", "test", "test_dia1")]
    table = pd.DataFrame(rows, columns=["text", "emotion", "part", "dialogue"])
    return table.set_axis([f"utt{number}" for number in range(len(table))])
