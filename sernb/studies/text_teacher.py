"""The teacher of MCED: a BERT (M0) that reads on in the domain (M1) and is then fine-tuned to tell emotions
(MT).

Source: R. Li, J. Zhao, Q. Jin, "Speech Emotion Recognition via Multi-Level Cross-Modal Distillation",
Interspeech 2022, 2.1 and 3.2; reading on after Gururangan et al., "Don't Stop Pretraining", ACL 2020.
"""

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    DataCollatorForLanguageModeling,
    set_seed,
)

from sernb.core.errors import SernbError, some
from sernb.core.files import must_be_new, reading, whole_folder
from sernb.core.ragged import Ragged
from sernb.core.tables import check_predictions, predictions_of
from sernb.features.encoders import OWN, own_folder, quietly, text_encoder
from sernb.features.text import EMPTY, clean, learn, token_ids
from sernb.protocols import Fold
from sernb.studies.recipes import TEXT_READING, TEXT_TEACHER, Recipe
from sernb.studies.rows import Rows
from sernb.studies.training import EVALUATION_BATCH, Goal, fit

RECIPES, READING = TEXT_TEACHER, TEXT_READING
VOCABULARIES = ("given", "own")
UNKNOWN, PIECES = 0.05, 2.5  # share of words, and pieces a word, above which a vocabulary does not fit
SAMPLE = 5000  # texts that a vocabulary is tried on before a training
TOKENS = ("input_ids", "attention_mask")
EXPECTED = "expected config.json, model.safetensors and a tokenizer of a BERT that classifies (save_teacher)"


def tokens_of(texts: Sequence[str], tokenizer, model: nn.Module) -> Ragged:
    """Token ids of each text, as many as the model has places for."""
    return Ragged.of(token_ids(pd.Series(texts), tokenizer, model.config.max_position_embeddings), np.int64)


