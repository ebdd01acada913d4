import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from sernb.core.errors import SernbError
from sernb.notebook.plan import make_plans
from sernb.notebook.run import judge, kernel_class, run

from .conftest import write_notebook


def entry(summary, name):
    return next(entry for entry in summary["notebooks"] if entry["name"] == name)


def leftovers(out):
    return [path.name for path in out.parent.iterdir() if path != out]


def test_the_good_notebook_succeeded_with_its_numbers(report):
    summary, out, _ = report
    good = entry(summary, "01_good")
    assert good["status"] == "succeeded" and good["error"] is None
    assert good["cells"] == good["completed"] == 6  # the injected parameters are a cell too
    assert good["parameters"]["epochs"] == 1
    assert good["headline"] == [
        {"name": "<script>alert(1)</script>", "value": 0.25, "low": 0.2, "high": None}
    ]
    assert 0.3 <= good["stages"]["imports"] < good["duration"]
    assert json.loads((out / "summary.json").read_text()) == summary


def test_the_kernel_is_this_interpreter_in_the_notebooks_folder(report):
    _, out, place = report
    (output,) = nbformat.read(out / "notebooks" / "01_good.ipynb", 4).cells[-1].outputs
    assert output.text.strip().split("|") == [sys.executable, "200000000", str(place / "notebooks")]


def test_no_installed_kernel_takes_its_place_and_jobs_share_the_cores(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["other"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    kernel = kernel_class(jobs=3)(kernel_name="python3").kernel_spec
    assert kernel.argv[0] == sys.executable
    assert kernel.env["OMP_NUM_THREADS"] == kernel.env["LOKY_MAX_CPU_COUNT"] == "2"
    assert "OMP_NUM_THREADS" not in kernel_class(jobs=1)(kernel_name="python3").kernel_spec.env


def test_a_failing_cell_is_named_and_the_others_still_ran(report):
    summary, out, _ = report
    assert summary["status"] == "failed"
    error = entry(summary, "02_fails")["error"]
    assert error["cell"] == 4
    assert error["message"] == "ValueError: no <b>such</b> thing"
    assert error["source"].startswith("raise ValueError")
    assert entry(summary, "02_fails")["completed"] == 3
    assert [e["status"] for e in summary["notebooks"]] == ["succeeded", "failed", "failed", "failed"]
    cells = nbformat.read(out / "notebooks" / "02_fails.ipynb", 4).cells
    assert [c.metadata.papermill.status for c in cells if c.cell_type == "code"] == [
        *["completed"] * 3,
        "failed",
        "pending",
    ]


@pytest.mark.parametrize(("name", "message"), [("03_exits", "SystemExit: 0"), ("04_dies", "the kernel died")])
def test_a_notebook_that_stops_early_failed(report, name, message):
    summary, _, place = report
    stopped = entry(summary, name)
    assert stopped["status"] == "failed"
    assert message in stopped["error"]["message"]
    assert stopped["error"]["cell"] == 3 and stopped["completed"] == 2
    assert not (place / "notebooks" / "after.txt").exists()


def test_every_file_of_the_report_is_in_place_and_nothing_else(report):
    summary, out, _ = report
    for e in summary["notebooks"]:
        assert (out / e["page"]).is_file() and (out / e["executed"]).is_file()
    assert entry(summary, "01_good")["picture"] == "pictures/01_good.png"
    assert (out / "pictures" / "01_good.png").read_bytes().startswith(b"\x89PNG")
    assert leftovers(out) == []


def test_a_folder_that_is_no_report_is_not_replaced(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(SernbError, match="no report of sernb"):
        run(make_plans(["1"], "smoke", {}), tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("content", ['{"words": 3}', "[1]", "no json"])
def test_a_summary_of_somebody_else_protects_its_folder(folder, tmp_path, content):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "summary.json").write_text(content)
    with pytest.raises(SernbError, match="no report of sernb"):
        run([], tmp_path / "mine")
    assert (tmp_path / "mine" / "summary.json").read_text() == content


@pytest.mark.parametrize("out", ["a file/report", "n" * 300])
def test_a_place_that_cannot_be_written_is_named(tmp_path, out):
    (tmp_path / "a file").write_text("x")
    with pytest.raises(SernbError, match=r"No report can be written to .*Choose another --out"):
        run([], tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["a file"]


def test_our_own_errors_are_told_to_their_last_line():
    def message(kind):
        error = nbformat.v4.new_output(
            "error", ename=kind, evalue="2 of 9:\n  a.wav: empty\nSkip them.", traceback=[]
        )
        cell = nbformat.v4.new_code_cell("load()", outputs=[error])
        return judge(nbformat.v4.new_notebook(cells=[cell]))["error"]["message"]

    assert message("SernbError") == "SernbError: 2 of 9:\n  a.wav: empty\nSkip them."
    assert message("ValueError") == "ValueError: 2 of 9:"


def test_resume_keeps_what_has_not_changed_and_runs_what_has(tmp_path, monkeypatch):
    place = tmp_path / "a place"
    folder = place / "notebooks"
    (folder / "profiles").mkdir(parents=True)
    (folder / "profiles" / "laptop.yaml").write_text("name: laptop\n")
    monkeypatch.chdir(place)
    for name in ("01_same", "02_edited", "03_failing"):
        write_notebook(
            folder, name, ("n: int = 1", ["parameters"]), "1 / n" if "failing" not in name else "1 / 0"
        )
    out = place / "out"

    def again(given=None):
        summary = run(make_plans([], "laptop", given or {}), out, resume=True)
        return [e["reused"] for e in summary["notebooks"]]

    assert again() == [False, False, False]
    before = (out / "01_same.html").read_text()
    write_notebook(folder, "02_edited", ("n: int = 1", ["parameters"]), "2 / n")
    assert again() == [True, False, False]  # the third failed, so it is run again
    assert (out / "01_same.html").read_text() == before
    assert again({"n": "2"}) == [False, False, False]
    monkeypatch.setattr("sernb.notebook.run.package_hash", lambda: "changed code")
    assert again({"n": "2"}) == [False, False, False]
    assert leftovers(out) == [folder.name]


def test_an_interrupted_run_keeps_what_was_finished(folder):
    for path in folder.glob("*.ipynb"):
        path.unlink()
    write_notebook(folder, "01_quick", "1 + 1")
    write_notebook(
        folder, "02_slow", "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(120)"
    )
    (folder / "profiles" / "laptop.yaml").write_text("name: laptop\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "sernb.cli", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's background job hands down that SIGINT is ignored; somebody who presses Ctrl-C is not one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    pid = folder / "pid"
    for _ in range(600):
        if pid.exists() and pid.read_text():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 130, output
    out = folder.parent / "reports" / "latest"
    summary = json.loads((out / "summary.json").read_text())
    assert summary["status"] == "interrupted"
    assert [e["status"] for e in summary["notebooks"]] == ["succeeded", "interrupted"]
    assert sorted(p.name for p in (out / "notebooks").iterdir()) == ["01_quick.ipynb"]
    assert leftovers(out) == []
    with pytest.raises(ProcessLookupError):  # the kernel is gone too
        os.kill(int(pid.read_text()), 0)
