"""Corpora of emotional speech: `load(name)` gives any of them as one utterances table.

A corpus is one module with one function, `load(root)`; CORPORA says which there are and where to get them. Licences
and addresses are as their publishers or, where so marked, third parties state them: check before you pass any of it on.
"""

import importlib
import inspect
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError
from sernb.core.tables import check_utterances
from sernb.corpora.folder import AUDIO, audio_files, check_on_bad


@dataclass(frozen=True)
class Corpus:
    """What a corpus is, where it comes from and which layout its loader (`sernb.corpora.<name>.load`) expects."""

    name: str
    title: str
    licence: str
    obtain: str
    layout: str

    def parameters(self) -> dict[str, inspect.Parameter]:
        """What the corpus's loader takes, `root` and `on_bad` among it, by name."""
        loader = importlib.import_module(f"sernb.corpora.{self.name}").load
        return dict(inspect.signature(loader).parameters)

    def load(self, root: Path, **options) -> pd.DataFrame:
        loader = importlib.import_module(f"sernb.corpora.{self.name}").load
        unknown = set(options) - set(self.parameters())
        if unknown:
            raise SernbError(f"corpus {self.name!r} has no option {', '.join(sorted(unknown))}.")
        return loader(root, **options)


CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "embedded",
            "The kit's own small corpus: English sentences from a grammar, spoken by synthetic voices",
            "MIT, as the kit",
            "comes with sernb",
            "metadata.csv and audio/, inside the package",
        ),
        Corpus(
            "embedded_pairs",
            "Words with their sound, without labels: other voices and other sentences of the same generator",
            "MIT, as the kit",
            "comes with sernb",
            "metadata.csv, SHA256SUMS and audio/, inside the package",
        ),
        Corpus(
            "emodb",
            "EMO-DB: German, acted; 535 recordings, 10 speakers, 7 emotions",
            "none stated by its home page; CC BY 4.0 for EmoDB 2.0, by a co-author's recipe (not checked)",
            "sernb fetch emodb, or http://emodb.bilderbar.info (download.zip), or zenodo.org/records/17651657",
            "wav/03a01Fa.wav, …",
        ),
        Corpus(
            "ravdess",
            "RAVDESS, speech: North American English, acted; 1440 recordings, 24 actors, 8 emotions",
            "CC BY-NC-SA 4.0",
            "sernb fetch ravdess, or https://zenodo.org/record/1188976 (Audio_Speech_Actors_01-24.zip)",
            "Actor_01/03-01-01-01-01-01-01.wav, …",
        ),
        Corpus(
            "cremad",
            "CREMA-D: North American English, acted; 7442 recordings, 91 actors, 6 emotions",
            "ODbL 1.0 (database), DbCL 1.0 (contents)",
            "sernb fetch cremad, or https://github.com/CheyneyComputerScience/CREMA-D (git lfs)",
            "AudioWAV/1001_DFA_ANG_XX.wav, …",
        ),
        Corpus(
            "iemocap",
            "IEMOCAP: English, scripted and improvised; 10,039 utterances, 10 actors, 5 sessions; words and ratings",
            "for research, by agreement with USC",
            "ask for it with the release form of https://sail.usc.edu/iemocap",
            "Session1/dialog/EmoEvaluation/, Session1/dialog/transcriptions/, Session1/sentences/wav/, … to Session5",
        ),
        Corpus(
            "msp_podcast",
            "MSP-Podcast: English podcasts; over 200,000 turns in recent releases, words and ratings",
            "for research, by agreement between your university and UT Dallas",
            "ask for it with the form at https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
            "Labels/labels_consensus.csv, Audios/, Transcripts/",
        ),
        Corpus(
            "meld",
            "MELD: English, television dialogues; 13,708 utterances, 7 emotions, sentiment; words, clips apart",
            "GPL 3.0, says its repository; the clips are from a television series",
            "sernb fetch meld (words), sernb fetch meld --recordings (11 GB of video); github.com/declare-lab/MELD",
            "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv, …",
        ),
        Corpus(
            "emobank",
            "EmoBank: English text; 10,062 sentences with valence, arousal and dominance, no recordings",
            "CC BY-SA 4.0",
            "sernb fetch emobank, or https://github.com/JULIELab/EmoBank",
            "corpus/emobank.csv, corpus/meta.tsv",
        ),
        Corpus(
            "xed",
            "XED: English movie subtitles; 27,202 sentences, Plutchik's 8 emotions and neutral, no recordings",
            "CC BY 4.0",
            "sernb fetch xed, or https://github.com/Helsinki-NLP/XED",
            "AnnotatedData/en-annotated.tsv, AnnotatedData/neu_en.txt",
        ),
        Corpus(
            "manifest",
            "Your own recordings, listed in a CSV",
            "yours",
            "write a CSV with a row a recording: file, emotion, speaker, text, … (docs/corpora.md)",
            "one CSV, and the recordings in the same folder or below it",
        ),
    )
}
INSIDE = ("embedded", "embedded_pairs")  # come with the package, in the folder <name>_data


