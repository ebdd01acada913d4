"""How large and how fast the papers' networks are: 3M-SER, its students, and the audio-textual regressors.

The published counts of 3M-SER leave out BERT's embeddings and both attention blocks of the head, as a
profiler does that looks at some types of module only; here it is counted in both ways. Networks are made
without weights.
"""

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig

from sernb.core.errors import SernbError
from sernb.models.audio_text_regressor import PUBLISHED, TINYBERT, AudioTextRegressor, RegressorConfig
from sernb.models.three_m_ser import ThreeMSER, ThreeMSERConfig

PUBLISHED_LAYERS = (12, 6, 4, 2)  # the teacher, and the students of Table I
LEFT_OUT = ("text embeddings", "text attention", "fusion attention")
WARM_UP = 5  # runs that are not timed


def modules(model: ThreeMSER) -> pd.DataFrame:
    """A row a module of the network: `all` its parameters, and those `published` (0 where the paper's count
    leaves it out). A shared or frozen parameter counts once, wherever it is used."""
    parts, head = {}, model.head
    if "text" in model.shape.streams:
        parts["text embeddings"] = [model.text.embeddings]
        parts["text layers"] = [model.text.encoder]
        parts["text pooler (never used)"] = [model.text.pooler]
        parts["text attention"] = [head.text_attention]
    if "audio" in model.shape.streams:
        parts["VGGish"] = [model.audio]
    parts["fusion attention"] = [head.fusion_attention]
    named = {id(module) for group in parts.values() for module in group}
    parts["linear layers and norms"] = [module for module in head.children() if id(module) not in named]
    counts = {
        name: sum(_count(module) for module in group if module is not None) for name, group in parts.items()
    }
    table = pd.DataFrame({"all": counts}).rename_axis("module")
    return table.assign(published=table["all"].where(~table.index.isin(LEFT_OUT), 0))


def tables(config: ThreeMSERConfig | None = None, layers=PUBLISHED_LAYERS) -> pd.DataFrame:
    """Tables I and II of the paper for networks with so many text layers: a row each, counts of parameters.

    Columns: text_published (Table I: layers and pooler), published (Table II, "Total Params"), text_all, all;
    and smaller_published, smaller_all: how much smaller than the first row, as a share.
    """
    rows = {}
    for count in layers:
        parts = modules(of_depth(config, count))
        text = parts.loc[parts.index.isin(["text layers", "text pooler (never used)"]), "all"].sum()
        rows[count] = {
            "text_published": text,
            "published": parts["published"].sum(),
            "text_all": text + parts["all"].get("text embeddings", 0),
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
            f"{name:<16}{row['text_published'] / 1e6:>8.2f} M{row['published'] / 1e6:>8.2f} "
            f"M{int(row['all']):>17,}{'' if layers == first else smaller:>26}"
        )
    return "\n".join(lines)


def regressors(speech: Mapping[str, dict] = PUBLISHED, text: Mapping = TINYBERT) -> pd.DataFrame:
    """Parameters of regressors, a row a speech encoder: speech encoder, text encoder, audio, audio + text.

    speech: {name: what differs from the defaults of its kind}, text: what differs from a BertConfig(); by
    default those of Table 1 of de Oliveira et al. 2023. The last two columns count the head too.
    """
    rows = {}
    for name, config in speech.items():
        with torch.device("meta"):
            both, alone = (AudioTextRegressor(RegressorConfig(config, words)) for words in (text, None))
        parts = {
            "speech encoder": both.speech,
            "text encoder": both.text,
            "audio": alone,
            "audio + text": both,
        }
        rows[name] = {part: _count(module) for part, module in parts.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("speech encoder's name")


def inference_times(
    models: Mapping[object, ThreeMSER], tokens: int = 16, examples: int = 4, runs: int = 50
) -> dict[object, dict[str, float]]:
    """Milliseconds from token ids and log-mel examples to logits of one utterance: `median`, `low` and `high`
    (5 and 95 % of the runs) of each model. SernbError for fewer than one run.

    The models take turns, so that a machine that is busy for a while is busy for all of them. tokens,
    examples: the utterance's length; what stands in it makes no difference to the time. The front end and the
    tokenizer are left out, as in the paper's Table II.
    """
    if runs < 1:
        raise SernbError(f"runs is {runs}; it must be at least 1.")
    batches = {name: _utterance(model, tokens, examples) for name, model in models.items()}
    times = {name: [] for name in models}
    for run in range(WARM_UP + runs):
        for name, model in models.items():
            began = time.perf_counter()
            with torch.inference_mode():
                model.eval()(**batches[name]).logits.cpu()  # to the CPU: waits until a GPU is done
            if run >= WARM_UP:
                times[name].append(1000 * (time.perf_counter() - began))
    return {
        name: dict(zip(("low", "median", "high"), np.quantile(each, [0.05, 0.5, 0.95]).tolist(), strict=True))
        for name, each in times.items()
    }


def _count(module: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())


def _utterance(model, tokens, examples):
    """A batch of one, as long as that."""
    device, batch = next(model.parameters()).device, {}
    if "text" in model.shape.streams:
        batch["input_ids"] = torch.ones(1, tokens, dtype=torch.long, device=device)
        batch["text_mask"] = torch.ones(1, tokens, dtype=torch.bool, device=device)
    if "audio" in model.shape.streams:
        batch["examples"] = torch.zeros(1, examples, 96, 64, device=device)
        batch["audio_mask"] = torch.ones(1, examples, dtype=torch.bool, device=device)
    return batch
