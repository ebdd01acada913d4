from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions
from sernb.losses import UNLABELLED, DistillationConfig
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.models.vggish import PostProcess
from sernb.protocols import by_name, with_validation
from sernb.studies import three_m_ser
from sernb.studies.recipes import Recipe, Stage, TwoStages
from sernb.studies.saved import save
from sernb.studies.three_m_inputs import fingerprint_of, outputs, predict, prepare
from sernb.studies.three_m_ser import (
    ALONE,
    LAPTOP,
    RECIPES,
    TAUGHT,
    Encoders,
    Way,
    saved_teachers,
    teacher_outputs,
    train_students,
    train_teachers,
)
from sernb.studies.three_m_ser import train_two_stages as train
from sernb.studies.training import _Watch as Watch
from tests.studies.two_streams import corpus, encoders

pytestmark = pytest.mark.filterwarnings("ignore:.*shares its voices")
QUICK = Recipe(epochs=3, batch_size=8, learning_rate=3e-3, falling=True)
BOTH = TwoStages(Stage(QUICK), Stage(QUICK, train_text=True, distil=True))
BRIEF = BOTH.with_epochs(2, 2)
PAPER = RECIPES["paper"]


@pytest.fixture(scope="module")
def inputs():
    utterances, waveforms, tokenizer = corpus()
    return prepare(utterances, waveforms, tokenizer, encoders()[1], progress=False, keep_examples=True)


def network(inputs, seed=0, dropout=0.1, **given):
    text, audio = encoders()
    torch.manual_seed(seed)
    return assemble(text, audio, ThreeMSERConfig(classes=inputs.classes, dropout=dropout, **given))


ROWS, HELD = np.arange(36), np.arange(36, 48)


def test_it_learns_and_ends_with_the_best_validation_weights(inputs):
    model = network(inputs)
    curve = train(model, inputs, ROWS, HELD, BOTH.with_epochs(0, 12))
    fine = curve[curve["stage"] == "fine-tuning"]
    assert fine["epoch"].tolist() == list(range(1, 13)) and fine["loss"].iloc[-1] < 0.8 * fine["loss"].iloc[0]
    said = outputs(model, inputs, progress=False).logits[HELD].argmax(1)
    recalls = [(said[inputs.labels[HELD] == one] == one).mean() for one in range(3)]
    assert np.mean(recalls) == pytest.approx(fine["validation_UAR"].max())
    assert fine["validation_UAR"].max() > 0.7


def test_transfer_moves_the_head_alone_and_fine_tuning_the_text_too(inputs):
    for recipe, moved in ((replace(BOTH, fine_tune=None), {"head"}), (BOTH, {"head", "text"})):
        model = network(inputs)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        train(model, inputs, ROWS, HELD, recipe)
        changed = {
            name.split(".")[0] for name, value in model.state_dict().items() if not value.equal(before[name])
        }
        assert changed == moved


def test_the_same_seed_gives_the_same_and_another_does_not(inputs):
    found = []
    for seed in (0, 0, 1):
        model = network(inputs)
        train(model, inputs, ROWS, HELD, BOTH.with_epochs(1, 1), seed=seed)
        found.append(outputs(model, inputs, progress=False).logits)
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2])


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_result(inputs, tmp_path, monkeypatch):
    teacher = outputs(network(inputs, seed=7), inputs, progress=False)
    whole = network(inputs)
    curve = train(whole, inputs, ROWS, HELD, BOTH, teacher)

    told = []
    on_log = Watch.on_log

    def dies(self, args, state, control, logs=None, **kwargs):
        on_log(self, args, state, control, logs, **kwargs)
        told.append(logs)
        if sum("loss" in one for one in told) == 5:  # in the second epoch of fine-tuning, before it is saved
            raise Killed

    monkeypatch.setattr(Watch, "on_log", dies)
    with pytest.raises(Killed):
        train(network(inputs), inputs, ROWS, HELD, BOTH, teacher, checkpoints=tmp_path)
    monkeypatch.setattr(Watch, "on_log", on_log)
    resumed = network(inputs)
    again = train(resumed, inputs, ROWS, HELD, BOTH, teacher, checkpoints=tmp_path)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0)
    pd.testing.assert_frame_equal(again, curve)


