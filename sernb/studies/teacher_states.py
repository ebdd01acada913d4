"""What a text teacher says of each text, asked once: logits, and states of some layers in half precision.

A teacher stays as it is while a student is distilled (Li, Zhao, Jin, Interspeech 2022, Eq. 4), so an epoch
after the first need not run it again.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm
from transformers import BertForSequenceClassification

from sernb.core.errors import SernbError, some
from sernb.core.ragged import Ragged, computed_once, digest
from sernb.features.text import EMPTY, clean
from sernb.studies.text_teacher import classes_of_teacher, text_logits, tokens_of

BATCH = 32  # texts asked at a time
LIMIT = 20_000_000_000  # bytes on disk that nobody has to think about
WORD = re.compile(r"\w")


@dataclass(frozen=True, eq=False)
class TeacherStates:
    """What the teacher says of the texts of `index`; row i belongs to `index[i]`.

    Args:
        classes, logits: float32 `(n, classes)`.
        words: `(n,)`, pieces of each text, without [CLS] and [SEP].
        layers: Layer 1 is the teacher's first, 0 its embeddings.
        states: float16 `(words, layers, width)` a text; None: no layer was asked for.
    """

    index: pd.Index
    classes: tuple
    logits: np.ndarray
    words: np.ndarray
    layers: tuple
    states: Ragged | None = None

    @property
    def width(self) -> int | None:
        """Of the states; None where there are none."""
        return None if self.states is None else self.states.values.shape[-1]

    def batch(self, rows: np.ndarray) -> dict:
        """`teacher_logits (batch, classes)`, `teacher_states` {layer: (batch, words, width)}, float32, and
        `word_mask`."""
        states = None if self.states is None else self.states.padded(rows)[0]
        return _batch(torch.from_numpy(self.logits[rows]), states, self.words[rows], self.layers)


class InTheLoop:
    """The same `batch`es by running the teacher each time: nothing on disk, but its forward pass each epoch.

    Arguments as in `teacher_states`.
    """

    def __init__(
        self, teacher: BertForSequenceClassification, tokenizer, texts: pd.Series, layers: Sequence[int]
    ):
        self.teacher, self.layers, self.index = teacher, _layers(teacher, layers), texts.index
        self.tokens = _tokens(texts, tokenizer, teacher)
        self.words = self.tokens.lengths - 2
        self.classes, self.width = tuple(classes_of_teacher(teacher)), teacher.config.hidden_size

    def batch(self, rows: np.ndarray) -> dict:
        """As `TeacherStates.batch`, in full precision."""
        logits, states = _asked(self.teacher, self.tokens, rows, self.layers)
        return _batch(logits, states, self.words[rows], self.layers)


def teacher_states(
    teacher: BertForSequenceClassification,
    tokenizer,
    texts: pd.Series,
    layers: Sequence[int],
    cache: str | Path | None = None,
    limit: int = LIMIT,
    progress: bool = True,
) -> TeacherStates:
    """Ask the teacher of each text once: logits, and the states of `layers`.

    Args:
        texts: Indexed by utterance; annotators' notes are left out.
        layers: 1 to the teacher's depth; 0 is its embeddings.
        cache: A folder, memory-mapped, found again by the teacher's weights and the tokens; None keeps the
            states in memory.
        limit: Bytes that they may take (`size_of` says how many they will).

    Raises:
        SernbError: For an empty text, a layer that the teacher does not have, states above the limit or the
            free space, and states that half precision cannot hold.
    """
    layers = _layers(teacher, layers)
    tokens = _tokens(texts, tokenizer, teacher)
    words, classes = tokens.lengths - 2, tuple(classes_of_teacher(teacher))
    shape = (len(layers), teacher.config.hidden_size)
    size = size_of(int(words.sum()), *shape)
    name = f"{digest(teacher, tokens)}-{'-'.join(map(str, layers))}"
    if cache is None or not (Path(cache) / f"teacher-states-{name}").is_dir():
        _check_size(size, limit, cache)

    def asked(layers, title):
        order = np.argsort(tokens.lengths, kind="stable")  # of like length
        parts = np.split(order, range(BATCH, len(order), BATCH))
        for rows in tqdm(parts, title, leave=False, unit="batch", disable=not progress):
            logits, states = _asked(teacher, tokens, rows, layers)
            yield rows, logits.float().cpu().numpy()[:, None], states

    # The states, and what the teacher answers on the way
    answered, states = [], None

    def halved():
        for rows, logits, of_layers in asked(layers, f"teacher states, {size / 1e6:,.0f} MB"):
            answered.append((rows, logits))
            yield rows, _halved(of_layers, words[rows], texts.index[rows])

    if layers:
        states = computed_once(cache, f"teacher-states-{name}", words, shape, halved(), np.float16)

    # Its answers alone, where no state was asked for, or all stood there already
    alone = ((rows, logits) for rows, logits, _ in asked((), "teacher's answers"))
    ones = np.ones(len(texts), int)
    logits = computed_once(cache, f"teacher-logits-{name}", ones, (len(classes),), answered or alone)
    return TeacherStates(texts.index, classes, np.array(logits.values), words, layers, states)


def answers(
    teacher: BertForSequenceClassification, tokenizer, texts: pd.Series, progress: bool = True
) -> pd.DataFrame:
    """The teacher's probabilities: a row a text, a column a class, and the column out_of_vocabulary.

    That is the share of a text's words which the tokenizer knows only in pieces, or not at all: near 1, the
    text is hardly in a language that the teacher reads. An empty text is answered too (as "NULL"), with a
    share of 0.
    """
    scores = torch.from_numpy(text_logits(teacher, tokenizer, texts, progress)).softmax(-1).numpy()
    table = pd.DataFrame(scores, texts.index, classes_of_teacher(teacher))
    return table.assign(out_of_vocabulary=_unknown(texts, tokenizer))


def size_of(words: int, layers: int, width: int) -> int:
    """Bytes that the states of so many pieces of words take: two for each number."""
    return 2 * words * layers * width


@torch.no_grad()  # and no inference_mode: a student that learns from this keeps it for its own gradient
def _asked(teacher, tokens, rows, layers):
    """Logits `(batch, classes)` and states `(batch, words, layers, width)`, garbage behind a text's end; None
    without layers. Both on the teacher's device."""
    teacher.eval()
    device = next(teacher.parameters()).device
    ids, mask = (tensor.to(device) for tensor in tokens.padded(rows))
    out = teacher(input_ids=ids, attention_mask=mask, output_hidden_states=bool(layers))
    if not layers:
        return out.logits, None
    return out.logits, torch.stack(
        [out.hidden_states[layer][:, 1:-1] for layer in layers], 2
    )  # without [CLS]


