"""Measure the attention-pooling CNN on real corpora: the experiments of docs/results/attention_pooling.md,
each resumable fold by fold.

python -m making.benchmarks.attention_pooling --list
python -m making.benchmarks.attention_pooling emodb4-log-attention --threads 2
python -m making.benchmarks.attention_pooling --table
python -m making.benchmarks.attention_pooling --pair emodb4-log-attention-e50-s0 emodb4-mulaw-attention-e50-s0

An experiment's name is task-scaling-pooling[-change ...]; changes can be combined
(emodb7-log-gap-coarse-dense).
"""

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

FOUR = ["neutral", "happy", "sad", "angry"]
TASKS = {"emodb4": ("emodb", FOUR), "emodb7": ("emodb", None), "ravdess8": ("ravdess", None)}
POOLINGS = ("attention", "gap", "bilinear")
SCALINGS = ("mulaw", "mulaw01", "log")
# What is changed on the way from the paper's recipe to ours, one name each.
CHANGES = {
    "speakernorm": "each speaker's bins normalised without labels (transductive)",
    "specaugment": "a band of up to 600 Hz and a span of up to 0.4 s silenced",
    "dense": "training segments every 0.4 s instead of every 1 s",
    "speed": "training copies at 0.9 and 1.1 times the speed",
    "noise": "training copies with noise at 10 to 30 dB",
    "weights": "class weights in the loss",
    "smooth": "label smoothing 0.1",
    "coarse": "a grid of 160 x 100 (25 Hz, 20 ms) instead of 400 x 200: a fifth of the work",
}
COARSE = {"dft": 640, "shift": 0.02}


def grid() -> list[str]:
    """Names of the experiments; any other combination of the same words can be run too."""
    names = [f"{task}-{scaling}-{pooling}" for task in TASKS for scaling in SCALINGS for pooling in POOLINGS]
    changed = [f"{task}-log-attention-{change}" for task in TASKS for change in CHANGES]
    return names + [f"{name}-coarse" for name in names] + changed


def prepare(name: str, root: Path):
    """Utterances, folds, training and test segments, network and recipe of an experiment."""
    from sernb import corpora, protocols
    from sernb.features import audio, augmentation, spectrogram
    from sernb.models.attention_pooling import CNNConfig
    from sernb.studies.attention_pooling import PAPER

    task, scaling, pooling, *changes = name.split("-")
    if unknown := set(changes) - set(CHANGES):
        raise SystemExit(f"unknown change {', '.join(unknown)}; valid: {', '.join(CHANGES)}")
    corpus, emotions = TASKS[task]
    utterances, waveforms = audio.read_utterances(corpora.load(corpus, root / corpus, emotions=emotions))
    config = spectrogram.SpectrogramConfig(scaling=scaling, **(COARSE if "coarse" in changes else {}))
    step = spectrogram.TEST_STEP if "dense" in changes else spectrogram.TRAIN_STEP
    speeds = (0.9, 1.1) if "speed" in changes else ()
    copies = augmentation.variants(waveforms, speeds, (10, 30) if "noise" in changes else None)
    train = spectrogram.Segments.joined(
        [spectrogram.segment_spectrograms(utterances, one, config, step) for one in (waveforms, *copies)]
    )
    test = spectrogram.segment_spectrograms(utterances, waveforms, config, spectrogram.TEST_STEP)
    if "speakernorm" in changes:
        train, test = (normalise_by_speaker(part, utterances["speaker"]) for part in (train, test))
    recipe = replace(
        PAPER,
        class_weights="weights" in changes,
        label_smoothing=0.1 if "smooth" in changes else 0.0,
        frequency_mask=config.bins * 3 // 20 if "specaugment" in changes else 0,
        time_mask=config.frames // 5 if "specaugment" in changes else 0,
    )
    return utterances, protocols.by_name("auto", utterances), train, test, CNNConfig(pooling=pooling), recipe


