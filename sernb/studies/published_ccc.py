"""The CCCs that the audio-textual paper prints, to lay beside one's own.

Source: D. de Oliveira, N. Raj Prabhu, T. Gerkmann, "Leveraging Semantic Information for Efficient Self-Supervised
Emotion Recognition with Audio-Textual Distilled Models", Interspeech 2023, Tables 1 and 2 (MSP-Podcast v1.10).
"""

import pandas as pd

from sernb.core.tables import DIMENSIONS
from sernb.studies.audio_text import BOTH, SPEECH

PARTS = ("seen", "unseen")  # podcasts that are in training too, and those that are not
_TABLE_1 = {  # arousal, valence, dominance in seen scenarios, then in unseen ones
    ("w2v2-L-robust(p)", SPEECH): (0.627, 0.470, 0.521, 0.462, 0.263, 0.390),
    ("HuBERT base", SPEECH): (0.608, 0.440, 0.486, 0.388, 0.225, 0.344),
    ("DistilHuBERT", SPEECH): (0.622, 0.328, 0.513, 0.470, 0.169, 0.395),
    ("w2v2-L-robust(p)", BOTH): (0.619, 0.560, 0.484, 0.469, 0.347, 0.353),
    ("HuBERT base", BOTH): (0.613, 0.532, 0.493, 0.461, 0.315, 0.396),
    ("DistilHuBERT", BOTH): (0.614, 0.519, 0.509, 0.475, 0.333, 0.392),
}
_TABLE_2 = {  # word error rate, and arousal, valence, dominance in seen scenarios
    "human": (0.0, 0.614, 0.519, 0.509),
    "Whisper base": (0.222, 0.620, 0.521, 0.511),
    "Whisper tiny": (0.241, 0.618, 0.524, 0.510),
}


def of_systems() -> pd.DataFrame:
    """Table 1: a row for each (encoder, system), columns (part, dimension)."""
    columns = pd.MultiIndex.from_product([PARTS, DIMENSIONS], names=["part", "dimension"])
    rows = pd.MultiIndex.from_tuples(_TABLE_1, names=["encoder", "system"])
    return pd.DataFrame(list(_TABLE_1.values()), index=rows, columns=columns)


def of_recognisers() -> pd.DataFrame:
    """Table 2: a row for each way to get the words; WER (0.25 = a quarter of the words wrong) and the dimensions."""
    return pd.DataFrame.from_dict(_TABLE_2, orient="index", columns=["WER", *DIMENSIONS])


def relative_gains(dimension: str = "valence") -> pd.DataFrame:
    """How much words add, as a share of the CCC of speech alone (Figure 3, FT): encoder, part, value."""
    table = of_systems().xs(dimension, axis=1, level="dimension")
    both, alone = (table.xs(one, level="system") for one in (BOTH, SPEECH))
    return (
        (both / alone - 1).rename_axis(columns=None).melt(var_name="part", ignore_index=False).reset_index()
    )