def _batch(logits, states, words, layers):
    """What a loss takes of a teacher's answers; states are 0 behind a text's end."""
    mask = torch.from_numpy(np.arange(words.max()) < words[:, None])
    if states is not None:
        states = states.float().masked_fill(~mask.to(states.device)[..., None, None], 0.0)
    by_layer = {layer: states[:, :, number] for number, layer in enumerate(layers)}
    return {"teacher_logits": logits.float(), "teacher_states": by_layer, "word_mask": mask}


def _halved(states, words, names):
    """The states of each text in half precision; SernbError where it cannot hold them."""
    items = [item[:count] for item, count in zip(states.half().cpu().numpy(), words, strict=True)]
    if bad := [name for name, item in zip(names, items, strict=True) if not np.isfinite(item).all()]:
        raise SernbError(
            f"{some(bad)}: the teacher's states do not fit into half precision (above 65,504, or no number); "
            "distil with the teacher in the loop."
        )
    return items


def _tokens(texts, tokenizer, teacher):
    empty = texts.index[texts.map(clean) == EMPTY]
    if len(empty) or not len(texts):
        raise SernbError(
            f"{len(empty)} of {len(texts)} texts are empty: {some(empty)}. A teacher needs words; "
            "sernb.studies.pairs.select leaves such pairs out."
        )
    return tokens_of(texts, tokenizer, teacher)


def _layers(teacher, layers):
    """The layers, each once."""
    depth, layers = teacher.config.num_hidden_layers, tuple(dict.fromkeys(map(int, layers)))
    if wrong := [layer for layer in layers if not 0 <= layer <= depth]:
        raise SernbError(
            f"the teacher has {depth} layers and no layer {wrong[0]}; choose among 0 to {depth}."
        )
    return layers


def _check_size(size, limit, cache):
    """SernbError for states above the limit, or more than the disk has room for."""
    less = "Take fewer layers (MCEDConfig.last), fewer pairs, or the teacher in the loop (InTheLoop)"
    if size > limit:
        raise SernbError(
            f"the teacher's states would take {size / 1e9:.3g} GB, and the limit is {limit / 1e9:.3g} GB. "
            f"{less}, or raise `limit`."
        )
    if cache is not None:
        Path(cache).mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
        if size > free:
            raise SernbError(
                f"{cache}: {free / 1e9:.3g} GB are free, and the teacher's states take {size / 1e9:.3g}. "
                f"{less}."
            )


def _unknown(texts, tokenizer):
    """Of each text, the share of its words that are no single known piece."""
    cleaned, shares = [clean(text) for text in texts], []
    pieces = tokenizer(cleaned, add_special_tokens=False)
    for number, text in enumerate(cleaned):
        words = {}
        for piece, word in zip(pieces.tokens(number), pieces.word_ids(number), strict=True):
            words.setdefault(word, []).append(piece)
        words = [] if text == EMPTY else [word for word in words.values() if WORD.search("".join(word))]
        cut = [len(word) > 1 or word[0] == tokenizer.unk_token for word in words]
        shares.append(float(np.mean(cut)) if cut else 0.0)
    return shares
