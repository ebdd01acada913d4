"""How many parameters the papers' networks have: 3M-SER and its students, counted twice (as the paper prints it, and all
of them), and the audio-textual regressors.

The published counts of 3M-SER leave out BERT's embeddings and both attention blocks of the head: what a profiler does that looks at
some types of module only. Nothing is computed here but sizes; the networks are made without weights.
"""

import pandas as pd
import torch
from transformers import BertConfig

from sernb.models.audio_text_regressor import PUBLISHED, TINYBERT, AudioTextRegressor, RegressorConfig
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig

PUBLISHED_LAYERS = (12, 6, 4, 2)  # the teacher, and the students of Table I
LEFT_OUT = ("text embeddings", "text attention", "fusion attention")


def modules(model: ThreeMSER) -> pd.DataFrame:
    """A row a module of the network: `all` (its parameters) and `published` (0 where the paper's count leaves it out).

    A shared or frozen parameter counts once, wherever it is used.
    """
    parts, head = {}, model.head
    if "text" in model.shape.streams:
        parts["text embeddings"] = [model.text.embeddings]
        parts["text layers"] = [model.text.encoder]
        parts["text pooler (never used)"] = [model.text.pooler]
        parts["text attention"] = [head.text_attention]
    if "audio" in model.shape.streams:
        parts["VGGish"] = [model.audio]
    parts["fusion attention"] = [head.fusion_attention]
    taken = {id(one) for group in parts.values() for one in group}
    parts["linear layers and norms"] = [one for one in head.children() if id(one) not in taken]
    counts = {
        name: sum(p.numel() for one in group if one is not None for p in one.parameters())
        for name, group in parts.items()
    }
    table = pd.DataFrame({"all": counts}).rename_axis("module")
    table["published"] = table["all"].where(~table.index.isin(LEFT_OUT), 0)
    return table


def tables(config: ThreeMSERConfig | None = None, layers=PUBLISHED_LAYERS) -> pd.DataFrame:
    """Tables I and II of the paper for networks with so many text layers: a row each, counts of parameters.

    Columns: text_published (Table I: layers and pooler), published (Table II, "Total Params"), text_all, all; and
    smaller_published, smaller_all: how much smaller than the first row, as a share. The classes are the config's.
    """
    rows = {}
    for count in layers:
        parts = modules(of_depth(config, count))
        text = parts.loc[parts.index.isin(["text layers", "text pooler (never used)"]), "all"].sum()
        embeddings = parts["all"].get("text embeddings", 0)
        rows[count] = {
            "text_published": text,
            "published": parts["published"].sum(),
            "text_all": text + embeddings,
            "all": parts["all"].sum(),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("layers")
    for name in ("published", "all"):
        table[f"smaller_{name}"] = 1 - table[name] / table[name].iloc[0]
    return table


def of_depth(config: ThreeMSERConfig | None, layers: int) -> ThreeMSER:
    """The network with so many text layers, without weights (on torch's device "meta"); None: the paper's."""
    config = config or ThreeMSERConfig()
    text = BertConfig(**{**config.text, "num_hidden_layers": layers}).to_diff_dict()
    with torch.device("meta"):
        return ThreeMSER(ThreeMSERConfig(**{**vars(config), "text": text}))


def in_words(table: pd.DataFrame) -> str:
    """Both tables as text, in millions with the paper's two digits, and every parameter counted."""
    first = table.index[0]
    lines = [f"{'text encoder':<16}{'Table I':>10}{'Table II':>10}{'all parameters':>17}{'smaller by':>26}"]
    for layers, row in table.iterrows():
        name = f"BERT, {layers} layers"
        smaller = f"{100 * row['smaller_published']:.1f} % ({100 * row['smaller_all']:.1f} % of all)"
        lines.append(
            f"{name:<16}{row['text_published'] / 1e6:>8.2f} M{row['published'] / 1e6:>8.2f} M{int(row['all']):>17,}"
            f"{'' if layers == first else smaller:>26}"
        )
    return "\n".join(lines)


def regressors(speech: dict[str, dict] | None = None, text: dict | None = None) -> pd.DataFrame:
    """Parameters of regressors on these speech encoders, with and without this text encoder: a row a speech encoder.

    speech: {name: what differs from the defaults of its kind}, text: what differs from a BertConfig(); None: those of Table 1
    of de Oliveira et al. 2023. Columns: speech encoder, text encoder, audio, audio + text (the last two with the head).
    """
    text, rows = text or TINYBERT, {}
    for name, config in (speech or PUBLISHED).items():
        with torch.device("meta"):
            both, alone = (AudioTextRegressor(RegressorConfig(config, one)) for one in (text, None))
        parts = {
            "speech encoder": both.speech,
            "text encoder": both.text,
            "audio": alone,
            "audio + text": both,
        }
        rows[name] = {part: sum(p.numel() for p in one.parameters()) for part, one in parts.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("speech encoder's name")
