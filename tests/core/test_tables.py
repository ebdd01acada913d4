import numpy as np
import pandas as pd
import pytest

from sernb.core.errors import SernbError
from sernb.core.tables import (
    EMOTIONS,
    check_predictions,
    check_utterances,
    classes_of,
    in_order,
    read_predictions,
    write_predictions,
)


def utterances(**columns):
    table = {"path": ["a.wav", "b.wav", "c.wav"], "emotion": ["sad", "neutral", "sad"], **columns}
    return pd.DataFrame(table, index=["a", "b", "c"])


def predictions(**columns):
    table = {
        "fold": "speaker 03", "model": "m", "speaker": "03", "emotion": ["sad", "happy"], "predicted": ["sad", "sad"],
        "p_sad": [0.75, 0.5], "p_happy": [0.25, 0.5], **columns,
    }  # fmt: skip
    return pd.DataFrame(table, index=pd.Index(["a", "b"], name="utterance"))


def fails(check, table, *says):
    with pytest.raises(SernbError) as error:
        check(table, "my table")
    assert str(error.value).startswith("my table: ")
    for words in says:
        assert words in str(error.value), str(error.value)


def test_types_of_utterances():
    given = utterances(session=[1, np.nan, 2], start=["0", "1.5", ""], mood=[1, 2, 3])
    given["start"] = given["start"].replace("", None)
    given.attrs = {"corpus": "mine"}
    table = check_utterances(given)
    assert table.index.name == "utterance" and table.attrs == {"corpus": "mine"}
    assert list(table["emotion"].cat.categories) == ["neutral", "sad"]  # those used, in the order of EMOTIONS
    assert table["session"].dropna().tolist() == ["1", "2"]
    assert table["start"].dtype == float and np.isnan(table.loc["c", "start"])
    assert list(table.columns) == [
        "path",
        "emotion",
        "session",
        "start",
        "mood",
    ]  # nothing invented, nothing lost
    assert given.index.name is None and given["session"].dtype == float  # the caller's table is untouched
    pd.testing.assert_frame_equal(check_utterances(table), table)


def test_utterances_of_words_only():
    assert len(check_utterances(pd.DataFrame({"text": ["hello"]}, index=["a"]))) == 1


def test_ids_become_text_and_may_stand_in_a_column():
    table = check_utterances(pd.DataFrame({"utterance": [3, 4], "path": ["a", "b"]}))
    assert list(table.index) == ["3", "4"]


@pytest.mark.parametrize(
    "columns, says",
    [
        ({"emotion": ["sad", "joy", "Sad"]}, ["'emotion' must be one of neutral, happy", "2 of 3 rows",
                                              "row 2, utterance 'b': 'joy'", "'c': 'Sad'"]),
        ({"start": [-1, 0, 0]}, ["'start' must be 0 seconds or later", "row 1, utterance 'a': -1"]),
        ({"end": [1, 0, 2]}, ["'end' must be later than the start", "row 2, utterance 'b': 0"]),
        ({"start": [0, 2, 0], "end": [1, 1.5, 2]}, ["'end' must be later than the start", "'b': 1.5"]),
        ({"valence": ["high", 1, 2]}, ["'valence' must hold numbers; 1 rows", "'a': 'high'"]),
        ({"arousal": [np.inf, 1, 2]}, ["'arousal' must be a finite number", "'a': inf"]),
        ({"path": ["a", None, ""]}, ["'path' must not be missing", "row 2, utterance 'b'", "must not be empty", "'c'"]),
    ],
)  # fmt: skip
def test_wrong_utterances_are_named(columns, says):
    fails(check_utterances, utterances(**columns), *says)


def test_everything_that_is_wrong_is_told_at_once():
    table = utterances(emotion=["joy", "sad", "sad"], start=[0, -1, 0], arousal=[1, 2, np.inf])
    fails(check_utterances, table, "'joy'", "'start'", "'arousal'")


def test_many_wrong_rows_are_counted():
    table = pd.DataFrame({"path": "x", "emotion": "joy"}, index=[f"u{row}" for row in range(100)])
    fails(check_utterances, table, "100 of 100 rows", "and 95 more")


def test_ids_of_utterances():
    table = utterances()
    fails(
        check_utterances,
        table.set_axis(["a", "b", "a"]),
        "1 utterance ids stand more than once: 'a' (rows 1, 3)",
    )
    fails(
        check_utterances, table.set_axis(["a", None, "b"]), "1 rows have no utterance id, the first is row 2"
    )
    fails(check_utterances, table.iloc[:0], "no rows")
    fails(check_utterances, table.drop(columns="path"), "a column 'path' or 'text'; the table has 'emotion'")
    fails(check_utterances, {"path": []}, "expected a pandas DataFrame, got dict")


def test_labels_of_the_users_own_only_when_announced():
    table = utterances(emotion=["sad", "cheerful", "sad"])
    fails(check_utterances, table, "'cheerful'")
    table.attrs["own_labels"] = ["cheerful"]
    assert list(check_utterances(table)["emotion"].cat.categories) == ["sad", "cheerful"]


