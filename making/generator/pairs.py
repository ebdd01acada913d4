"""python -m making.generator.pairs --out DIR: utterances without labels, by voices that the embedded corpus
does not have.

For what learns from words and sound together before it sees a label. The knobs are the embedded corpus's but
for the seed and the size, and nothing is said that the embedded corpus says.
"""

import argparse
import re
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from making.generator.build import SUMS, differences, make, write_sums
from making.generator.knobs import Knobs
from making.generator.ogg import encode
from making.generator.plan import plan
from making.generator.synthesis import RATE
from making.generator.voices import Speaker
from making.generator.words import read
from making.pretraining.sentences import bare
from sernb.core.errors import SernbError, exit_code
from sernb.core.files import must_be_new, whole_folder
from sernb.corpora import load
from sernb.corpora.embedded_pairs import FOLDER

KNOBS = Knobs(seed=61, utterances=1530, sessions=15)
COMPRESSION = 0.979  # of libsndfile's 0 to 1: about 14 kbit/s
COLUMNS = ["file", "speaker", "gender", "session", "text"]
"""All that is written of an utterance: nothing that was felt, judged, or told to the synthesiser."""


def planned(knobs: Knobs = KNOBS) -> tuple[pd.DataFrame, dict[str, Speaker]]:
    """The generator's table (`making.generator.plan`) without the lines of the embedded corpus, and the
    speakers by name.

    Lines that differ only in case, punctuation, opener or closer ("you know, ...") are the same one.
    Raises SernbError for the embedded corpus's seed, which makes its very speakers.
    """
    if knobs.seed == Knobs.seed:
        raise SernbError(f"seed {knobs.seed} makes the speakers of the embedded corpus: name another seed.")
    table, cast = plan(knobs)
    core = bare(read("patterns"))
    said = set(load("embedded")["text"].map(core))
    return table[~table["text"].map(core).isin(said)], cast


def build(out: str | Path, knobs: Knobs = KNOBS, jobs: int | None = None) -> pd.DataFrame:
    """Write metadata.csv, README.md, audio/<session>/<utterance>.ogg and SHA256SUMS into `out`, a new folder.

    Raises SernbError where `out` is not empty, and what `planned` raises.
    """
    out = Path(out)
    must_be_new(out)
    spoken, cast = planned(knobs)
    table = written(spoken)
    with whole_folder(out, new=True) as half:
        seconds = 0.0
        sounds = make(spoken, cast, knobs, opus, jobs=jobs)
        for file, (_, ogg, length) in zip(table["file"], sounds, strict=True):
            path = half / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ogg)
            seconds += length
        table.to_csv(half / "metadata.csv", lineterminator="\n")
        (half / "README.md").write_text(card(table, seconds, knobs), encoding="utf-8", newline="\n")
        write_sums(half)
    return table


def opus(waveform: np.ndarray) -> bytes:
    """The utterance as it is shipped."""
    return encode(waveform, RATE, COMPRESSION)


def written(spoken: pd.DataFrame) -> pd.DataFrame:
    """Of the generator's table what is written of it: COLUMNS. Sessions are numbered on from the embedded
    corpus's, so that no speaker and no utterance of the two has the same name."""

    def onward(name: str) -> str:
        return re.sub(r"(?<=^Ses)\d+", lambda number: f"{int(number[0]) + Knobs.sessions:02d}", name)

    table = spoken[["speaker", "gender", "session", "text"]].rename(index=onward)
    table["speaker"], table["session"] = table["speaker"].map(onward), table["session"].map(onward)
    table["file"] = [f"audio/{session}/{name}.ogg" for name, session in table["session"].items()]
    return table[COLUMNS]


def card(table: pd.DataFrame, seconds: float, knobs: Knobs) -> str:
    """The README that lies beside the recordings."""
    packages = ("espeakng-loader", "soundfile", "numpy", "scipy", "pandas")
    versions = [f"{package} {version(package)}" for package in packages]
    versions[1] += f" with libsndfile {soundfile.__libsndfile_version__}"
    return (
        (files("making.generator") / "pairs_card.md")
        .read_text(encoding="utf-8")
        .format(
            utterances=len(table),
            minutes=round(seconds / 60),
            speakers=table["speaker"].nunique(),
            sessions=table["session"].nunique(),
            texts=table["text"].nunique(),
            seed=knobs.seed,
            versions=", ".join(versions),
        )
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m making.generator.pairs", description="Make the embedded pairs again."
    )
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--jobs", type=int, help="processes that speak; by default one a core")
    chosen = parser.parse_args(arguments)
    return exit_code(_made, chosen.out, chosen.jobs)


def _made(out, jobs):
    table = build(out, jobs=jobs)
    shipped = differences(out, FOLDER / SUMS)
    print(f"{len(table)} utterances in {out}; differences from the shipped ones: {len(shipped)}")


if __name__ == "__main__":
    sys.exit(main())
