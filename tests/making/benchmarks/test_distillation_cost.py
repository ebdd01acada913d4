from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from making.benchmarks import distillation_cost as cost
from making.benchmarks import full_size


def test_hours_and_ratios_add_up():
    """1,000 utterances: (a) 1 s and 2 s a sample, so 50,000 + 200,000 s; ours by hand, round by round."""
    reference = {"transfer": 1.0, "distillation": 2.0, "caching": 0.0, "memory": 3.0}
    ours = {"transfer": 0.1, "distillation": 0.2, "caching": 80.0, "memory": 2.0}
    ours |= {"transfer trying": 1.0, "transfer saving": 1.0, "transfer start": 5.0}
    ours |= {"distillation trying": 2.0, "distillation saving": 3.0, "distillation start": 15.0}
    rows = []
    for number in range(3):
        rows.append({"way": cost.A, "round": number, **reference})
        rows.append({"way": cost.B, "round": number, **reference, "distillation": 1.0 + number})
        rows.append({"way": "ours", "round": number, **ours})
    found = pd.DataFrame(rows).fillna(0.0)
    by_hand = 80 + 5 + 15 + 50 * (100 + 2) + 100 * (200 + 5)
    assert (cost.hours(found, 1000) * 3600).round(6).tolist()[:3] == [250_000, 150_000, by_hand]
    table = cost.table(found, 1000)
    assert table.index.tolist() == [cost.A, cost.B, "ours"]
    assert table.loc["ours", "times faster than (a)"] == pytest.approx(250_000 / by_hand)
    assert table.loc["ours", "times faster than (b)"] == pytest.approx(250_000 / by_hand)  # its middle round
    assert table.loc["ours", "distillation: saving, s an epoch"] == 3.0
    assert table.loc[cost.A, "transfer, ms a sample"] == 1000.0


def test_lengths_are_those_of_the_paper_in_every_round():
    inputs = cost.made_up(cost.Size())
    assert inputs.tokens.lengths.mean() == pytest.approx(17.9, abs=0.1)
    assert inputs.audio.lengths.mean() == pytest.approx(4.3, abs=0.1)
    for number in range(5):
        rows = cost.sample(inputs.tokens.lengths, 24, number)
        assert len(set(rows)) == len(rows) and len(rows) == 24
        assert inputs.tokens.lengths[rows].mean() == pytest.approx(17.9, rel=0.06)


def test_a_tiny_comparison_runs():
    worlds = {kind: kind(cost.TINY) for kind in (cost.Reference, cost.Ours)}

    def ask(kind):
        return lambda method, *given: getattr(worlds[kind], method)(*given)

    asked = ask(cost.Reference), ask(cost.Reference), ask(cost.Ours)
    found = cost.rounds(*asked, [(8, False), (8, True)], 2, 6, 1.0, 40)
    table = cost.table(found, cost.TINY.utterances)
    assert len(found) == 2 * 5 and np.isfinite(table).all(axis=None)
    assert (table["hours"] > 0).all() and (table.loc["ours, batch 8, bf16"] > 0).all()
    assert table.loc[cost.A, "caching, s"] == 0 < table.loc[cost.B, "caching, s"]


def test_encoders_are_saved_loaded_and_learn(monkeypatch):
    monkeypatch.setattr(
        full_size, "ProcessPoolExecutor", lambda *given: ThreadPoolExecutor(1)
    )  # starts sooner
    text = cost.BertConfig(**cost.SMALL, num_hidden_layers=2)
    table = full_size.prove(text, cost.TINY.audio, (1,), 1)
    assert table.index.tolist() == ["BERT2 + VGGish, teacher", "BERT1 + VGGish"]
    assert np.isfinite(table).all(axis=None)
    assert (
        table["parameters"].diff().iloc[1] == -8544
    )  # a layer of width 32: 4 * 33 * 32 + 65 * 64 + 33 * 32 + 3 * 32
