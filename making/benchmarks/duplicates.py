"""Does the audit find copies in a real corpus, and does it take other takes for copies?

python -m making.benchmarks.duplicates CORPUS [ROOT] [--copies 100]

Puts copies of randomly drawn recordings beside a corpus: softer, at 8 kHz, as Ogg Vorbis, cut by up to a
fifth at both ends, and cut, at 8 kHz and softer at once; then counts those found, and the pairs within the
corpus itself. Last, how alike the waves of other takes are: of up to 2,000 pairs with the same speaker and
words, the highest correlation.
"""

import argparse
import io
import time
from itertools import combinations

import numpy as np
import pandas as pd
import soundfile
from soxr import resample

from sernb import corpora
from sernb.evaluation import audit
from sernb.evaluation.audit.duplicates import sameness
from sernb.features import audio

RATE = 16000


def softer(waveform, draw):
    return waveform * np.float32(draw.uniform(0.1, 0.6))


def telephone(waveform, draw):
    return resample(resample(waveform, RATE, RATE // 2), RATE // 2, RATE)


def vorbis(waveform, draw):
    file = io.BytesIO()
    soundfile.write(file, waveform, RATE, format="OGG", subtype="VORBIS")
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


def cut(waveform, draw):
    first, last = draw.integers(1, len(waveform) // 5, 2)
    return waveform[first:-last]


def all_three(waveform, draw):
    return softer(telephone(cut(waveform, draw), draw), draw)


WAYS = {"softer": softer, "8 kHz": telephone, "Vorbis": vorbis, "cut": cut, "cut, 8 kHz, softer": all_three}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus")
    parser.add_argument("root", nargs="?")
    parser.add_argument("--copies", type=int, default=100, help="of each kind")
    arguments = parser.parse_args()
    utterances = corpora.load(arguments.corpus, arguments.root)
    utterances, waveforms = audio.read_utterances(utterances, progress=False)
    draw = np.random.default_rng(0)
    tables, copies, kind_of = [utterances], [], {}
    for kind, way in WAYS.items():
        rows = draw.choice(len(utterances), min(arguments.copies, len(utterances)), replace=False)
        copies += [way(waveforms[row], draw) for row in rows]
        tables.append(utterances.iloc[rows].rename(lambda name, kind=kind: f"{name} {kind}"))
        kind_of |= {(utterances.index[row], f"{utterances.index[row]} {kind}"): kind for row in rows}
    began = time.perf_counter()
    own = audit.duplicates(utterances, waveforms, progress=False)
    seconds = time.perf_counter() - began
    found = audit.duplicates(pd.concat(tables), waveforms + copies, progress=False)
    # Copies of one recording are joined among themselves too; what counts is that all hang together.
    original = {copy: first for first, copy in kind_of} | dict(zip(own["b"], own["a"], strict=True))
    roots = found[["a", "b"]].map(
        lambda name: original.get(original.get(name, name), original.get(name, name))
    )
    wrong = found[roots["a"] != roots["b"]]
    joined = set(found["a"]) | set(found["b"])
    pairs = len(utterances) * (len(utterances) - 1) // 2
    print(f"{arguments.corpus}: {len(utterances):,} utterances, {pairs:,} pairs, {seconds:.0f} s")
    print(
        f"  within the corpus: {len(own)} found: "
        f"{', '.join(f'{a} = {b}' for a, b in own[['a', 'b']].to_numpy())}"
    )
    for kind in WAYS:
        planted = [pair for pair, way in kind_of.items() if way == kind]
        print(f"  {kind}: {sum(copy in joined for _, copy in planted)} of {len(planted)} found")
    print(f"  other pairs with a copy in them: {len(wrong)}")
    known = set(map(frozenset, own[["a", "b"]].to_numpy()))
    takes = [
        pair
        for rows in utterances.groupby(["speaker", "text"]).indices.values()
        for pair in combinations(rows, 2)
        if frozenset(utterances.index[list(pair)]) not in known
    ]
    takes = [takes[number] for number in draw.permutation(len(takes))[:2000]]
    if takes:
        most = max(sameness(waveforms[a], waveforms[b])[0] for a, b in takes)
        print(f"  other takes: of {len(takes):,} pairs the most alike correlate by {most:.2f}")


if __name__ == "__main__":
    main()
