"""A whole run: notebooks executed, their pages, an index and summary.json, put in place only when they are
whole."""

import hashlib
import json
import logging
import os
import platform
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from importlib import metadata
from pathlib import Path

import nbformat
from tqdm import tqdm

import sernb
from sernb.core.errors import SernbError
from sernb.notebook import execute, page

SHOWN = ("torch", "torchaudio", "transformers", "scikit-learn", "numpy", "pandas", "papermill")


def environment():
    """Versions that a number may depend on."""
    versions = {"python": platform.python_version(), "platform": platform.platform(), "cores": os.cpu_count()}
    return versions | {name: metadata.version(name) for name in SHOWN}


def package_hash():
    """A hash of everything in the package sernb, its data included."""
    digest, root = hashlib.sha256(), Path(sernb.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def key_of(plan, package):
    """What a notebook's result depends on: its cells, its parameters, the package and the versions.

    The files of a corpus outside the package are not read: `--resume` does not see that one of them changed.
    """
    cells = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in nbformat.read(plan.path, 4).cells]
    everything = [sernb.__version__, package, environment(), cells, plan.parameters]
    return hashlib.sha256(json.dumps(everything, default=repr).encode()).hexdigest()


def previous(out):
    """The summary of the report in `out`, or None. Raises SernbError where the folder holds something
    else."""
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
    """The entry of an earlier run and copies of its files, where it succeeded and nothing changed since,
    else None."""
    for entry in (old or {}).get("notebooks", []):
        if entry["name"] == plan.name and entry["key"] == key and entry["status"] == "succeeded":
            files = [entry[kind] for kind in ("page", "executed", "picture") if entry[kind]]
            if all((out / file).is_file() for file in files):
                for file in files:
                    shutil.copy2(out / file, folder / file)
                return {**entry, "reused": True}
    return None


def record(plan, key, notebook, outcome, folder):
    """Write the page and the picture of an executed notebook; its entry of the summary."""
    image = page.picture(notebook)
    if image:
        (folder / "pictures" / f"{plan.name}.png").write_bytes(image)
    entry = {
        "name": plan.name,
        "title": page.title_of(notebook, plan.name),
        **outcome,
        "parameters": plan.parameters,
        "headline": execute.gather(notebook, execute.HEADLINE),
        "claims": execute.gather(notebook, execute.CLAIM),
        "started_with": execute.gather(notebook, execute.START),
        "key": key,
        "reused": False,
        "page": f"{plan.name}.html",
        "executed": f"notebooks/{plan.name}.ipynb",
        "picture": f"pictures/{plan.name}.png" if image else None,
    }
    (folder / entry["page"]).write_text(page.page(notebook, entry, plan.path.parent), encoding="utf-8")
    return entry


def unfinished(plan, key):
    """The entry of a notebook that an interruption kept from its end."""
    nothing = dict.fromkeys(("duration", "error", "page", "executed", "picture"))
    lists = {"headline": [], "claims": [], "started_with": [], "stages": {}}
    return {
        "name": plan.name,
        "title": plan.name,
        "status": "interrupted",
        "cells": sum(
            c.cell_type == "code" and bool(c.source.strip()) for c in nbformat.read(plan.path, 4).cells
        ),
        "completed": 0,
        "parameters": plan.parameters,
        "key": key,
        "reused": False,
        **nothing,
        **lists,
    }


def replace(folder, out):
    """Put the finished folder in the place of `out`."""
    aside = None
    if out.exists():
        aside = out.with_name(f".{out.name}.old-{os.getpid()}")
        os.replace(out, aside)
    os.replace(folder, out)
    if aside:
        shutil.rmtree(aside)


