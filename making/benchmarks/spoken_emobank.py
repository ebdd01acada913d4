"""EmoBank's sentences, spoken by the generator's voices: real words with ratings, and a synthetic voice that
follows them.

python -m making.benchmarks.spoken_emobank --root EMOBANK --out DIR [--sentences 1500] [--seed 5]

Writes recordings and manifest.csv (file, speaker, text, arousal, valence, dominance from 1 to 5, part) into
DIR, a new folder outside the project: EmoBank's licence is its own. Then

sernb run 6 --corpus manifest --root DIR -p scale 1,5 -p protocol fixed -p asr ''

EmoBank's parts stay, and each has speakers of its own. What the voice expresses are the sentence's ratings,
spread out (most of them lie near the middle) and with the embedded corpus's noise; so the voice tells
arousal, and the words tell what real words tell.
"""

import argparse
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from making.generator.build import make
from making.generator.knobs import Knobs
from making.generator.synthesis import RATE
from making.generator.voices import controls, speakers
from sernb.core.errors import SernbError
from sernb.core.files import whole_folder
from sernb.corpora import load

SHARES = {"train": 0.7, "validation": 0.12, "test": 0.18}
WORDS = (4, 22)  # fewest and most words of a sentence
SPREAD = 0.45  # standard deviation of what the voice expresses, on its scale of -1 to 1


def planned(sentences: pd.DataFrame, count: int, seed: int) -> tuple[pd.DataFrame, dict, Knobs]:
    """Who says which sentence, how: a row an utterance with what the voice is told, the speakers, the
    knobs."""
    long = sentences["text"].str.split().str.len()
    plain = sentences["text"].map(str.isascii) & long.between(*WORDS)
    knobs = Knobs(seed=seed, sessions=len(SHARES) * 2, utterances=count)
    rng = np.random.default_rng(seed)
    cast, rows = speakers(rng, knobs), []
    sessions = sorted({one.session for one in cast})
    ratings = sentences[["valence", "arousal", "dominance"]]
    felt = (SPREAD * (ratings - ratings.mean()) / ratings.std()).clip(-1, 1)
    for number, (part, share) in enumerate(SHARES.items()):
        # train has the voices of four sessions, the other parts one each
        own = sessions[:4] if number == 0 else [sessions[3 + number]]
        voices = [one for one in cast if one.session in own]
        there = sentences[plain & (sentences["part"] == part)]
        for name, row in there.sample(min(round(count * share), len(there)), random_state=seed).iterrows():
            speaker = voices[len(rows) % len(voices)]
            told = asdict(controls(rng, felt.loc[name], speaker, knobs))
            rows.append(
                {"utterance": f"e{len(rows):05d}", "speaker": speaker.name, "part": part, **row, **told}
            )
    return pd.DataFrame(rows).set_index("utterance"), {one.name: one for one in cast}, knobs


def build(root: Path, out: Path, count: int, seed: int, jobs: int | None = None) -> pd.DataFrame:
    """Speak, and write the folder; SernbError where it is not empty."""
    with whole_folder(out, new=True) as folder:
        table, cast, knobs = planned(load("emobank", root), count, seed)
        as_floats = partial(np.asarray, dtype=np.float32)
        for name, sound, _ in make(table, cast, knobs, finish=as_floats, jobs=jobs, per_process=50):
            soundfile.write(folder / f"{name}.flac", sound, RATE)
        kept = ["speaker", "text", "arousal", "valence", "dominance", "part"]
        manifest = table[kept].assign(file=[f"{name}.flac" for name in table.index])
        manifest.to_csv(folder / "manifest.csv")
    return manifest


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder of EmoBank")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--sentences", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=None)
    given = parser.parse_args()
    try:
        manifest = build(given.root, given.out, given.sentences, given.seed, given.jobs)
    except SernbError as error:
        print(error, file=sys.stderr)
        return 1
    print(manifest.groupby("part")[["speaker"]].agg(["size", "nunique"]).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
