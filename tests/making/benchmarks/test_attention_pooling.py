"""What the benchmark of attention pooling changes on the way from the paper's recipe: bins normalised by
speaker."""

import pandas as pd
import pytest
import torch

from making.benchmarks.attention_pooling import normalise_by_speaker
from sernb.core.errors import SernbError
from sernb.features.spectrogram import Segments


def test_speaker_normalisation_takes_each_speakers_bins_to_zero_and_one():
    spectrograms = torch.randn(6, 5, 50) * torch.arange(1, 7)[:, None, None] + 3
    segments = Segments(pd.DataFrame({"utterance": list("aabbcc"), "start": 0.0}), spectrograms)
    speakers = pd.Series({"a": "x", "b": "x", "c": "y"})
    out = normalise_by_speaker(segments, speakers).spectrograms
    for rows in (slice(0, 4), slice(4, 6)):
        torch.testing.assert_close(out[rows].mean((0, 2)), torch.zeros(5), atol=1e-5, rtol=0)
        torch.testing.assert_close(out[rows].std((0, 2)), torch.ones(5), atol=1e-3, rtol=0)


def test_segments_without_a_speaker_are_named():
    segments = Segments(pd.DataFrame({"utterance": ["a", "b"], "start": 0.0}), torch.zeros(2, 3, 4))
    with pytest.raises(SernbError, match="1 utterances have no speaker to normalise by: b"):
        normalise_by_speaker(segments, pd.Series({"a": "x"}))
