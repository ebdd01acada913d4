"""The small text encoder: what it may learn from, what its tokenizer can write, and the script that makes
it."""

import random
import re
import shutil
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from making.generator.grammar import Sentence
from making.pretraining import fine_tuning, mini_bert
from sernb.corpora import load
from sernb.features.text import learn

TINY = "--sentences 200 --steps 3 --layers 2 --width 32"
SHIPPED = Path(str(files("sernb.features") / "weights" / "mini_bert"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "encoder"
    assert mini_bert.main(["--out", str(folder), *TINY.split()]) == 0
    return folder


def unknown(writer, texts) -> float:
    ids = [one for text in writer(list(texts), add_special_tokens=False)["input_ids"] for one in text]
    return ids.count(writer.unk_token_id) / len(ids)


# --- the training


def test_parts_multiply_to_the_valence():
    bad_kept, good_turned = Sentence("", -1, "", "", reversals=0), Sentence("", -1, "", "", reversals=1)
    turned_twice = Sentence("", 1, "", "", reversals=2)
    assert mini_bert.answers([bad_kept, good_turned, turned_twice]).tolist() == [
        [0, 0, 2],
        [0, 0, 2],
        [0, 2, 2],
        [0, 1, 2],
    ]


def test_only_words_of_even_rows_are_masked():
    torch.manual_seed(0)
    ids = torch.randint(5, 100, (200, 40))
    ids[:, 0], ids[:, -1] = 2, 0
    changed, masked = mini_bert.mask(ids, 100)
    assert (
        not masked[1::2].any()
        and not masked[:, [0, -1]].any()
        and torch.equal(changed[~masked], ids[~masked])
    )
    assert abs(masked[::2, 1:-1].float().mean() - 0.15) < 0.02
    assert abs((changed[masked] == 4).float().mean() - 0.8) < 0.05
    assert abs((changed[masked] == ids[masked]).float().mean() - 0.1) < 0.05


def test_batches_hold_every_sentence_once_a_round():
    lengths = [random.Random(0).randint(4, 20) for _ in range(200)]
    rows = mini_bert.batches(lengths, random.Random(0))
    first = [next(rows) for _ in range(4)]
    assert sorted(row for part in first for row in part) == list(range(200))
    assert max(lengths[one] for one in min(first, key=lambda part: lengths[part[0]])) < 20


def test_padding_changes_no_logits():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}
    model = mini_bert.Reader(BertModel(BertConfig(num_hidden_layers=2, **shape)), 1).eval()
    ids, padded = torch.tensor([[2, 7, 8, 3]]), torch.tensor([[2, 7, 8, 3, 0, 0]])
    masked = torch.tensor([[False, True, False, False]])
    words, pooled = model(ids, masked)
    words_too, pooled_too = model(padded, torch.nn.functional.pad(masked, (0, 2)))
    assert words.shape == (1, 50) and pooled.shape == (4, 1, 3)
    torch.testing.assert_close(words_too, words)
    torch.testing.assert_close(pooled_too, pooled)


def test_training_learns_what_it_is_asked():
    good, bad = (
        [Sentence(f"{word} {letter}", valence, "", "") for letter in "abcdefgh" * 16]
        for word, valence in (("hurray", 1), ("alas", -1))
    )
    pieces = learn([one.text for one in good + bad], 1000)
    encoder, curve = mini_bert.train(good + bad, good[:8] + bad[:8], pieces, steps=150, layers=1, width=32)
    assert curve["valence_by_token_0"].iloc[-1] == curve["valence_by_mean"].iloc[-1] == 1
    assert curve["valence_loss"].iloc[-1] < 0.3 < curve["valence_loss"].iloc[0]
    assert not encoder.training


# --- the folder


def test_the_folder_loads_as_any_bert_does(made):
    model, writer = BertModel.from_pretrained(made), AutoTokenizer.from_pretrained(made)
    assert model.dtype == torch.float32 and model.config.num_hidden_layers == 2
    assert model.config.max_position_embeddings == 512 and model.pooler is not None
    assert writer("Hello")["input_ids"][0] == writer.cls_token_id and model.config.vocab_size == len(writer)
    out = model(**writer(["It rains.", "비가 와요."], padding=True, return_tensors="pt")).last_hidden_state
    assert out.shape[::2] == (2, 32) and torch.isfinite(out).all()
    curve = pd.read_csv(made / "training.csv")
    assert curve["step"].tolist() == [1, 2, 3]
    card = (made / "README.md").read_text(encoding="utf-8")
    assert TINY + " --seed 0" in card and "{" not in card


def test_the_same_seed_makes_the_same_encoder(made, tmp_path):
    for seed in (0, 1):
        assert mini_bert.main(["--out", str(tmp_path / str(seed)), *TINY.split(), "--seed", str(seed)]) == 0
    for file in ("model.safetensors", "tokenizer.json", "config.json", "training.csv"):
        assert (made / file).read_bytes() == (tmp_path / "0" / file).read_bytes(), file
    assert (made / "model.safetensors").read_bytes() != (tmp_path / "1" / "model.safetensors").read_bytes()


def test_a_folder_with_something_in_it_is_refused(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    assert mini_bert.main(["--out", str(tmp_path), *TINY.split()]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]
    assert (
        mini_bert.main(["--out", str(tmp_path / "new"), "--steps", "0"]) == 1
        and not (tmp_path / "new").exists()
    )


def test_fine_tuning_predicts_every_utterance_once(made, monkeypatch, tmp_path, capsys):
    utterances = load("embedded").groupby(["session", "emotion"]).head(3)
    monkeypatch.setattr(fine_tuning, "EPOCHS", 1)
    monkeypatch.setattr(fine_tuning, "load", lambda name: utterances)
    found = fine_tuning.fine_tuned(made, 1, seed=0)
    assert sorted(found.index) == sorted(utterances.index) and set(found["model"]) == {"pretrained, 1"}
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for _ in range(2):  # a second run replaces what the first one wrote
        assert fine_tuning.main([str(tmp_path), "--depths", "1", "--seeds", "1"]) == 0
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| (pretrained|random weights), (\d) \|", card, re.MULTILINE)
    assert names == [("pretrained", "1"), ("random weights", "1")]
    assert card.startswith((made / "README.md").read_text(encoding="utf-8").rstrip())
    assert fine_tuning.main([str(tmp_path / "none")]) == 1 and "found none" in capsys.readouterr().err


# --- the one that comes with sernb


@pytest.fixture(scope="module")
def shipped():
    return AutoTokenizer.from_pretrained(SHIPPED)


def test_the_shipped_encoder_is_small_and_whole(shipped):
    model = BertModel.from_pretrained(SHIPPED)
    shape = model.config.num_hidden_layers, model.config.hidden_size, model.config.num_attention_heads
    assert shape == (6, 128, 4) and model.config.vocab_size == len(shipped) and model.dtype == torch.float32
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 5e6
    assert {"README.md", "training.csv"} <= {file.name for file in SHIPPED.iterdir()}


def test_the_shipped_encoder_tells_turned_news_from_kept(shipped):
    """Nearer to sentences of the same valence than to those that share their words."""
    texts = ["My landlord raised the rent.", "My landlord refused to raise the rent."]
    texts += ["The layoffs went ahead.", "The layoffs were cancelled."]
    with torch.inference_mode():
        ids = shipped(texts, padding=True, return_tensors="pt")
        states = BertModel.from_pretrained(SHIPPED).eval()(**ids).last_hidden_state[:, 0]
    near = torch.nn.functional.cosine_similarity(states[:, None], states[None], dim=-1)
    assert near[0, 2] > near[0, 1] and near[1, 3] > near[0, 1]


@pytest.mark.parametrize("corpus", ["emobank", "meld"])
def test_real_english_is_never_unknown(shipped, real_text, corpus):
    assert unknown(shipped, load(corpus, real_text(corpus))["text"]) < 1e-4


def test_real_korean_is_never_unknown(shipped, real_corpus):
    transcripts = pd.read_csv(real_corpus("emotiontts_ko") / "metadata.csv")["transcript"]
    assert unknown(shipped, transcripts.unique()) == 0
