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
        "fold": "speaker 03", "model": "m", "speaker": "03", "emotion": ["sad", "happy"],
        "predicted": ["sad", "sad"], "p_sad": [0.75, 0.5], "p_happy": [0.25, 0.5], **columns,
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
        ({"path": ["a", None, ""]}, ["'path' must not be missing", "row 2, utterance 'b'",
                                     "must not be empty", "'c'"]),
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


def lenient(**columns):
    table = pd.DataFrame(columns)
    table.index = pd.Index([f"u{row}" for row in range(len(table))], name="utterance")
    return check_predictions(table, strict=False)


def test_a_whole_table_is_the_same_where_gaps_are_allowed():
    pd.testing.assert_frame_equal(
        check_predictions(predictions(), strict=False), check_predictions(predictions())
    )
    pd.testing.assert_frame_equal(
        check_utterances(utterances(), strict=False), check_utterances(utterances())
    )


def test_probabilities_that_are_missing_or_do_not_add_up_are_left_out():
    table = lenient(
        emotion=["sad"] * 5,
        predicted=["sad", "happy", "sad", "sad", "sad"],
        p_happy=[0.2, 0.7, np.nan, 0.005, -0.5],
        p_sad=[0.8, 0.7, 0.5, 1.0, 1.5],  # the fourth adds up to 1.005: within the tolerance
    )
    assert (
        table["p_sad"].isna().tolist() == table["p_happy"].isna().tolist() == [False, True, True, False, True]
    )
    assert table["predicted"].tolist() == ["sad", "happy", "sad", "sad", "sad"]


def test_each_model_has_its_own_classes():
    table = lenient(
        emotion=["a", "a"],
        predicted=["a", "b"],
        model=["one", "two"],
        p_a=[0.6, 0.1],
        p_b=[0.4, 0.2],
        p_c=[None, 0.7],
    )
    assert table["p_a"].tolist() == [0.6, 0.1]  # that "one" knows no c is no fault of its row


def test_labels_may_be_missing_where_gaps_are_allowed():
    table = lenient(emotion=["sad", None, ""], predicted=["sad", "sad", None])
    assert table["emotion"].isna().tolist() == [False, True, True]
    assert table["predicted"].isna().tolist() == [False, False, True]
    for columns in ({}, {"emotion": [np.nan, np.nan]}):
        table = lenient(predicted=["sad", "happy"], **columns)
        assert table["emotion"].isna().all()
        assert list(table["predicted"].cat.categories) == ["happy", "sad"]
    table = lenient(emotion=["angry"], predicted=["sad"], p_sad=[0.9], p_happy=[0.1])
    assert list(table["predicted"].cat.categories) == ["happy", "sad", "angry"]  # angry has no probabilities
    assert table["p_sad"].tolist() == [0.9]


def test_dimensions_may_be_missing_where_gaps_are_allowed():
    table = lenient(arousal_predicted=[0.5, None], model=["m", None])
    assert table["arousal_predicted"].iloc[0] == 0.5 and np.isnan(table["arousal_predicted"].iloc[1])
    assert table["arousal"].isna().all() and table["model"].tolist() == ["m", "model"]


@pytest.mark.parametrize(
    "columns, words",
    [
        ({"emotion": ["sad"]}, "predictions need the columns"),
        ({"p_sad": [0.5], "p_happy": [0.5]}, "predictions need the columns"),
        ({"arousal": [1.0], "arousal_predicted": ["loud"]}, "must hold numbers"),
        ({}, "no rows"),
    ],
)
def test_what_is_refused_even_where_gaps_are_allowed(columns, words):
    with pytest.raises(SernbError, match=words):
        lenient(**columns)
    twice = pd.concat([predictions(), predictions()]).assign(emotion=np.nan)
    with pytest.raises(SernbError, match="stand more than once"):
        check_predictions(twice, strict=False)


def test_a_table_with_gaps_is_left_as_it_was():
    given = predictions(emotion=np.nan, p_sad=[0.1, 0.1])
    before = given.copy()
    check_predictions(given, strict=False)
    pd.testing.assert_frame_equal(given, before)


def test_utterances_where_gaps_are_allowed():
    given = utterances(path=["a.wav", None, ""], emotion=["cheerful", "sad", None])
    given.attrs["root"] = "here"
    table = check_utterances(given, strict=False)
    assert table["path"].isna().tolist() == [False, True, True]
    assert list(table["emotion"].cat.categories) == ["sad", "cheerful"] and table.attrs == {"root": "here"}
    speakers = pd.DataFrame({"speaker": ["x", "y"]}, index=["a", "b"])
    assert check_utterances(speakers, strict=False).columns.tolist() == ["speaker"]
    with pytest.raises(SernbError, match="more than once"):
        check_utterances(speakers.set_axis(["a", "a"]), strict=False)


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
