"""A whole run: notebooks executed with papermill, their pages, an index and summary.json, in place when
whole."""

import hashlib
import json
import logging
import os
import platform
import shutil
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib import metadata
from pathlib import Path

import nbformat
import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers
from tqdm import tqdm
from traitlets import default

import sernb
from sernb.core.errors import SernbError
from sernb.core.files import whole_folder
from sernb.notebook import page

GATHERED = {
    "headline": "headline",
    "claims": "claim",
    "started_with": "start",
}  # of a summary's entry, of an output
SHOWN = ("torch", "torchaudio", "transformers", "scikit-learn", "numpy", "pandas", "papermill")

# glibc hands large blocks back at every training step; keeping them made CPU steps 1.5-2 times faster.
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "200000000",
}


def run(plans, out, profile="", jobs=1, resume=False):
    """Execute `plans` with papermill and put the report in the folder `out`.

    A notebook that fails does not stop the others. After Ctrl-C the report holds the notebooks that were
    done, and `resume` goes on from there; nothing half-written is left.

    Args:
        plans: of `make_plans`.
        out: the folder; an earlier report in it is replaced.
        profile: its name, for the report.
        jobs: notebooks at a time.
        resume: keep what succeeded and has not changed since.

    Returns:
        The summary, summary.json too: status "succeeded", "failed" or "interrupted", and an entry a notebook.

    Raises:
        SernbError: when `out` holds something else than a report, or cannot be written.
    """
    out = Path(out).resolve()
    with ExitStack() as stack:
        try:
            old = previous(out)
            folder = stack.enter_context(whole_folder(out, discard=True))
        except OSError as error:
            why = f"{error.strerror}: {error.filename}"
            raise SernbError(f"No report can be written to {out} ({why}). Choose another --out.") from error
        for name in ("notebooks", "pictures"):
            (folder / name).mkdir()

        begin, started = time.monotonic(), datetime.now().astimezone().isoformat(timespec="seconds")
        with log_in(folder / "run.log"):
            entries, interrupted = run_all(plans, out, folder, jobs, old if resume else None)
        good = all(entry["status"] == "succeeded" for entry in entries)

        summary = {
            "sernb": sernb.__version__,
            "profile": profile,
            "corpus": ", ".join(sorted({str(plan.parameters.get("corpus", "")) for plan in plans} - {""})),
            "started": started,
            "jobs": jobs,
            "environment": environment(),
            "status": "interrupted" if interrupted else "succeeded" if good else "failed",
            "duration": round(time.monotonic() - begin, 3),
            "notebooks": entries,
        }
        page.write_plotly(folder)
        (folder / "index.html").write_text(page.index(summary), encoding="utf-8")
        text = json.dumps(summary, indent=1, ensure_ascii=False, default=str)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    return summary


def run_all(plans, out, folder, jobs, old):
    """The entries of all plans in their order, and whether the run was interrupted. Bars show notebooks and
    cells."""
    # what an earlier run did
    package = package_hash()
    keys = {plan.name: key_of(plan, package) for plan in plans}
    done = {plan.name: reuse(plan, keys[plan.name], old, out, folder) for plan in plans}
    done = {name: entry for name, entry in done.items() if entry}
    for name in done:
        tqdm.write(f"{name}: unchanged, kept")
    todo = [plan for plan in plans if plan.name not in done]

    # the others, each in a kernel
    kernels = kernel_class(jobs)
    total = {plan.name: len(nbformat.read(plan.path, 4).cells) + bool(plan.given) for plan in todo}
    look = {
        "disable": None,
        "bar_format": "{desc:<28.28} {bar} {n_fmt}/{total_fmt} {elapsed}",
    }  # None: on terminals
    notebooks = tqdm(total=len(plans), initial=len(done), desc="notebooks", position=0, **look)
    cells = tqdm(total=sum(total.values()), desc="cells", position=1, leave=False, **look)

    def entry_of(plan):
        seen = 0

        def on_cell(position):
            nonlocal seen
            cells.set_description(plan.name)
            cells.update(position - seen)
            seen = position

        notebook, outcome = execute(plan, folder / "notebooks" / f"{plan.name}.ipynb", kernels, on_cell)
        cells.update(total[plan.name] - seen)
        return record(plan, keys[plan.name], notebook, outcome, folder)

    interrupted = False
    pool = ThreadPoolExecutor(max(1, jobs))  # each thread waits for a kernel, which is a process of its own
    try:
        for future in as_completed([pool.submit(entry_of, plan) for plan in todo]):
            entry = future.result()
            done[entry["name"]] = entry
            notebooks.update(1)
            tqdm.write(line(entry))
    except KeyboardInterrupt:
        interrupted = True
        tqdm.write("Interrupted: keeping what is finished ...")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        stop(kernels)
        pool.shutdown(wait=True)
        cells.close()
        notebooks.close()

    # those that an interruption kept from their end
    for plan in todo:
        if plan.name not in done:
            outcome = judge(nbformat.read(plan.path, 4)) | {"status": "interrupted", "error": None}
            done[plan.name] = entry_with(plan, keys[plan.name], outcome, title=plan.name)
            for file in files_of(plan.name).values():
                (folder / file).unlink(missing_ok=True)
    return [done[plan.name] for plan in plans], interrupted