def vocabulary_fit(tokenizer, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """How well a vocabulary fits sets of texts, a row a set: texts, words, unknown, whole, pieces_per_word.

    unknown: share of the words that hold an unknown piece; whole: share of those that are one known piece.
    Marks count as words. A vocabulary of another language or domain has many unknown words or, where it knows
    single letters, cuts them to pieces. Raises SernbError for a set without words.
    """
    rows = {}
    for name, texts in sets.items():
        cleaned = [text for text in map(clean, texts) if text != EMPTY]
        if not cleaned:
            raise SernbError(f"{name}: there is no text in {len(texts)} rows.")
        encoded = tokenizer(cleaned, add_special_tokens=False, verbose=False)
        pieces = [
            (number, word, piece == tokenizer.unk_token_id)
            for number, ids in enumerate(encoded["input_ids"])
            for word, piece in zip(encoded.word_ids(number), ids, strict=True)
        ]
        words = pd.DataFrame(pieces, columns=["text", "word", "unknown"]).groupby(["text", "word"])["unknown"]
        unknown, lengths = words.any(), words.size()
        rows[name] = {
            "texts": len(cleaned),
            "words": len(lengths),
            "unknown": unknown.mean(),
            "whole": ((lengths == 1) & ~unknown).mean(),
            "pieces_per_word": lengths.mean(),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("set")
    return table.astype({"texts": int, "words": int})


def adapt(
    encoder: str,
    texts: Sequence[str],
    out: str | Path,
    recipe: Recipe = READING["laptop"],
    vocabulary: str = "given",
    size: int = 8000,
    held_out: float = 0.02,
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> Path:
    """M1: let a BERT guess masked pieces of in-domain sentences.

    The head that guesses is the encoder's own where it brings one, else new; it is not kept. The pooler stays
    as it was.

    Args:
        encoder: M0, as `text_encoder` takes it.
        out: A folder for `text_encoder`; training.csv in it holds epoch, loss, learning_rate and
            held_out_loss, cross-entropies in nats a masked piece.
        vocabulary, size: "own": a tokenizer of `size` pieces is learnt from `texts` first
            (sernb.features.text.learn); pieces that both know keep their embedding, the others begin at
            random: what M0 could not read, M1 learns.
        held_out: Share of the sentences that are only tried.
        checkpoints: A folder from which a killed training goes on.
        progress: The title of a bar over epochs; None shows none.

    Returns:
        `out`.

    Raises:
        SernbError: For fewer than two sentences, an unknown vocabulary, and a folder that is not empty.
    """
    out = Path(out)
    must_be_new(out)
    if vocabulary not in VOCABULARIES:
        raise SernbError(f"vocabulary is {vocabulary!r}; choose one of {', '.join(VOCABULARIES)}.")
    sentences = [text for text in map(clean, texts) if text != EMPTY]
    if len(sentences) < 2:
        raise SernbError(f"{len(sentences)} of {len(texts)} sentences have words; reading takes two or more.")

    # The encoder, with a vocabulary that fits, and its head
    model, tokenizer = text_encoder(encoder)
    set_seed(seed)
    if vocabulary == "own":
        model, tokenizer = _with_own_vocabulary(model, tokenizer, sentences, size)
    else:
        _warn_of_misfit(tokenizer, sentences, "the sentences to read")
    reader = _Reader(model, _guesser(encoder, model.config))

    # Reading, in which each batch gets other masks
    masking = DataCollatorForLanguageModeling(tokenizer, mlm_probability=recipe.masked)

    def masked(batch):
        padded = batch["input_ids"].masked_fill(~batch["attention_mask"], tokenizer.pad_token_id)
        ids, labels = masking.torch_mask_tokens(padded)
        return {**batch, "input_ids": ids, "labels": labels}

    order = np.random.default_rng(seed).permutation(len(sentences))
    tried, read = np.split(order, [max(1, round(held_out * len(sentences)))])
    columns = {TOKENS: tokens_of(sentences, tokenizer, model)}
    sets = (Rows(columns, read), Rows(columns, tried))
    goal = Goal("held_out", best=None)
    curve = fit(reader, *sets, recipe, goal, seed, change=masked, checkpoints=checkpoints, progress=progress)
    with whole_folder(out, new=True) as unfinished, quietly():
        model.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        curve.to_csv(unfinished / "training.csv", index=False, lineterminator="\n")
    return out


def fine_tune_text(
    encoder: BertModel,
    tokenizer,
    texts: Sequence[str],
    labels: Sequence[str],
    classes: Sequence[str],
    validation_texts: Sequence[str],
    validation_labels: Sequence[str],
    recipe: Recipe = RECIPES["laptop"],
    seed: int = 0,
    checkpoints: str | Path | None = None,
    progress: str | None = None,
) -> tuple[BertForSequenceClassification, pd.DataFrame]:
    """MT: `encoder` with a classifier on its pooled token 0, trained on `texts`; `encoder` itself stays as it
    is.

    Args:
        classes: The labels in the order of the logits, kept in the model's id2label.
        validation_texts, validation_labels: The epoch with the best weighted F1 on these is kept.
        checkpoints, progress: As in `adapt`.

    Returns:
        The model, and its curve: epoch, loss, learning_rate, validation_loss, validation_WF1, validation_WA.

    Raises:
        SernbError: For a set that is empty or has one class only, and labels that are none of `classes`.
    """
    classes = list(map(str, classes))
    numbers = {label: number for number, label in enumerate(classes)}
    parts = {"training": (texts, labels), "validation": (validation_texts, validation_labels)}
    sets = []
    for part, (words, truth) in parts.items():
        words, truth = list(words), list(map(str, truth))
        _check_set(part, words, truth, classes)
        _warn_of_misfit(tokenizer, words, f"the {part} texts")
        known = np.array([numbers[label] for label in truth])
        sets.append(Rows({TOKENS: tokens_of(words, tokenizer, encoder), "labels": known}))
    set_seed(seed)
    naming = {"id2label": dict(enumerate(classes)), "label2id": numbers}
    model = BertForSequenceClassification(BertConfig.from_dict({**encoder.config.to_dict(), **naming}))
    model.bert = copy.deepcopy(encoder)
    sets[1] = sets[1].shortest_first()
    goal = Goal(best="WF1", measures=_scores)
    curve = fit(model, *sets, recipe, goal, seed, checkpoints=checkpoints, progress=progress)
    return model.eval(), curve


@torch.inference_mode()
def text_logits(
    model: BertForSequenceClassification, tokenizer, texts: Sequence[str], progress: bool = False
) -> np.ndarray:
    """What a teacher says of each text: float32 `(texts, classes)`, in the order of its id2label. SernbError
    for no texts."""
    if not len(texts):
        raise SernbError("there is no text to ask the teacher about.")
    tokens = tokens_of(texts, tokenizer, model)
    device, order = next(model.parameters()).device, np.argsort(tokens.lengths, kind="stable")
    logits = np.empty((len(tokens), model.config.num_labels), np.float32)
    model.eval()
    parts = np.split(order, range(EVALUATION_BATCH, len(order), EVALUATION_BATCH))
    for rows in tqdm(parts, "teacher's answers", leave=False, unit="batch", disable=not progress):
        ids, mask = (tensor.to(device) for tensor in tokens.padded(rows))
        logits[rows] = model(ids, attention_mask=mask).logits.float().cpu().numpy()
    return logits


def text_predictions(
    model: BertForSequenceClassification, tokenizer, utterances: pd.DataFrame, fold: Fold, name: str
) -> pd.DataFrame:
    """The predictions table of the fold's test utterances; `name` is what the model is called.

    Raises SernbError where the utterances lack text or emotion, and for emotions that the teacher does not
    know.
    """
    if missing := {"text", "emotion"} - set(utterances.columns):
        raise SernbError(
            f"a teacher is tried on texts with emotions; there is no column {', '.join(missing)}."
        )
    tested, classes = utterances.loc[fold.test], classes_of_teacher(model)
    strange = tested.index[~tested["emotion"].isin(classes)]
    if len(strange):
        raise SernbError(
            f"{len(strange)} utterances have an emotion that the teacher does not know ({some(strange)}); it "
            f"knows {', '.join(classes)}."
        )
    logits = torch.from_numpy(text_logits(model, tokenizer, tested["text"]))
    table = pd.DataFrame(logits.double().softmax(-1).numpy(), fold.test, classes)
    return check_predictions(predictions_of(table, utterances, fold.name, name))


def classes_of_teacher(model: BertForSequenceClassification) -> list[str]:
    """The label words in the order of the logits."""
    return [model.config.id2label[number] for number in range(model.config.num_labels)]


def save_teacher(model: BertForSequenceClassification, tokenizer, folder: str | Path) -> Path:
    """Write config.json, model.safetensors and the tokenizer into `folder`, a new one, whole or not at
    all."""
    with whole_folder(folder, new=True) as unfinished, quietly():
        model.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
    return Path(folder)


def load_teacher(folder: str | Path) -> tuple[BertForSequenceClassification, object]:
    """A teacher with its tokenizer: what `save_teacher` wrote, or a folder or hub name with a BERT that
    classifies.

    Weights are read from safetensors only. Raises SernbError for anything else, incomplete weights, and
    nameless classes.
    """
    with reading(folder, EXPECTED), quietly():
        kind = AutoConfig.from_pretrained(str(folder)).model_type
        if kind != "bert":
            raise SernbError(f"{folder}: this is a {kind!r}; {EXPECTED}.")
        model, report = BertForSequenceClassification.from_pretrained(
            str(folder), dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
    if missing := sorted(report["missing_keys"]):
        raise SernbError(
            f"{folder}: this is no teacher ({len(missing)} weights are missing, {some(missing, 2)}); "
            f"{EXPECTED}."
        )
    if any(name.startswith("LABEL_") for name in classes_of_teacher(model)):
        raise SernbError(
            f"{folder}: its classes have no names; put label words into id2label in its config.json."
        )
    return model.eval(), tokenizer


class _Reader(nn.Module):
    """An encoder that guesses the masked pieces, and them alone: the others' logits would be most of the
    work."""

    def __init__(self, encoder: BertModel, guess: nn.Module):
        super().__init__()
        self.encoder, self.transform, self.bias = encoder, guess.transform, guess.bias

    def forward(self, input_ids, attention_mask, labels):
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        asked = labels != -100
        pieces = self.encoder.embeddings.word_embeddings.weight
        logits = F.linear(self.transform(states[asked]), pieces, self.bias)
        total = F.cross_entropy(logits.float(), labels[asked], reduction="sum")
        return {"loss": total / asked.sum().clamp(min=1)}


def _guesser(encoder: str, config: BertConfig) -> nn.Module:
    """The encoder's own head for masked pieces, or a new one where it has none or other pieces."""
    with quietly():
        own, report = BertForMaskedLM.from_pretrained(
            str(own_folder(encoder)) if encoder in OWN else encoder,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
        )
    brought = not any(name.startswith("cls.") for name in report["missing_keys"])
    if brought and own.config.vocab_size == config.vocab_size:
        return own.cls.predictions
    return BertForMaskedLM(config).cls.predictions


def _with_own_vocabulary(encoder: BertModel, tokenizer, texts: list[str], size: int):
    """The encoder with embeddings for a tokenizer learnt from `texts`, and that tokenizer."""
    try:
        learnt = learn(texts, size)
    except ValueError as problem:
        raise SernbError(f"a vocabulary of the texts' own: {problem}") from None
    old, known, pieces = encoder.embeddings.word_embeddings, tokenizer.get_vocab(), learnt.get_vocab()
    new = nn.Embedding(len(learnt), old.embedding_dim, padding_idx=learnt.pad_token_id)
    shared = [piece for piece in pieces if piece in known]
    with torch.no_grad():
        new.weight.normal_(std=float(old.weight.std()))
        new.weight[[pieces[piece] for piece in shared]] = old.weight[[known[piece] for piece in shared]]
    encoder.embeddings.word_embeddings = new
    encoder.config.vocab_size, encoder.config.pad_token_id = len(learnt), learnt.pad_token_id
    return encoder, learnt


def _warn_of_misfit(tokenizer, texts: list[str], what: str) -> None:
    """A warning where the texts are in another language or domain than the vocabulary."""
    row = vocabulary_fit(tokenizer, {what: texts[:: -(-len(texts) // SAMPLE)]}).iloc[0]
    if row["unknown"] > UNKNOWN or row["pieces_per_word"] > PIECES:
        warnings.warn(
            f"{what} do not fit the vocabulary: {row['unknown']:.1%} of their words are unknown, a word "
            f"takes {row['pieces_per_word']:.1f} pieces. Is it another language or domain? What cannot be "
            "read cannot "
            'be learnt; take an encoder of this language, or adapt(..., vocabulary="own").',
            stacklevel=3,
        )


def _scores(answers):
    """The measures of the validation part, of the Trainer's `predictions (n, classes)` and `label_ids
    (n,)`."""
    guesses, truth = answers.predictions.argmax(-1), answers.label_ids
    weighted = f1_score(truth, guesses, labels=np.unique(truth), average="weighted", zero_division=0)
    return {"WF1": weighted, "WA": accuracy_score(truth, guesses)}


def _check_set(part: str, texts: list, labels: list[str], classes: list[str]) -> None:
    """SernbError for a set that is empty or cannot teach."""
    if not texts or len(texts) != len(labels):
        raise SernbError(
            f"the {part} set has {len(texts)} texts and {len(labels)} labels; expected as many of both, and "
            "some."
        )
    if strange := sorted(set(labels) - set(classes)):
        raise SernbError(f"the {part} set has labels {some(strange)}; the classes are {', '.join(classes)}.")
    if len(set(labels)) < 2:
        raise SernbError(f"the {part} set has one class only, {labels[0]!r}; there is nothing to tell apart.")
