"""The distilled small text encoder: the losses by hand, the script that makes it, and the one that comes with
sernb."""

from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from making.generator.knobs import Knobs
from making.pretraining import fine_tuning, mini_tinybert
from making.pretraining.imitation import Answers, Imitation, Inside, attention_mse, layers_of
from making.pretraining.mini_tinybert import new_student
from making.pretraining.sentences import sentences
from sernb.features.encoders import text_encoder

TINY = "--sentences 200 --steps 4 --layers 2 --width 16"
SHIPPED = Path(str(files("sernb.features") / "weights" / "mini_tinybert"))
SHAPE = {"vocab_size": 50, "hidden_size": 16, "num_attention_heads": 4, "intermediate_size": 32}


def bert(layers, seed=0, **other):
    torch.manual_seed(seed)
    return BertModel(
        BertConfig(**{**SHAPE, "num_hidden_layers": layers, **other}), add_pooling_layer=False
    ).eval()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "encoder"
    assert mini_tinybert.main(["--out", str(folder), *TINY.split()]) == 0
    return folder


# --- what is imitated


def test_attention_mse_by_hand():
    """Two heads, two real tokens and one of padding: the mean over 2 heads and 4 pairs, whatever the padding
    holds."""
    student, teacher = torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    student[0, 0, :2, :2] = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    student[0, :, 2], student[0, :, :, 2] = torch.nan, torch.inf
    real = torch.tensor([[True, True, False]])
    assert attention_mse(student, teacher, real) == pytest.approx((1 + 4 + 9) / (2 * 4))
    assert attention_mse(teacher, teacher, real) == 0
    both = attention_mse(
        student.repeat(2, 1, 1, 1), teacher.repeat(2, 1, 1, 1), torch.stack([real[0], ~real[0] & False])
    )
    assert both == pytest.approx(14 / 8 / 2)  # an utterance without a real token adds 0


def test_scores_are_those_that_eager_attention_takes_the_softmax_of():
    model = bert(3, attn_implementation="eager")
    watch = Inside(model)
    ids = torch.randint(1, 50, (2, 7))
    for _ in range(2):  # a second call leaves nothing of the first
        weights = model(ids, output_attentions=True).attentions
        assert len(watch.scores) == 3
        for scores, expected in zip(watch.scores, weights, strict=True):
            torch.testing.assert_close(scores.softmax(-1), expected)


def test_layers_are_evenly_spaced_and_the_last_is_the_last():
    assert layers_of(2, 6) == [3, 6] and layers_of(3, 6) == [2, 4, 6] and layers_of(4, 12) == [3, 6, 9, 12]
    assert layers_of(1, 6) == [6] and layers_of(6, 6) == [1, 2, 3, 4, 5, 6]
    assert layers_of(4, 6)[-1] == 6


def test_a_perfect_imitation_has_no_error():
    teacher = bert(4)
    student = bert(4)
    model = Imitation(student, teacher)
    ids = torch.randint(1, 50, (3, 6))
    real = torch.arange(6) < torch.tensor([[6], [4], [2]])
    found = teacher(ids, attention_mask=real.long(), output_hidden_states=True).hidden_states
    errors, said = model(ids, real, found)
    assert {name: error.item() for name, error in errors.items()} == {
        "embeddings": 0,
        "states": 0,
        "attention": 0,
    }
    assert said.shape == (3, 3, 3)
    watching = Imitation(bert(2, seed=1), teacher)
    teacher(ids, attention_mask=real.long())
    other, _ = watching(ids, real, found)
    assert all(error > 0 for error in other.values())


def test_padding_makes_no_difference_to_the_errors():
    teacher, student = bert(4), bert(2, seed=1)
    model = Imitation(student, teacher)
    ids, errors = torch.randint(1, 50, (2, 5)), []
    for wide in (5, 9):
        padded = torch.nn.functional.pad(ids, (0, wide - 5))
        real = torch.arange(wide).expand(2, -1) < 5
        found = teacher(padded, attention_mask=real.long(), output_hidden_states=True).hidden_states
        given, said = model(padded, real, found)
        errors.append(torch.stack([*given.values(), said.sum()]))
    torch.testing.assert_close(*errors)


def test_a_student_is_as_asked():
    student = new_student(bert(4), 2, 8)
    shape = student.config
    assert (shape.num_hidden_layers, shape.hidden_size, shape.num_attention_heads, shape.vocab_size) == (
        2,
        8,
        4,
        50,
    )
    assert student.pooler is None


def test_answers_average_real_tokens_only():
    read = Answers(4)
    states = torch.randn(1, 3, 4)
    real = torch.tensor([[True, True, False]])
    torch.testing.assert_close(read(states, real).flatten(), read.read(states[0, :2].mean(0)))


