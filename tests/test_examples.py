"""The examples in docstrings run and give what they print."""

import doctest
import importlib
from pathlib import Path

import pytest

import sernb

PACKAGE = Path(sernb.__file__).parent
WITH_EXAMPLES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for room in ("losses", "models", "features")
    for path in sorted((PACKAGE / room).rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_run(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted and not results.failed