def test_types_of_predictions():
    table = check_predictions(predictions(seed=0, fold=3, note=["x", None]))
    assert classes_of(table) == ["happy", "sad"] == list(table["predicted"].cat.categories)
    assert table["fold"].tolist() == ["3", "3"] and table["note"].isna().tolist() == [False, True]
    two = pd.concat([predictions(), predictions(model="n")])
    assert len(check_predictions(two)) == 4
    seeds = pd.concat([predictions(seed=0), predictions(seed=1)])
    assert len(check_predictions(seeds)) == 4


def test_predictions_made_elsewhere_may_lack_probabilities():
    table = predictions().drop(columns=["p_sad", "p_happy", "fold", "model", "speaker"])
    assert classes_of(check_predictions(table)) == ["happy", "sad"]


def test_predictions_of_dimensions():
    table = pd.DataFrame(
        {"model": "m", "arousal": [1, None], "arousal_predicted": [1.5, 2]}, index=["a", "b"]
    )
    assert check_predictions(table)["arousal_predicted"].tolist() == [1.5, 2]
    fails(check_predictions, table.drop(columns="arousal"), "no column 'arousal'")
    gap = table.assign(arousal_predicted=[1.5, None])
    fails(check_predictions, gap, "'arousal_predicted' must not be missing", "row 2, utterance 'b'")


@pytest.mark.parametrize(
    "columns, says",
    [
        ({"p_sad": [0.75, None]}, ["'p_sad' must not be missing", "row 2, utterance 'b'"]),
        ({"p_sad": [0.75, 0.4]}, ["'p_sad', 'p_happy' must add up to 1", "row 2, utterance 'b': 0.9"]),
        (
            {"p_sad": [1.5, 0.5], "p_happy": [-0.5, 0.5]},
            ["'p_sad' must be a probability", "'a': 1.5", "'a': -0.5"],
        ),
        ({"p_sad": ["much", 0.5]}, ["'p_sad' must hold numbers", "'a': 'much'"]),
        (
            {"predicted": ["sad", "calm"]},
            ["'predicted' must be a class with a p_ column: happy, sad", "'b': 'calm'"],
        ),
        ({"emotion": ["joy", "sad"]}, ["'emotion' must be a class with a p_ column", "'a': 'joy'"]),
        ({"predicted": ["sad", None]}, ["'predicted' must not be missing", "'b'"]),
        ({"model": ["m", None]}, ["'model' must not be missing"]),
    ],
)
def test_wrong_predictions_are_named(columns, says):
    fails(check_predictions, predictions(**columns), *says)


def test_predictions_that_stand_twice_or_lack_columns():
    twice = pd.concat([predictions(), predictions()])
    fails(check_predictions, twice, "2 of (utterance, model) stand more than once: a / m, b / m", "'seed'")
    bare = twice.drop(columns="model")
    fails(check_predictions, bare, "2 of (utterance) stand more than once: a, b")
    fails(
        check_predictions,
        predictions().drop(columns="predicted"),
        "need the columns 'emotion' and 'predicted'",
    )
    fails(check_predictions, predictions().drop(columns="emotion"), "no column 'emotion'")


def test_order_of_classes():
    assert in_order(["zest", "bored", "cheer", "neutral"]) == ["neutral", "bored", "cheer", "zest"]
    assert in_order(reversed(EMOTIONS)) == list(EMOTIONS)


def test_predictions_through_a_file(tmp_path):
    table = check_predictions(
        predictions(seed=[0, 1], text=['He said "no",\ntwice', "é"], p_sad=[1 / 3, 0.1], p_happy=[2 / 3, 0.9])
    )
    table.index = pd.Index(["007", "NA"], name="utterance")
    path = write_predictions(table, tmp_path / "new" / "p.csv")
    assert [file.name for file in path.parent.iterdir()] == ["p.csv"]
    pd.testing.assert_frame_equal(read_predictions(path), table)


def test_a_wrong_table_leaves_the_old_file(tmp_path):
    path = write_predictions(predictions(), tmp_path / "p.csv")
    before = path.read_bytes()
    with pytest.raises(SernbError, match="add up to 1"):
        write_predictions(predictions(p_sad=[0.1, 0.1]), path)
    assert path.read_bytes() == before


def test_a_write_that_is_cut_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_predictions(predictions(), tmp_path / "p.csv")
    before = path.read_bytes()

    def full(self, file, **options):
        file.write_text("utterance,emo")
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space"):
        write_predictions(predictions(), path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "content, says",
    [
        ("model,emotion\nm,sad\n", "expected a column 'utterance'; the file has 'model', 'emotion'"),
        ("utterance,emotion,predicted\na,sad,sad\n,sad,sad\n", "'utterance' is empty in row 3"),
        (
            "utterance,emotion,predicted\na,sad,sad\nb,sad,sad,sad,sad\n",
            "cannot be read as a CSV of predictions",
        ),
        ("", "cannot be read"),
        ("utterance,emotion,predicted,p_sad\na,sad,sad,NaN\n", "column 'p_sad'"),
    ],
)
def test_broken_files(tmp_path, content, says):
    path = tmp_path / "p.csv"
    path.write_text(content)
    with pytest.raises(SernbError) as error:
        read_predictions(path)
    assert says in str(error.value) and str(path) in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(SernbError, match=r"none\.csv: no such file"):
        read_predictions(tmp_path / "none.csv")
