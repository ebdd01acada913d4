"""Simple models to measure any other by: what the voice alone tells, what the words alone, and what both.

Acoustic statistics and a bag of words (TF-IDF), with a logistic regression of the emotion or a ridge regression of a
dimension. Scaling and vocabulary are fitted on the training part of each fold only.
"""

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

INPUTS = {
    "audio": ("path",),
    "text": ("text",),
    "both": ("path", "text"),
    "ceiling": ("path", "valence_of_words"),
}
KINDS = tuple(INPUTS)
WORDS = r"(?u)\b\w[\w']*\b"
PENALTIES = np.logspace(0, 4, 9)  # of the ridge regression
DRAWS = 1000  # resamples of a difference of correlations


def baseline(
    utterances: pd.DataFrame, folds: Iterable, kind: str = "both", acoustics: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Predictions of a simple model on the test part of each fold; `model` names the kind, as in "baseline: audio".

    kind: "audio" (acoustic statistics), "text" (bag of words), "both", or "ceiling": audio and the valence that the
    words really have (column valence_of_words), which only the embedded corpus knows. acoustics: what
    `sernb.features.acoustics.acoustic_table` gave, to compute it once for several calls.

    Raises SernbError for an unknown kind, a column that the kind needs and that is absent or has gaps, or utterances
    without statistics.
    """
    if kind not in KINDS:
        raise SernbError(f"kind is {kind!r}; choose one of {', '.join(KINDS)}.")
    for column in ("emotion", *INPUTS[kind]):
        if column == "path" and acoustics is not None:
            continue
        if column not in utterances:
            raise SernbError(f"the baseline {kind!r} needs the column {column}; these utterances have none.")
        empty = utterances.index[utterances[column].isna()]
        if column != "path" and len(empty):
            raise SernbError(
                f"the baseline {kind!r} needs {column} for every utterance; {len(empty)} have none, the first is "
                f"{empty[0]}. Leave them out: utterances.dropna(subset={[column]})."
            )

    # Numbers of the sound beside the words.
    inputs, sounds = utterances[[name for name in INPUTS[kind] if name != "path"]], []
    if "path" in INPUTS[kind]:
        acoustics = acoustic_table(utterances) if acoustics is None else acoustics
        absent = utterances.index.difference(acoustics.index)
        if len(absent):
            first = f"{len(absent)} utterances, the first is {absent[0]}"
            raise SernbError(f"acoustics lacks {first}: compute it of the same table.")
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
    parts = {
        "path": ("sound", StandardScaler(), sounds),
        "text": (
            "words",
            TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2), sublinear_tf=True),
            "text",
        ),
        "valence_of_words": ("valence", OneHotEncoder(handle_unknown="ignore"), ["valence_of_words"]),
    }
    # A row of TF-IDF has length 1, one of a hundred standardised statistics about 10: the penalty should not notice.
    weights = {"words": 8.0, "valence": 8.0}
    columns = ColumnTransformer([parts[name] for name in INPUTS[kind]], transformer_weights=weights)
    return make_pipeline(columns, LogisticRegression(C=0.05, class_weight="balanced", max_iter=300))


def voice_and_words(
    utterances: pd.DataFrame, folds: list, statistics: pd.DataFrame, seed: int = 0
) -> pd.DataFrame:
    """For each dimension that is rated, how well the voice and the words follow it (Pearson's r), and the difference.

    Columns: voice, words, difference (voice minus words), low, high (95 %), units, unit ("speaker" where all are
    known, else "utterance"). Empty without ratings, words, statistics or folds. Raises SernbError as `guesses` does.
    """
    if not len(statistics) or not folds or "text" not in utterances or utterances["text"].isna().all():
        return pd.DataFrame()
    known = "speaker" in utterances and utterances["speaker"].notna().all()
    rows = {}
    for name in DIMENSIONS:
        if name in utterances and utterances[name].notna().any():
            voice = guesses(utterances, name, folds, statistics)
            words = guesses(utterances, name, folds)
            units = utterances["speaker"] if known else None
            rows[name] = _difference(utterances[name], voice, words, units, seed)
            rows[name]["unit"] = "speaker" if known else "utterance"
    return pd.DataFrame.from_dict(rows, orient="index")


def guesses(
    utterances: pd.DataFrame, dimension: str, folds: list, statistics: pd.DataFrame | None = None
) -> pd.Series:
    """What a ridge regression guesses of `dimension` for the test utterances of each fold, never trained on them.

    statistics: of the voice (`sernb.features.acoustics.acoustic_table`); None: TF-IDF of the words. Utterances
    without a rating, and without statistics or words, are left out. Raises SernbError where a fold has nothing to
    learn from or to test.
    """
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
    """A row of `voice_and_words`, over the utterances that both guess; whole `units` are drawn, None: utterances."""
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
    """Sums (n, 9) of 1, truth, voice, words, their squares, truth·voice, truth·words → both r with the truth (n, 2)."""
    count = sums[:, :1]
    means, squares, products = sums[:, 1:4] / count, sums[:, 4:7] / count, sums[:, 7:] / count
    spread = np.sqrt(np.maximum(squares - means**2, 0))
    covariance = products - means[:, :1] * means[:, 1:]
    scale = spread[:, :1] * spread[:, 1:]
    return np.divide(covariance, scale, out=np.full_like(covariance, np.nan), where=scale > 1e-12)