def test_the_student_learns_what_the_teacher_answers():
    """A few steps on few sentences: every error falls, and the answers come in the second stage only."""
    teacher, tokenizer = text_encoder("mini-bert")
    learning = sentences(300, 7, Knobs())
    student, curve, of_teacher = mini_tinybert.distil(
        teacher, learning, learning[:100], tokenizer, 45, 1, 32, 0
    )
    assert curve["step"].tolist() == list(range(3, 46, 3)) and of_teacher > 0.8
    for name in ("embeddings", "states", "attention"):
        assert curve[name].iloc[-1] < 0.9 * curve[name].iloc[0]
    assert (curve["answers"][:7] == 0).all() and (curve["answers"][8:] > 0).all()
    assert not student.training


# --- the script


def test_what_the_script_writes(made):
    model = BertModel.from_pretrained(made, dtype=torch.float32, add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(made)
    assert model.config.hidden_size == 16 and model.config.vocab_size == len(tokenizer)
    _, own = text_encoder("mini-bert")
    assert tokenizer("My landlord refused!")["input_ids"] == own("My landlord refused!")["input_ids"]
    assert pd.read_csv(made / "training.csv")["step"].tolist() == [1, 2, 3, 4]
    card = (made / "README.md").read_text(encoding="utf-8")
    assert TINY + " --seed 0" in card and "layers 1 from 3, 2 from 6" in card and "{" not in card
    assert [one.name for one in made.parent.iterdir()] == ["encoder"]


def test_the_same_seed_makes_the_same_encoder(made, tmp_path):
    assert mini_tinybert.main(["--out", str(tmp_path / "again"), *TINY.split()]) == 0
    for file in ("model.safetensors", "tokenizer.json", "config.json", "training.csv"):
        assert (made / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layers", "7"], "layers at most 6"),
        (["--steps", "0"], "must be at least 1"),
        (["--width", "30"], "a multiple of the 4 heads"),
    ],
)
def test_settings_that_make_no_student(options, said, tmp_path, capsys):
    assert mini_tinybert.main(["--out", str(tmp_path / "new"), *options]) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    assert mini_tinybert.main(["--out", str(tmp_path), *TINY.split()]) == 1
    assert "is not empty" in capsys.readouterr().err and (tmp_path / "mine.txt").exists()


def test_encoders_are_compared_side_by_side(made, monkeypatch, tmp_path, capsys):
    utterances = fine_tuning.load("embedded").groupby(["session", "emotion"]).head(3)
    monkeypatch.setattr(fine_tuning, "EPOCHS", 1)
    monkeypatch.setattr(fine_tuning, "load", lambda name: utterances)
    for name in ("first", "other"):
        (tmp_path / name).mkdir()
        for file in made.iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    call = [str(tmp_path / "first"), "--seeds", "1", "--depths", "2"]
    assert fine_tuning.main([*call, "--beside", f"{tmp_path / 'other'}:1"]) == 0
    card = (tmp_path / "first" / "README.md").read_text(encoding="utf-8")
    assert "| other, 1 |" in card and "Pretrained, 2, minus each of the others" in card
    assert fine_tuning.main([*call, "--beside", str(tmp_path / "other")]) == 1
    assert "a colon and a number of layers" in capsys.readouterr().err


# --- the one that comes with sernb


def test_the_shipped_encoder_is_small_and_whole():
    model, tokenizer = text_encoder("mini-tinybert")
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 1.5e6
    assert {"README.md", "training.csv", "config.json"} <= {file.name for file in SHIPPED.iterdir()}
    assert (
        f"{sum(one.numel() for name, one in model.named_parameters() if 'pooler' not in name):,} parameters"
        in (SHIPPED / "README.md").read_text(encoding="utf-8")
    )
    assert model.config.vocab_size == len(tokenizer)


def test_the_shipped_encoder_tells_turned_news_from_kept():
    """Nearer to sentences of the same valence than to those that share their words."""
    model, tokenizer = text_encoder("mini-tinybert")
    texts = ["My landlord raised the rent.", "My landlord refused to raise the rent."]
    texts += ["The layoffs went ahead.", "The layoffs were cancelled."]
    with torch.inference_mode():
        given = tokenizer(texts, padding=True, return_tensors="pt")
        states, real = model.eval()(**given).last_hidden_state, given["attention_mask"][..., None]
        means = (states * real).sum(1) / real.sum(1)
    near = torch.nn.functional.cosine_similarity(means[:, None], means[None], dim=-1)
    assert near[0, 2] > near[0, 1] and near[1, 3] > near[0, 1]
