"""The audit of a large corpus, made for the purpose: seconds, memory, and whether it finds what was planted.

python -m making.benchmarks.audit [--utterances 10000] [--jobs 2] [--folder DIR]

Writes recordings of about a second (a buzz with a melody and moving resonances, no two alike), by 500
speakers, with words drawn from 5,000, and a manifest. One in 200 is a copy of another: the same samples, a
softer one at 8 kHz, or one with its edges cut; and one in 200 has another's words, with a letter changed in
half of these. --folder keeps the tree and uses it again.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from joblib import Parallel, delayed
from scipy.signal import sosfilt
from soxr import resample

from sernb import corpora
from sernb.evaluation import audit

RATE = 16000
PLANTED = 200  # one of so many is a copy
EMOTIONS = ("neutral", "happy", "sad", "angry")


def sound(number: int) -> np.ndarray:
    """A second of a voice-like buzz, float32 `(samples,)`; each number has its own."""
    draw = np.random.default_rng(number)
    size = int(RATE * draw.uniform(0.8, 1.2))
    steps = np.linspace(0, 1, 6)
    pitch = np.interp(np.linspace(0, 1, size), steps, draw.uniform(80, 300, 6))
    buzz = 2 * (np.cumsum(pitch) / RATE % 1) - 1 + 0.2 * draw.standard_normal(size)
    voice = np.zeros(size)
    for _ in range(6):  # resonances, louder and softer in turn
        hertz, width = draw.uniform(250, 3500), draw.uniform(60, 200)
        radius, angle = np.exp(-np.pi * width / RATE), 2 * np.pi * hertz / RATE
        section = np.array([[1 - radius, 0, 0, 1, -2 * radius * np.cos(angle), radius**2]])
        level = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, 12), draw.uniform(0.05, 1, 12))
        voice += sosfilt(section, buzz) * level
    return (0.3 * voice / np.abs(voice).max() + 1e-4 * draw.standard_normal(size)).astype(np.float32)


def write(folder: Path, number: int) -> None:
    """The recording of one row; each PLANTED-th is a copy of the one before it, in one of three ways."""
    samples, rate, way = sound(number), RATE, number // PLANTED % 3
    if number % PLANTED == PLANTED - 1:
        samples = sound(number - 1)
        if way == 1:
            samples, rate = 0.4 * resample(samples, RATE, RATE // 2), RATE // 2
        elif way == 2:
            samples = samples[RATE // 8 : -RATE // 10]
    path = folder / f"{number // 1000:03d}" / f"{number:06d}.wav"
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, samples, rate)


def make(folder: Path, count: int, jobs: int) -> None:
    """The tree of `count` recordings and its manifest."""
    Parallel(jobs, batch_size=200)(delayed(write)(folder, number) for number in range(count))
    draw = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnoprstuvw"))
    words = ["".join(draw.choice(letters, draw.integers(3, 9))) for _ in range(5000)]
    chance = 1 / np.arange(1, 5001)
    drawn = draw.choice(5000, (count, 8), p=chance / chance.sum())
    texts = [" ".join(words[word] for word in row) for row in drawn]
    for number in range(PLANTED // 2, count, PLANTED):
        texts[number] = texts[number - 1]
        if number // PLANTED % 2:
            texts[number] = texts[number][:-1] + "z"
    table = pd.DataFrame(
        {
            "file": [f"{number // 1000:03d}/{number:06d}.wav" for number in range(count)],
            "speaker": [f"s{number:03d}" for number in draw.integers(0, 500, count)],
            "emotion": draw.choice(EMOTIONS, count),
            "text": texts,
        }
    )
    table.to_csv(folder / "manifest.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--utterances", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if not (folder / "manifest.csv").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            make(folder, arguments.utterances, arguments.jobs)
        utterances = corpora.load("manifest", folder)
        planted = {
            (f"{number - 1:06d}", f"{number:06d}") for number in range(PLANTED - 1, len(utterances), PLANTED)
        }
        began = time.perf_counter()
        findings = audit.audit(utterances, jobs=arguments.jobs, progress=False)
        seconds = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        began = time.perf_counter()
        near = audit.near_texts(utterances["text"])
        words = time.perf_counter() - began
        began = time.perf_counter()
        pairs = audit.duplicates(utterances, jobs=arguments.jobs, progress=False)
        sounds = time.perf_counter() - began
    found = set(map(tuple, np.sort(pairs[["a", "b"]].to_numpy(str), axis=1)))
    same = {(f"{n - 1:06d}", f"{n:06d}") for n in range(PLANTED // 2, len(utterances), PLANTED)}
    alike = set(map(tuple, np.sort(near[["a", "b"]].to_numpy(str), axis=1)))
    print(f"{len(utterances):,} utterances, {arguments.jobs} jobs: {seconds:.0f} s, at most {memory:.2f} GiB")
    print(f"  duplicates alone {sounds:.0f} s: {len(found & planted)} of {len(planted)} planted pairs found, "
          f"{len(found - planted)} others")  # fmt: skip
    print(f"  transcripts alone {words:.1f} s: {len(alike & same)} of {len(same)} planted pairs found, "
          f"{len(alike - same)} others")  # fmt: skip
    for row in findings[findings["severity"] != "fine"].itertuples():
        print(f"  {row.severity}: {row.check}: {row.finding}")


if __name__ == "__main__":
    main()
