"""How encoders and benchmarks were made takes long to test and seldom changes: `make test-more` runs it."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if {HERE / "pretraining", HERE / "benchmarks"} & set(item.path.parents):
            item.add_marker(pytest.mark.more)
