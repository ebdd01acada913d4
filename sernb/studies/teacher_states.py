"""What a text teacher says of each text, asked once: logits and the hidden states of some layers, in half precision.

A teacher stays as it is while a student is distilled (Li, Zhao, Jin, Interspeech 2022, Eq. 4), so an epoch after the first
need not run it again.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
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
from sernb.studies.text_teacher import classes_of_teacher, text_logits
from sernb.studies.text_training import tokens_of

BATCH = 32  # texts asked at a time
LIMIT = 20_000_000_000  # bytes on disk that nobody has to think about
WORD = re.compile(r"\w")


@dataclass(frozen=True, eq=False)
class TeacherStates:
    """What the teacher says of the texts of `index`; row i belongs to `index[i]`.

    logits: float32 `(n, classes)`. words `(n,)`: pieces of each text, without [CLS] and [SEP] unless they were asked for.
    states: float16 `(words, layers, width)` a text; layer 1 is the teacher's first, 0 its embeddings. None: no layer was
    asked for.
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
        """`teacher_logits (batch, classes)`, `teacher_states` {layer: (batch, words, width)}, float32, and `word_mask`."""
        mask = _mask(self.words[rows])
        states = {} if self.states is None else self.states.padded(rows)[0]
        return {
            "teacher_logits": torch.from_numpy(self.logits[rows]),
            "teacher_states": {one: states[:, :, place] for place, one in enumerate(self.layers)},
            "word_mask": mask,
        }


class InTheLoop:
    """The same `batch`es by running the teacher each time: nothing on disk, and an epoch costs its forward pass.

    Arguments as in `teacher_states`.
    """

    def __init__(
        self,
        teacher: BertForSequenceClassification,
        tokenizer,
        texts: pd.Series,
        layers: Sequence[int],
        specials: bool = False,
    ):
        self.teacher, self.layers, self.specials = teacher, _layers(teacher, layers), specials
        self.index, self.tokens = texts.index, _tokens(texts, tokenizer, teacher)
        self.words = _words(self.tokens, specials)
        self.classes, self.width = tuple(classes_of_teacher(teacher)), teacher.config.hidden_size

    @torch.no_grad()
    def batch(self, rows: np.ndarray) -> dict:
        logits, states = _asked(self.teacher, self.tokens, rows, self.layers)
        mask = _mask(self.words[rows])
        first, told = 0 if self.specials else 1, {}
        for place, one in enumerate(self.layers):
            state = states[:, first : first + mask.shape[1], place].float()  # (batch, words, width)
            told[one] = state.masked_fill(~mask.to(state.device)[..., None], 0.0)
        return {"teacher_logits": logits.float(), "teacher_states": told, "word_mask": mask}


def teacher_states(
    teacher: BertForSequenceClassification,
    tokenizer,
    texts: pd.Series,
    layers: Sequence[int],
    cache: str | Path | None = None,
    limit: int = LIMIT,
    specials: bool = False,
    progress: bool = True,
) -> TeacherStates:
    """Ask the teacher of each text once: logits, and the states of `layers` (1 to its depth; 0 is its embeddings).

    texts: indexed by utterance; annotators' notes are left out. cache: a folder, memory-mapped, found again by the teacher's weights
    and the tokens; None keeps the states in memory. limit: bytes that they may take (`size_of` says how many they will).
    specials: whether [CLS] and [SEP] count as words that a student is to find in the sound; the paper speaks of words.
    Raises SernbError for an empty text, a layer that the teacher does not have, states above the limit or the free space, and
    states that half precision cannot hold.
    """
    layers = _layers(teacher, layers)
    tokens = _tokens(texts, tokenizer, teacher)
    words, width = _words(tokens, specials), teacher.config.hidden_size
    size = size_of(int(words.sum()), len(layers), width)
    name = f"{digest(teacher, tokens)}-{'-'.join(map(str, layers))}{'-specials' * specials}"
    if cache is None or not (Path(cache) / f"teacher-states-{name}").is_dir():
        _check_size(size, limit, cache)
    first = 0 if specials else 1
    logits = np.full((len(texts), teacher.config.num_labels), np.nan, np.float32)
    title = f"teacher states, {size / 1e6:,.0f} MB"

    def asked(kept) -> Iterator:
        for rows in _parts(tokens.lengths, title if kept else "teacher's answers", progress):
            said, states = _asked(teacher, tokens, rows, layers if kept else ())
            logits[rows] = said.float().cpu().numpy()
            if kept:
                yield rows, _halved(states, first, words[rows], texts.index[rows])

    states = None
    if layers:
        shape = (len(layers), width)
        states = computed_once(cache, f"teacher-states-{name}", words, shape, asked(True), np.float16)

    def answered() -> Iterator:
        if np.isnan(logits).any():  # the states stood there already, or none were asked for
            list(asked(False))
        yield range(len(logits)), logits[:, None]

    ones = np.ones(len(texts), int)
    said = computed_once(cache, f"teacher-logits-{name}", ones, logits.shape[1:], answered())
    classes = tuple(classes_of_teacher(teacher))
    return TeacherStates(texts.index, classes, np.array(said.values), words, layers, states)