def normalise_by_speaker(segments, speakers):
    """Give every speaker's segments mean 0 and deviation 1 in each bin; `speakers` is indexed by utterance.

    Needs no labels, but looks at all clips of a test speaker at once: a *transductive* setting, to be named
    so wherever its numbers stand.
    """
    import torch

    from sernb.core.errors import SernbError
    from sernb.features.spectrogram import Segments

    out = torch.empty_like(segments.spectrograms)
    owners = segments.table["utterance"].map(speakers)
    if owners.isna().any():
        names = segments.table["utterance"][owners.isna()].unique()
        raise SernbError(f"{len(names)} utterances have no speaker to normalise by: {', '.join(names[:5])}.")
    for rows in owners.groupby(owners).indices.values():
        rows = torch.as_tensor(rows)
        deviation, mean = torch.std_mean(segments.spectrograms[rows], dim=(0, 2), keepdim=True)
        out[rows] = (segments.spectrograms[rows] - mean) / deviation.clamp(min=1e-3)
    return Segments(segments.table, out)


def run(name: str, arguments) -> None:
    """Run the folds of an experiment that are not done yet; one predictions file a fold."""
    import torch

    from sernb.core import tables
    from sernb.studies.attention_pooling import cross_validate

    torch.set_num_threads(arguments.threads)
    label = f"{name}-e{arguments.epochs}-s{arguments.seed}"
    folder = arguments.out / label
    folder.mkdir(parents=True, exist_ok=True)
    utterances, folds, train, test, config, recipe = prepare(name, arguments.corpora)
    recipe = replace(recipe.shortened(arguments.epochs), bf16=arguments.bf16, compiled=arguments.compiled)
    for number, fold in enumerate(folds):
        file = folder / f"{number}.csv"
        if file.exists():
            continue
        began = time.perf_counter()
        predictions, curves, _ = cross_validate(
            utterances,
            train,
            test,
            [fold],
            config,
            recipe,
            label,
            arguments.seed + 1000 * number,
            progress=False,
        )
        seconds = time.perf_counter() - began
        facts = {"fold": fold.name, "seconds": seconds, "seconds_an_epoch": seconds / recipe.epochs,
                 "loss": float(curves["loss"].iat[-1]), "threads": arguments.threads, "bf16": arguments.bf16,
                 "segments": len(train.of(fold.train)),
                 "device": "cuda" if torch.cuda.is_available() else "cpu"}  # fmt: skip
        (folder / f"{number}.json").write_text(json.dumps(facts))
        tables.write_predictions(predictions.assign(seed=arguments.seed), file)
        right = (predictions["emotion"] == predictions["predicted"]).mean()
        print(
            f"{label}  {fold.name}: {right:.3f} right, {seconds:.0f} s, loss {facts['loss']:.3f}", flush=True
        )


def table(arguments) -> None:
    """Print the table of all experiments whose folds are done."""
    import pandas as pd

    from sernb.core import tables
    from sernb.evaluation import bootstrap, scores

    rows = []
    for folder in sorted(arguments.out.iterdir()):
        files = sorted(folder.glob("*.csv"))
        if not files:
            continue
        predictions = pd.concat([tables.read_predictions(file) for file in files])
        facts = pd.DataFrame([json.loads(file.with_suffix(".json").read_text()) for file in files])
        score = scores(predictions).iloc[0]
        row = {"experiment": folder.name, "folds": len(files), "UAR": score["UAR"], "WA": score["WA"]}
        for unit in ("utterance", "speaker"):
            one = bootstrap(predictions, "UAR", unit=unit).iloc[0]
            row[f"95 % by {unit}"] = f"[{one['low']:.3f}, {one['high']:.3f}]"
        rows.append(
            {**row, "s an epoch": facts["seconds_an_epoch"].median(), "threads": facts["threads"].iat[0]}
        )
    print(pd.DataFrame(rows).round(3).to_string(index=False))