def execute(plan, output, kernels, on_cell=None):
    """Run `plan` with papermill, write the executed notebook to `output`, return (notebook, outcome of
    `judge`).

    `on_cell(position)` is called as each cell starts.
    """
    reached = 0

    def starts(cell, cell_index):
        nonlocal reached
        reached = cell_index
        if on_cell:
            on_cell(cell_index)

    trouble = None
    try:
        papermill.execute_notebook(
            nbformat.read(plan.path, as_version=4),
            str(output).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
            parameters=plan.given,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel_manager_class=kernels,
            on_cell_start=starts,
            extra_arguments=[
                "--log-level=ERROR"
            ],  # a kernel talks to this machine alone, and warns that it does
            resources={"metadata": {"path": str(plan.path.parent)}},
        )
    except PapermillExecutionError:
        pass  # the notebook says it all
    except DeadKernelError:
        trouble = "the kernel died (often: not enough memory)"
    except Exception as error:  # the kernel did not start, say
        trouble = f"{type(error).__name__}: {error}"
        logging.getLogger("papermill").exception("%s", plan.name)

    notebook = nbformat.read(output if Path(output).exists() else plan.path, as_version=4)
    notebook = remove_error_markers(notebook)
    for position, cell in enumerate(notebook.cells):
        if trouble and position >= reached:  # papermill took the cells from here on for completed
            cell.metadata["papermill"] = {"status": "failed" if position == reached else "pending"}
    nbformat.write(notebook, output)
    return notebook, judge(notebook, trouble)


def judge(notebook, trouble=None):
    """The outcome of an executed notebook.

    A dict: status ("succeeded", "failed"), cells and completed (code cells), duration (s), stages (s by
    `stage:` tag), error (None, or cell, source, message, id). Success means that every code cell completed:
    papermill itself lets `sys.exit(0)` pass.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    completed, stages = 0, {}
    error = {"cell": 0, "source": "", "message": trouble, "id": ""} if trouble else None
    stopped = False
    for number, cell in enumerate(code, start=1):
        papers = cell.metadata.get("papermill", {})
        errors = [output for output in cell.outputs if output.output_type == "error"]
        completed += papers.get("status") == "completed"
        if not stopped and (errors or papers.get("status") != "completed"):
            stopped = True
            message = message_of(errors[-1]) if errors else trouble or "the cell did not complete"
            source = cell.source.strip().splitlines()[0]
            error = {"cell": number, "source": source, "message": message, "id": cell.get("id", "")}
        for tag in cell.metadata.get("tags", []):
            if tag.startswith("stage:"):
                stage = tag.removeprefix("stage:")
                stages[stage] = round(stages.get(stage, 0.0) + (papers.get("duration") or 0.0), 3)
    return {
        "status": "failed" if error else "succeeded",
        "cells": len(code),
        "completed": completed,
        "duration": notebook.metadata.get("papermill", {}).get("duration"),
        "stages": stages,
        "error": error,
    }


def message_of(error):
    """An error in a cell, in words. Ours name files, and what to do, in lines that follow the first."""
    if error.ename == "SystemExit":
        return f"SystemExit: {error.evalue or 0}, so the cells after it never ran"
    told = f"{error.ename}: {error.evalue}"
    return told if error.ename == "SernbError" else told.splitlines()[0]


def record(plan, key, notebook, outcome, folder):
    """Write the page and the picture of an executed notebook; its entry of the summary."""
    image, files = page.picture(notebook), files_of(plan.name)
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = {name: f"application/vnd.sernb.{kind}+json" for name, kind in GATHERED.items()}
    gathered = {name: [data[kind] for data in outputs if kind in data] for name, kind in kinds.items()}
    title = page.title_of(notebook, plan.name)
    entry = entry_with(plan, key, outcome, title=title, **gathered, **files)
    if image:
        (folder / files["picture"]).write_bytes(image)
    else:
        entry["picture"] = None
    (folder / entry["page"]).write_text(page.page(notebook, entry, plan.path.parent), encoding="utf-8")
    return entry


def entry_with(plan, key, outcome, **known):
    """A notebook's entry of the summary."""
    nothing = dict.fromkeys(files_of(plan.name)) | {name: [] for name in GATHERED}
    own = {"name": plan.name, "parameters": plan.parameters, "key": key, "reused": False}
    return own | outcome | nothing | known


