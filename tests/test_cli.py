"""The command line as a person calls it; what a command does beyond its words is tested where it is done."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import nbformat
import pytest
from typer.testing import CliRunner

import sernb
from sernb import corpora
from sernb.cli import app
from sernb.explorer import read_notes

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
    result = CliRunner().invoke(app, [*map(str, words)])
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


SLOW = ("torch", "IPython", "pandera", "nbformat", "papermill", "sklearn")
MEASURED = f"""
import resource, sys
from sernb.cli import app
try:
    app(sys.argv[1:])
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, *(name for name in {SLOW} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--help"], 0, "explore"),
        (["corpora"], 0, "embedded"),
        (["run", "99"], 2, "There is no notebook '99'"),
        (["run", "7", "--corpus", "emodb", "--root", "nowhere"], 2, "does not exist"),
        (["explore", "nowhere.csv"], 2, "no such file"),
        (["explore", "nowhere.csv", "--corpus", "embedded"], 2, "no such file"),
        (["predict", "nowhere.wav", "--model", "."], 2, "no such recording"),
        (["predict", ".", "--model", "nowhere"], 2, "no such folder"),
        (["audit", "--corpus", "emodb", "--root", "nowhere"], 2, "does not exist"),
    ],
)
def test_help_and_early_errors_need_less_than_a_second(words, code, told):
    """Of processor time, in one of three tries: the machine may be busy."""
    for _ in range(3):
        command = [sys.executable, "-c", MEASURED, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds, *slow = done.stderr.splitlines()[-1].split()
        assert done.returncode == code and told in done.stdout + done.stderr and not slow, done.stderr
        if float(seconds) < 1:
            return
    pytest.fail(f"{seconds} s of processor time")


@pytest.fixture
def predictions(tmp_path):
    """A CSV with predictions of 30 utterances of the embedded corpus, and these."""
    table = corpora.load("embedded").iloc[::37]
    said = table[["emotion"]].assign(predicted=table["emotion"].to_numpy()[::-1], path="/etc/passwd")
    path = tmp_path / "said.csv"
    said.to_csv(path)
    return path, table


def test_explore_writes_one_file(predictions, tmp_path):
    path, table = predictions
    (tmp_path / "view.json").write_text('{"show": "row"}')
    (tmp_path / "notes.csv").write_text(f"utterance,note,tags\n{table.index[0]},hm,noisy\n")
    page = tmp_path / "a page.html"
    words = ("--corpus", "embedded", "--html", page, "--cap", 1, "--view", tmp_path / "view.json")
    code, output = call("explore", path, *words, "--notes", tmp_path / "notes.csv")
    assert code == 0 and "Written:" in output and "licence" in output
    count = json.loads(re.search(r'"embedded":(\[[0-9,]*\])', page.read_text(encoding="utf-8"))[1])
    assert f"MB, {len(count)} clips)" in output and f"recordings of the corpus ({len(count)} clips)" in output
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size <= 1_000_000 and "data:audio/" in text and "<title>said</title>" in text
    assert '"show":"row"' in text and '"note":"hm"' in text
    assert "passwd" not in text  # a path in the predictions is never opened
    alone = tmp_path / "alone.html"
    code, output = call("explore", path, "--html", alone)
    assert (
        code == 0
        and "no utterances table" in output
        and "0 clips)" in output
        and "licence" not in output
        and "data:audio" not in alone.read_text(encoding="utf-8")
    )


def test_explore_serves_a_page_of_this_machine(predictions, tmp_path):
    path, table = predictions
    notes = tmp_path / "new notes.csv"
    command = [
        sys.executable,
        "-m",
        "sernb.cli",
        "explore",
        str(path),
        "--corpus",
        "embedded",
        "--no-browser",
    ]
    with subprocess.Popen(
        [*command, "--notes", str(notes)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        page = urllib.request.urlopen(url, timeout=20).read().decode()
        assert table.index[3] in page and "/etc/passwd" not in page
        clip = json.load(urllib.request.urlopen(f"{url}clip/3", timeout=20))
        assert clip["utterance"] == table.index[3] and clip["audio"]
        body = json.dumps({table.index[3]: {"note": "odd", "tags": []}}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{url}notes", body), timeout=20).close()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0 and "has ended" in rest
    assert read_notes(notes)["note"].to_dict() == {table.index[3]: "odd"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{csv}", "--corpus", "nothing"], "There is no corpus 'nothing'"),
        (["{csv}", "--root", "somewhere"], "name it with --corpus"),
        (["{csv}", "--corpus", "emodb", "--root", "not/there"], "does not exist"),
        (["{csv}", "--corpus", "embedded", "-p", "colour=red"], "colour"),
        (["nowhere.csv"], "no such file"),
        (["{csv}", "--view", "{csv}"], "cannot be read as a view"),
        (["{csv}", "--html", "{csv}/x.html"], "x.html"),
        (["{csv}", "--port", "99999", "--no-browser"], "cannot be used"),
    ],
)
def test_explore_tells_bad_input(predictions, words, told):
    code, output = call("explore", *(word.format(csv=predictions[0]) for word in words))
    assert code == 2 and output.count("sernb: ") >= 1 and told in output, output
    assert "Traceback" not in output


def test_explore_refuses_a_view_of_other_predictions(predictions, tmp_path):
    (tmp_path / "view.json").write_text('{"model": "somebody"}')
    code, output = call("explore", predictions[0], "--view", tmp_path / "view.json", "--no-browser")
    assert code == 2 and "somebody" in output
    (tmp_path / "view.json").write_text("[1]")
    assert call("explore", predictions[0], "--view", tmp_path / "view.json", "--no-browser")[0] == 2
