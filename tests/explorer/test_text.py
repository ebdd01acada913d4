"""Text that no page could hold is made clean, and nothing else is touched."""

import pandas as pd
import pytest

from sernb.explorer.text import clean, clean_table


def test_clean_replaces_halves_of_characters_only():
    assert clean("a\ud800b") == "a\ufffdb"
    assert clean("\ud83d\ude00") == "😀"  # the two halves of one
    for text in ("nul \0 stays", "‏עברית‏", "x" * 10_000, None, 3):
        assert clean(text) == text


def test_a_table_and_its_ids():
    table = pd.DataFrame(
        {"text": ["a\ud800", None], "n": [1, 2]}, pd.Index(["u\udfff", 7], dtype=object), dtype=object
    )
    found = clean_table(table)
    assert (
        found["text"].iloc[0] == "a\ufffd"
        and pd.isna(found["text"].iloc[1])
        and found["n"].tolist() == [1, 2]
    )
    assert found.index.tolist() == ["u\ufffd", 7] and table.index[0] == "u\udfff"


@pytest.mark.parametrize("table", [None, "a.csv", pd.DataFrame([[1, 2]], columns=["a", "a"])])
def test_what_is_no_table_is_left_to_its_check(table):
    assert clean_table(table) is table
