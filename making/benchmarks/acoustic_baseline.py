"""Acoustic statistics and a logistic regression on real corpora, speaker-independent: what the CNN has to
beat.

python -m making.benchmarks.acoustic_baseline [--corpora DIR] [TASK ...]
"""

import argparse
import os
from pathlib import Path

from making.benchmarks.attention_pooling import TASKS
from sernb import corpora, protocols
from sernb.evaluation import bootstrap, scores
from sernb.evaluation.baselines import baseline
from sernb.features.acoustics import acoustic_table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)}; all where none is named"
    )
    parser.add_argument(
        "--corpora", type=Path, default=Path(os.environ.get("SERNB_CORPORA", "../shared/corpora"))
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.tasks) - set(TASKS):
        parser.error(f"unknown task {', '.join(unknown)}; valid: {', '.join(TASKS)}")
    for task in arguments.tasks or TASKS:
        corpus, emotions = TASKS[task]
        utterances = corpora.load(corpus, arguments.corpora / corpus, emotions=emotions)
        folds = protocols.by_name("auto", utterances)
        predictions = baseline(
            utterances, folds, "audio", acoustics=acoustic_table(utterances, progress=False)
        )
        rows = [bootstrap(predictions, "UAR", unit=unit).iloc[0] for unit in ("utterance", "speaker")]
        intervals = ", ".join(f"[{row['low']:.3f}, {row['high']:.3f}] by {row['unit']}" for row in rows)
        print(
            f"{task}: UAR {rows[0]['value']:.3f} {intervals}, WA {scores(predictions)['WA'].iloc[0]:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
