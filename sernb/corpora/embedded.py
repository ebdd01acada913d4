"""The embedded corpus: it comes with sernb, so nothing need be downloaded (docs/embedded_corpus.md)."""

from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.corpora.corpus import Corpus

CORPUS = Corpus(
    title="The kit's own small corpus",
    holds="English sentences from a grammar, spoken by synthetic voices",
    licence="MIT, as the kit",
    obtain="comes with sernb",
    layout="metadata.csv and audio/, inside the package",
    protocol="leave-one-session-out",
    inside=True,
)
FOLDER = Path(__file__).parent / "embedded_data"
SENTENCES = Path(__file__).with_name("embedded_sentences.txt")
SCALE = (1, 5)


def load(root: str | Path) -> pd.DataFrame:
    """Utterances of the embedded corpus, or of one that `python -m making.generator build` made in `root`.

    Beside the usual columns: what each annotator said (emotion_1, arousal_1, ... _4; ratings from 1 to 5),
    what was really felt (emotion_true, and arousal_true, ... from -1 to 1), the valence of the words alone
    (valence_of_words: -1, 0, 1), the sentence's build (form, reversals, repeated), and what the synthesiser
    was told (rate, pitch, pitch_range, loudness, roughness, breath). Raises SernbError for missing files.
    """
    root = Path(root).absolute()
    if not (root / "metadata.csv").is_file():
        raise CORPUS.lacks(root, "found no metadata.csv of the embedded corpus")
    types = {"text": str, "session": str}
    table = pd.read_csv(root / "metadata.csv", dtype=types, keep_default_na=False, index_col="utterance")
    paths = [root / file for file in table.pop("file")]
    if missing := [path for path in paths if not path.is_file()]:
        what = f"{len(missing)} of {len(paths)} recordings are missing, first {missing[0].relative_to(root)}"
        raise SernbError(f"{root}: {what}. Install sernb again, or name a complete folder.")
    table.insert(0, "path", [str(path) for path in paths])
    table.insert(1, "start", float("nan"))
    table.insert(2, "end", float("nan"))
    table.attrs["scale"] = SCALE
    return table


def sentences(count: int) -> list[str]:
    """The first `count` of the sentences that the grammar wrote besides: none is said in the corpus, not even
    with another opener. Raises SernbError for more than there are."""
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    if not 0 <= count <= len(lines):
        advice = f"Ask for fewer, or write more: python -m making.pretraining.sentences --count {count}"
        raise SernbError(f"{count} sentences are wanted; {SENTENCES.name} holds {len(lines)}. {advice}")
    return lines[:count]