def run(plans, out, profile="", jobs=1, resume=False):
    """Execute `plans` with papermill, `jobs` at a time, and put the report in the folder `out`.

    Returns the summary (also written as summary.json): status "succeeded", "failed" or "interrupted", and
    an entry a notebook. A notebook that fails does not stop the others. After Ctrl-C the report holds the
    notebooks that were done, and `resume` goes on from there; nothing half-written is left. Raises
    SernbError when `out` holds something else than a report, or cannot be written.
    """
    out = Path(out).resolve()
    try:
        old = previous(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.unfinished-", dir=out.parent))
    except OSError as error:
        raise SernbError(
            f"No report can be written to {out} ({error.strerror}: {error.filename}). Choose another --out."
        ) from error
    try:
        folder.chmod(0o755)  # mkdtemp's folder is private; a report may be read by others
        for name in ("notebooks", "pictures"):
            (folder / name).mkdir()
        summary = {
            "sernb": sernb.__version__,
            "profile": profile,
            "corpus": ", ".join(sorted({str(plan.parameters.get("corpus", "")) for plan in plans} - {""})),
            "started": datetime.now().astimezone().isoformat(timespec="seconds"),
            "jobs": jobs,
            "environment": environment(),
        }
        begin = time.monotonic()
        log = start_log(folder / "run.log")
        try:
            entries, interrupted = run_all(plans, out, folder, jobs, old if resume else None)
        finally:
            log.close()
            logging.getLogger("papermill").removeHandler(log)
        good = all(entry["status"] == "succeeded" for entry in entries)
        summary["status"] = "interrupted" if interrupted else "succeeded" if good else "failed"
        summary["duration"] = round(time.monotonic() - begin, 3)
        summary["notebooks"] = entries
        page.write_plotly(folder)
        (folder / "index.html").write_text(page.index(summary), encoding="utf-8")
        text = json.dumps(summary, indent=1, ensure_ascii=False, default=str)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
        replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return summary


def start_log(path):
    """papermill's own messages go to a file."""
    logger = logging.getLogger("papermill")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler


def run_all(plans, out, folder, jobs, old):
    """The entries of all plans in their order, and whether the run was interrupted. Bars show notebooks and
    cells."""
    package = package_hash()
    keys = {plan.name: key_of(plan, package) for plan in plans}
    done = {}
    for plan in plans:
        entry = reuse(plan, keys[plan.name], old, out, folder)
        if entry:
            done[plan.name] = entry
            tqdm.write(f"{plan.name}: unchanged, kept")
    todo = [plan for plan in plans if plan.name not in done]
    kernels = execute.kernel_class(jobs)
    total = {plan.name: len(nbformat.read(plan.path, 4).cells) + bool(plan.given) for plan in todo}
    look = {
        "disable": None,
        "bar_format": "{desc:<28.28} {bar} {n_fmt}/{total_fmt} {elapsed}",
    }  # None: on terminals
    notebooks = tqdm(total=len(plans), initial=len(done), desc="notebooks", position=0, **look)
    cells = tqdm(total=sum(total.values()), desc="cells", position=1, leave=False, **look)

    def one(plan):
        seen = 0

        def on_cell(position):
            nonlocal seen
            cells.set_description(plan.name)
            cells.update(position - seen)
            seen = position

        notebook, outcome = execute.execute(
            plan, folder / "notebooks" / f"{plan.name}.ipynb", kernels, on_cell
        )
        cells.update(total[plan.name] - seen)
        return record(plan, keys[plan.name], notebook, outcome, folder)

    interrupted = False
    pool = ThreadPoolExecutor(max(1, jobs))  # each thread waits for a kernel, which is a process of its own
    futures = {pool.submit(one, plan): plan for plan in todo}
    try:
        for future in as_completed(futures):
            entry = future.result()
            done[entry["name"]] = entry
            notebooks.update(1)
            tqdm.write(line(entry))
    except KeyboardInterrupt:
        interrupted = True
        tqdm.write("Interrupted: keeping what is finished ...")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        execute.stop(kernels)
        pool.shutdown(wait=True)
        cells.close()
        notebooks.close()
    for plan in plans:
        if plan.name not in done:
            done[plan.name] = unfinished(plan, keys[plan.name])
            for file in (f"{plan.name}.html", f"notebooks/{plan.name}.ipynb", f"pictures/{plan.name}.png"):
                (folder / file).unlink(missing_ok=True)
    return [done[plan.name] for plan in plans], interrupted


def line(entry):
    """What a person reads when a notebook is done."""
    counts = f"{entry['completed']}/{entry['cells']} cells, {entry['duration'] or 0:.1f} s"
    if entry["status"] == "succeeded":
        return f"{entry['name']}: succeeded, {counts}"
    error = entry["error"]
    return (
        f"{entry['name']}: FAILED in cell {error['cell']} ({error['source']}): {error['message']} [{counts}]"
    )
