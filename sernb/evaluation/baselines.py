"""Three simple models to measure any other by: the voice alone, the words alone, and both.

Acoustic statistics and a bag of words (TF-IDF), each with a logistic regression. Scaling and vocabulary are fitted on
the training part of each fold only.
"""

import warnings
from collections.abc import Iterable

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions
from sernb.features.acoustics import acoustic_table

KINDS = ("audio", "text", "both", "ceiling")
WORDS = r"(?u)\b\w[\w']*\b"


def baseline(
    utterances: pd.DataFrame, folds: Iterable, kind: str = "both", acoustics: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Predictions of a simple model on the test part of each fold.

    kind: "audio" (acoustic statistics), "text" (bag of words), "both", or "ceiling": audio and the valence that the
    words really have (column valence_of_words), which only the embedded corpus knows. acoustics: what
    `sernb.features.acoustics.acoustic_table` gave, to compute it once for several calls.

    Returns a predictions table; its column `model` names the kind, as in "baseline: audio".
    Raises SernbError for an unknown kind, a column that the kind needs and that is absent or has gaps, or utterances
    without statistics.
    """
    if kind not in KINDS:
        raise SernbError(f"kind is {kind!r}; choose one of {', '.join(KINDS)}.")
    needed = {
        "audio": ["path"],
        "text": ["text"],
        "both": ["path", "text"],
        "ceiling": ["path", "valence_of_words"],
    }
    missing = {"emotion", *needed[kind]} - set(utterances.columns)
    if acoustics is not None:
        missing -= {"path"}
    if missing:
        raise SernbError(
            f"the baseline {kind!r} needs the column {', '.join(sorted(missing))}; these utterances have none."
        )
    for column in ("emotion", *(name for name in needed[kind] if name != "path")):
        empty = utterances.index[utterances[column].isna()]
        if len(empty):
            raise SernbError(
                f"the baseline {kind!r} needs {column} for every utterance; {len(empty)} have none, the first is "
                f"{empty[0]}. Leave them out: utterances.dropna(subset={[column]})."
            )
    inputs = utterances[[column for column in ("text", "valence_of_words") if column in utterances]]
    sounds: list[str] = []
    if kind != "text":
        acoustics = acoustic_table(utterances) if acoustics is None else acoustics
        absent = utterances.index.difference(acoustics.index)
        if len(absent):
            raise SernbError(
                f"acoustics lacks {len(absent)} utterances, the first is {absent[0]}: compute it of the same table."
            )
        inputs, sounds = inputs.join(acoustics), list(acoustics.columns)
    labels = utterances["emotion"].astype(str)
    tables = []
    for fold in folds:
        model = pipeline(kind, sounds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(inputs.loc[fold.train], labels.loc[fold.train])
        chances = model.predict_proba(inputs.loc[fold.test])
        table = pd.DataFrame(chances, fold.test, [f"p_{name}" for name in model.classes_])
        table.insert(0, "predicted", model.classes_[chances.argmax(1)])
        table.insert(0, "emotion", labels.loc[fold.test])
        if "speaker" in utterances:
            table.insert(0, "speaker", utterances["speaker"].loc[fold.test])
        table.insert(0, "model", f"baseline: {kind}")
        table.insert(0, "fold", fold.name)
        tables.append(table)
    return check_predictions(pd.concat(tables).fillna(0.0).rename_axis("utterance"))


def pipeline(kind: str, sounds: list[str]) -> Pipeline:
    """The model of one kind, not yet fitted. sounds: the columns with acoustic statistics."""
    parts = {
        "sound": (StandardScaler(), sounds),
        "words": (TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2), sublinear_tf=True), "text"),
        "valence": (OneHotEncoder(handle_unknown="ignore"), ["valence_of_words"]),
    }
    chosen = {
        "audio": ["sound"],
        "text": ["words"],
        "both": ["sound", "words"],
        "ceiling": ["sound", "valence"],
    }[kind]
    # A row of TF-IDF has length 1, one of a hundred standardised statistics about 10: the penalty should not notice.
    columns = ColumnTransformer(
        [(name, *parts[name]) for name in chosen], transformer_weights={"words": 8.0, "valence": 8.0}
    )
    return make_pipeline(columns, LogisticRegression(C=0.05, class_weight="balanced", max_iter=300))
