"""EMO-DB, the Berlin Database of Emotional Speech (Burkhardt et al. 2005): German, 10 actors, 10 sentences.

A name such as 03a01Fa.wav says: speaker 03, sentence a01, emotion F (Freude, happy), version a.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora.corpus import Corpus, Source
from sernb.corpora.files import compare_counts, read_names

CORPUS = Corpus(
    title="EMO-DB",
    holds="German, acted; 535 recordings, 10 speakers, 7 emotions",
    licence="none stated by its home page; CC BY 4.0 for EmoDB 2.0, by a co-author's recipe (not checked)",
    obtain="sernb fetch emodb, or http://emodb.bilderbar.info (download.zip), or zenodo.org/records/17651657",
    layout="wav/03a01Fa.wav, … (535 recordings, wav or flac, in any folder below)",
    protocol="leave-one-speaker-out",
    sources=(
        Source("http://emodb.bilderbar.info/download/download.zip", gives="wav", archive="download.zip"),
    ),
)
PUBLISHED = dict(angry=127, bored=81, neutral=79, happy=71, fearful=69, sad=62, disgusted=46)
NAME = re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])")
GENDERS = dict.fromkeys(("08", "09", "13", "14", "16"), "female")
GENDERS |= dict.fromkeys(("03", "10", "11", "12", "15"), "male")
EMOTIONS = dict(W="angry", L="bored", E="disgusted", A="fearful", F="happy", T="sad", N="neutral")
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Blatt Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Utterances of EMO-DB below `root`, by file name.

    Beside the usual columns: sentence (a01 … b10), version, and, where `root` has them in a metadata.csv,
    recognised and natural (the share of 20 listeners in percent). Raises SernbError for a folder without its
    files, and for names outside its code unless `on_bad="skip"`.
    """
    codes = {"speaker": GENDERS, "sentence": SENTENCES, "emotion": EMOTIONS}
    table = read_names(root, CORPUS, NAME, "03a01Fa", codes, on_bad)
    table.attrs["notes"] = compare_counts(table, "emotion", PUBLISHED, CORPUS.title)
    _add_listeners(table, Path(root) / "metadata.csv")
    return table


def _add_listeners(table: pd.DataFrame, path: Path) -> None:
    if not path.is_file():
        return
    try:
        metadata = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
        metadata = metadata.rename(columns=lambda name: name.removeprefix("human_").removesuffix("_pct"))
        columns = [column for column in ("recognised", "natural") if column in metadata]
        if "file" not in metadata or not columns:
            return
        metadata.index = metadata["file"].map(lambda file: Path(str(file)).stem)
        for column in columns:
            table[column] = pd.to_numeric(metadata[column]).reindex(table.index)
    except (OSError, ValueError) as problem:  # no CSV, text where a number is expected, a file in two rows
        raise SernbError(f"{path}: cannot be used ({problem}). Remove it to do without it.") from problem
    if unlisted := int((~table.index.isin(metadata.index)).sum()):
        table.attrs["notes"].append(f"{unlisted} recordings are not in metadata.csv: no listeners' shares.")
