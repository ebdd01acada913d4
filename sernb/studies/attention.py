"""What a 3M-SER looks at in one utterance, and what it would miss: attention, and leaving things out."""

import numpy as np
import torch

from sernb.models.three_m_ser import ThreeMSER
from sernb.studies.multimodal import Examples, Inputs


def attention_of(model: ThreeMSER, inputs: Inputs, row: int, rolled: bool = True) -> np.ndarray:
    """How much position 0 takes from each token and each audio example of one utterance: `(tokens + examples,)`, sum 1.

    The fusion reads words that have passed through a self-attention before. `rolled` follows the weight back through it
    (attention rollout: Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", without their residual
    connections, since this network has none), so that it lies on BERT's own tokens; False is the fusion's weight as it
    stands.
    """
    batch = _one(model, inputs, row)
    with torch.inference_mode():
        out = model(**batch, attention=True)
    weights = out.fusion_attention[0].float()
    if rolled and out.text_attention is not None:
        tokens = out.text_attention.shape[-1]
        weights = torch.cat([weights[:tokens] @ out.text_attention[0].float(), weights[tokens:]])
    return weights.cpu().numpy()


def left_out(model: ThreeMSER, inputs: Inputs, row: int) -> np.ndarray:
    """How much less probable the predicted class becomes without each token, and without each audio example.

    `(tokens + examples,)` differences of probabilities; negative where leaving it out makes the class *more* probable.
    0 for the first token ([CLS], where the network reads its answer) and for what is alone in its stream.
    """
    batch = _one(model, inputs, row)
    masks = [name for name in ("text_mask", "audio_mask") if name in batch]
    lengths = [batch[name].shape[1] for name in masks]
    total = sum(lengths)
    many = {name: one.repeat(total + 1, *[1] * (one.dim() - 1)) for name, one in batch.items()}
    place, counted = 0, np.zeros(total, bool)
    for name, length in zip(masks, lengths, strict=True):
        first = 1 if name == "text_mask" else 0
        for item in range(first, length if length > 1 else 0):
            many[name][1 + place + item, item] = False
            counted[place + item] = True
        place += length
    with torch.inference_mode():
        chances = model(**many).logits.float().softmax(-1).cpu().numpy()
    said = chances[0].argmax()
    return np.where(counted, chances[0, said] - chances[1:, said], 0.0)


def _one(model, inputs, row):
    model.eval()
    device = next(model.parameters()).device
    batch = Examples(inputs, [row], live_audio=inputs.examples is not None).__getitems__([0])
    return {name: one.to(device) for name, one in batch.items() if name != "labels"}
