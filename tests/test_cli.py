import re

import nbformat
import pytest
from typer.testing import CliRunner

import sernb
from sernb.cli import app

CELL = 'corpus: str = "embedded"\nroot: str = ""\nepochs: int = 3\nwords: str = ""'


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """What would have been run: the plans and options that reach `run`; nothing is executed."""
    folder = tmp_path / "notebooks"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "laptop.yaml").write_text("name: laptop\n")
    for name in ("01_one", "07_seven"):
        cell = nbformat.v4.new_code_cell(CELL, metadata={"tags": ["parameters"]})
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / f"{name}.ipynb")
    monkeypatch.chdir(tmp_path)
    calls = []

    def instead(plans, out, profile, jobs, resume):
        calls.append({"plans": plans, "out": str(out), "profile": profile, "jobs": jobs, "resume": resume})
        return {"status": "succeeded"}

    monkeypatch.setattr("sernb.notebook.run.run", instead)
    return calls


def call(*words):
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, " ".join(result.output.split())


def test_version():
    assert call("--version") == (0, f"sernb {sernb.__version__}")


def test_all_notebooks_with_the_laptop_profile_by_default(ran):
    code, output = call("run")
    assert code == 0 and "reports/latest/index.html" in output
    assert [plan.name for plan in ran[0]["plans"]] == ["01_one", "07_seven"]
    assert ran[0]["profile"] == "laptop" and ran[0]["out"] == "reports/latest"


def test_parameters_may_be_written_in_two_words_or_one(ran):
    call("run", "7", "-p", "epochs", "9", "-p", "words", "a=b c", "--jobs", "2", "--resume")
    (plan,) = ran[0]["plans"]
    assert plan.given == {"epochs": 9, "words": "a=b c"}
    assert (ran[0]["jobs"], ran[0]["resume"]) == (2, True)
    call("run", "-p", "epochs=4", "07")
    assert ran[1]["plans"][0].given == {"epochs": 4}


def test_corpus_and_root_reach_the_notebooks(ran, tmp_path):
    (tmp_path / "my corpora").mkdir()
    call("run", "7", "--corpus", "emodb", "--root", "my corpora")
    assert ran[0]["plans"][0].given == {"corpus": "emodb", "root": str(tmp_path / "my corpora")}
    # Notebooks run in a folder of their own, where "my corpora" would be another place.
    call("run", "7", "-p", "corpus", "emodb", "-p", "root", "my corpora")
    assert ran[1]["plans"][0].given == ran[0]["plans"][0].given


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["9"], "There is no notebook '9'.* 01_one, 07_seven"),
        (["--profile", "tiny"], "There is no profile 'tiny'. Profiles: laptop"),
        (["-p", "epoch", "3"], "no parameter epoch. Parameters: corpus, epochs, root, words"),
        (["-p", "epochs", "three"], r"epochs takes int \(default 3\), not 'three'"),
        (["-p", "epochs"], "-p epochs has no value"),
        (["--corpus", "emo"], "There is no corpus 'emo'. Corpora: embedded, embedded_pairs, emodb"),
        (["-p", "corpus", "emo"], "There is no corpus 'emo'"),
        (["--corpus", "emodb", "--root", "nowhere"], "--root nowhere does not exist"),
        (["--corpus", "ravdess"], "ravdess was not found.*--root"),
        (["--on-bad", "skip"], "no parameter on_bad"),
        (["--on-bad", "ignore"], "on_bad must be 'raise' or 'skip', got 'ignore'"),
        (["-p", "root", "nowhere"], "--root nowhere does not exist"),
        (["--jobs", "0"], "jobs"),
    ],
)
def test_a_wrong_argument_stops_before_anything_runs(ran, monkeypatch, words, expected):
    monkeypatch.delenv("SERNB_CORPORA", raising=False)
    code, output = call("run", *words)
    assert code == 2 and re.search(expected, output), output
    assert ran == []


@pytest.mark.parametrize(("status", "code"), [("failed", 1), ("interrupted", 130)])
def test_the_exit_code_says_how_it_went(ran, monkeypatch, status, code):
    monkeypatch.setattr("sernb.notebook.run.run", lambda *rest: {"status": status})
    assert call("run")[0] == code


def test_corpora_says_what_each_is_and_whether_it_is_there():
    code, output = call("corpora")
    assert code == 0
    for word in ("embedded", "emodb", "ravdess", "manifest", "licence", "not found"):
        assert word in output
