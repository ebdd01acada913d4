"""Notebook 08 on a corpus without words, and with predictions of one's own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from sernb import corpora
from sernb.core.tables import read_predictions
from sernb.explorer import read_notes
from sernb.notebook.plan import make_plans
from sernb.notebook.run import run
from sernb.studies.recordings import load_model
from tests.notebooks.executed import said

pytestmark = pytest.mark.more  # whole notebooks


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def result(out, **given):
    (entry,) = run(make_plans(["8"], "smoke", given, NOTEBOOKS), out, "smoke")["notebooks"]
    return entry


def manifest(folder, count=32, **columns):
    """A CSV of `count` noises of half a second beside it: four speakers, two emotions."""
    rng, files = np.random.default_rng(0), []
    for number in range(count):
        files.append(f"{number}.wav")
        soundfile.write(folder / files[-1], 0.1 * rng.normal(size=8000).clip(-3, 3), 16000)
    speaker = [f"s{number % 4}" for number in range(count)]
    emotion = [("calm", "bored")[number // 4 % 2] for number in range(count)]
    table = pd.DataFrame({"file": files, "speaker": speaker, "emotion": emotion, **columns})
    table.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def test_a_corpus_without_words_and_no_cleanlab(tmp_path, monkeypatch):
    without = tmp_path / "without"
    without.mkdir()
    (without / "cleanlab.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(without))
    saved = tmp_path / "saved"
    entry = result(
        tmp_path / "report", corpus="manifest", root=str(manifest(tmp_path)), protocol="loso", per_speaker=0,
        folds_used=0, save=str(saved), pictures=str(tmp_path / "pictures"),
    )  # fmt: skip
    assert entry["status"] == "succeeded", entry["error"]
    text = said(tmp_path / "report", entry)
    assert "only the voice is tested" in text and "pip install 'sernb[labels]'" in text
    assert "no ratings of arousal" in text and "Here stands a button" in text
    cards = {one["paper"]: one for one in entry["claims"]}
    assert len(cards) == 2
    assert cards["Northcutt, Jiang & Chuang 2021"]["verdict"] == "cannot be tested on this corpus"
    assert set(read_predictions(saved / "predictions.csv")["model"]) == {"the voice"}
    assert (saved / "errors.html").stat().st_size > 50_000 and len(read_notes(saved / "notes.csv")) == 0
    assert load_model(saved / "voice").classes == ("calm", "bored")
    assert {one.name for one in (tmp_path / "pictures").glob("08_*.png")} >= {
        "08_models.png",
        "08_abstaining.png",
    }


def test_predictions_of_ones_own_without_probabilities(tmp_path):
    root = manifest(tmp_path, text=["yes"] * 32)
    ids = corpora.load("manifest", root).index
    table = pd.DataFrame({"emotion": [("calm", "bored")[n // 4 % 2] for n in range(32)]}, ids)
    table["predicted"] = np.where(np.arange(32) % 3 == 0, "calm", table["emotion"])
    table.rename_axis("utterance").to_csv(tmp_path / "own predictions.csv")
    notes = tmp_path / "notes.csv"
    notes.write_text(f"utterance,note,tags\r\n{ids[0]},hm <b>,noise\r\n", encoding="utf-8")
    entry = result(
        tmp_path / "report", corpus="manifest", root=str(root), per_speaker=0, notes=str(notes),
        predictions=str(tmp_path / "own predictions.csv"), save=str(tmp_path / "saved"),
    )  # fmt: skip
    assert entry["status"] == "succeeded", entry["error"]
    text = said(tmp_path / "report", entry)
    assert "nobody knows how sure the model was" in text and "bored taken for calm" in text
    assert {one["verdict"] for one in entry["claims"]} == {"cannot be tested on this corpus"}
    kept = read_notes(tmp_path / "saved" / "notes.csv")
    assert kept.loc[ids[0], "note"] == "hm <b>" and kept.loc[ids[0], "tags"] == "noise"
    assert not (tmp_path / "saved" / "voice").exists()
