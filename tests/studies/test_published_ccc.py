"""What the audio-textual paper prints: its words on its own numbers hold for the constants."""

import pytest

from sernb.models.audio_text_regressor import PUBLISHED
from sernb.studies import published_ccc
from sernb.studies.audio_text import BOTH, SPEECH


def test_table_1_has_the_encoders_whose_sizes_are_counted():
    table = published_ccc.of_systems()
    assert list(table.index) == [(one, system) for system in (SPEECH, BOTH) for one in PUBLISHED]
    assert table.shape == (6, 6) and table.stack(["part", "dimension"], future_stack=True).between(0, 1).all()
    # Paper, 4.1: the large model's dominance decreased with words.
    assert (
        table.loc[("w2v2-L-robust(p)", BOTH), ("seen", "dominance")]
        < table.loc[("w2v2-L-robust(p)", SPEECH), ("seen", "dominance")]
    )


def test_gains_of_figure_3():
    gains = published_ccc.relative_gains().set_index(["encoder", "part"])["value"]
    assert gains["DistilHuBERT", "seen"] == pytest.approx(0.5823, abs=1e-4)
    assert gains["HuBERT base", "seen"] == pytest.approx(0.2091, abs=1e-4)
    assert gains["DistilHuBERT", "unseen"] > 0.95  # 4.3: about double in the unseen scenarios


def test_table_2_starts_from_table_1():
    human = published_ccc.of_recognisers().loc["human", ["arousal", "valence", "dominance"]]
    same = published_ccc.of_systems().loc[("DistilHuBERT", BOTH), "seen"]
    assert human.to_dict() == same.to_dict()
