"""python -m making.generator.pairs --out DIR: utterances without labels, by voices that the embedded corpus does not have.

For what learns from words and sound together before it sees a label. The knobs are the embedded corpus's but for the seed
and the size, and nothing is said that the embedded corpus says.
"""

import argparse
import re
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from making.generator.build import SUMS, differences, digest, files_of, make
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
    """The generator's table (`making.generator.plan`) without the lines of the embedded corpus, and the speakers by name.

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
        for file, (_, ogg, length) in zip(
            table["file"], make(spoken, cast, knobs, opus, jobs=jobs), strict=True
        ):
            path = half / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ogg)
            seconds += length
        table.to_csv(half / "metadata.csv", lineterminator="\n")
        (half / "README.md").write_text(card(table, seconds, knobs), encoding="utf-8", newline="\n")
        sums = [f"{digest(path)}  {path.relative_to(half).as_posix()}\n" for path in files_of(half)]
        (half / SUMS).write_text("".join(sums), newline="\n")
    return table


def opus(waveform: np.ndarray) -> bytes:
    """The utterance as it is shipped."""
    return encode(waveform, RATE, COMPRESSION)


def written(spoken: pd.DataFrame) -> pd.DataFrame:
    """Of the generator's table what is written of it: COLUMNS. Sessions are numbered on from the embedded corpus's, so
    that no speaker and no utterance of the two has the same name."""

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
    return CARD.format(
        utterances=len(table),
        minutes=round(seconds / 60),
        speakers=table["speaker"].nunique(),
        sessions=table["session"].nunique(),
        texts=table["text"].nunique(),
        seed=knobs.seed,
        versions=", ".join(versions),
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


CARD = """\
# The embedded pairs of sernb

{utterances} utterances with their words, {minutes} minutes, {speakers} synthetic speakers in {sessions} groups ("sessions"), {texts}
different lines. Made by `python -m making.generator.pairs`.

- **No labels**: what was felt, how it was judged, and what the synthesiser was told are not written anywhere here. The
  pairs are for methods that learn from words and sound together before they see a label.
- **Nothing of the embedded corpus**: other voices (another seed), and no line that it says, also where only the opener
  or the closer differs. All else is as there: the same knobs, grammar, voices, rooms and noise.
- **Sound**: 16 kHz Opus, at a lower bit rate than the embedded corpus.
- **Licence**: MIT, as sernb. No recording or likeness of a person is in it, and no text of any other corpus. eSpeak NG is
  a program under the GPL; the sound that it makes is not.
- **Use**: to learn and to test with. The voices are machines, and a number reached with them says nothing of real speech.
  The generator could tell what was felt, as it makes the pairs from a seed: whoever asks it no longer learns without labels.

| column of metadata.csv | meaning |
|---|---|
| utterance, file | name, recording |
| speaker, gender, session, text | who says what; a line may be shared by two speakers of a session |

Made with seed {seed} by {versions}.
"""


if __name__ == "__main__":
    sys.exit(main())
