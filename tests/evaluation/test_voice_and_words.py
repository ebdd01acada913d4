import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.evaluation import voice_and_words
from sernb.protocols import Fold


def made(n=120):
    """Speakers whose pitch tells arousal, and whose words tell valence."""
    rng = np.random.default_rng(0)
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance")
    good = rng.random(n) < 0.5
    table = pd.DataFrame({"speaker": [f"s{i % 6}" for i in range(n)]}, index)
    table["text"] = np.where(good, "what a good day", "what a bad day")
    table["valence"] = good + rng.normal(0, 0.3, n)
    table["arousal"] = rng.normal(size=n)
    statistics = pd.DataFrame(
        {"pitch": table["arousal"] + rng.normal(0, 0.3, n), "noise": rng.normal(size=n)}, index
    )
    folds = [
        Fold(s, train=index[table["speaker"] != s], test=index[table["speaker"] == s])
        for s in ("s0", "s1", "s2")
    ]
    return table, statistics, folds


def test_the_voice_tells_one_thing_and_the_words_another():
    table, statistics, folds = made()
    for dimension, sign in (("arousal", 1), ("valence", -1)):
        voice = voice_and_words.guesses(table, dimension, folds, statistics)
        words = voice_and_words.guesses(table, dimension, folds)
        assert list(voice.index) == [name for fold in folds for name in fold.test]
        found = voice_and_words.difference(table[dimension], voice, words, table["speaker"])
        assert sign * found["difference"] > 0.4 and sign * found["low" if sign > 0 else "high"] > 0
        assert found["units"] == 3
        assert found["one"] == pytest.approx(np.corrcoef(voice, table.loc[voice.index, dimension])[0, 1])


def test_only_what_both_have_is_compared():
    table, statistics, folds = made()
    table.loc[folds[0].test[:4], "text"] = None
    words = voice_and_words.guesses(table, "valence", folds)
    voice = voice_and_words.guesses(table, "valence", folds, statistics.drop(folds[1].test[:3]))
    assert len(words) == 56 and len(voice) == 57
    assert voice_and_words.difference(table["valence"], voice, words)["units"] == 53


def test_a_guess_that_never_varies_has_no_correlation():
    truth = pd.Series([1.0, 2.0, 3.0, 4.0])
    found = voice_and_words.difference(truth, truth, truth * 0 + 2)
    assert found["one"] == pytest.approx(1) and np.isnan(found["two"]) and np.isnan(found["low"])


def test_a_fold_that_cannot_be_tested_is_named():
    table, statistics, folds = made()
    with pytest.raises(SernbError, match=r"s0: .* 0 to test"):
        voice_and_words.guesses(table, "arousal", folds, statistics.drop(folds[0].test))


def test_texts_without_a_word_are_told():
    table, statistics, folds = made()
    with pytest.raises(SernbError, match="s0: nothing can be learnt"):
        voice_and_words.compare(table.assign(text="…"), folds, statistics)


def test_the_comparison_has_a_row_for_each_dimension():
    table, statistics, folds = made()
    found = voice_and_words.compare(table, folds, statistics)
    assert list(found.index) == ["arousal", "valence"] and set(found["unit"]) == {"speaker"}
    assert found.loc["arousal", "difference"] > 0 > found.loc["valence", "difference"]
    assert set(voice_and_words.compare(table.drop(columns="speaker"), folds, statistics)["units"]) == {60}
    for lacking in (table.drop(columns="text"), table.drop(columns=["arousal", "valence"])):
        assert voice_and_words.compare(lacking, folds, statistics).empty
    assert voice_and_words.compare(table, [], statistics).empty
