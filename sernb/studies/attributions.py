"""What each word of a transcript does to a regressor's arousal, valence and dominance."""

import re

import numpy as np
import pandas as pd
import torch

from sernb.core.ragged import Ragged
from sernb.core.ratings import Targets
from sernb.features.text import EMPTY, LONGEST, clean, token_ids
from sernb.models.audio_text_regressor import AudioTextRegressor

WORD = re.compile(r"\S+")


@torch.inference_mode()
def word_effects(
    model: AudioTextRegressor,
    text: str,
    tokenizer,
    targets: Targets,
    speech_pooled: np.ndarray | None = None,
) -> tuple[dict[str, float], pd.DataFrame]:
    """What `model` says of one utterance, and how much of it each word brings: ({dimension: rating}, a row a word).

    Each word is left out in turn; its effect is the rating with all words less the rating without this one, on the
    corpus's scale: above 0 where the word raises it. Effects do not add up to the rating, since words work together.
    speech_pooled: the utterance's speech, pooled before `(d_A,)` (`sernb.studies.regression.frozen`); None for a model that only reads. Columns: word,
    then the dimensions. Notes in brackets are no words;
    a text without words has no rows.
    """
    cleaned = clean(text)  # notes in brackets first, or half of one might be left
    words = [] if cleaned == EMPTY else WORD.findall(cleaned)
    rest = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
    longest = min(LONGEST, model.text.config.max_position_embeddings)
    # An empty text becomes "NULL", as in training; a word of its own keeps a text without any from being refused.
    ids = token_ids(pd.Series([" ".join(words), *rest, "-"]), tokenizer, longest)[:-1]
    device = next(model.parameters()).device
    model.eval()
    tokens, mask = (one.to(device) for one in Ragged.of(ids, np.int64).padded(np.arange(len(ids))))
    given = {"input_ids": tokens, "text_mask": mask}
    if speech_pooled is not None:
        heard = torch.tensor(np.asarray(speech_pooled), dtype=torch.float32).to(device)
        given["speech_pooled"] = heard.expand(len(ids), -1)
    low, high = targets.scale
    said = low + (high - low) * model(**given).predicted.float().cpu().numpy()
    ratings = dict(zip(targets.dimensions, map(float, said[0]), strict=True))
    effects = pd.DataFrame(said[0] - said[1:], columns=list(targets.dimensions))
    effects.insert(0, "word", words)
    return ratings, effects
