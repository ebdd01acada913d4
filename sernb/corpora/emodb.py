"""EMO-DB, the Berlin Database of Emotional Speech (Burkhardt et al. 2005): German, acted, 10 speakers, 10 sentences.

A name such as 03a01Fa.wav says: speaker 03, sentence a01, emotion F (Freude, happy), version a.
"""

import re
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora import folder, labels

TITLE = "EMO-DB"
LAYOUT = "wav/03a01Fa.wav, … (535 recordings, wav or flac, in any folder below)"
PUBLISHED = dict(
    angry=127, bored=81, neutral=79, happy=71, fearful=69, sad=62, disgusted=46
)  # 535 recordings, 10 speakers
FEMALE, MALE = ("08", "09", "13", "14", "16"), ("03", "10", "11", "12", "15")
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
_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])")
# What some copies call the listening test's two columns (20 listeners: percent recognised, percent natural).
_LISTENERS = {
    "human_recognised_pct": "recognised",
    "human_natural_pct": "natural",
    "recognised": "recognised",
    "natural": "natural",
}


def load(root: str | Path, on_bad: str = "raise") -> pd.DataFrame:
    """Utterances of EMO-DB below `root`, by file name.

    Beside the usual columns: sentence (a01 … b10), version, and, where a metadata.csv with them stands in `root`,
    recognised and natural (the share of 20 listeners in percent). Raises SernbError for a folder without its files,
    and for names outside its code unless `on_bad="skip"`.
    """
    table, skipped = folder.read_names(root, _parse, TITLE, LAYOUT, on_bad)
    table.attrs["skipped"] = skipped
    table.attrs["notes"] = folder.count(table, PUBLISHED, TITLE)
    beside = Path(root) / "metadata.csv"
    return _with_listeners(table, beside) if beside.is_file() else table


def _parse(stem: str) -> dict | str:
    match = _NAME.fullmatch(stem)
    if not match:
        return "not a name like 03a01Fa (speaker, sentence, emotion letter, version)"
    speaker, sentence, letter, version = match.groups()
    if speaker not in FEMALE + MALE:
        return f"speaker {speaker} is none of EMO-DB's ({', '.join(sorted(FEMALE + MALE))})"
    if sentence not in SENTENCES:
        return f"sentence {sentence} is none of EMO-DB's ({', '.join(SENTENCES)})"
    return {
        "speaker": speaker,
        "gender": "female" if speaker in FEMALE else "male",
        "text": SENTENCES[sentence],
        "emotion": labels.EMODB[letter],
        "sentence": sentence,
        "version": version,
    }


def _with_listeners(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    try:
        metadata = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    except (OSError, ValueError) as problem:
        raise SernbError(
            f"{path}: cannot be read as CSV ({problem}). Remove it to do without it."
        ) from problem
    columns = {column: name for column, name in _LISTENERS.items() if column in metadata}
    if "file" not in metadata or not columns:
        return table
    metadata.index = metadata["file"].map(lambda file: Path(str(file)).stem)
    if metadata.index.has_duplicates:
        twice = metadata.index[metadata.index.duplicated()][0]
        raise SernbError(f"{path}: {twice} stands in two rows; expected one row a recording.")
    for column, name in columns.items():
        percent = pd.to_numeric(metadata[column], errors="coerce")
        wrong = metadata.index[percent.isna() & metadata[column].notna()]
        if len(wrong):
            raise SernbError(
                f"{path}: column {column!r} of {wrong[0]} is no number: {metadata[column][wrong[0]]!r}."
            )
        table[name] = percent.reindex(table.index)
    unlisted = int((~table.index.isin(metadata.index)).sum())
    if unlisted:
        table.attrs["notes"] += [
            f"{unlisted} recordings are not in metadata.csv, so without listeners' shares."
        ]
    return table
