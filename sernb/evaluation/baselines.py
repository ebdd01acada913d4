"""Simple models to measure any other by: of the voice (acoustic statistics), the words (TF-IDF), both."""

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sernb.core.errors import SernbError
from sernb.core.tables import DIMENSIONS, check_predictions
from sernb.evaluation.intervals import interval
from sernb.features.acoustics import acoustic_table

INPUTS = dict(audio=["path"], text=["text"], both=["path", "text"], ceiling=["path", "valence_of_words"])
KINDS = tuple(INPUTS)
WORDS = r"(?u)\b\w[\w']*\b"
PENALTIES = np.logspace(0, 4, 9)  # of the ridge regression
DRAWS = 1000  # resamples of a difference of correlations


def baseline(
    utterances: pd.DataFrame, folds: Iterable, kind: str = "both", acoustics: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Predictions of a logistic regression on the test part of each fold; `model` is "baseline: <kind>".

    kind: "audio", "text", "both", or "ceiling" (audio and the words' true valence, of the embedded corpus).
    acoustics: from `acoustic_table`, to compute it once. Raises SernbError for absent columns and gaps.
    """
    if kind not in KINDS:
        raise SernbError(f"kind is {kind!r}; choose one of {', '.join(KINDS)}.")
    for column in ("emotion", *(name for name in INPUTS[kind] if name != "path" or acoustics is None)):
        if column not in utterances:
            raise SernbError(f"the baseline {kind!r} needs the column {column}; these utterances have none.")
        empty = utterances.index[utterances[column].isna()]
        if column != "path" and len(empty):
            lack = f"{len(empty)} have none, the first is {empty[0]}; leave them out with dropna"
            raise SernbError(f"the baseline {kind!r} needs {column} for every utterance; {lack}.")

    # Numbers of the sound beside the words.
    inputs, sounds = utterances[[name for name in INPUTS[kind] if name != "path"]], []
    if "path" in INPUTS[kind]:
        acoustics = acoustic_table(utterances) if acoustics is None else acoustics
        absent = utterances.index.difference(acoustics.index)
        if len(absent):
            raise SernbError(f"acoustics lacks {len(absent)} utterances, the first is {absent[0]}.")
        inputs, sounds = inputs.join(acoustics), list(acoustics.columns)

    # Learn on each fold, and answer for its test part.
    labels, tables = utterances["emotion"].astype(str), []
    for fold in folds:
        model = pipeline(kind, sounds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(inputs.loc[fold.train], labels.loc[fold.train])
        chances = model.predict_proba(inputs.loc[fold.test])
        about = {"fold": fold.name, "model": f"baseline: {kind}"}
        if "speaker" in utterances:
            about["speaker"] = utterances["speaker"].loc[fold.test]
        about |= {"emotion": labels.loc[fold.test], "predicted": model.classes_[chances.argmax(1)]}
        chances = pd.DataFrame(chances, fold.test, [f"p_{name}" for name in model.classes_])
        tables.append(pd.concat([pd.DataFrame(about, fold.test), chances], axis=1))
    return check_predictions(pd.concat(tables).fillna(0.0).rename_axis("utterance"))


def pipeline(kind: str, sounds: list[str]) -> Pipeline:
    """The model of one kind, not yet fitted. sounds: the columns with acoustic statistics."""
    bag = TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2), sublinear_tf=True)
    parts = {
        "path": ("sound", StandardScaler(), sounds),
        "text": ("words", bag, "text"),
        "valence_of_words": ("valence", OneHotEncoder(handle_unknown="ignore"), ["valence_of_words"]),
    }
    # A row of TF-IDF has length 1, of standardised statistics about 10: the penalty should not notice.
    weights = {"words": 8.0, "valence": 8.0}
    columns = ColumnTransformer([parts[name] for name in INPUTS[kind]], transformer_weights=weights)
    return make_pipeline(columns, LogisticRegression(C=0.05, class_weight="balanced", max_iter=300))


def voice_and_words(utterances: pd.DataFrame, folds: list, statistics: pd.DataFrame, seed=0) -> pd.DataFrame:
    """Pearson's r of each rated dimension with the `guesses` of voice and words, and their difference."""
    if not len(statistics) or not folds or "text" not in utterances or utterances["text"].isna().all():
        return pd.DataFrame()
    known = "speaker" in utterances and utterances["speaker"].notna().all()
    rows, units = {}, utterances["speaker"] if known else None
    for name in DIMENSIONS:
        if name in utterances and utterances[name].notna().any():
            voice, words = guesses(utterances, name, folds, statistics), guesses(utterances, name, folds)
            rows[name] = _difference(utterances[name], voice, words, units, seed)
            rows[name]["unit"] = "speaker" if known else "utterance"
    return pd.DataFrame.from_dict(rows, orient="index")


def guesses(
    utterances: pd.DataFrame, dimension: str, folds: list, statistics: pd.DataFrame | None = None
) -> pd.Series:
    """Test-part guesses of `dimension` by a ridge regression of the voice's statistics, or else the words."""
    known = utterances[utterances[dimension].notna()]
    known = known[known["text"].notna() if statistics is None else known.index.isin(statistics.index)]
    inputs = known["text"] if statistics is None else statistics.loc[known.index]
    parts = []
    for fold in folds:
        train, test = known.index.intersection(fold.train), known.index.intersection(fold.test)
        if len(train) < 2 or not len(test):
            raise SernbError(f"{fold.name}: {len(train)} rated utterances to learn, and {len(test)} to test.")
        if statistics is None:  # rows of length 1, as TF-IDF has them, take smaller penalties
            steps = TfidfVectorizer(token_pattern=WORDS, sublinear_tf=True), RidgeCV(PENALTIES / 100)
        else:
            steps = StandardScaler(), RidgeCV(PENALTIES)
        try:
            model = make_pipeline(*steps).fit(inputs.loc[train], known.loc[train, dimension])
        except ValueError as problem:  # scikit-learn's "empty vocabulary": texts of dots, say
            raise SernbError(f"{fold.name}: nothing can be learnt from it ({problem}).") from None
        parts.append(pd.Series(model.predict(inputs.loc[test]), test))
    return pd.concat(parts).rename("guess")


def _difference(truth, voice, words, units=None, seed=0) -> dict:
    """A row of `voice_and_words`, where both guess; draws whole `units` (None: utterances)."""
    both = voice.index.intersection(words.index)
    values = np.stack([truth.loc[both], voice.loc[both], words.loc[both]]).astype(float)  # (3, utterances)
    codes = np.arange(len(both)) if units is None else pd.factorize(units.loc[both].astype(str))[0]
    moments = np.concatenate([np.ones((1, len(both))), values, values**2, values[:1] * values[1:]])
    sums = np.stack([np.bincount(codes, row) for row in moments], 1)  # (units, 9)
    draws = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS)
    drawn = _correlations(draws @ sums)
    r = _correlations(sums.sum(0)[None])[0]
    low, high = interval(drawn[:, 0] - drawn[:, 1], 0.95, len(sums))
    row = {"voice": r[0], "words": r[1], "difference": r[0] - r[1], "low": low, "high": high}
    return row | {"units": len(sums)}


def _correlations(sums: np.ndarray) -> np.ndarray:
    """Sums (n, 9) of 1, truth, voice, words, squares, products with truth → both r with it (n, 2)."""
    count = sums[:, :1]
    means, squares, products = sums[:, 1:4] / count, sums[:, 4:7] / count, sums[:, 7:] / count
    spread = np.sqrt(np.maximum(squares - means**2, 0))
    covariance = products - means[:, :1] * means[:, 1:]
    scale = spread[:, :1] * spread[:, 1:]
    return np.divide(covariance, scale, out=np.full_like(covariance, np.nan), where=scale > 1e-12)
