"""EmoBank (Buechel and Hahn 2017): 10,062 English sentences with valence, arousal and dominance; text only.

The ratings are the mean of two views, the writer's and the reader's, by several raters each;
corpus/emobank.csv of github.com/JULIELab/EmoBank has them, with the split that the authors recommend.
"""

from pathlib import Path

import pandas as pd

from sernb.corpora.corpus import Corpus, Source
from sernb.corpora.files import compare_counts, find
from sernb.corpora.sheets import Sheet, mend

_URL = "https://raw.githubusercontent.com/JULIELab/EmoBank/248ce2a43e165a66d31aeaed83cff9641d6654e0/corpus"
_SUMS = {
    "emobank.csv": "1ade4a4a453e880c0f39d0536d2b355e8a716e0cf88236c64cdb4d438cf9605b",
    "meta.tsv": "c848266476711a3fb68395b9907ef574e60289ad916c8db79b7ea2e62ab62e0e",
}
CORPUS = Corpus(
    title="EmoBank",
    holds="English text; 10,062 sentences with valence, arousal and dominance, no recordings",
    licence="CC BY-SA 4.0",
    obtain="sernb fetch emobank, or https://github.com/JULIELab/EmoBank",
    layout="corpus/emobank.csv (id, split, V, A, D, text), and meta.tsv beside it for the kinds of text",
    protocol="fixed",
    sources=tuple(Source(f"{_URL}/{name}", f"corpus/{name}", sha256) for name, sha256 in _SUMS.items()),
)
PUBLISHED = dict(train=8062, validation=1000, test=1000)
PARTS = {"train": "train", "dev": "validation", "test": "test"}
SCALE = (1, 5)


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Sentences of EmoBank below `root`: text, arousal, valence, dominance (1 to 5), part; no speakers.

    With meta.tsv: document and category (fiction, letters, …), so that a split can keep documents whole.
    Raises SernbError without emobank.csv, and for rows that cannot be used unless `on_bad="skip"`.
    """
    path = find(root, "emobank.csv")
    if path is None:
        raise CORPUS.lacks(root, "no emobank.csv is in this folder")
    sheet = Sheet.read(path, ("id", "split", "V", "A", "D", "text"), CORPUS.title, on_bad)
    sheet.expect_ratings({"arousal": "A", "valence": "V", "dominance": "D"}, SCALE)
    sheet.expect_known("split", PARTS)
    sheet.expect_text("id", "text")
    sheet.table = sheet.table.assign(utterance=sheet.table["id"], part=sheet.table["split"].map(PARTS))
    sheet.expect_once()
    notes = sheet.notes + mend(sheet.table, ("text",), CORPUS.title)
    table = sheet.usable()[["text", "arousal", "valence", "dominance", "part"]]

    if (path := path.with_name("meta.tsv")).is_file():
        meta = Sheet.read(path, ("id", "document", "category"), CORPUS.title, "skip")
        kinds = meta.table.drop_duplicates("id").set_index("id").reindex(table.index)
        table = table.assign(document=kinds["document"], category=kinds["category"])
        unlisted, unread = int(kinds["category"].isna().sum()), len(meta.skipped)
        if unlisted or unread:
            notes.append(f"meta.tsv has no row of {unlisted} sentences, {unread} of its rows cannot be read.")
        notes += meta.notes

    notes += compare_counts(table, "part", PUBLISHED, CORPUS.title)
    table.attrs = {"scale": SCALE, "notes": notes, "skipped": sheet.skipped}
    return table
