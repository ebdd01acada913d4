"""The parts of the EmoBank benchmark, on made-up sentences whose words tell the ratings."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from making.benchmarks import emobank
from sernb.core.tables import DIMENSIONS
from sernb.evaluation import scores
from sernb.protocols import Fold


@pytest.fixture(scope="module")
def sentences():
    """160 sentences of five words; each word adds its own share to valence, and nothing tells arousal or
    dominance."""
    rng = np.random.default_rng(0)
    listed = "awful bad poor plain fair good lovely splendid rain door table cup"
    words = np.array(listed.split())
    worth = np.array([-2, -1.5, -1, 0, 0.5, 1, 1.5, 2, 0, 0, 0, 0]) / 5
    chosen = rng.integers(0, len(words), (160, 5))
    table = pd.DataFrame(
        {
            "text": [" ".join(words[row]) for row in chosen],
            "arousal": rng.uniform(1, 5, 160),
            "valence": 3 + worth[chosen].sum(1),
            "dominance": rng.uniform(1, 5, 160),
        },
        pd.Index([f"s{number}" for number in range(160)], name="utterance"),
    )
    table.attrs["scale"] = (1, 5)
    return table, Fold("fixed", table.index[:100], table.index[100:130], table.index[130:])


def test_a_ridge_finds_what_words_tell_and_nothing_else(sentences):
    table, fold = sentences
    said, chosen = emobank.ridge(table, fold, (0.1, 1.0, 100.0))
    assert said["part"].value_counts().to_dict() == {"validation": 30, "test": 30}
    found = scores(said[said["part"] == "test"]).iloc[0]
    assert found["CCC_valence"] > 0.7 > 0.4 > abs(found["CCC_arousal"])
    assert set(chosen) == set(DIMENSIONS) and chosen["valence"] < 100


def test_the_penalty_is_chosen_without_the_test_part(sentences):
    table, fold = sentences
    changed = table.copy()
    changed.loc[fold.test, list(DIMENSIONS)] = table.loc[fold.test, list(DIMENSIONS)].to_numpy()[::-1]
    first, again = (emobank.ridge(one, fold) for one in (table, changed))
    assert first[1] == again[1]
    names = [f"{one}_predicted" for one in DIMENSIONS]
    pd.testing.assert_frame_equal(first[0][names], again[0][names])


def test_a_comparison_runs_and_its_tables_are_whole(sentences):
    table, fold = sentences
    bag, _ = emobank.ridge(table, fold)
    nets = emobank.networks(table, fold, "mini-bert", [0], replace(emobank.RECIPE, epochs=1))
    assert set(nets["model"]) == {"mini-bert, pretrained", "mini-bert, random weights"}
    lines = emobank.tables(pd.concat([bag.assign(seed=0), nets])).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:5]] == [
        "| bag of words",
        "| mini-bert, pretrained",
        "| mini-bert, random weights",
    ]
    assert lines[0] == "| model | arousal | valence | dominance |" and "[nan" not in "".join(lines)
    assert lines[8].startswith("| mini-bert, pretrained | mini-bert, random weights |")
    assert lines[9].startswith("| mini-bert, pretrained | bag of words |") and len(lines) == 10
