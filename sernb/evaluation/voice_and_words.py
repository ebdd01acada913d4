"""What the voice tells of arousal, valence and dominance, and what the words tell: two ridge regressions, compared."""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS
from sernb.evaluation.baselines import WORDS
from sernb.evaluation.intervals import interval

PENALTIES = np.logspace(0, 4, 9)


def compare(utterances: pd.DataFrame, folds: list, statistics: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """For each dimension that is rated, how well the voice and the words follow it: a row each of `difference`.

    Columns: voice, words (r), difference (voice minus words), low, high, units, unit ("speaker" where all are known,
    else "utterance"). Empty without ratings, words, statistics or folds. Raises SernbError as `guesses` does.
    """
    if not len(statistics) or not folds or "text" not in utterances or utterances["text"].isna().all():
        return pd.DataFrame()
    known = "speaker" in utterances and utterances["speaker"].notna().all()
    rows = {}
    for one in DIMENSIONS:
        if one in utterances and utterances[one].notna().any():
            voice = guesses(utterances, one, folds, statistics)
            words = guesses(utterances, one, folds)
            units = utterances["speaker"] if known else None
            rows[one] = difference(utterances[one], voice, words, units, seed=seed)
            rows[one]["unit"] = "speaker" if known else "utterance"
    return pd.DataFrame.from_dict(rows, orient="index").rename(columns={"one": "voice", "two": "words"})


def guesses(
    utterances: pd.DataFrame, dimension: str, folds: list, statistics: pd.DataFrame | None = None
) -> pd.Series:
    """What a ridge regression guesses of `dimension` for the test utterances of each fold, never trained on them.

    statistics: of the voice (`sernb.features.acoustics.acoustic_table`); None: TF-IDF of the words. Utterances without a rating,
    and without statistics or words, are left out. Raises SernbError where a fold has nothing to learn from or to test.
    """
    known = utterances[utterances[dimension].notna()]
    known = known[known["text"].notna() if statistics is None else known.index.isin(statistics.index)]
    inputs = known["text"] if statistics is None else statistics.loc[known.index]
    parts = []
    for fold in folds:
        train, test = known.index.intersection(fold.train), known.index.intersection(fold.test)
        if len(train) < 2 or not len(test):
            raise SernbError(
                f"{fold.name}: {len(train)} rated utterances to learn from and {len(test)} to test."
            )
        first = (
            TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True)
            if statistics is None
            else StandardScaler()
        )
        # words: penalties for rows of length 1, as TF-IDF has them
        model = make_pipeline(first, RidgeCV(PENALTIES / (100 if statistics is None else 1)))
        try:
            model.fit(inputs.loc[train], known.loc[train, dimension])
        except ValueError as problem:  # scikit-learn's "empty vocabulary": texts of dots, say
            raise SernbError(
                f"{fold.name}: nothing can be learnt from its words or voices ({problem})."
            ) from None
        parts.append(pd.Series(model.predict(inputs.loc[test]), test))
    return pd.concat(parts).rename("guess")


def difference(
    truth: pd.Series,
    one: pd.Series,
    two: pd.Series,
    units: pd.Series | None = None,
    n: int = 1000,
    seed: int = 0,
) -> dict:
    """How much better `one` follows the truth than `two` does: correlations (Pearson's r), and their difference.

    Over the utterances that both have; the 95 % interval draws whole `units` (speakers), or utterances where None.
    Returns one, two (r), difference, low, high, units (how many).
    """
    both = one.index.intersection(two.index)
    values = np.stack([truth.loc[both], one.loc[both], two.loc[both]]).astype(float)  # (3, utterances)
    codes = np.arange(len(both)) if units is None else pd.factorize(units.loc[both].astype(str))[0]
    moments = np.concatenate(
        [np.ones((1, len(both))), values, values**2, values[:1] * values[1:]]
    )  # (9, utterances)
    sums = np.stack([np.bincount(codes, row) for row in moments], 1)  # (units, 9)
    draws = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=n)
    drawn = _correlations(draws @ sums)
    r = _correlations(sums.sum(0)[None])[0]
    low, high = interval(drawn[:, 0] - drawn[:, 1], 0.95, len(sums))
    return {"one": r[0], "two": r[1], "difference": r[0] - r[1], "low": low, "high": high, "units": len(sums)}


def _correlations(sums: np.ndarray) -> np.ndarray:
    """Sums (n, 9) of 1, truth, one, two, their squares, truth·one, truth·two → r of one and two, (n, 2)."""
    count = sums[:, :1]
    means, squares, products = sums[:, 1:4] / count, sums[:, 4:7] / count, sums[:, 7:] / count
    spread = np.sqrt(np.maximum(squares - means**2, 0))
    covariance = products - means[:, :1] * means[:, 1:]
    scale = spread[:, :1] * spread[:, 1:]
    return np.divide(covariance, scale, out=np.full_like(covariance, np.nan), where=scale > 1e-12)
