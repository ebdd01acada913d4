"""Transcripts by machine: what a recogniser heard in each utterance, kept on disk so that it is heard once.

    python -m sernb.features.transcripts OUT.csv --corpus embedded --recogniser pocketsphinx

writes a table of utterance and text; `transcripts_embedded.csv`, which comes with the kit, was made by this line.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from sernb.core.errors import SernbError
from sernb.core.files import whole_file
from sernb.corpora import load
from sernb.features.audio import read_utterances
from sernb.features.recognisers import POCKETSPHINX, recogniser

SHIPPED = Path(__file__).with_name("transcripts_embedded.csv")
SAVED = 10.0  # seconds between two savings of the cache


def transcribed(
    utterances: pd.DataFrame,
    waveforms: Iterable[np.ndarray],
    recognise: Callable[[np.ndarray], str],
    name: str,
    cache: str | Path | None = None,
    progress: bool = True,
    column: str = "asr_text",
) -> pd.DataFrame:
    """The utterances with one column more, `asr_text`: what `recognise` heard in each waveform ("" for nothing).

    waveforms: float32 `(samples,)` at 16 kHz, in the order of the table. `recognise` is a `sernb.features.recognisers.recogniser`
    or any function of a waveform. With a folder as `cache`, what was heard stands in a CSV there, one for each `name`,
    and is not heard again; it is found by utterance and by the waveform's samples, so a recording that changed is heard
    anew. A recogniser that changed needs another `name`. A run that is cut off goes on where it was saved, at most ten
    seconds of hearing before. `column` keeps several recognisers apart.

    Raises SernbError, naming the utterance, where a waveform is no finite `(samples,)` or the recogniser fails.
    """
    waveforms = list(waveforms)
    if len(waveforms) != len(utterances):
        raise SernbError(
            f"{len(utterances)} utterances and {len(waveforms)} waveforms: give one for each, in order."
        )
    path = Path(cache) / f"{quote(name, safe='')}.csv" if cache is not None else None
    known = read_cache(path) if path else {}
    heard, new, saved = [], {}, time.monotonic()
    rows = zip(utterances.index, waveforms, strict=True)
    try:
        for utterance, waveform in tqdm(
            rows, f"hearing by {name}", len(waveforms), unit="utterance", disable=not progress
        ):
            key = (str(utterance), fingerprint(waveform, utterance))
            if key not in known:
                known[key] = new[key] = _said(recognise, waveform, utterance, name)
            heard.append(known[key])
            if path and new and time.monotonic() - saved > SAVED:
                write_cache(path, new)
                saved = time.monotonic()
    finally:
        if path and new:
            write_cache(path, new)
    return utterances.assign(**{column: heard})


def fingerprint(waveform: np.ndarray, utterance: str = "") -> str:
    """16 hexadecimal digits that stand for these samples, as float32. SernbError where they are no waveform."""
    waveform = np.asarray(waveform)
    if waveform.ndim != 1 or waveform.dtype.kind != "f" or not np.isfinite(waveform).all():
        raise SernbError(
            f"utterance {utterance!r}: expected a waveform (samples,) of finite floats, got {waveform.dtype} "
            f"{waveform.shape}{' with NaN or infinity' if waveform.ndim == 1 else ''}."
        )
    return hashlib.sha256(waveform.astype("<f4").tobytes()).hexdigest()[:16]


def _said(recognise, waveform, utterance, name) -> str:
    try:
        text = recognise(np.asarray(waveform, np.float32))
    except Exception as problem:  # whatever a recogniser raises, the reader must know of which recording
        raise SernbError(
            f"utterance {utterance!r}: {name} failed ({type(problem).__name__}: {problem})."
        ) from problem
    if not isinstance(text, str):
        raise SernbError(
            f"utterance {utterance!r}: {name} gave {type(text).__name__}, expected its words as str."
        )
    return text


def read_cache(path: Path) -> dict[tuple[str, str], str]:
    """What was heard before, by utterance and fingerprint; SernbError for a file that is no such table."""
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return dict(zip(zip(table["utterance"], table["waveform"], strict=True), table["text"], strict=True))
    except (KeyError, ValueError) as problem:
        raise SernbError(
            f"{path}: expected a CSV with utterance, waveform and text, as this kit writes it ({problem}). Delete it."
        ) from problem


def write_cache(path: Path, new: dict[tuple[str, str], str]) -> None:
    """Add to the file what is new; it is written beside and then renamed, so that nothing half-written stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        (*key, text) for key, text in (read_cache(path) | new).items()
    ]  # another run may have saved since
    _write(pd.DataFrame(rows, columns=["utterance", "waveform", "text"]), path)


def machine_transcripts() -> pd.Series:
    """What PocketSphinx heard in the embedded corpus, by utterance; it comes with the kit, no extra is needed."""
    return pd.read_csv(SHIPPED, dtype=str, keep_default_na=False).set_index("utterance")["text"]


def _write(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as beside:
        table.to_csv(beside, index=False, encoding="utf-8", lineterminator="\n")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sernb.features.transcripts",
        description="Transcripts of a corpus by machine, as a CSV.",
    )
    parser.add_argument("out", type=Path, help="the CSV to write")
    parser.add_argument("--corpus", default="embedded")
    parser.add_argument("--root", default=None, help="the corpus's folder")
    parser.add_argument(
        "--recogniser", default=POCKETSPHINX, help="pocketsphinx, or a Whisper's name or folder"
    )
    parser.add_argument("--language", default=None, help="of a Whisper that knows several")
    parser.add_argument("--cache", type=Path, default=None, help="a folder: a run that is cut off goes on")
    chosen = parser.parse_args(arguments)
    try:
        recognise = recogniser(chosen.recogniser, chosen.language)
        name = chosen.recogniser + (f" {chosen.language}" if chosen.language else "")
        table = transcribed(*read_utterances(load(chosen.corpus, chosen.root)), recognise, name, chosen.cache)
    except SernbError as error:
        print(error, file=sys.stderr)
        return 1
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    _write(table["asr_text"].rename("text").reset_index(), chosen.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
