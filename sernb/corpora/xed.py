"""XED (Öhman et al. 2020): English movie subtitles with one or several of Plutchik's emotions; text only.

en-annotated.tsv has a sentence and its numbers in a line, neu_en.txt the neutral sentences. A model can tell
the two files apart: in the first, marks stand apart ("What ?") and names became [PERSON] or [LOCATION]; the
second has neither, and not one comma. Its authors count 17,530 sentences and 6,420 neutral ones; the files
have the numbers in PUBLISHED.
"""

from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora.corpus import Corpus, Source
from sernb.corpora.files import compare_counts, find, read_text
from sernb.corpora.sheets import Sheet, mend

_URL = "https://raw.githubusercontent.com/Helsinki-NLP/XED/76666d251f147cf518071bef4f8415dab6b96115/AnnotatedData"
_SUMS = {
    "en-annotated.tsv": "26ac0254fbdb8b09cf2b00d44041d9084ece31bd200ae7c0e0662fbd8b037d98",
    "neu_en.txt": "6e8b38af83b80fb64ec1139007973b1f09ec16d48549e82de22423cdba259f08",
}
CORPUS = Corpus(
    title="XED",
    holds="English movie subtitles; 27,202 sentences, Plutchik's 8 emotions and neutral, no recordings",
    licence="CC BY 4.0",
    obtain="sernb fetch xed, or https://github.com/Helsinki-NLP/XED",
    layout="AnnotatedData/en-annotated.tsv (sentence, tab, numbers), and neu_en.txt beside it (neutral ones)",
    sources=tuple(
        Source(f"{_URL}/{name}", f"AnnotatedData/{name}", sha256) for name, sha256 in _SUMS.items()
    ),
)
PUBLISHED = dict(annotated=17528, neutral=9674)  # lines that are not blank
# By the README's numbers, 1 to 8.
EMOTIONS = ("angry", "anticipating", "disgusted", "fearful", "happy", "sad", "surprised", "trusting")
OWN = ("anticipating", "trusting")
NEUTRAL = ("0", "9")  # the README's number, and the one that stands in the file


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Sentences of XED below `root`: text, emotion, labels, source; no recordings, no speakers, no parts.

    labels: all that a sentence was given, as "angry; fearful". emotion: its label where it has one only, else
    missing. source: annotated, or neutral (neu_en.txt, where a sentence may stand in several lines).
    Utterances are called by their lines, annotated_1, neutral_1. Raises SernbError without en-annotated.tsv,
    and for rows that cannot be used unless `on_bad="skip"`.
    """
    path = find(root, "en-annotated.tsv")
    if path is None:
        raise CORPUS.lacks(root, "no en-annotated.tsv is in this folder")
    sheets, notes = [_read(path, "annotated", on_bad)], []
    neutral = path.with_name("neu_en.txt")
    if neutral.is_file():
        sheets.append(_read(neutral, "neutral", on_bad))
    else:
        notes.append(f"XED: no neu_en.txt is beside {path.name}, so there are no neutral sentences.")
    table = pd.concat([sheet.usable() for sheet in sheets])[["text", "emotion", "labels", "source"]]
    notes += [note for sheet in sheets for note in sheet.notes] + mend(table, ("text",), CORPUS.title)
    several = table["emotion"].isna().sum()
    notes.append(f"XED: {several} sentences have several labels (column labels), so no one emotion.")
    notes += compare_counts(table, "source", PUBLISHED, CORPUS.title)
    skipped = [row for sheet in sheets for row in sheet.skipped]
    table.attrs = {"own_labels": list(OWN), "notes": notes, "skipped": skipped}
    return table


def _read(path: Path, source: str, on_bad: str) -> Sheet:
    """The lines of one of the two files: text, labels, emotion, source."""
    content, note = read_text(path)
    rows = {}
    for line, row in enumerate(content.split("\n"), 1):
        if row.strip():
            # Some neutral lines end in tabs that hold nothing.
            first, _, rest = row.rstrip().partition("\t")
            text, label = (rest, first) if source == "neutral" else (first, rest)
            rows[f"line {line}"] = (f"{source}_{line}", text.strip(), label.strip())
    if not rows:
        raise SernbError(f"{path}: the file has no rows.")

    table = pd.DataFrame.from_dict(rows, orient="index", columns=["utterance", "text", "label"])
    table = table.assign(source=source, labels="neutral")
    sheet = Sheet(table, CORPUS.title, path, on_bad)
    sheet.notes += [note] if note else []
    if source == "neutral":
        sheet.expect_known("label", NEUTRAL)
    else:
        fits = table["label"].str.fullmatch(r"[1-8](\s*,\s*[1-8])*")
        sheet.expect("label", fits, "numbers from 1 to 8 with commas between")
        numbers = table["label"].str.findall("[1-8]").map(lambda digits: sorted({*map(int, digits)}))
        table["labels"] = numbers.map(lambda ordered: "; ".join(EMOTIONS[number - 1] for number in ordered))
    sheet.expect("text", (table["text"] != "") & ~table["text"].str.contains("\t"), "one sentence")
    table["emotion"] = table["labels"].where(~table["labels"].str.contains(";"))
    return sheet
