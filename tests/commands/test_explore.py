"""`sernb explore` as a person calls it: a page of this machine, or one file; bad input is told in a sentence."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from typer.testing import CliRunner

from sernb import corpora
from sernb.cli import app
from sernb.explorer import read_notes


@pytest.fixture
def predictions(tmp_path):
    """A CSV with predictions of 30 utterances of the embedded corpus, and these."""
    table = corpora.load("embedded").iloc[::37]
    said = table[["emotion"]].assign(predicted=table["emotion"].to_numpy()[::-1], path="/etc/passwd")
    path = tmp_path / "said.csv"
    said.to_csv(path)
    return path, table


def call(*words):
    result = CliRunner().invoke(app, ["explore", *map(str, words)])
    return result.exit_code, " ".join(result.output.split())


def test_one_file(predictions, tmp_path):
    path, table = predictions
    (tmp_path / "view.json").write_text('{"show": "row"}')
    (tmp_path / "notes.csv").write_text(f"utterance,note,tags\n{table.index[0]},hm,noisy\n")
    page = tmp_path / "a page.html"
    words = ("--corpus", "embedded", "--html", page, "--cap", 1, "--view", tmp_path / "view.json")
    code, output = call(path, *words, "--notes", tmp_path / "notes.csv")
    assert code == 0 and "Written:" in output and "licence" in output
    count = json.loads(re.search(r'"embedded":(\[[0-9,]*\])', page.read_text(encoding="utf-8"))[1])
    assert f"MB, {len(count)} clips)" in output and f"recordings of the corpus ({len(count)} clips)" in output
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size <= 1_000_000 and "data:audio/" in text and "<title>said</title>" in text
    assert '"show":"row"' in text and '"note":"hm"' in text
    assert "passwd" not in text  # a path in the predictions is never opened
    alone = tmp_path / "alone.html"
    code, output = call(path, "--html", alone)
    assert (
        code == 0
        and "no utterances table" in output
        and "0 clips)" in output
        and "licence" not in output
        and "data:audio" not in alone.read_text(encoding="utf-8")
    )


def test_a_page_of_this_machine(predictions, tmp_path):
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
def test_bad_input_is_told(predictions, words, told):
    code, output = call(*(word.format(csv=predictions[0]) for word in words))
    assert code == 2 and output.count("sernb: ") >= 1 and told in output, output
    assert "Traceback" not in output


def test_a_view_of_other_predictions(predictions, tmp_path):
    (tmp_path / "view.json").write_text('{"model": "somebody"}')
    code, output = call(predictions[0], "--view", tmp_path / "view.json", "--no-browser")
    assert code == 2 and "somebody" in output
    (tmp_path / "view.json").write_text("[1]")
    assert call(predictions[0], "--view", tmp_path / "view.json", "--no-browser")[0] == 2
