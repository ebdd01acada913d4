"""Notebooks 05 and 06 on a corpus of the user's own: encoders from folders, two test parts, labels without
ratings."""

from pathlib import Path

import nbformat
import pytest
import soundfile
from bs4 import BeautifulSoup
from transformers import Wav2Vec2FeatureExtractor

from sernb.notebook.plan import make_plans
from sernb.notebook.run import run
from tests.notebooks.executed import said
from tests.studies.rated_speech import corpus, encoders

pytestmark = pytest.mark.more  # whole notebooks


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with manifest.csv, recordings, and three small speech encoders."""
    folder = tmp_path_factory.mktemp("own")
    utterances, waveforms, _ = corpus(48)
    for name, wave in zip(utterances.index, waveforms, strict=True):
        soundfile.write(folder / f"{name}.wav", 0.5 * wave / abs(wave).max(), 16000)
    parts = ["train"] * 24 + ["validation"] * 8 + ["test"] * 8 + ["test_unseen"] * 8
    table = utterances.assign(file=[f"{name}.wav" for name in utterances.index], part=parts)
    table.to_csv(folder / "manifest.csv")
    for number, (name, layers) in enumerate({"hubert0": 2, "hubert1": 2, "small/hubert1": 1}.items()):
        speech, _ = encoders(number, num_hidden_layers=layers)
        speech.save_pretrained(folder / name)
        Wav2Vec2FeatureExtractor().save_pretrained(folder / name)
    return folder


def result(number, out, **given):
    plans = make_plans([number], "smoke", {"corpus": "manifest", "per_speaker": 0, **given}, NOTEBOOKS)
    (entry,) = run(plans, out, "smoke")["notebooks"]
    return entry


def headings(out, entry):
    """The text of all table headings."""
    code = "".join(
        str(output.get("data", {}).get("text/html", ""))
        for cell in nbformat.read(out / entry["executed"], 4).cells
        for output in cell.get("outputs", [])
    )
    return {one.get_text() for one in BeautifulSoup(code, "html.parser").find_all("th")}


def test_own_encoders_and_two_test_parts(place, tmp_path):
    names = [f'"{place}/{one}"' for one in ("hubert0:1", "hubert1", "small/hubert1")]
    entry = result(
        "6", tmp_path / "report", root=str(place), scale="[1, 5]", protocol="fixed", folds_used=0,
        speech_encoders=f"[{', '.join(names)}]", asr="", save=str(tmp_path / "saved"),
    )  # fmt: skip
    assert entry["status"] == "succeeded", entry["error"]
    text = said(tmp_path / "report", entry)
    assert "no longer clearly better than no words" in text and "[−" in text
    assert {"here, seen", "the paper, seen", "the paper, unseen"} <= headings(tmp_path / "report", entry)
    cards = [one["claim"] for one in entry["claims"]]
    assert (
        cards.count(
            "With words, the distilled encoder is on par with the large one in arousal, valence and dominance"
        )
        == 1
    )
    (large,) = [
        one
        for one in entry["claims"]
        if one["claim"].startswith("On speech alone, the distilled encoder matches")
    ]
    assert large["verdict"] == "cannot be tested on this corpus" and "fewer parameters" in large["why"]
    assert large["number"].startswith("seen −0.005 (0.622 against 0.627)")
    saved = (tmp_path / "saved" / "predictions.csv").read_text()
    assert "hubert0, 1 layers, speech + text, FT→FRZ" in saved and "fixed, test_unseen" in saved
    assert ',"hubert1, speech"' in saved and f',"{place}/small/hubert1, speech"' in saved
    assert ',"mini-tinybert, text"' in saved


def test_two_encoders_are_too_few(place, tmp_path):
    names = f'["{place}/hubert0", "{place}/hubert1"]'
    entry = result("6", tmp_path / "report", root=str(place), scale="[1, 5]", speech_encoders=names)
    assert entry["status"] == "failed" and "give three different ones" in entry["error"]["message"]


def test_a_scale_that_is_not_known_says_so(place, tmp_path):
    entry = result("6", tmp_path / "report", root=str(place), protocol="fixed")
    assert entry["status"] == "failed"
    assert "the scale of the ratings is None" in entry["error"]["message"]


def test_layers_for_labels_alone(place, tmp_path):
    table = (
        (place / "manifest.csv")
        .read_text()
        .replace("arousal", "a1")
        .replace("valence", "v1")
        .replace("dominance", "d1")
    )
    (place / "labels.csv").write_text(table)
    entry = result(
        "5",
        tmp_path / "report",
        root=str(place / "labels.csv"),
        protocol="fixed",
        speech_encoder=str(place / "hubert0"),
    )
    assert entry["status"] == "succeeded", entry["error"]
    assert "no ratings of arousal, valence or dominance" in said(tmp_path / "report", entry)