def files_of(name):
    """Where the files of a notebook lie in a report."""
    return {"page": f"{name}.html", "executed": f"notebooks/{name}.ipynb", "picture": f"pictures/{name}.png"}


def previous(out):
    """The summary of the report in `out`, or None. SernbError where the folder holds something else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    try:
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        if not isinstance(summary, dict) or not {"sernb", "notebooks"} <= set(summary):
            raise ValueError("a summary.json that sernb did not write")
        return summary
    except (OSError, ValueError) as error:
        raise SernbError(
            f"{out} exists and is no report of sernb (no summary.json of its own), so it is not replaced. "
            "Choose another --out, or remove it."
        ) from error


def reuse(plan, key, old, out, folder):
    """The entry of an earlier run and copies of its files, where it succeeded and nothing changed since."""
    for entry in (old or {}).get("notebooks", []):
        if entry["name"] == plan.name and entry["key"] == key and entry["status"] == "succeeded":
            files = [entry[kind] for kind in files_of(plan.name) if entry[kind]]
            if all((out / file).is_file() for file in files):
                for file in files:
                    shutil.copy2(out / file, folder / file)
                return {**entry, "reused": True}
    return None


def key_of(plan, package):
    """What a notebook's result depends on: its cells, its parameters, the package and the versions.

    The files of a corpus outside the package are not read: `--resume` does not see that one of them changed.
    """
    cells = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in nbformat.read(plan.path, 4).cells]
    everything = [sernb.__version__, package, environment(), cells, plan.parameters]
    return hashlib.sha256(json.dumps(everything, default=repr).encode()).hexdigest()


def package_hash():
    """A hash of everything in the package sernb, its data included."""
    digest, root = hashlib.sha256(), Path(sernb.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def environment():
    """Versions that a number may depend on."""
    versions = {"python": platform.python_version(), "platform": platform.platform(), "cores": os.cpu_count()}
    return versions | {name: metadata.version(name) for name in SHOWN}


def kernel_class(jobs=1):
    """A kernel manager class that starts `sys.executable` (whatever kernels are installed), for `jobs` at a
    time.

    Its `running` is the set of live managers, so that an interrupted run can end them.
    """
    given = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", **KEEP_MEMORY}
    given["SERNB_REPORT"] = "1"  # nobody is there to click: sernb.notebook.clickable
    given["SERNB_CORPORA"] = os.path.abspath(os.environ.get("SERNB_CORPORA", "corpora"))
    # Notebooks side by side share the cores: the threads of one training, and the trainings side by side.
    for name in {"OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"} - set(os.environ) if jobs > 1 else ():
        given[name] = str(max(1, (os.cpu_count() or 1) // jobs))
    spec = KernelSpec(**{**get_kernel_dict(), "env": given})

    class ThisInterpreter(KernelSpecManager):
        def get_kernel_spec(self, kernel_name):
            return spec

    class Kernel(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _this_interpreter(self):
            return ThisInterpreter(parent=self)

        async def _async_start_kernel(self, **kwargs):
            type(self).running.add(self)
            await super()._async_start_kernel(**kwargs)

        start_kernel = _async_start_kernel

    Kernel.running = weakref.WeakSet()
    return Kernel


def stop(kernels):
    """Kill the kernels that still run; their notebooks then end with an error."""
    for manager in list(kernels.running):
        process = getattr(getattr(manager, "provisioner", None), "process", None)
        if process and process.poll() is None:
            process.kill()


@contextmanager
def log_in(path):
    """papermill's own messages go to a file."""
    logger, handler = logging.getLogger("papermill"), logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        handler.close()
        logger.removeHandler(handler)


def line(entry):
    """What a person reads when a notebook is done."""
    counts = f"{entry['completed']}/{entry['cells']} cells, {entry['duration'] or 0:.1f} s"
    if entry["status"] == "succeeded":
        return f"{entry['name']}: succeeded, {counts}"
    error = entry["error"]
    return (
        f"{entry['name']}: FAILED in cell {error['cell']} ({error['source']}): {error['message']} [{counts}]"
    )
