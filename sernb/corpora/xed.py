"""XED (Öhman et al. 2020): English movie subtitles, each with one or several of Plutchik's emotions; text only.

AnnotatedData/en-annotated.tsv of github.com/Helsinki-NLP/XED has a sentence and its numbers in a line, neu_en.txt the
neutral sentences. The two files were made in different ways, and a model can tell them apart by that: words and marks of the
first stand apart ("What ?"), and names became [PERSON] or [LOCATION]; the second has neither, and not one comma. Its authors count
17,530 sentences and 6,420 neutral ones; the files have the numbers in PUBLISHED.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora import folder, published
from sernb.corpora.encoding import mend, read_text

TITLE = "XED"
LAYOUT = (
    "AnnotatedData/en-annotated.tsv (sentence, tab, numbers), and neu_en.txt beside it for neutral sentences"
)
PUBLISHED = dict(annotated=17528, neutral=9674)  # lines that are not blank
# The kit's words for the README's numbers; anticipation and trust are labels of XED's own.
EMOTIONS = {
    "1": "angry",
    "2": "anticipating",
    "3": "disgusted",
    "4": "fearful",
    "5": "happy",
    "6": "sad",
    "7": "surprised",
    "8": "trusting",
}
OWN = ("anticipating", "trusting")
NEUTRAL = ("0", "9")  # the README's number, and the one that stands in the file
_NUMBERS = re.compile(r"[1-8](\s*,\s*[1-8])*")


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Sentences of XED below `root`: text, emotion, labels, source; no recordings, no speakers, no parts.

    labels: all that a sentence was given, as "angry; fearful", in the order of the numbers. emotion: its label where it
    has one only, else missing. source: annotated, or neutral (neu_en.txt). Utterances are called by their lines,
    annotated_1, neutral_1; a sentence may stand in several lines of neu_en.txt.
    Raises SernbError for a folder without en-annotated.tsv, and for rows that cannot be used unless `on_bad="skip"`.
    """
    path = published.find(root, "en-annotated.tsv")
    if path is None:
        raise SernbError(f"{root}: no en-annotated.tsv is in this folder. {TITLE} is expected as {LAYOUT}.")
    bad, notes = [], []
    tables = [_read(path, "annotated", on_bad, bad, notes)]
    neutral = path.with_name("neu_en.txt")
    if neutral.is_file():
        tables.append(_read(neutral, "neutral", on_bad, bad, notes))
    else:
        notes.append(f"{TITLE}: no neu_en.txt is beside {path.name}, so there are no neutral sentences.")
    table = pd.concat(tables)
    table["text"], mended = mend(list(table["text"]))
    if mended:
        notes.append(f"{TITLE}: wrongly decoded characters were put right in {mended} sentences.")
    several = int(table["emotion"].isna().sum())
    notes.append(f"{TITLE}: {several} sentences have several labels (column labels), so no one emotion.")
    notes += folder.count(table, PUBLISHED, TITLE, "source", "sentences")
    table.attrs = {"own_labels": list(OWN), "notes": notes, "skipped": bad}
    return table


def _read(path: Path, source: str, on_bad: str, bad: list[dict], notes: list[str]) -> pd.DataFrame:
    content, note = read_text(path)
    notes += [note] if note else []
    rows, own, why = {}, [], {}
    for line, row in enumerate(content.split("\n"), 1):
        if not row.strip():
            continue
        # Some neutral lines end in tabs that hold nothing.
        first, *others = (field.strip() for field in row.rstrip("\t").split("\t"))
        text, numbers = ("".join(others), first) if source == "neutral" else (first, "".join(others))
        labels = "neutral"
        if len(others) > 1:
            why[line] = f"{len(others) + 1} fields, expected a sentence and its numbers with a tab between"
        elif source == "neutral" and numbers not in NEUTRAL:
            why[line] = f"the label is {numbers!r}, expected {' or '.join(NEUTRAL)}"
        elif source == "annotated" and not _NUMBERS.fullmatch(numbers):
            why[line] = f"the labels are {numbers!r}, expected numbers from 1 to 8 with commas between"
        elif not text:
            why[line] = "the sentence is empty"
        elif source == "annotated":
            labels = "; ".join(EMOTIONS[one] for one in sorted({*re.findall(r"\d", numbers)}))
        rows[line] = {"utterance": f"{source}_{line}", "text": text, "labels": labels}
    if not rows:
        raise SernbError(f"{path}: the file has no rows.")
    table = pd.DataFrame.from_dict(rows, orient="index").assign(source=source)
    table["emotion"] = table["labels"].where(~table["labels"].str.contains(";"))
    table = published.leave_out(table, why, own, str(path), on_bad)
    bad += own
    return table[["text", "emotion", "labels", "source"]]