def test_the_papers_step_is_plain_sgd(inputs):
    """One utterance a step, momentum 0.99, weight decay 1e-6, the rate down by ten after 30 epochs: by
    hand."""
    stage = Stage(replace(PAPER.transfer.recipe, epochs=31, learning_rate=1e-3))
    rows = np.array([0])
    model, own = network(inputs, dropout=0.0), network(inputs, dropout=0.0)
    curve = train(model, inputs, rows, (), TwoStages(stage, None))
    optimizer = torch.optim.SGD(own.head.parameters(), lr=1e-3, momentum=0.99, weight_decay=1e-6)
    batch = inputs.dataset(rows).__getitems__([0])
    own.text.eval()
    for epoch in range(31):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 if epoch < 30 else 1e-4
        labels = batch["labels"]
        loss = F.cross_entropy(own(**{k: v for k, v in batch.items() if k != "labels"}).logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for one, two in zip(model.head.parameters(), own.head.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
    assert curve["learning_rate"].iloc[28] == pytest.approx(1e-3)
    assert curve["loss"].iloc[0] > curve["loss"].iloc[-1]


def test_named_settings_are_the_papers():
    for stage in (PAPER.transfer, PAPER.fine_tune):
        recipe = stage.recipe
        assert (recipe.optimizer, recipe.learning_rate, recipe.momentum) == ("sgd", 1e-6, 0.99)
        assert (recipe.weight_decay, recipe.batch_size, recipe.clip) == (1e-6, 1, 0)
        assert (recipe.drops, recipe.drop) == ((31, 61, 91), 0.1)
    assert (PAPER.transfer.recipe.epochs, PAPER.fine_tune.recipe.epochs) == (50, 100)
    assert not PAPER.fine_tune.train_audio and RECIPES["code"].fine_tune.train_audio


def test_the_codes_variant_trains_vggish_only_where_nothing_is_rounded(inputs):
    for rounded in (False, True):
        text, audio = encoders()
        after = PostProcess(torch.eye(16)) if rounded else None
        model = assemble(text, audio, ThreeMSERConfig(classes=inputs.classes), after)
        before = audio.convs[0].weight.clone()
        stage = Stage(replace(QUICK, epochs=1), train_text=True, train_audio=True)
        train(model, inputs, ROWS, (), TwoStages(None, stage))
        assert audio.convs[0].weight.equal(before) == rounded


def test_a_teacher_pulls_the_student_towards_it(inputs):
    teacher = outputs(network(inputs, seed=7), inputs, progress=False)
    distances = {}
    for alpha in (0.0, 1.0):
        model = network(inputs)
        config = DistillationConfig(alpha=alpha, feature="none")
        train(model, inputs, ROWS, (), replace(BOTH, transfer=None), teacher, config)
        said = torch.from_numpy(outputs(model, inputs, progress=False).logits).log_softmax(-1)
        told = torch.from_numpy(teacher.logits).softmax(-1)
        distances[alpha] = float(F.kl_div(said, told, reduction="batchmean"))
    assert distances[1.0] < 0.5 * distances[0.0]


def test_rows_without_labels_learn_from_the_teacher_and_do_not_lengthen_training(inputs):
    labels = inputs.labels.copy()
    labels[24:36] = UNLABELLED
    some = replace(inputs, labels=labels)
    teacher = outputs(network(some, seed=7), some, progress=False)
    curve = train(network(some), some, ROWS, HELD, replace(BOTH, transfer=None), teacher)
    short = train(network(some), some, ROWS[:24], HELD, replace(BOTH, transfer=None), teacher)
    pd.testing.assert_series_equal(curve["epoch"], short["epoch"])
    assert np.isfinite(curve["loss"]).all() and not np.allclose(curve["loss"], short["loss"])


def test_widths_that_differ_are_projected(inputs):
    wide = BertConfig(
        vocab_size=50, hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64
    )
    wider = assemble(BertModel(wide), encoders()[1], ThreeMSERConfig(classes=inputs.classes))
    teacher = outputs(wider, inputs, progress=False)
    curve = train(network(inputs), inputs, ROWS, HELD, replace(BOTH, transfer=None), teacher)
    assert np.isfinite(curve["loss"]).all()


def test_what_does_not_belong_together_is_refused(inputs):
    model = network(inputs)
    teacher = outputs(model, inputs, progress=False)
    with pytest.raises(SernbError, match="no training row has a label"):
        train(model, inputs, (), HELD)
    for wrong, said in (
        (
            replace(teacher, classes=("sad", "happy", "angry")),
            "other labels: sad, happy, angry against happy, sad",
        ),
        (replace(teacher, vocabulary="another"), "other tokenizers"),
        (replace(teacher, logits=teacher.logits[:5]), "speaks of 5 utterances and there are 48"),
    ):
        with pytest.raises(SernbError, match=said):
            train(model, inputs, ROWS, HELD, BOTH, wrong)
    other = replace(inputs, classes=("a", "b", "c"))
    with pytest.raises(SernbError, match="the model's labels are"):
        train(model, other, ROWS, HELD)


def test_a_loss_that_explodes_stops_the_run(inputs):
    stage = Stage(replace(QUICK, optimizer="sgd", learning_rate=1e30))
    with pytest.raises(SernbError, match="lower the learning rate"):
        train(network(inputs), inputs, ROWS, HELD, TwoStages(stage, None))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_training_comes_out_as_with_the_whole_table(inputs, optimizer, monkeypatch):
    recipe = replace(
        LAPTOP.fine_tune.recipe, epochs=1, optimizer=optimizer, learning_rate=1e-2, weight_decay=0.0
    )
    recipe = TwoStages(None, replace(LAPTOP.fine_tune, recipe=recipe))
    found = []
    for change in (three_m_ser.only_used, lambda text, tokens: nullcontext()):
        monkeypatch.setattr(three_m_ser, "only_used", change)
        text, audio = encoders()
        torch.manual_seed(0)
        model = assemble(text, audio, ThreeMSERConfig(classes=inputs.classes))
        train(model, inputs, ROWS, HELD, recipe)
        found.append(model.state_dict())
    moved = (
        found[0]["text.embeddings.word_embeddings.weight"] != encoders()[0].embeddings.word_embeddings.weight
    )
    assert moved.any()
    for name, value in found[1].items():
        torch.testing.assert_close(found[0][name], value, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def study():
    utterances, waveforms, tokenizer = corpus()
    text, audio = encoders(layers=3)
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False)
    with pytest.warns(UserWarning, match="shares its voices"):
        folds = with_validation(by_name("loso", utterances), utterances)[:2]
    own = Encoders(text, audio, ThreeMSERConfig(dropout=0.1))
    told = train_teachers(utterances, inputs, folds, own, BRIEF, progress=False)
    return utterances, inputs, folds, own, told


def test_teachers_answer_for_both_parts(study):
    _, _, folds, own, (predictions, curves, models) = study
    for part, ids in predictions.groupby("part"):
        expected = [getattr(fold, part) for fold in folds]
        assert sorted(ids.index) == sorted([one for index in expected for one in index])
    check_predictions(predictions[predictions["part"] == "test"])
    assert set(curves["stage"]) == {"transfer", "fine-tuning"} and list(models) == [
        fold.name for fold in folds
    ]
    assert own.text.encoder.layer[0].output.dense.weight.equal(
        encoders(layers=3)[0].encoder.layer[0].output.dense.weight
    )  # the pretrained encoder is copied, not trained
    model = models[folds[0].name]
    assert len(model.text.encoder.layer) == 3


def test_students_of_all_ways_start_alike_and_take_the_same_steps(study):
    utterances, inputs, folds, own, (_, _, models) = study
    teachers = teacher_outputs(models, inputs, progress=False)
    nothing = Way(DistillationConfig(alpha=0.0, feature="none"))  # a teacher that is not listened to
    ways = {"alone": ALONE, "KD": TAUGHT, "deaf": nothing}
    predictions, curves = train_students(
        utterances, inputs, folds[:1], own, teachers, [1], ways, BRIEF, seeds=[0, 1], progress=False
    )
    assert set(predictions["model"]) == {"BERT1 alone", "BERT1 KD", "BERT1 deaf"} and set(
        predictions["seed"]
    ) == {0, 1}
    counts = curves.groupby(["model", "fold", "seed"])["epoch"].agg(["size", "max"])
    assert (counts == counts.iloc[0]).all(axis=None)
    transfer = curves[curves["stage"] == "transfer"].pivot_table(
        index=["fold", "seed", "epoch"], columns="model", values="loss"
    )
    assert transfer.nunique(axis=1).eq(1).all()
    columns = [name for name in predictions if name.startswith("p_")]
    by = {
        model: rows.sort_values(["seed", "fold", "part"]).sort_index(kind="stable")
        for model, rows in predictions.groupby("model")
    }
    np.testing.assert_allclose(by["BERT1 alone"][columns], by["BERT1 deaf"][columns], atol=1e-5)
    assert not np.allclose(by["BERT1 alone"][columns], by["BERT1 KD"][columns], atol=1e-3)


def test_side_by_side_gives_the_same(study):
    utterances, inputs, folds, own, (predictions, _, _) = study
    with parallel_config(n_jobs=2):
        again, _, _ = train_teachers(utterances, inputs, folds, own, BRIEF, progress=False)
    columns = [name for name in predictions if name.startswith("p_")]
    pd.testing.assert_index_equal(again.index, predictions.index)
    np.testing.assert_allclose(again[columns], predictions[columns], atol=1e-3)


def test_sentences_without_labels_take_part(study):
    utterances, inputs, folds, _, _ = study
    text, _ = encoders(layers=2)
    labels = inputs.labels.copy()
    more = np.arange(40, 48)
    labels[more] = -100
    words = replace(inputs, labels=labels, audio=None)
    fold = replace(folds[0], train=folds[0].train.difference(utterances.index[more], sort=False))
    known = utterances.assign(emotion=utterances["emotion"].where(~np.isin(np.arange(48), more)))
    fold = replace(
        fold,
        test=fold.test.difference(utterances.index[more], sort=False),
        validation=fold.validation.difference(utterances.index[more], sort=False),
    )
    own = Encoders(text, None, ThreeMSERConfig(dropout=0.1))
    _, _, models = train_teachers(known, words, [fold], own, BRIEF, progress=False)
    teachers = teacher_outputs(models, words, progress=False)
    ways = {"KD": TAUGHT, "KD and sentences": replace(TAUGHT, sentences=True)}
    predictions, curves = train_students(
        known, words, [fold], own, teachers, [1], ways, BRIEF, sentences=more, progress=False
    )
    assert curves.groupby("model")["epoch"].agg(tuple).nunique() == 1
    one, two = (predictions[predictions["model"] == f"BERT1 {way}"] for way in ways)
    assert not np.allclose(one.filter(like="p_"), two.filter(like="p_"))


def test_predictions_do_not_depend_on_the_order(study):
    utterances, inputs, folds, _, (_, _, models) = study
    model, ids = models[folds[0].name], folds[0].test
    one = predict(model, utterances, inputs, ids, "f", "m")
    two = predict(model, utterances, inputs, ids[::-1], "f", "m")
    np.testing.assert_allclose(one.filter(like="p_"), two.loc[ids].filter(like="p_"), atol=1e-5)
    assert torch.is_grad_enabled()


class _Pieces:
    """A tokenizer that can be saved and read again, as `sernb.studies.saved` wants it."""

    @staticmethod
    def made():
        from tokenizers import Tokenizer, models
        from transformers import PreTrainedTokenizerFast

        pieces = {"[CLS]": 1, "[SEP]": 2, "[UNK]": 0}
        return PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
        )


def test_saved_teachers_answer_as_before_and_must_fit(study, tmp_path):
    utterances, inputs, folds, _, (predictions, _, models) = study
    tokenizer = _Pieces.made()
    inputs = replace(inputs, vocabulary=fingerprint_of(tokenizer))
    for fold in folds:
        about = {"learnt_from": list(fold.train.append(fold.validation))}
        save(models[fold.name], tmp_path / fold.name, about, tokenizer)
    again, found = saved_teachers(tmp_path, utterances, inputs, folds)
    assert list(found) == [fold.name for fold in folds]
    pd.testing.assert_index_equal(again.index, predictions.index)
    np.testing.assert_allclose(again.filter(like="p_"), predictions.filter(like="p_"), atol=1e-5)
    swapped = [replace(folds[0], name=folds[1].name)]
    with pytest.raises(SernbError, match=r"learnt from .* utterances that are tested here"):
        saved_teachers(tmp_path, utterances, inputs, swapped)
    with pytest.raises(SernbError, match="another tokenizer"):
        saved_teachers(tmp_path, utterances, replace(inputs, vocabulary="x"), folds)
    with pytest.raises(SernbError, match="its labels are happy, sad, angry; here they are a, b, c"):
        saved_teachers(tmp_path, utterances, replace(inputs, classes=("a", "b", "c")), folds)
