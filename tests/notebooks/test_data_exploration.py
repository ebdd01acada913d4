"""Notebook 01 on corpora that lack most of what it looks at: every section says what is missing, and none
fails."""

from pathlib import Path
from unittest.mock import Mock

import nbformat
import pytest

from sernb.notebook.plan import make_plans
from sernb.notebook.run import run

pytestmark = pytest.mark.more  # whole notebooks


NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def printed(corpus, root, out, **given):
    """Everything that the notebook printed, and its claims' verdicts, run with the smoke profile."""
    given |= {"corpus": corpus, "root": str(root)}
    summary = run(make_plans(["1"], "smoke", given, NOTEBOOKS), out, "smoke")
    (entry,) = summary["notebooks"]
    assert entry["status"] == "succeeded", entry["error"]
    cells = nbformat.read(out / entry["executed"], 4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    text = " ".join(output.text for output in outputs if output.get("name") == "stdout")
    return " ".join(text.split()), [claim["verdict"] for claim in entry["claims"]]


def test_the_loader_gets_its_own_options():
    given = {"corpus": "iemocap", "loader": "{classes: all, excited_is_happy: false}", "labels": "{a: happy}"}
    (plan,) = make_plans(["1"], "smoke", given, NOTEBOOKS)
    (source,) = [one.source for one in nbformat.read(plan.path, 4).cells if "notebook.load(" in one.source]
    notebook = Mock()
    notebook.load.side_effect = InterruptedError  # the call is all that is looked at
    with pytest.raises(InterruptedError):
        exec(source, {**plan.parameters, "notebook": notebook})
    options = notebook.load.call_args.kwargs
    assert (options["classes"], options["excited_is_happy"]) == ("all", False)
    assert options["labels"] == {"a": "happy"} and options["on_bad"] == "raise"


def test_sentences_with_ratings_alone(tmp_path):
    parts = ("train", "train", "train", "dev", "test")
    rows = [f'id{i},{parts[i % 5]},{1 + i % 5},{1 + i % 4},3.0,"A line, number {i}."' for i in range(40)]
    folder = tmp_path / "emobank" / "corpus"
    folder.mkdir(parents=True)
    (folder / "emobank.csv").write_text("\n".join(["id,split,V,A,D,text", *rows]))
    said, verdicts = printed("emobank", tmp_path / "emobank", tmp_path / "report")
    for sentence in (
        "Not in this corpus: recordings, emotions, speakers",
        "No emotion labels here",
        "No recordings here, only words",
        "No single annotators' ratings",
        "there is no voice to show by emotion",
        "No map",
        "Not measured",
        "Fine: parts",
    ):
        assert sentence in said
    assert set(verdicts) == {"cannot be tested on this corpus"}


def test_sounds_alone(tmp_path, write_sound):
    folder = tmp_path / "sounds"
    for number in range(12):
        write_sound(folder / f"{number}.wav", seconds=0.05 if number == 3 else 0.5 + number / 20, seed=number)
    (folder / "list.csv").write_text("\n".join(["file", *(f"{number}.wav" for number in range(12))]))
    said, verdicts = printed("manifest", folder, tmp_path / "report", per_speaker=0)
    for sentence in (
        "Not in this corpus: words, emotions, arousal",
        "11 recordings; 1 too short",
        "No arousal and valence here",
        "No words here",
        "No folds, so nothing is trained and tested",
        "No recordings with emotions",
    ):
        assert sentence in said
    assert set(verdicts) == {"cannot be tested on this corpus"}
