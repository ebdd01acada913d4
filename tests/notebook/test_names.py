"""The names of `sernb.notebook`: there when they are used, with their text on Shift-Tab, and nothing loaded
before."""

import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

from sernb import notebook
from sernb.notebook import cards, corpus


def test_names_are_those_of_the_files():
    assert notebook.start is cards.start and notebook.load is corpus.load
    assert set(notebook.__all__) <= set(dir(notebook))
    assert all(callable(getattr(notebook, name)) for name in notebook.__all__ if name != "VERDICTS")
    with pytest.raises(AttributeError, match="no attribute 'begin'"):
        notebook.begin  # noqa: B018


def test_shift_tab_shows_signature_and_text():
    shell = InteractiveShell()
    shell.push({"notebook": notebook})
    told = shell.object_inspect("notebook.load")
    assert told["found"] and "per_speaker" in told["definition"] and "Args:" in told["docstring"]


def test_planning_a_run_loads_no_torch():
    slow = "{'torch', 'IPython', 'soundfile', 'nbformat', 'papermill'} & set(sys.modules)"
    code = f"import sys, sernb.notebook.plan; sys.exit(', '.join({slow}) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
