"""Notebook 03 with teachers that notebook 02 saved, and without what a corpus may lack."""

from pathlib import Path

import pytest

from sernb import corpora
from sernb.features import encoders
from sernb.notebook.plan import make_plans
from sernb.notebook.run import run
from sernb.studies.saved import save
from sernb.studies.three_m_ser import Encoders

pytestmark = pytest.mark.more  # whole notebooks


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SHORT = {"layers": "[1]", "seeds": "[0]", "ablation_seeds": "[]", "sentences": 0, "per_speaker": 1}


def result(number, out, **given):
    (entry,) = run(make_plans([number], "smoke", given, NOTEBOOKS), out, "smoke")["notebooks"]
    return entry


def test_saved_teachers_are_taken(tmp_path):
    text, tokenizer = encoders.text_encoder()
    classes = corpora.load("embedded")["emotion"].cat.categories
    teacher = Encoders(text, encoders.audio_encoder()).network(classes, seed=3)
    save(teacher, tmp_path / "teachers" / "session Ses01", tokenizer=tokenizer)
    entry = result(
        "3", tmp_path / "report", teachers=str(tmp_path / "teachers"), save=str(tmp_path / "saved"), **SHORT
    )
    assert entry["status"] == "succeeded", entry["error"]
    saved = (tmp_path / "saved" / "predictions.csv").read_text()
    assert "BERT1 KD" in saved and "BERT1 alone" in saved and "teacher" in saved


def test_a_folder_without_teachers_says_so(tmp_path):
    entry = result("3", tmp_path / "report", teachers=str(tmp_path), **SHORT)
    assert entry["status"] == "failed" and "expected what notebook 02" in entry["error"]["message"]
