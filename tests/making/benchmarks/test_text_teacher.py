"""Table 4's benchmark on made-up sentences: what it computes, what it takes from its folder, and the teachers
it leaves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from making.benchmarks import text_teacher as place
from making.benchmarks.text_emotions import CLASSES
from sernb.studies.text_teacher import READING, RECIPES, classes_of_teacher, load_teacher

TELLING = dict(zip(CLASSES, ("table", "lovely", "sudden", "gloomy", "hateful"), strict=True))


@pytest.fixture(scope="module")
def texts():
    """(XED, MELD): sentences that name their class, each once."""
    rng = np.random.default_rng(0)
    sentence = "we see it here now and then at home or near the old red house by a small quiet lake"
    words = sentence.split()

    def lines(count):
        classes = [one for one in CLASSES for _ in range(count)]
        return [(f"{' '.join(rng.permutation(words)[:6])} {TELLING[one]}", one) for one in classes]

    xed = pd.DataFrame(lines(20), columns=["text", "labels"])
    xed["source"] = ["neutral" if one == "neutral" else "annotated" for one in xed["labels"]]
    parts = [pd.DataFrame(lines(6), columns=["text", "emotion"]).assign(part=one, dialogue=f"{one}_dia0")
             for one in ("train", "validation", "test")]  # fmt: skip
    meld = pd.concat(parts, ignore_index=True)
    return xed.set_axis([f"xed{n}" for n in xed.index]), meld.set_axis([f"meld{n}" for n in meld.index])


def test_a_run_leaves_predictions_and_teachers_and_is_not_run_twice(texts, tmp_path, monkeypatch):
    quick = (
        replace(RECIPES["laptop"], epochs=1, batch_size=16),
        replace(READING["laptop"], epochs=1, batch_size=16),
    )
    found, used = place.run(*texts, tmp_path, "mini-bert", [0], *quick, progress=False)
    models = [place.ALWAYS, place.BAG, place.PLAIN, *place.READ]
    assert list(found["model"].unique()) == models
    test = used.index[used["part"] == "test"]
    assert all(set(found.index[found["model"] == one]) == set(test) for one in models)
    bag = found[found["model"] == place.BAG]
    assert (bag["predicted"] == bag["emotion"]).mean() > 0.8  # each class has a word of its own
    model, tokenizer = load_teacher(tmp_path / "teachers" / f"{place.PLAIN}, mini-bert, seed 0")
    assert classes_of_teacher(model) == list(CLASSES) and tokenizer("table")["input_ids"]

    def never(*given, **named):
        raise AssertionError("trained again")

    monkeypatch.setattr(place, "fine_tune_text", never)
    monkeypatch.setattr(place, "adapt", never)
    again, _ = place.run(*texts, tmp_path, "mini-bert", [0], *quick, progress=False)
    assert (again["predicted"].to_numpy() == found["predicted"].to_numpy()).all()
    table = place.table_4(again, used)
    assert table.count("\n") == 1 + 3 * len(models) and f"| meld | {place.BAG} | " in table
    assert f"| M0, M1, MT | {place.PLAIN} | WA |" in place.differences(again)
