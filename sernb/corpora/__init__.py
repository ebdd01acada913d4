"""Corpora of emotional speech: `load(name)` gives any of them as one utterances table.

A corpus is one file, <name>.py: CORPUS says what it is and where to get it, `load(root)` reads it.
"""

import inspect
import os
from importlib import import_module
from pathlib import Path

import pandas as pd

from sernb.core.errors import SernbError, check_on_bad
from sernb.core.files import AUDIO, audio_files
from sernb.core.tables import check_utterances
from sernb.corpora.corpus import Corpus

NAMES = (
    "embedded", "embedded_pairs", "emodb", "ravdess", "cremad", "iemocap", "msp_podcast", "meld", "emobank",
    "xed", "manifest",
)  # fmt: skip
CORPORA: dict[str, Corpus] = {name: import_module(f"sernb.corpora.{name}").CORPUS for name in NAMES}
INSIDE = tuple(name for name, corpus in CORPORA.items() if corpus.inside)


def load(
    name: str,
    root: str | Path | None = None,
    *,
    emotions: list[str] | None = None,
    on_bad: str = "raise",
    **options,
) -> pd.DataFrame:
    """The utterances of the corpus `name`: a checked utterances table.

    Recordings are not read here: `sernb.features.audio.read_utterances` decodes them.

    Args:
        name, root: a key of CORPORA; its folder, or where `find_root` looks.
        emotions: keep these labels only.
        on_bad: "skip" leaves out what the loader cannot use: attrs["skipped"] lists {utterance, path, why}.
        options: go to the corpus's loader (`labels` for the manifest).

    Returns:
        The table; its attrs are corpus, root, protocol, notes (sentences on what is incomplete or was left
        out), skipped, and what the loader adds.

    Raises:
        SernbError: an unknown name, a missing, wrong or empty folder, and bad content.
    """
    corpus = corpus_of(name)
    check_on_bad(on_bad)
    root = _root(name, root)
    if unknown := set(options) - set(options_of(name)):
        raise SernbError(f"corpus {name!r} has no option {', '.join(sorted(unknown))}.")
    if not corpus.inside:  # the kit's own files are not for skipping
        options["on_bad"] = on_bad

    table = import_module(f"sernb.corpora.{name}").load(root, **options)
    table = check_utterances(table, f"corpus {name!r} in {root}")
    table.attrs = {"notes": [], "skipped": [], **table.attrs}
    table.attrs |= {"corpus": name, "root": str(root), "protocol": corpus.protocol}
    return table if emotions is None else _keep(table, emotions)


def options_of(name: str) -> dict[str, inspect.Parameter]:
    """What the corpus's loader takes beside `root` and `on_bad`, by name."""
    parameters = inspect.signature(import_module(f"sernb.corpora.{name}").load).parameters
    return {option: it for option, it in parameters.items() if option not in ("root", "on_bad")}


def find_root(name: str) -> Path | None:
    """Where the corpus stands: `$SERNB_CORPORA/<name>`, else `./corpora/<name>`; None if neither is there."""
    folders = [Path(__file__).parent / f"{name}_data"] if corpus_of(name).inside else expected_folders(name)
    return next((folder for folder in folders if folder.exists()), None)


def expected_folders(name: str) -> list[Path]:
    """The folders in which the corpus is looked for, whether they exist or not."""
    own = os.environ.get("SERNB_CORPORA")
    return [Path(parent).expanduser() / name for parent in ([own] if own else []) + ["corpora"]]


def corpus_of(name: str) -> Corpus:
    if name not in CORPORA:
        raise SernbError(f"unknown corpus {name!r}; the corpora are {', '.join(CORPORA)}.")
    return CORPORA[name]


def overview() -> pd.DataFrame:
    """One row a corpus: title, licence, obtain (where to get it), the folder and layout expected, found (the
    folder, "not found", or why it cannot be read) and files (recordings in it)."""
    rows = {}
    for name, corpus in CORPORA.items():
        root = find_root(name)
        found, files = "not found" if root is None else str(root), []
        try:
            files = audio_files(root, (*AUDIO, ".ogg", ".opus", ".mp3")) if root else []
        except SernbError as problem:  # the other corpora are listed all the same
            found = str(problem)
        rows[name] = {
            "title": f"{corpus.title}: {corpus.holds}",
            "licence": corpus.licence,
            "obtain": corpus.obtain,
            "folder": "inside sernb" if corpus.inside else str(expected_folders(name)[0]),
            "layout": corpus.layout,
            "found": found,
            "files": len(files),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def _root(name: str, root: str | Path | None) -> Path:
    """The folder `root`, or where the corpus is found; SernbError where it is missing, empty, or a file."""
    root = Path(root).expanduser() if root else find_root(name)
    if root is None:
        folders = " or ".join(map(str, expected_folders(name)))
        wrong = f"not found: no folder {folders}. Give its folder as root, or set SERNB_CORPORA"
    elif not root.exists():
        wrong = f"{root} does not exist"
    elif root.is_file() and name != "manifest":
        wrong = f"{root} is a file, expected a folder"
    elif root.is_dir() and not any(root.iterdir()):
        wrong = f"the folder {root} is empty"
    else:
        return root.resolve()
    layout, obtain = CORPORA[name].layout, CORPORA[name].obtain
    raise SernbError(f"corpus {name!r}: {wrong}. Expected there: {layout}. Where to get it: {obtain}.")


def _keep(table: pd.DataFrame, emotions: list[str]) -> pd.DataFrame:
    """Only the utterances with these labels; a note counts what was left out."""
    corpus = table.attrs["corpus"]
    if "emotion" not in table:
        raise SernbError(f"corpus {corpus!r} has no emotion labels, so none can be chosen.")
    labels = list(table["emotion"].cat.categories)
    emotions = [emotions] if isinstance(emotions, str) else list(emotions)
    unknown = [emotion for emotion in emotions if emotion not in labels]
    if unknown or not emotions:
        absent = f"no utterance of {', '.join(map(repr, unknown)) or 'no label'}"
        raise SernbError(f"corpus {corpus!r} has {absent}; its emotions are {', '.join(labels)}.")
    kept = table[table["emotion"].isin(emotions)].copy()
    kept["emotion"] = kept["emotion"].cat.remove_unused_categories()
    note = f"Kept {len(kept)} of {len(table)} utterances: {', '.join(kept['emotion'].cat.categories)}."
    kept.attrs["notes"] = [*table.attrs["notes"], note]
    return kept