def pair(arguments) -> None:
    """Print the difference in UAR of two experiments on the utterances that both have tested."""
    import pandas as pd

    from sernb.core import tables
    from sernb.evaluation import paired_bootstrap

    parts = []
    for name in arguments.pair:
        seeds = (
            [arguments.out / name] if (arguments.out / name).is_dir() else arguments.out.glob(f"{name}-s*")
        )
        files = [file for folder in sorted(seeds) for file in sorted(folder.glob("*.csv"))]
        if not files:
            raise SystemExit(f"{arguments.out / name} holds no results; --table lists what is there")
        parts.append(pd.concat([tables.read_predictions(file) for file in files]).assign(model=name))
    both = parts[0].index.intersection(parts[1].index)
    every = pd.concat([part.loc[both] for part in parts])
    for unit in ("utterance", "speaker"):
        test = paired_bootstrap(every, *arguments.pair, metric="UAR", unit=unit)
        print(
            f"{test['difference']:+.3f} [{test['low']:+.3f}, {test['high']:+.3f}] by {unit}, {test['units']} "
            "of them, "
            f"p = {test['p']:.3f}"
        )


def choose(arguments) -> None:
    """Choose among the finished experiments for each test speaker by the *other* speakers' UAR, and score the
    choice.

    So no speaker's own clips decide which experiment is used for him. (The networks scored on the others have
    heard him in training: the choice is a matter of a few settings, so little of that can reach it.)
    """
    import pandas as pd

    from sernb.core import tables
    from sernb.evaluation import bootstrap, scores

    parts = []
    for folder in sorted(arguments.out.iterdir()):
        files = sorted(folder.glob("*.csv"))
        if folder.name.startswith(arguments.choose) and files:
            parts.append(pd.concat([tables.read_predictions(file) for file in files]).assign(seed=0))
    counts = {len(part) for part in parts}
    if len(parts) < 2:
        raise SystemExit(f"fewer than two finished experiments begin with {arguments.choose!r}")
    parts = [part for part in parts if len(part) == max(counts)]
    every = pd.concat(parts)
    chosen = []
    for speaker in sorted(every["speaker"].unique()):
        others = scores(every[every["speaker"] != speaker])["UAR"]
        mine = every[(every["speaker"] == speaker) & (every["model"] == others.idxmax())]
        print(f"speaker {speaker}: {others.idxmax()} (UAR of the others {others.max():.3f})")
        chosen.append(mine.assign(model="chosen"))
    for unit in ("utterance", "speaker"):
        row = bootstrap(pd.concat(chosen), "UAR", unit=unit).iloc[0]
        print(
            f"chosen among {len(parts)}: UAR {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}] by "
            f"{unit}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="EXPERIMENT")
    parser.add_argument("--list", action="store_true", help="names of the experiments")
    parser.add_argument("--table", action="store_true", help="what has been measured so far")
    parser.add_argument("--choose", metavar="PREFIX", help="choose among finished experiments, honestly")
    parser.add_argument(
        "--pair",
        nargs=2,
        metavar="RESULT",
        help="compare two of the table's rows; without its -sN a row is the mean over seeds",
    )
    parser.add_argument("--corpora", type=Path, default=os.environ.get("SERNB_CORPORA", "../shared/corpora"))
    parser.add_argument("--out", type=Path, default=Path("runs/attention_pooling"))
    parser.add_argument("--epochs", type=int, default=50, help="the paper's schedule, squeezed into so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compiled", action="store_true")
    arguments = parser.parse_args()
    arguments.corpora = Path(arguments.corpora)
    if arguments.list:
        print("\n".join(grid()))
    elif arguments.table:
        table(arguments)
    elif arguments.pair:
        pair(arguments)
    elif arguments.choose:
        choose(arguments)
    else:
        for name in arguments.names:
            run(name, arguments)


if __name__ == "__main__":
    main()
