"""Make the corpus: plan it, speak it, write it, and compare it with what was shipped."""

import hashlib
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from tqdm.auto import tqdm

from making.generator.affect import CLASSES
from making.generator.knobs import Knobs
from making.generator.ogg import encode
from making.generator.plan import plan
from making.generator.synthesis import RATE, espeak, lend_data, record
from making.generator.voices import Controls, Speaker
from sernb.core.files import whole_folder

COMPRESSION = 0.93  # of libsndfile's 0 to 1: about 27 kbit/s
SUMS = "SHA256SUMS"


def speak(number: int, row: pd.Series, speaker: Speaker, data: Path, knobs: Knobs) -> np.ndarray:
    """One utterance, float64 (samples,) at 16 kHz. Its noise depends on the corpus's seed and its number
    only."""
    told = Controls(**{field.name: field.type(row[field.name]) for field in fields(Controls)})
    dry = espeak(row["text"], speaker, told, seed=number, data=data)
    rng = np.random.default_rng([knobs.seed, number])
    return record(rng, dry, told.loudness, speaker.room, knobs)


def opus(waveform: np.ndarray) -> bytes:
    """The utterance as it is shipped."""
    return encode(waveform, RATE, COMPRESSION)


def _speak_and_finish(task, data: Path, knobs: Knobs, finish: Callable):
    number, row, speaker = task
    waveform = speak(number, row, speaker, data, knobs)
    return row.name, finish(waveform), waveform.size / RATE


def make(
    table: pd.DataFrame,
    cast: dict[str, Speaker],
    knobs: Knobs,
    finish: Callable = opus,
    only: Collection[str] | None = None,
    jobs: int | None = None,
    per_process: int = 1,
) -> Iterator[tuple[str, object, float]]:
    """Yield (utterance, finish(waveform), seconds) in the table's order, for all utterances or those in
    `only`.

    eSpeak keeps state from one utterance to the next: only with `per_process` 1, a process for each, are the
    bytes always the same. More is faster, and will do where bytes do not matter.
    """
    numbered = enumerate(table.iterrows())
    tasks = [(i, row, cast[row.speaker]) for i, (name, row) in numbered if only is None or name in only]
    way = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    with tempfile.TemporaryDirectory() as folder:
        work = partial(_speak_and_finish, data=lend_data(Path(folder)), knobs=knobs, finish=finish)
        with multiprocessing.get_context(way).Pool(
            jobs or os.cpu_count(), maxtasksperchild=per_process
        ) as pool:
            yield from tqdm(
                pool.imap(work, tasks, chunksize=1), total=len(tasks), desc="speaking", disable=None
            )


def build(out: Path, knobs: Knobs, jobs: int | None = None) -> pd.DataFrame:
    """Write metadata.csv, README.md, audio/<session>/<utterance>.ogg and SHA256SUMS into `out`, a new
    folder."""
    with whole_folder(out, new=True) as folder:
        table, cast = plan(knobs)
        table.insert(0, "file", [f"audio/{row.session}/{name}.ogg" for name, row in table.iterrows()])
        seconds = {}
        for name, ogg, length in make(table, cast, knobs, jobs=jobs):
            path = folder / table.at[name, "file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ogg)
            seconds[name] = round(length, 3)
        table.insert(1, "seconds", pd.Series(seconds))
        table.to_csv(folder / "metadata.csv", lineterminator="\n")
        (folder / "README.md").write_text(card(table, knobs), encoding="utf-8", newline="\n")
        write_sums(folder)
    return table


def card(table: pd.DataFrame, knobs: Knobs) -> str:
    """The README that lies beside the recordings."""
    packages = ("espeakng-loader", "soundfile", "numpy", "scipy", "pandas")
    versions = [f"{package} {version(package)}" for package in packages]
    versions[1] += f" with libsndfile {soundfile.__libsndfile_version__}"
    counts = table["emotion"].value_counts()
    return (
        (files("making.generator") / "card.md")
        .read_text(encoding="utf-8")
        .format(
            utterances=len(table),
            minutes=round(table["seconds"].sum() / 60),
            speakers=table["speaker"].nunique(),
            sessions=table["session"].nunique(),
            texts=table["text"].nunique(),
            classes=", ".join(f"{counts[name]} {name}" for name in CLASSES if name in counts),
            annotators=knobs.annotators,
            seed=knobs.seed,
            versions=", ".join(versions),
        )
    )


def files_of(folder: Path) -> list[Path]:
    """What SHA256SUMS counts: every file but itself, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / SUMS)


def write_sums(folder: Path) -> None:
    """SHA256SUMS of all other files in the folder."""
    sums = [f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files_of(folder)]
    (folder / SUMS).write_text("".join(sums), newline="\n")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def differences(folder: Path, sums: Path) -> list[str]:
    """What in `folder` differs from the list of checksums: "missing ...", "extra ...", "changed ..."."""
    expected = {
        name: total for total, name in (line.split("  ", 1) for line in sums.read_text().splitlines())
    }
    found = {path.relative_to(folder).as_posix(): digest(path) for path in files_of(folder)}
    words = [f"missing {name}" for name in sorted(expected.keys() - found.keys())]
    words += [f"extra {name}" for name in sorted(found.keys() - expected.keys())]
    return words + [
        f"changed {name}" for name in sorted(expected.keys() & found.keys()) if expected[name] != found[name]
    ]
