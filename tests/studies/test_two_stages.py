from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from sernb.core.errors import SernbError
from sernb.losses import UNLABELLED, DistillationConfig
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies.batches import Shuffled, Watch
from sernb.studies.multimodal import Examples, outputs, prepare
from sernb.studies.two_stages import CODE, PAPER, Stage, TwoStages, train
from tests.studies.two_streams import corpus, encoders

QUICK = Stage(epochs=3, batch_size=8, optimizer="adamw", learning_rate=3e-3, weight_decay=0.0, drop_every=0)
BOTH = TwoStages(QUICK, replace(QUICK, train_text=True, distil=True))


@pytest.fixture
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
    curve = train(model, inputs, ROWS, HELD, replace(BOTH, fine_tune=replace(BOTH.fine_tune, epochs=12)))
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
        train(model, inputs, ROWS, HELD, BOTH, seed=seed)
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
    """One utterance a step, momentum 0.99, weight decay 1e-6, the rate down by ten after 30 epochs: by hand."""
    stage = replace(PAPER.transfer, epochs=31, learning_rate=1e-3)
    rows = np.array([0])
    model, own = network(inputs, dropout=0.0), network(inputs, dropout=0.0)
    curve = train(model, inputs, rows, (), TwoStages(stage, None))
    optimizer = torch.optim.SGD(own.head.parameters(), lr=1e-3, momentum=0.99, weight_decay=1e-6)
    batch = Examples(inputs, rows).__getitems__([0])
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
    for one in (PAPER.transfer, PAPER.fine_tune):
        assert (one.optimizer, one.learning_rate, one.momentum) == ("sgd", 1e-6, 0.99)
        assert (one.weight_decay, one.batch_size, one.drop_every, one.drop) == (1e-6, 1, 30, 0.1)
    assert (PAPER.transfer.epochs, PAPER.fine_tune.epochs) == (50, 100)
    assert not PAPER.fine_tune.train_audio and CODE.fine_tune.train_audio


def test_the_codes_variant_trains_vggish_only_where_nothing_is_rounded(inputs):
    from sernb.models.vggish import PostProcess

    for rounded in (False, True):
        text, audio = encoders()
        after = PostProcess(torch.eye(16)) if rounded else None
        model = assemble(text, audio, ThreeMSERConfig(classes=inputs.classes), after)
        before = audio.convs[0].weight.clone()
        stage = replace(QUICK, epochs=1, train_text=True, train_audio=True)
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
    from transformers import BertConfig, BertModel

    wide = BertConfig(
        vocab_size=50, hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64
    )
    wider = assemble(BertModel(wide), encoders()[1], ThreeMSERConfig(classes=inputs.classes))
    teacher = outputs(wider, inputs, progress=False)
    curve = train(network(inputs), inputs, ROWS, HELD, replace(BOTH, transfer=None), teacher)
    assert np.isfinite(curve["loss"]).all()


def test_batches_are_of_like_length_and_every_row_comes_once():
    lengths = np.random.default_rng(0).integers(3, 40, 2003)
    sampler = Shuffled(lengths, 16, 0, True)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert sorted(orders[0]) == list(range(2003)) and orders[0] == orders[2] != orders[1]

    def waste(order):
        batches = [lengths[order[i : i + 16]] for i in range(0, 2003, 16)]
        return sum(len(one) * one.max() for one in batches) / lengths.sum()

    assert waste(orders[0]) < 1.2 < waste(list(Shuffled(lengths, 16, 0, False)))


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
    with pytest.raises(SernbError, match="optimizer is 'adam'"):
        Stage(optimizer="adam")
    with pytest.raises(SernbError, match="epochs is 0"):
        Stage(epochs=0)


def test_a_loss_that_explodes_stops_the_run(inputs):
    stage = replace(QUICK, optimizer="sgd", learning_rate=1e30, momentum=0.0)
    with pytest.raises(SernbError, match="lower the learning rate"):
        train(network(inputs), inputs, ROWS, HELD, TwoStages(stage, None))
