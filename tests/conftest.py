"""What several tests share: real corpora where there are any, and small recordings."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def real_corpus():
    """`real_corpus("emodb")` is the folder of a real corpus; the test is skipped, with the reason, where it is absent."""

    def find(name: str) -> Path:
        beside = Path(__file__).parents[2] / "shared" / "corpora"
        parents = [Path(os.environ["SERNB_CORPORA"])] if os.environ.get("SERNB_CORPORA") else []
        for parent in (*parents, beside):
            if (parent / name).is_dir():
                return parent / name
        pytest.skip(f"the real corpus {name!r} is not here (SERNB_CORPORA, or ../shared/corpora)")

    return find


@pytest.fixture
def real_text():
    """As `real_corpus`, for corpora of text: `real_text("meld")`."""

    def find(name: str) -> Path:
        beside = Path(__file__).parents[2] / "shared" / "text"
        parents = [Path(os.environ["SERNB_CORPORA"])] if os.environ.get("SERNB_CORPORA") else []
        for parent in (*parents, beside):
            if (parent / name).is_dir():
                return parent / name
        pytest.skip(f"the real corpus {name!r} is not here (SERNB_CORPORA, or ../shared/text)")

    return find


@pytest.fixture
def write_sound():
    """`write_sound(path, seconds=…, rate=…, channels=…, subtype=…)` writes noise and returns it, (samples, channels)."""

    def write(path: Path, seconds=0.5, rate=16000, channels=1, subtype="PCM_16", seed=0) -> np.ndarray:
        samples = 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * rate), channels))
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate, subtype=subtype)
        return samples.astype(np.float32)

    return write
