"""EmoBank (Buechel and Hahn 2017): 10,062 English sentences rated for valence, arousal and dominance; text only.

The ratings are the mean of two views, the writer's and the reader's, by several raters each; corpus/emobank.csv of
github.com/JULIELab/EmoBank has them, with the split that the authors recommend.
"""

from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora import folder, published
from sernb.corpora.encoding import mend

TITLE = "EmoBank"
LAYOUT = "corpus/emobank.csv (id, split, V, A, D, text), and meta.tsv beside it for the kinds of text"
PUBLISHED = dict(train=8062, validation=1000, test=1000)  # 10,062 sentences
PARTS = {"train": "train", "dev": "validation", "test": "test"}
SCALE = (1, 5)


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Sentences of EmoBank below `root`: text, arousal, valence, dominance (1 to 5), part; no recordings, no speakers.

    With meta.tsv: document and category (fiction, letters, newspaper, blog, essays, travel-guides, SemEval), so that a
    split can keep documents whole. Raises SernbError for a folder without emobank.csv, and for rows that cannot be
    used unless `on_bad="skip"`.
    """
    path = published.find(root, "emobank.csv")
    if path is None:
        raise SernbError(f"{root}: no emobank.csv is in this folder. {TITLE} is expected as {LAYOUT}.")
    bad, why = [], {}
    table, notes = published.read_table(path, ("id", "split", "V", "A", "D", "text"), bad)
    published.ratings(table, {"arousal": "A", "valence": "V", "dominance": "D"}, SCALE, why)
    published.unknown(table, "split", PARTS, why)
    published.empty(table, ("id", "text"), why)
    published.repeated(table["id"], why)
    table["utterance"], table["part"] = table["id"], table["split"].map(PARTS)
    table["text"], mended = mend(list(table["text"]))
    if mended:
        notes.append(f"{TITLE}: wrongly decoded characters were put right in {mended} sentences.")
    table = published.leave_out(table, why, bad, str(path), on_bad)
    table = table[["text", "arousal", "valence", "dominance", "part"]].copy()
    table, more = _with_category(table, path.with_name("meta.tsv"))
    notes += more + folder.count(table, PUBLISHED, TITLE, "part", "sentences")
    table.attrs = {"scale": SCALE, "notes": notes, "skipped": bad}
    return table


def _with_category(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    if not path.is_file():
        return table, []
    meta, notes = published.read_table(path, ("id", "document", "category"), bad := [])
    meta = meta.drop_duplicates("id").set_index("id").reindex(table.index)
    unlisted = int(meta["category"].isna().sum())
    if unlisted or bad:
        notes.append(f"meta.tsv has no row of {unlisted} sentences, and {len(bad)} rows that cannot be read.")
    return table.assign(document=meta["document"], category=meta["category"]), notes
