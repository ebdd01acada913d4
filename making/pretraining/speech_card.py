"""The cards of the small speech encoders: all that their training and the probes measured."""

from pathlib import Path

import pandas as pd

from making.pretraining import cards
from making.pretraining import masked_prediction as training
from making.pretraining.emotion_probes import emotions
from making.pretraining.masked_prediction import kept_apart
from making.pretraining.speech_probes import probes, read_encoder, untrained
from making.pretraining.spoken import Speech

LINES = 8  # of the curve of one iteration
NAMES = {
    "phone": "phone, accuracy (%)",
    "speaker": "speaker, accuracy (%)",
    "pitch": "pitch, R² (%)",
    "UAR": "four emotions, UAR (%)",
    "CCC_valence": "valence, CCC (%)",
    "CCC_arousal": "arousal, CCC (%)",
}


def write(folder: Path, name: str, fields: dict, spoken: Speech, probed: Speech, curve: pd.DataFrame) -> None:
    """Write README.md into the folder of an encoder, from the template making/pretraining/<name>_card.md.

    fields: what only this template asks for; spoken: what was learnt from; probed: other speech, for the
    probes.
    """
    model = read_encoder(folder)
    layers, plain = probes(model, probed)
    feelings = emotions(model, untrained(model.config))
    unseen = kept_apart(spoken)
    iterations = curve.groupby("iteration" if "iteration" in curve else [0] * len(curve))
    cards.write(
        folder,
        name,
        **fields,
        parameters=model.num_parameters(),
        layers=model.config.num_hidden_layers,
        width=model.config.hidden_size,
        heads=model.config.num_attention_heads,
        minutes=iterations["minutes"].max().sum(),
        spoken=len(spoken.table),
        hours=spoken.hours,
        voices=spoken.table["speaker"].nunique(),
        unseen=spoken.table.loc[unseen, "speaker"].nunique(),
        short=int((spoken.phones.lengths[~unseen] < training.FRAMES).sum()),
        batch=training.BATCH,
        seconds=training.FRAMES / 50,
        rate=training.LEARNING_RATE,
        curve=cards.cells(shortened(curve).round(3)),
        probed=len(probed.table),
        probed_voices=probed.table["speaker"].nunique(),
        phones=len(probed.names),
        probes=compared(layers),
        plain=values(plain),
        emotions=compared(feelings),
    )


def shortened(curve: pd.DataFrame) -> pd.DataFrame:
    """Some rows of each iteration's curve, the last among them."""
    parts = [curve] if "iteration" not in curve else [part for _, part in curve.groupby("iteration")]
    return pd.concat([part.iloc[::-1].iloc[:: -(-len(part) // LINES)].iloc[::-1] for part in parts])


def compared(table: pd.DataFrame) -> str:
    """Rows of what `speech_probes.compare` gives: task, layer, trained, random weights, difference."""

    def written(row, name):
        value, low, high = (100 * getattr(row, one) for one in (name, f"{name}_low", f"{name}_high"))
        return f"{value:.1f} ({low:.1f} to {high:.1f})"

    rows = [
        (NAMES[row.task], row.layer, *(written(row, name) for name in ("trained", "random", "gain")))
        for row in table.itertuples()
    ]
    return cards.cells(pd.DataFrame(rows))


def values(table: pd.DataFrame) -> str:
    """Rows of what `speech_probes.alone` gives: task, features, score."""
    rows = [
        (
            NAMES[row.task],
            row.features,
            f"{100 * row.value:.1f} ({100 * row.low:.1f} to {100 * row.high:.1f})",
        )
        for row in table.sort_values("task", kind="stable").itertuples()
    ]
    return cards.cells(pd.DataFrame(rows))
