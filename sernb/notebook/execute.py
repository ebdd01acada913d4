"""One notebook executed with papermill, in a kernel of this very interpreter, and what came of it."""

import logging
import os
import weakref
from pathlib import Path

import nbformat
import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers
from traitlets import default

HEADLINE = "application/vnd.sernb.headline+json"
CLAIM = "application/vnd.sernb.claim+json"
START = "application/vnd.sernb.start+json"

# glibc hands large blocks back to the system at every training step; keeping them made CPU steps 1.5-2 times faster.
KEEP_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "200000000",
}


def kernel_class(jobs=1):
    """A kernel manager class that starts `sys.executable` (whatever kernels are installed), for `jobs` at a
    time.

    Its `running` is the set of live managers, so that an interrupted run can end them.
    """
    environment = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", **KEEP_MEMORY}
    environment["SERNB_REPORT"] = "1"  # nobody is there to click: sernb.notebook.clickable
    environment["SERNB_CORPORA"] = os.path.abspath(os.environ.get("SERNB_CORPORA", "corpora"))
    # Notebooks side by side share the cores: the threads of one training, and the trainings of `sernb.studies.parallel`.
    for name in {"OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"} - set(os.environ) if jobs > 1 else ():
        environment[name] = str(max(1, (os.cpu_count() or 1) // jobs))
    spec = KernelSpec(**{**get_kernel_dict(), "env": environment})

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


def execute(plan, output, kernels, on_cell=None):
    """Run `plan` with papermill, write the executed notebook to `output`, return (notebook, outcome).

    `on_cell(position)` is called as each cell starts. The outcome is a dict: status ("succeeded",
    "failed"), cells and completed (code cells), duration (s), stages (s by `stage:` tag), error (None, or
    cell, source, message, id). Success means that every code cell completed: papermill itself lets
    `sys.exit(0)` pass.
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
    if trouble:  # papermill took the cells from here on for completed
        for position, cell in enumerate(notebook.cells):
            if position >= reached:
                cell.metadata["papermill"] = {"status": "failed" if position == reached else "pending"}
    outcome = judge(notebook, trouble)
    nbformat.write(notebook, output)
    return notebook, outcome


def judge(notebook, trouble=None):
    """The outcome of an executed notebook: see `execute`."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    records = [cell.metadata.get("papermill", {}) for cell in code]
    completed = sum(record.get("status") == "completed" for record in records)
    error = None
    for number, (cell, record) in enumerate(zip(code, records, strict=True), start=1):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if record.get("status") == "completed" and not errors:
            continue
        message = trouble or "the cell did not complete"
        if errors:
            message = f"{errors[-1].ename}: {errors[-1].evalue}"
            if errors[-1].ename != "SernbError":  # ours name files, and what to do, in the lines that follow
                message = message.splitlines()[0]
            if errors[-1].ename == "SystemExit":
                message = f"SystemExit: {errors[-1].evalue or 0}, so the cells after it never ran"
        source = cell.source.strip().splitlines()[0]
        error = {"cell": number, "source": source, "message": message, "id": cell.get("id", "")}
        break
    if trouble and not error:
        error = {"cell": 0, "source": "", "message": trouble, "id": ""}
    stages = {}
    for cell, record in zip(code, records, strict=True):
        for tag in cell.metadata.get("tags", []):
            if tag.startswith("stage:"):
                stage = tag.removeprefix("stage:")
                stages[stage] = round(stages.get(stage, 0.0) + (record.get("duration") or 0.0), 3)
    return {
        "status": "failed" if error else "succeeded",
        "cells": len(code),
        "completed": completed,
        "duration": notebook.metadata.get("papermill", {}).get("duration"),
        "stages": stages,
        "error": error,
    }


def gather(notebook, mimetype):
    """All outputs of one mimetype in a notebook, in order."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data[mimetype] for output in outputs if mimetype in output.get("data", {})]


def stop(kernels):
    """Kill the kernels that still run; their notebooks then end with an error."""
    for manager in list(kernels.running):
        process = getattr(getattr(manager, "provisioner", None), "process", None)
        if process and process.poll() is None:
            process.kill()
