"""The filter study: which shapes, and a table that the figure takes."""

import numpy as np
import pandas as pd
import pytest
import torch

from sernb import figures
from sernb.core.errors import SernbError
from sernb.features.spectrogram import Segments
from sernb.protocols import leave_one_speaker_out
from sernb.studies.filter_shapes import HEIGHTS, WIDTHS, shapes, study
from sernb.studies.training import Recipe


def test_the_papers_range():
    assert (min(HEIGHTS), max(HEIGHTS), min(WIDTHS), max(WIDTHS)) == (2, 100, 2, 80)
    assert len(shapes()) == len(HEIGHTS) + len(WIDTHS) - 1  # 2 x 2 stands in both


def test_no_filter_is_empty():
    with pytest.raises(SernbError, match="widths holds 0"):
        shapes((2,), (0, 2))
    with pytest.raises(SernbError, match="heights is empty"):
        shapes((), (2,))


def test_a_steady_line_needs_width_and_a_click_needs_height():
    """Sad is a click over all bins in a random frame, angry a line over all frames in a random bin, equal in energy.

    A filter of 1 x 1 pixels sees the same histogram in both, so the shape decides.
    """
    rng = np.random.default_rng(0)
    rows, spectrograms = {}, []
    for number in range(80):
        emotion = ("sad", "angry")[number % 2]
        rows[f"u{number}"] = {"speaker": "ab"[number // 40], "emotion": emotion}
        x = np.zeros((16, 16), np.float32)
        at = rng.integers(16)
        x[(slice(None), at) if emotion == "sad" else (at, slice(None))] = 1
        spectrograms.append(x)
    utterances = pd.DataFrame.from_dict(rows, orient="index").rename_axis("utterance")
    utterances["emotion"] = pd.Categorical(utterances["emotion"], categories=["sad", "angry"])
    table = pd.DataFrame({"utterance": utterances.index, "start": 0.0})
    segments = Segments(table, torch.from_numpy(np.stack(spectrograms)))
    recipe = Recipe(epochs=25, batch_size=16, drops=(20,))
    got, predictions = study(
        utterances,
        segments,
        segments,
        leave_one_speaker_out(utterances),
        (2, 8),
        (2, 8),
        recipe,
        progress=False,
    )
    assert got[["height", "width"]].to_numpy().tolist() == [[2, 2], [8, 2], [2, 8]]
    assert (got[["WA", "sad", "angry"]].iloc[1:] > 0.9).all(axis=None)
    assert ((got["WA_low"] <= got["WA"]) & (got["WA"] <= got["WA_high"])).all()
    assert predictions["model"].unique().tolist() == ["2 x 2", "8 x 2", "2 x 8"]
    assert len(figures.filter_shapes(got).axes) == 2