def load(
    name: str,
    root: str | Path | None = None,
    *,
    emotions: list[str] | None = None,
    on_bad: str = "raise",
    **options,
) -> pd.DataFrame:
    """The utterances of the corpus `name`, found at `root` or, without one, where `find_root` looks.

    Names and tables are read here, recordings are not: `sernb.features.audio.read_utterances` decodes and checks them.
    `emotions` keeps these labels only. What a loader cannot use (names outside the corpus's code, missing files) is
    one error that names it, or with `on_bad="skip"` is left out and listed in `attrs["skipped"]` as
    {utterance, path, why}. Other options go to the corpus's loader (`labels` for the manifest).

    attrs: corpus, root, notes (sentences on what is incomplete or was left out), skipped, and what the loader adds.
    Raises SernbError for an unknown name, a missing, wrong or empty folder, and bad content.
    """
    corpus = _corpus(name)
    check_on_bad(on_bad)
    root = _root(corpus, root)
    if name not in INSIDE:  # the kit's own files are not for skipping
        options["on_bad"] = on_bad
    table = check_utterances(corpus.load(root, **options), f"corpus {name!r} in {root}")
    table.attrs = {"notes": [], "skipped": [], **table.attrs, "corpus": name, "root": str(root)}
    return _keep(table, emotions) if emotions is not None else table


def find_root(name: str) -> Path | None:
    """Where the corpus stands: `$SERNB_CORPORA/<name>`, else `./corpora/<name>`; None if neither is there."""
    _corpus(name)
    if name in INSIDE:
        inside = Path(__file__).parent / f"{name}_data"
        return inside if inside.is_dir() else None
    return next((folder for folder in expected_folders(name) if folder.exists()), None)


def expected_folders(name: str) -> list[Path]:
    """The folders in which the corpus is looked for, `find_root`'s places, whether they exist or not."""
    own = os.environ.get("SERNB_CORPORA")
    return [Path(parent).expanduser() / name for parent in ([own] if own else []) + ["corpora"]]


def overview() -> pd.DataFrame:
    """One row a corpus: title, licence, obtain (where to get it), the folder and layout expected, found (the folder,
    "not found", or why it cannot be read) and files (recordings in it)."""
    rows = []
    for corpus in CORPORA.values():
        root = find_root(corpus.name)
        inside = corpus.name in INSIDE
        found, files = "not found" if root is None else str(root), []
        try:
            files = audio_files(root, (*AUDIO, ".ogg", ".opus", ".mp3")) if root else []
        except SernbError as problem:  # the other corpora are listed all the same
            found = str(problem)
        rows.append(
            {
                "name": corpus.name,
                "title": corpus.title,
                "licence": corpus.licence,
                "obtain": corpus.obtain,
                "folder": "inside sernb" if inside else str(expected_folders(corpus.name)[0]),
                "layout": corpus.layout,
                "found": found,
                "files": len(files),
            }
        )
    return pd.DataFrame(rows).set_index("name")


def _corpus(name: str) -> Corpus:
    if name not in CORPORA:
        raise SernbError(f"unknown corpus {name!r}; the corpora are {', '.join(CORPORA)}.")
    return CORPORA[name]


def _root(corpus: Corpus, root: str | Path | None) -> Path:
    how = f"Expected there: {corpus.layout}. Where to get it: {corpus.obtain}."
    if root is None or str(root) == "":
        root = find_root(corpus.name)
        if root is None:
            places = " or ".join(map(str, expected_folders(corpus.name)))
            raise SernbError(
                f"corpus {corpus.name!r} is not found: no folder {places}. {how} "
                "Give its folder as root, or set SERNB_CORPORA to the folder that holds your corpora."
            )
    root = Path(root).expanduser()
    if not root.exists():
        raise SernbError(f"corpus {corpus.name!r}: {root} does not exist. {how}")
    if root.is_file() and corpus.name != "manifest":
        raise SernbError(f"corpus {corpus.name!r}: {root} is a file, expected a folder. {how}")
    if root.is_dir() and not any(root.iterdir()):
        raise SernbError(f"corpus {corpus.name!r}: the folder {root} is empty. {how}")
    return root.resolve()


def _keep(table: pd.DataFrame, emotions: list[str]) -> pd.DataFrame:
    """Only the utterances with these labels; a note counts what was left out."""
    if "emotion" not in table:
        raise SernbError(f"corpus {table.attrs['corpus']!r} has no emotion labels, so none can be chosen.")
    have = list(table["emotion"].cat.categories)
    emotions = [emotions] if isinstance(emotions, str) else list(emotions)
    unknown = [emotion for emotion in emotions if emotion not in have]
    if unknown or not emotions:
        raise SernbError(
            f"corpus {table.attrs['corpus']!r} has no utterance of {', '.join(map(repr, unknown)) or 'no label'}; "
            f"its emotions are {', '.join(have)}."
        )
    kept = table[table["emotion"].isin(emotions)].copy()
    kept["emotion"] = kept["emotion"].cat.remove_unused_categories()
    kept.attrs["notes"] = [
        *table.attrs["notes"],
        f"Kept {len(kept)} of {len(table)} utterances: {', '.join(kept['emotion'].cat.categories)}.",
    ]
    return kept
