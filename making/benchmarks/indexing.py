"""How long 100,000 utterances take to index, and how much memory: `python -m making.benchmarks.indexing
[LAYOUT ...]`.

LAYOUT is one of cremad (names only, at most 26,208), manifest (a CSV), msp_podcast (a CSV and a transcript
each) and iemocap (text files of evaluations and transcripts); all where none is named. Each tree is generated
in a temporary folder, its recordings as empty files, since indexing reads names and tables only. Every load
runs in a fresh process, after the import of sernb; shown are seconds by the clock and of the processor (one
core; less than the clock where others share the machine), and the process's memory before the load and at its
peak.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from itertools import islice, product
from pathlib import Path

EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
SENTENCES = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")


def touch(path: Path) -> None:
    with open(path, "wb"):
        pass


def cremad(root: Path, count: int) -> None:
    """Names of the corpus's code, of which there are 26,208."""
    grid = product(range(1001, 1092), SENTENCES, EMOTIONS, ("LO", "MD", "HI", "XX"))
    (root / "AudioWAV").mkdir()
    for actor, sentence, emotion, intensity in islice(grid, count):
        touch(root / "AudioWAV" / f"{actor}_{sentence}_{emotion}_{intensity}.wav")


def manifest(root: Path, count: int) -> None:
    lines = ["file,emotion,speaker,text,arousal,valence,dominance"]
    for number in range(count):
        folder = f"speaker{number % 200:03d}"
        (root / folder).mkdir(exist_ok=True)
        touch(root / folder / f"{number:06d}.wav")
        emotion = ("happy", "sad", "angry", "neutral")[number % 4]
        lines.append(f'{folder}/{number:06d}.wav,{emotion},{folder},"Sentence, {number}.",3.5,4,2.5')
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")


def msp_podcast(root: Path, count: int) -> None:
    for folder in ("Labels", "Audios", "Transcripts"):
        (root / folder).mkdir()
    lines = ["FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"]
    for number in range(count):
        name = f"MSP-PODCAST_{number // 100:04d}_{number % 100:04d}"
        touch(root / "Audios" / f"{name}.wav")
        (root / "Transcripts" / f"{name}.txt").write_text(
            f"This is what they said in turn {number} of the podcast.\n"
        )
        part = ("Train", "Train", "Development", "Test1", "Test2")[number // 100 % 5]
        lines.append(f"{name}.wav,{'ASHUFDCNOX'[number % 10]},4.2,3.8,4.0,{number // 100},Male,{part}")
    (root / "Labels" / "labels_consensus.csv").write_text("\n".join(lines) + "\n")


def iemocap(root: Path, count: int) -> None:
    codes = ("neu", "hap", "exc", "sad", "ang", "fru", "xxx")
    for first in range(0, count, 70):
        session = first // 70 % 5 + 1
        dialogue = f"Ses{session:02d}F_impro{first // 70:05d}"
        places = [
            root / f"Session{session}" / rest
            for rest in ("dialog/EmoEvaluation", "dialog/transcriptions", f"sentences/wav/{dialogue}")
        ]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
        said, words = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""], []
        for number in range(first, min(first + 70, count)):
            name = f"{dialogue}_{'FM'[number % 2]}{number - first:03d}"
            touch(places[2] / f"{name}.wav")
            said += [f"[1.0 - 2.0]\t{name}\t{codes[number % 7]}\t[2.5000, 2.5000, 2.5000]",
                     "C-E2:\tNeutral;\t()", "C-E3:\tAnger;\t()", "C-E4:\tSadness;\t()",
                     "A-E3:\tval 2; act 2; dom  2;\t()",
                     "A-E4:\tval 3; act 3; dom  3;\t()", ""]  # fmt: skip
            words.append(f"{name} [001.0000-002.0000]: This is what they said in turn {number}.")
        (places[0] / f"{dialogue}.txt").write_text("\n".join(said))
        (places[1] / f"{dialogue}.txt").write_text("\n".join(words))


LAYOUTS = {"cremad": cremad, "manifest": manifest, "msp_podcast": msp_podcast, "iemocap": iemocap}


def load(name: str, root: str) -> None:
    """In a process of its own: load once, and print the seconds and megabytes as JSON."""
    from sernb import corpora

    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # noqa: E731, MB
    before, began, worked = peak(), time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of counts other than the published ones
        table = corpora.load(name, root, **({"classes": "all"} if name == "iemocap" else {}))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    print(
        json.dumps(
            {"utterances": len(table), "seconds": seconds, "cpu": worked, "before": before, "peak": peak()}
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("layouts", nargs="*", metavar="LAYOUT", help=f"of {', '.join(LAYOUTS)}")
    parser.add_argument("--utterances", type=int, default=100_000)
    parser.add_argument("--load", nargs=2, metavar=("LAYOUT", "ROOT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        return load(*arguments.load)
    if unknown := set(arguments.layouts) - set(LAYOUTS):
        parser.error(f"unknown layout {', '.join(unknown)}; valid: {', '.join(LAYOUTS)}")
    print(
        "| layout | utterances | seconds | CPU seconds | MB before | MB at the peak "
        "|\n|---|---|---|---|---|---|"
    )
    for name in arguments.layouts or LAYOUTS:
        with tempfile.TemporaryDirectory() as root:
            LAYOUTS[name](Path(root), arguments.utterances)
            done = subprocess.run(
                [sys.executable, __file__, "--load", name, root], capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise SystemExit(done.stderr)
        row = json.loads(done.stdout)
        print(
            f"| {name} | {row['utterances']:,} | {row['seconds']:.1f} | {row['cpu']:.1f} | "
            f"{row['before']:.0f} | {row['peak']:.0f} |",
            flush=True,
        )
    return None


if __name__ == "__main__":
    main()
