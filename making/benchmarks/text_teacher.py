"""Does reading on in the domain (M1) make a better teacher? Tables 1 and 4 of the MCED paper on real text.

python -m making.benchmarks.text_teacher [--xed DIR] [--meld DIR] [--out DIR] [--encoder mini-bert]
    [--seeds 2] [--epochs 3] [--reading-epochs 5] [--published] [--threads 1]

Question: does fine-tuning (MT) of a BERT that read on in the domain (M1) tell the five emotions of XED's and
MELD's sentences better than fine-tuning of the BERT as it came (M0)? In the paper +1.0 points of WA and +0.9
of WF1, without an interval. Settling number: the paired difference in weighted F1 on the test part; it is
settled, either way, when its 95 % interval by utterance leaves zero out, and open otherwise. Also asked: does
a vocabulary of the domain's own help an encoder that knows few of its words, and is any of them better than a
bag of words (TF-IDF of words and pairs of words, logistic regression)? Budget: 50 minutes on one shared core.
Each epoch is chosen on the validation part, as is the bag's penalty.

DIR of --out keeps the read encoders, the teachers (`sernb run 4 -p teacher=DIR/teachers/NAME`) and a CSV of
predictions a run; a run whose CSV is there is not computed again. --published leaves XED's marks as they are.
Prints Markdown.
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from making.benchmarks.teacher_texts import beside_paper, counting_rules, telling_marks
from making.benchmarks.text_emotions import CLASSES, in_domain, teacher_texts
from making.pretraining.cards import cells
from sernb.core.tables import predictions_of, read_predictions, write_predictions
from sernb.corpora import load
from sernb.evaluation import bootstrap, paired_bootstrap, scores
from sernb.evaluation.baselines import WORDS
from sernb.features.encoders import text_encoder
from sernb.protocols import Fold
from sernb.studies.recipes import Recipe
from sernb.studies.text_teacher import (
    READING,
    RECIPES,
    adapt,
    fine_tune_text,
    save_teacher,
    text_predictions,
    vocabulary_fit,
)

LAPTOP, LAPTOP_READING = RECIPES["laptop"], READING["laptop"]
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
ALWAYS, BAG, PLAIN = "always neutral", "bag of words", "M0, MT"
READ = {"M0, M1, MT": "given", "M0, M1 with its own vocabulary, MT": "own"}
METRICS = ("WA", "weighted_f1")


def markdown(table: pd.DataFrame) -> str:
    """The table with its index, numbers that are no counts to three digits."""
    table = table.reset_index().map(lambda cell: f"{cell:.3f}" if isinstance(cell, float) else cell)
    return "\n".join([f"| {' | '.join(table)} |", "|---" * len(table.columns) + "|", cells(table)])


def fold_of(texts: pd.DataFrame) -> Fold:
    return Fold("fixed", *(texts.index[texts["part"] == part] for part in ("train", "validation", "test")))


def bag_of_words(texts: pd.DataFrame, fold: Fold) -> tuple[pd.DataFrame, float]:
    """Predictions of the test part, and the penalty C with the best weighted F1 on the validation part."""
    labels, tried = texts["emotion"].astype(str), {}
    for penalty in PENALTIES:
        words = TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2), sublinear_tf=True)
        model = make_pipeline(words, LogisticRegression(C=penalty, max_iter=300))
        model.fit(texts.loc[fold.train, "text"], labels[fold.train])
        said = model.predict(texts.loc[fold.validation, "text"])
        tried[penalty] = f1_score(labels[fold.validation], said, average="weighted"), model
    best = max(tried, key=lambda penalty: tried[penalty][0])
    model = tried[best][1]
    chances = model.predict_proba(texts.loc[fold.test, "text"])
    table = pd.DataFrame(chances, fold.test, model.classes_)[list(CLASSES)]
    return predictions_of(table, texts, fold.name, BAG), best


def always_neutral(texts: pd.DataFrame, fold: Fold) -> pd.DataFrame:
    chances = pd.DataFrame(0.0, fold.test, list(CLASSES)).assign(neutral=1.0)
    return predictions_of(chances, texts, fold.name, ALWAYS)


def teacher(
    encoder: str,
    texts: pd.DataFrame,
    fold: Fold,
    name: str,
    recipe: Recipe,
    seed: int,
    folder: Path,
    progress: bool = True,
) -> pd.DataFrame:
    """Predictions of `encoder` fine-tuned, of the test part; the teacher itself goes into `folder`."""
    model, tokenizer = text_encoder(encoder)
    told = [
        texts.loc[part, column] for part in (fold.train, fold.validation) for column in ("text", "emotion")
    ]
    model, curve = fine_tune_text(
        model, tokenizer, *told[:2], CLASSES, *told[2:], recipe, seed, progress=name if progress else None
    )
    best = curve["validation_WF1"].max()
    print(f"{name}, seed {seed}: validation WF1 {best:.3f} after {len(curve)} epochs.", flush=True)
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed between the two
    save_teacher(model, tokenizer, folder)
    return text_predictions(model, tokenizer, texts, fold, name).assign(seed=seed)


def table_4(predictions: pd.DataFrame, texts: pd.DataFrame) -> str:
    """WA and weighted F1 of each model on the whole test part, and its halves by source, as Markdown."""
    sources = {"all": texts.index, **{one: texts.index[texts["source"] == one] for one in ("xed", "meld")}}
    lines = ["| test part | model | WA | WF1 | WF1 by seed |", "|---|---|---|---|---|"]
    for source, rows in sources.items():
        part = predictions[predictions.index.isin(rows)]
        judged = bootstrap(part, METRICS).set_index(["model", "metric"])
        single = scores(part, by=("model", "seed"))["weighted_f1"]
        for model in part["model"].unique():
            found = [judged.loc[(model, metric)] for metric in METRICS]
            said = [f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" for row in found]
            said.append(", ".join(f"{one:.3f}" for one in single[model]))
            lines.append(f"| {' | '.join([source, model, *said])} |")
    return "\n".join(lines)


def differences(predictions: pd.DataFrame) -> str:
    """What M1 adds, and how far each model is above the bag of words: paired, in points, as Markdown."""
    there = list(predictions["model"].unique())
    pairs = [(one, PLAIN) for one in READ] + [(one, BAG) for one in (PLAIN, *READ)] + [tuple(READ)[::-1]]
    lines = ["| a | b | metric | a − b, points | from | to | p |", "|---|---|---|---|---|---|---|"]
    for a, b in pairs:
        if a in there and b in there:
            for metric in METRICS:
                row = paired_bootstrap(predictions, a, b, metric)
                said = [f"{100 * row[one]:+.1f}" for one in ("difference", "low", "high")]
                lines.append(f"| {' | '.join([a, b, metric, *said, format(row['p'], '.3f')])} |")
    return "\n".join(lines)


def run(
    xed: pd.DataFrame,
    meld: pd.DataFrame,
    out: Path,
    encoder: str,
    seeds: Sequence[int],
    recipe: Recipe,
    reading: Recipe,
    published: bool = False,
    progress: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions of all models, and the texts."""
    texts = teacher_texts(xed, meld, evened=not published)
    fold = fold_of(texts)
    domain = in_domain(texts, xed["text"], meld["text"], evened=not published)
    print(f"{len(domain)} sentences to read in M1.\n")
    bag, penalty = bag_of_words(texts, fold)
    print(f"{BAG}: C = {penalty:g}.", flush=True)
    found = [always_neutral(texts, fold).assign(seed=0), bag.assign(seed=0)]
    for seed in seeds:
        for name in (PLAIN, *READ):
            run_name = f"{name}, {encoder.rpartition('/')[2]}, seed {seed}"
            place = out / f"{run_name}.csv"
            if not place.is_file():
                start = encoder
                if name in READ:  # one reading for all seeds
                    start = str(out / f"read, {READ[name]} vocabulary")
                    if not Path(start).is_dir():
                        title = f"M1, {READ[name]} vocabulary" if progress else None
                        adapt(encoder, domain, start, reading, READ[name], progress=title)
                folder = out / "teachers" / run_name
                write_predictions(teacher(start, texts, fold, name, recipe, seed, folder, progress), place)
            found.append(read_predictions(place))
    return pd.concat(found), texts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("SERNB_CORPORA", "../shared/text"))
    parser.add_argument("--xed", type=Path, default=home / "xed_en", help="XED's folder")
    parser.add_argument("--meld", type=Path, default=home / "meld", help="MELD's folder")
    parser.add_argument("--out", type=Path, default=Path("runs/text_teacher"))
    parser.add_argument("--encoder", default="mini-bert", help="M0: mini-bert, a folder, a name on the hub")
    parser.add_argument("--seeds", type=int, default=2, help="of fine-tuning")
    parser.add_argument("--epochs", type=int, default=LAPTOP.epochs, help="of fine-tuning, at most")
    parser.add_argument("--reading-epochs", type=int, default=LAPTOP_READING.epochs)
    parser.add_argument("--published", action="store_true", help="texts with XED's marks as published")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    fast = torch.cuda.is_available() or torch.cpu.get_capabilities().get("amx_bf16", False)
    xed, meld = load("xed", chosen.xed), load("meld", chosen.meld, recordings=False)
    print(markdown(counting_rules(xed, meld)), "\n")
    print(markdown(telling_marks(xed).rename_axis("mark")), "\n")
    predictions, texts = run(
        xed,
        meld,
        chosen.out,
        chosen.encoder,
        range(chosen.seeds),
        replace(LAPTOP, epochs=chosen.epochs, bf16=fast),
        replace(LAPTOP_READING, epochs=chosen.reading_epochs, bf16=fast),
        chosen.published,
    )
    print("\n" + markdown(beside_paper(texts)), "\n")
    print(markdown(pd.DataFrame(texts.attrs["dropped"]).set_index("source")), "\n")
    test = texts[texts["part"] == "test"]
    sets = {one: test.loc[test["source"] == one, "text"] for one in ("xed", "meld")}
    for place in (chosen.encoder, *sorted(map(str, chosen.out.glob("read, *")))):
        fit = vocabulary_fit(text_encoder(place)[1], sets)
        print(f"Vocabulary of {Path(place).name}:\n\n{markdown(fit)}\n")
    print(table_4(predictions, texts) + "\n\n" + differences(predictions))


if __name__ == "__main__":
    main()
