"""What several tests share: real corpora where there are any, and small recordings."""

import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile


def pytest_collection_modifyitems(items):
    """The run of all notebooks takes longest: it begins first, and the other worker does the rest."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


def find_real(kind: str, name: str) -> Path:
    """The folder of a real corpus, in $SERNB_CORPORA or ../shared/<kind>; skips the test, with the reason,
    without it."""
    parents = [Path(os.environ["SERNB_CORPORA"])] if os.environ.get("SERNB_CORPORA") else []
    for parent in (*parents, Path(__file__).parents[2] / "shared" / kind):
        if (parent / name).is_dir():
            return parent / name
    pytest.skip(f"the real corpus {name!r} is not here (SERNB_CORPORA, or ../shared/{kind})")


@pytest.fixture
def real_corpus():
    """`real_corpus("emodb")` is the folder of a real corpus; the test is skipped, with the reason, where it
    is absent."""
    return partial(find_real, "corpora")


@pytest.fixture
def real_text():
    """As `real_corpus`, for corpora of text: `real_text("meld")`."""
    return partial(find_real, "text")


@pytest.fixture
def write_sound():
    """`write_sound(path, seconds=…, rate=…, channels=…, subtype=…)` writes noise and returns it, (samples,
    channels)."""

    def write(path: Path, seconds=0.5, rate=16000, channels=1, subtype="PCM_16", seed=0) -> np.ndarray:
        samples = 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * rate), channels))
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate, subtype=subtype)
        return samples.astype(np.float32)

    return write
