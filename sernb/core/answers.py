"""From class probabilities to rows of a predictions table."""

import numpy as np
import pandas as pd


def predictions_of(
    probabilities: pd.DataFrame, utterances: pd.DataFrame, fold: str, model: str
) -> pd.DataFrame:
    """The predictions table of utterances `(n, classes)`: probabilities by class, indexed as in `utterances`.

    Columns: fold, model, emotion, speaker where it is known, predicted, and p_<class> in the order of the columns.
    """
    truth = utterances.loc[probabilities.index]
    known = {"fold": fold, "model": model, "emotion": truth["emotion"].astype(str)}
    if "speaker" in truth:
        known["speaker"] = truth["speaker"]
    guess = probabilities.columns.to_numpy(object)[np.asarray(probabilities).argmax(1)]
    table = pd.DataFrame(known, index=probabilities.index).assign(predicted=guess)
    return pd.concat([table, probabilities.add_prefix("p_")], axis=1).rename_axis("utterance")
