"""Does a text branch learn valence from real sentences? EmoBank, its own parts, against a bag of words.

python -m making.benchmarks.emobank [--root DIR] [--seeds 2] [--threads 1]

A bag of words (TF-IDF of words and pairs of words) with ridge regression; the kit's two text encoders,
fine-tuned; and networks of their sizes from random weights, at the same learning rates. All learn from the
training part, choose on the validation part (the ridge its penalty, the networks when to stop), and are tried
on the test part: CCC with a 95 % interval by sentence, and paired differences. Prints two Markdown tables.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from transformers import BertModel

from sernb.core.ratings import rated, targets_of
from sernb.core.tables import DIMENSIONS
from sernb.corpora import load
from sernb.evaluation import bootstrap, paired_bootstrap
from sernb.evaluation.baselines import WORDS as WORD
from sernb.evaluation.concordance import concordance
from sernb.features.encoders import text_encoder
from sernb.protocols import Fold, fixed
from sernb.studies.audio_text import WORDS, train_systems
from sernb.studies.recipes import Recipe
from sernb.studies.regression import prepare

ALPHAS = tuple(10.0**power for power in np.arange(-2, 2.1, 0.5))
RECIPE = Recipe(epochs=6, batch_size=32, optimizer="adam", learning_rate=1e-3, patience=2, falling=True)
# What did best on the validation part in three epochs. At 5e-4, best for three layers, mini-bert's six do not
# learn at all. From random weights, six layers learn neither at 2e-4 nor at 1e-4: that row tells of training,
# not of size.
RATES = {"mini-bert": 2e-4, "mini-tinybert": 5e-4}
BAG, ENCODERS = "bag of words", tuple(RATES)


def ridge(
    utterances: pd.DataFrame, fold: Fold, alphas: Sequence[float] = ALPHAS
) -> tuple[pd.DataFrame, dict]:
    """Predictions of the validation and test part, and the penalty chosen for each dimension by its
    validation CCC."""
    bag = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    targets = targets_of(utterances)
    truth = pd.DataFrame(targets.values, utterances.index, targets.dimensions)
    counts = {"train": bag.fit_transform(utterances.loc[fold.train, "text"])}
    for part in ("validation", "test"):
        counts[part] = bag.transform(utterances.loc[getattr(fold, part), "text"])
    chosen, found = {}, {"validation": [], "test": []}
    for one in targets.dimensions:
        tried = {}
        for alpha in alphas:
            model = Ridge(alpha).fit(counts["train"], truth.loc[fold.train, one])
            said = {part: model.predict(counts[part]) for part in found}
            tried[alpha] = concordance(truth.loc[fold.validation, one], said["validation"]), said
        chosen[one] = max(tried, key=lambda alpha: tried[alpha][0])
        for part, said in tried[chosen[one]][1].items():
            found[part].append(said)
    tables = [
        rated(np.stack(said, 1), getattr(fold, part), utterances, targets, fold.name, BAG).assign(part=part)
        for part, said in found.items()
    ]
    return pd.concat(tables), chosen


def networks(
    utterances: pd.DataFrame, fold: Fold, name: str, seeds: Sequence[int], recipe: Recipe = RECIPE
) -> pd.DataFrame:
    """Predictions of an encoder, fine-tuned, and of a network of its size from random weights."""
    encoder, tokenizer = text_encoder(name)
    recipe = replace(recipe, encoder_rate=RATES[name])
    words = prepare(utterances, targets_of(utterances), tokenizer=tokenizer, progress=False)
    found = []
    for way in ("pretrained", "random weights"):
        for seed in seeds:
            torch.manual_seed(seed)
            start = encoder if way == "pretrained" else BertModel(encoder.config)
            said, _, _ = train_systems(
                utterances, words, [fold], None, start, f"{name}, {way}", (WORDS,), recipe, seeds=[seed]
            )
            found.append(said.assign(model=f"{name}, {way}"))
    return pd.concat(found)


def tables(predictions: pd.DataFrame) -> str:
    """CCC of each model on the test part, and the differences in valence that are of interest, as
    Markdown."""
    test = predictions[predictions["part"] == "test"]
    lines = ["| model | " + " | ".join(DIMENSIONS) + " |", "|---" * (1 + len(DIMENSIONS)) + "|"]
    judged = bootstrap(test, [f"CCC_{one}" for one in DIMENSIONS]).set_index(["model", "metric"])
    for model in test["model"].unique():
        rows = [judged.loc[(model, f"CCC_{one}")] for one in DIMENSIONS]
        cells = [f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" for row in rows]
        lines.append(f"| {model} | {' | '.join(cells)} |")
    names = [one for one in test["model"].unique() if one.endswith(", pretrained")]
    pairs = [(one, one.replace("pretrained", "random weights")) for one in names]
    pairs += [(one, BAG) for one in names] + list(zip(names[1:], names, strict=False))
    lines += ["", "| a | b | valence, a − b | from | to | p |", "|---|---|---|---|---|---|"]
    for a, b in pairs:
        row = paired_bootstrap(test, a, b, "CCC_valence")
        lines.append(
            f"| {a} | {b} | {row['difference']:+.3f} | {row['low']:+.3f} | {row['high']:+.3f} | "
            f"{row['p']:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("SERNB_CORPORA", "../shared/text"))
    parser.add_argument("--root", type=Path, default=home / "emobank", help="EmoBank's folder")
    parser.add_argument("--seeds", type=int, default=2, help="of each network")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    utterances = load("emobank", arguments.root)
    fold = fixed(utterances)[0]
    said, penalties = ridge(utterances, fold)
    print(f"Penalty of the {BAG}: {', '.join(f'{one} {alpha:.3g}' for one, alpha in penalties.items())}.")
    found = [said.assign(seed=0)]
    for name in ENCODERS:
        found.append(networks(utterances, fold, name, range(arguments.seeds)))
    predictions = pd.concat(found)
    print(
        f"{len(fold.train)} sentences to learn from, {len(fold.test)} to test on; {arguments.seeds} "
        "seed(s).\n"
    )
    print(tables(predictions))


if __name__ == "__main__":
    main()