def answers(
    teacher: BertForSequenceClassification, tokenizer, texts: pd.Series, progress: bool = True
) -> pd.DataFrame:
    """The teacher's probabilities: a row a text, a column a class, and the column out_of_vocabulary.

    That is the share of a text's words which the tokenizer knows only in pieces, or not at all: near 1, the text is hardly in a
    language that the teacher reads. An empty text is answered too (as "NULL"), with a share of 0.
    """
    said = torch.from_numpy(text_logits(teacher, tokenizer, texts, progress)).softmax(-1).numpy()
    table = pd.DataFrame(said, texts.index, classes_of_teacher(teacher))
    return table.assign(out_of_vocabulary=_unknown(texts, tokenizer))


def size_of(words: int, layers: int, width: int) -> int:
    """Bytes that the states of so many pieces of words take: two for each number."""
    return 2 * words * layers * width


@torch.no_grad()  # a student that learns from this keeps it for its own gradient
def _asked(teacher, tokens, rows, layers):
    """Logits `(batch, classes)` and states `(batch, tokens, layers, width)` (None without layers), on its device."""
    teacher.eval()
    device = next(teacher.parameters()).device
    ids, mask = (one.to(device) for one in tokens.padded(rows))
    out = teacher(input_ids=ids, attention_mask=mask.long(), output_hidden_states=bool(layers))
    return out.logits, torch.stack([out.hidden_states[one] for one in layers], 2) if layers else None


def _halved(states, first, words, names):
    half = states.half().cpu().numpy()
    items = [one[first : first + count] for one, count in zip(half, words, strict=True)]
    if bad := [name for name, one in zip(names, items, strict=True) if not np.isfinite(one).all()]:
        raise SernbError(
            f"{some(bad)}: the teacher's states do not fit into half precision (above 65,504, or no number); distil with the "
            "teacher in the loop."
        )
    return items


def _mask(words):
    return torch.from_numpy(np.arange(words.max()) < words[:, None])


def _parts(lengths, title, progress):
    """Row numbers, some at a time, of like length."""
    rows = np.argsort(lengths, kind="stable")
    parts = np.split(rows, range(BATCH, len(rows), BATCH))
    return tqdm(parts, title, leave=False, unit="batch", disable=not progress)


def _tokens(texts, tokenizer, teacher):
    empty = texts.index[texts.map(clean) == EMPTY]
    if len(empty) or not len(texts):
        raise SernbError(
            f"{len(empty)} of {len(texts)} texts are empty: {some(empty)}. A teacher needs words; sernb.studies.pairs.select leaves "
            "such pairs out."
        )
    return tokens_of(texts, tokenizer, teacher)


def _words(tokens, specials):
    return tokens.lengths if specials else tokens.lengths - 2


def _layers(teacher, layers):
    depth, layers = teacher.config.num_hidden_layers, tuple(dict.fromkeys(map(int, layers)))
    if wrong := [one for one in layers if not 0 <= one <= depth]:
        raise SernbError(
            f"the teacher has {depth} layers and no layer {wrong[0]}; choose among 0 to {depth}."
        )
    return layers


def _check_size(size, limit, cache):
    less = "Take fewer layers (MCEDConfig.last), fewer pairs, or the teacher in the loop (InTheLoop)"
    if size > limit:
        raise SernbError(
            f"the teacher's states would take {size / 1e9:.3g} GB, and the limit is {limit / 1e9:.3g} GB. {less}, or raise `limit`."
        )
    if cache is None:
        return
    Path(cache).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if size > free:
        raise SernbError(
            f"{cache}: {free / 1e9:.3g} GB are free, and the teacher's states take {size / 1e9:.3g}. {less}."
        )


def _unknown(texts, tokenizer):
    cleaned = [clean(one) for one in texts]
    pieces, shares = tokenizer(cleaned, add_special_tokens=False), []
    for number, text in enumerate(cleaned):
        words = {}
        for piece, word in zip(pieces.tokens(number), pieces.word_ids(number), strict=True):
            words.setdefault(word, []).append(piece)
        words = [] if text == EMPTY else [one for one in words.values() if WORD.search("".join(one))]
        cut = [len(one) > 1 or one[0] == tokenizer.unk_token for one in words]
        shares.append(float(np.mean(cut)) if cut else 0.0)
    return shares
