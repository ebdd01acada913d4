"""EmoBank's sentences by the generator's voices: who says what."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from making.benchmarks.spoken_emobank import build, planned
from sernb.core.errors import SernbError
from sernb.corpora import load


def sentences(count=400):
    rng = np.random.default_rng(0)
    ratings = rng.uniform(1, 5, (count, 3))
    table = pd.DataFrame(ratings, columns=["valence", "arousal", "dominance"])
    table["text"] = [f"this is sentence number {number}" for number in range(count)]
    table["part"] = rng.choice(["train", "validation", "test"], count)
    table.loc[0, "text"] = "short"
    return table


def test_parts_have_speakers_of_their_own_and_ratings_stay():
    given = sentences()
    table, cast, _ = planned(given, 100, 3)
    by_part = table.groupby("part")["speaker"].agg(set)
    assert len(set.union(*by_part)) == sum(map(len, by_part))
    assert set(table["speaker"]) <= set(cast)
    assert "short" not in set(table["text"])
    merged = table.merge(given, on="text", suffixes=("", "_given"))
    assert (merged["valence"] == merged["valence_given"]).all()
    assert (merged["part"] == merged["part_given"]).all()


def test_the_voice_follows_arousal():
    table, _, _ = planned(sentences(2000), 900, 3)
    assert table["arousal"].corr(table["loudness"]) > 0.4


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(SernbError, match="is not empty"):
        build(Path("nowhere"), tmp_path, 10, 0)


@pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)
def test_a_few_spoken_sentences_are_a_corpus(tmp_path, real_text):
    build(real_text("emobank"), tmp_path / "spoken", 20, 3, 1)
    utterances = load("manifest", tmp_path / "spoken")
    assert set(utterances["part"]) == {"train", "validation", "test"}
    assert utterances["valence"].between(1, 5).all()
    assert all(Path(path).stat().st_size > 4000 for path in utterances["path"])
