"""Words with their sound and no labels, by the embedded corpus's generator (docs/embedded_corpus.md)."""

import hashlib
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora.corpus import Corpus

CORPUS = Corpus(
    title="Words with their sound, without labels",
    holds="other voices and other sentences of the same generator",
    licence="MIT, as the kit",
    obtain="comes with sernb",
    layout="metadata.csv, SHA256SUMS and audio/, inside the package",
    protocol="leave-one-session-out",
    inside=True,
)
FOLDER = Path(__file__).parent / "embedded_pairs_data"
SUMS = "SHA256SUMS"
NOTE = "These pairs have no labels: no emotion, no ratings, nothing that the synthesiser was told."


def load(root: str | Path) -> pd.DataFrame:
    """The pairs that come with sernb, or those that `python -m making.generator.pairs` made in `root`.

    Columns: path, speaker, gender, session, text. Raises SernbError where the table or a recording is missing
    or not as SHA256SUMS says.
    """
    root = Path(root).absolute()
    for name in ("metadata.csv", SUMS):
        if not (root / name).is_file():
            raise CORPUS.lacks(root, f"found no {name} of the embedded pairs")
    if wrong := _changed(root):
        what = f"{len(wrong)} files of the embedded pairs are missing or damaged, the first is {wrong[0]}"
        raise SernbError(f"{root}: {what}. Install sernb again, or name a complete folder.")
    table = pd.read_csv(root / "metadata.csv", dtype=str, keep_default_na=False, index_col="utterance")
    table.insert(0, "path", [str(root / file) for file in table.pop("file")])
    table.attrs["notes"] = [NOTE]
    return table


def _changed(root: Path) -> list[str]:
    """What SHA256SUMS lists and is missing or changed; the README may say what it likes."""
    wrong = []
    for line in (root / SUMS).read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = root / name
        content = path.read_bytes() if path.is_file() else None
        if content is not None and path.suffix == ".csv":
            content = content.replace(b"\r\n", b"\n")  # as git writes texts on some systems
        if name != "README.md" and (content is None or hashlib.sha256(content).hexdigest() != expected):
            wrong.append(f"{name} ({'missing' if content is None else 'changed'})")
    return wrong
