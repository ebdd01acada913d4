"""Distilling without labels, fine-tuning with them, and both fold by fold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

import sernb.studies.mced as place
from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.core.tables import check_predictions
from sernb.features.encoders import own_folder
from sernb.features.frames import Scaling, frame_features
from sernb.losses import MCEDConfig
from sernb.models.speech_student import SpeechStudent, StudentConfig
from sernb.protocols import Fold
from sernb.studies.mced import distil, fine_tune, predict, share_of, train_folds
from sernb.studies.pairs import select
from sernb.studies.recipes import Recipe
from sernb.studies.saved import load, save
from sernb.studies.teacher_states import InTheLoop, TeacherStates, answers, teacher_states

EMOTIONS = ["neutral", "happy", "sad"]
CLASSES = tuple(EMOTIONS)
SMALL = StudentConfig(
    features=6, channels=(8,) * 4, width=8, layers=2, heads=2, feed_forward=16, classifier=8, dropout=0.1
)
MCED = MCEDConfig(pairs=((1, 1), (2, 2)), weights=(0.5, 1.0))
QUICK = Recipe(epochs=3, batch_size=8, optimizer="adam", learning_rate=3e-3, falling=True)
BRIEF = replace(QUICK, epochs=1)


def heard(count=48, seed=0):
    """(features, class numbers): each class lifts a feature of its own."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    items = [rng.normal(5.0, 1.0, (int(rng.integers(8, 30)), 6)).astype(np.float32) for _ in labels]
    for one, label in zip(items, labels, strict=True):
        one[:, label] += 2.0
    return Ragged.of(items), labels


def told(count=48, seed=0, layers=(1, 2)):
    """What a sure teacher of width 5 says: the classes of `heard`, and states that go with them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    words = rng.integers(1, 6, count)
    states = Ragged.of(
        [
            rng.normal(label, 0.3, (n, len(layers), 5)).astype(np.float16)
            for n, label in zip(words, labels, strict=True)
        ]
    )
    logits = 4.0 * np.eye(3, dtype=np.float32)[labels]
    return TeacherStates(pd.RangeIndex(count), CLASSES, logits, words, layers, states)


def spoken(count=48):
    """(utterances, features, folds), four speakers."""
    features, labels = heard(count)
    index = pd.Index([f"u{number:02d}" for number in range(count)], name="utterance")
    speakers = [f"s{number // 3 % 4}" for number in range(count)]
    utterances = pd.DataFrame({"speaker": speakers}, index)
    utterances["emotion"] = pd.Categorical.from_codes(labels, EMOTIONS)
    by = utterances.groupby("speaker").groups
    names = list(by)
    folds = [
        Fold(names[n], by[names[n - 1]].append(by[names[n - 2]]), by[names[n - 3]], by[names[n]])
        for n in (0, 1)
    ]
    return utterances, features, folds


def same(one, two):
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )


def distilled(recipe=QUICK, **given):
    return distil(*(heard()[0], told()), **{"config": SMALL, "mced": MCED, "recipe": recipe, **given})


def test_a_student_learns_the_teachers_classes_without_labels():
    found = distilled(replace(QUICK, epochs=25, learning_rate=1e-2), held_out=np.arange(12))
    assert found.student.shape.classes == CLASSES
    assert list(found.curve) == [
        "epoch", "loss", "learning_rate", "held_out_loss", "held_out_RL", "held_out_FL 1→1", "held_out_FL 2→2"
    ]  # fmt: skip
    features, labels = heard()
    frames = found.scaling.applied(features)
    said = predict(found.student, frames, found.held_out)
    assert (said.argmax(1) == labels[found.held_out]).mean() > 0.8
    assert found.curve["held_out_RL"].iloc[-1] < 0.3 * found.curve["held_out_RL"].iloc[0]
    assert found.curve["held_out_FL 2→2"].iloc[-1] < found.curve["held_out_FL 2→2"].iloc[0]


def test_the_held_out_loss_is_the_weighted_sum_of_its_parts_and_the_best_epoch_stays():
    found = distilled(replace(QUICK, epochs=6, learning_rate=0.3), held_out=np.arange(12))
    curve = found.curve
    total = curve["held_out_RL"] + 0.5 * curve["held_out_FL 1→1"] + curve["held_out_FL 2→2"]
    np.testing.assert_allclose(curve["held_out_loss"], total, rtol=1e-4)
    frames, teacher = found.scaling.applied(heard()[0]), told()
    x, mask = frames.padded(np.arange(12))
    with torch.inference_mode():
        now, _ = found.loss.eval()(found.student.eval()(x, mask), **teacher.batch(np.arange(12)))
    assert float(now) == pytest.approx(curve["held_out_loss"].min(), rel=1e-4)
    assert curve["held_out_loss"].idxmin() < len(curve) - 1  # or keeping the last would do as well


def test_scaling_is_of_what_is_learned_from():
    features, _ = heard()
    found = distilled(replace(QUICK, epochs=1), rows=np.arange(40), held_out=[0, 1])
    expected = Scaling.fitted(features, np.arange(2, 40))
    np.testing.assert_array_equal(found.scaling.mean, expected.mean)
    assert found.held_out.tolist() == [0, 1]


def test_patience_ends_distillation():
    recipe = replace(QUICK, epochs=30, learning_rate=0.3, patience=2)
    curve = distilled(recipe).curve
    assert len(curve) < 30
    assert curve["held_out_loss"].idxmin() == len(curve) - 3


def test_one_level_alone():
    answers_only = distilled(mced=MCED.last(0))
    assert not list(answers_only.loss.parameters())
    assert [one for one in answers_only.curve if "FL" in one] == []
    no_states = replace(told(), layers=(), states=None)
    again = distil(heard()[0], no_states, config=SMALL, mced=MCED.last(0), recipe=QUICK)
    assert same(answers_only.student, again.student)
    features_only = distilled(mced=replace(MCED, response=False))
    assert "held_out_RL" not in features_only.curve
    start = distilled(replace(QUICK, epochs=1), mced=replace(MCED, response=False)).student
    assert torch.equal(
        start.classifier[1].weight, features_only.student.classifier[1].weight
    )  # nothing taught it


def test_a_killed_distillation_goes_on(tmp_path, monkeypatch):
    expected = distilled()
    original, tries = place._Pupil.parts_of, []

    class Killed(Exception):
        pass

    def killed(self, found):
        tries.append(1)
        if len(tries) == 2:
            raise Killed
        return original(self, found)

    monkeypatch.setattr(place._Pupil, "parts_of", killed)
    with pytest.raises(Killed):
        distilled(checkpoints=tmp_path / "c")
    monkeypatch.setattr(place._Pupil, "parts_of", original)
    found = distilled(checkpoints=tmp_path / "c")
    assert same(expected.student, found.student) and same(expected.loss, found.loss)
    np.testing.assert_allclose(found.curve["held_out_loss"], expected.curve["held_out_loss"], rtol=1e-6)
    for other in ({"seed": 1}, {"recipe": replace(QUICK, epochs=4)}):
        with pytest.raises(SernbError, match="checkpoints there are of a run with other settings"):
            distilled(**other, checkpoints=tmp_path / "c")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"held_out": np.arange(48) < 8}, "held_out: expected row numbers, got bool"),
        ({"rows": np.arange(48) < 8}, "rows: expected row numbers, got bool"),
        ({"held_out": [3, 99]}, "from 0 to 47; got 2 from 3 to 99"),
        ({"rows": [1, 2, 2, -1]}, "got 4 from -1 to 2, 1 of them again"),
    ],
)
def test_rows_are_numbers_each_once(given, message):
    with pytest.raises(SernbError, match=message):
        distilled(**given)


def pipeline(utterances, waveforms, in_the_loop=False):
    """From a corpus with a label column to a pretrained student, as a notebook goes."""
    tokenizer = AutoTokenizer.from_pretrained(str(own_folder("mini-bert")))
    torch.manual_seed(0)
    teacher = BertForSequenceClassification(
        BertConfig(vocab_size=len(tokenizer), hidden_size=12, num_hidden_layers=2, num_attention_heads=2,
                   intermediate_size=24, id2label=dict(enumerate(EMOTIONS)))
    )  # fmt: skip
    said = answers(teacher, tokenizer, utterances["text"], progress=False)
    kept, table = select(utterances, said, confident=0.0)
    rows = utterances.index.get_indexer(kept)
    features = frame_features([waveforms[row] for row in rows], kept, progress=False)
    given = (tokenizer, utterances.loc[kept, "text"], (1, 2))
    states = InTheLoop(teacher, *given) if in_the_loop else teacher_states(teacher, *given, progress=False)
    config, recipe = replace(SMALL, features=130), replace(QUICK, epochs=2)
    return kept, table, distil(features, states, config=config, mced=MCED, recipe=recipe).student


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    words = ["good", "news", "for", "the", "late", "train", "again"]
    count = 30
    utterances = pd.DataFrame(
        {
            "text": [" ".join(rng.choice(words, rng.integers(2, 6))) for _ in range(count)],
            "seconds": rng.uniform(1.4, 3.0, count),
            "emotion": pd.Categorical(rng.choice(EMOTIONS, count), EMOTIONS),
        },
        pd.Index([f"u{number}" for number in range(count)], name="utterance"),
    )
    waveforms = [(0.1 * rng.standard_normal(3000)).astype(np.float32) for _ in range(count)]
    return utterances, waveforms, pipeline(utterances, waveforms)


def test_shuffled_labels_do_not_change_a_bit_of_the_student(corpus):
    utterances, waveforms, (kept, table, student) = corpus
    rng = np.random.default_rng(1)
    for labels in (rng.permutation(utterances["emotion"].astype(str)), ["angry"] * 30, [None] * 30):
        changed = utterances.assign(emotion=pd.Categorical(labels))
        again = pipeline(changed, waveforms)
        assert again[0].equals(kept)
        pd.testing.assert_frame_equal(again[1], table)
        assert same(again[2], student)
    waveforms = [waveforms[0] * 0.5, *waveforms[1:]]  # what it does learn from changes it
    assert not same(pipeline(utterances, waveforms)[2], student)


def test_cached_states_teach_what_the_teacher_in_the_loop_does(corpus):
    utterances, waveforms, (_, _, student) = corpus
    live = pipeline(utterances, waveforms, in_the_loop=True)[2]
    for name, one in student.state_dict().items():
        torch.testing.assert_close(one, live.state_dict()[name], rtol=0, atol=5e-3)
    assert not same(student, live)  # half precision


def student(seed=0, **changed):
    torch.manual_seed(seed)
    return SpeechStudent(replace(SMALL, classes=CLASSES, **changed))


def test_fine_tuning_learns_and_keeps_the_best_epoch():
    features, labels = heard(60)
    frames = Scaling.fitted(features, np.arange(40)).applied(features)
    model = student()
    curve = fine_tune(
        model, frames, labels, np.arange(40), np.arange(40, 60), replace(QUICK, epochs=20, learning_rate=1e-2)
    )
    assert list(curve) == ["epoch", "loss", "learning_rate", "validation_loss", "validation_UAR"]
    assert curve["epoch"].tolist() == list(range(1, 21))
    said = predict(model, frames, np.arange(40, 60)).argmax(1)
    recalls = [(said[labels[40:] == one] == one).mean() for one in range(3)]
    assert np.mean(recalls) == pytest.approx(curve["validation_UAR"].max())
    assert np.mean(recalls) > 0.8


def test_rows_without_a_label_are_left_out():
    features, labels = heard(12)
    some = labels.copy()
    some[6:] = -100
    one, two = student(), student()
    fine_tune(one, features, some, np.arange(12), recipe=QUICK)
    fine_tune(two, features, labels, np.arange(6), recipe=QUICK)
    assert same(one, two)
    with pytest.raises(SernbError, match="no training row has a label"):
        fine_tune(student(), features, some, np.arange(6, 12))
    with pytest.raises(SernbError, match=r"labels run from 0 to 5, and the student has 3 classes"):
        fine_tune(student(), features, labels + 3 * (labels == 2), np.arange(6))


def test_predictions_stand_in_the_order_of_the_rows():
    features, _ = heard(80)
    rows = np.array([70, 3, 41, 0])
    np.testing.assert_allclose(
        predict(student(), features, rows), predict(student(), features, np.arange(80))[rows], atol=1e-6
    )


def test_shares_are_stratified_and_nested():
    labels = np.array([0] * 30 + [1] * 12 + [2] * 1 + [-100] * 5)
    rows = np.random.default_rng(0).permutation(48)
    whole, half, fifth = (share_of(labels, rows, one, seed=3) for one in (1, 1 / 2, 1 / 5))
    assert whole.tolist() == [row for row in rows if labels[row] >= 0]
    assert np.bincount(labels[half]).tolist() == [15, 6, 1]
    assert np.bincount(labels[fifth]).tolist() == [6, 2, 1]
    assert set(fifth) < set(half) < set(whole)
    assert not np.array_equal(half, share_of(labels, rows, 1 / 2, seed=4))
    for share in (0, 1.1):
        with pytest.raises(SernbError, match="share of labels"):
            share_of(labels, rows, share)


@pytest.fixture(scope="module")
def tuned():
    utterances, features, folds = spoken()
    starts = {"none": None, "MCED": distilled().student}
    return train_folds(
        utterances, features, folds, starts, recipe=BRIEF, seeds=[0, 1], shares=(1, 1 / 3), progress=False
    )


def test_folds_with_and_without_pretraining(tuned):
    utterances, _, folds = spoken()
    predictions, curves = tuned
    assert set(predictions["model"]) == {"none", "MCED", "none, 1/3 of the labels", "MCED, 1/3 of the labels"}
    tested = predictions[predictions["part"] == "test"]
    check_predictions(tested)
    for (_, _), rows in tested.groupby(["model", "seed"]):
        assert sorted(rows.index) == sorted([*folds[0].test, *folds[1].test])
    assert (tested["emotion"] == utterances.loc[tested.index, "emotion"].astype(str)).all()
    steps = curves.groupby(["start", "share", "fold", "seed"]).size()
    assert (steps == BRIEF.epochs).all() and len(steps) == 16
    first = curves[(curves["epoch"] == 1)].set_index(["share", "fold", "seed", "start"])["loss"].unstack()
    assert (first["none"] != first["MCED"]).all()


def test_all_starts_see_the_same_rows_and_begin_with_the_same_classifier(monkeypatch):
    utterances, features, folds = spoken()
    seen, original = [], place.fine_tune

    def watched(model, frames, labels, train, *given, **more):
        seen.append((train, frames.scaling.mean, model.classifier[1].weight.detach().clone(), model.convs))
        return original(model, frames, labels, train, *given, **more)

    monkeypatch.setattr(place, "fine_tune", watched)
    pretrained = distilled().student
    starts = {"none": None, "MCED": pretrained, "again": {0: pretrained}}
    before = {name: one.clone() for name, one in pretrained.state_dict().items()}
    predictions, _ = train_folds(
        utterances,
        features,
        folds[:1],
        starts,
        recipe=replace(QUICK, patience=1),
        shares=[1 / 2],
        progress=False,
    )
    rows = utterances.index.get_indexer(folds[0].train)
    for train, mean, classifier, _ in seen:
        assert np.array_equal(train, share_of(place._labels(utterances, features)[1], rows, 1 / 2))
        np.testing.assert_array_equal(mean, Scaling.fitted(features, train).mean)
        assert torch.equal(classifier, seen[0][2])
    by = {name: table.filter(like="p_").to_numpy() for name, table in predictions.groupby("start")}
    np.testing.assert_array_equal(by["MCED"], by["again"])
    assert not np.allclose(by["MCED"], by["none"])
    assert all(torch.equal(before[name], one) for name, one in pretrained.state_dict().items())


def test_side_by_side_gives_the_same(tuned):
    utterances, features, folds = spoken()
    starts = {"none": None, "MCED": distilled().student}
    with parallel_config(n_jobs=2):
        again, _ = train_folds(utterances, features, folds, starts, recipe=BRIEF, progress=False)
    expected = tuned[0][(tuned[0]["share"] == 1) & (tuned[0]["seed"] == 0)]
    pd.testing.assert_index_equal(again.index, expected.index)
    np.testing.assert_allclose(again.filter(like="p_"), expected.filter(like="p_"), atol=1e-3)


def test_a_student_is_saved_with_its_scaling(tmp_path):
    found, features = distilled(), heard()[0]
    for _ in range(2):  # over the first
        save(found.student, tmp_path / "s", scaling=found.scaling)
    again = load(tmp_path / "s", "SpeechStudent")
    assert again.model.shape == found.student.shape
    np.testing.assert_array_equal(
        predict(found.student, found.scaling.applied(features), np.arange(9)),
        predict(again.model, again.scaling.applied(features), np.arange(9)),
    )
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mced": MCEDConfig()}, r"not asked for its layers \[6, 8, 10, 12\], only for \[1, 2\]"),
        ({"mced": MCEDConfig(pairs=((1, 3),), weights=(1,))}, "the pair 1→3 names layer 3 of the student"),
        ({"teacher": told(40)}, "there are 48 recordings and the teacher speaks of 40 texts"),
        ({"rows": [3]}, "pairs to learn from and pairs held out; of 1 there would be 1 and 0"),
        ({"rows": []}, "of 0 there would be 0 and 0"),
        ({"held_out": 1.5}, "held_out is 1.5"),
        ({"rows": [0, 1], "held_out": [0, 1]}, "of 2 there would be 0 and 2"),
    ],
)  # fmt: skip
def test_bad_pairs(change, message):
    given = {"features": heard()[0], "teacher": told(), "config": SMALL, "mced": MCED, **change}
    with pytest.raises(SernbError, match=message):
        distil(**given)


def test_bad_studies():
    utterances, features, folds = spoken()
    small, large = student(), student(width=16)
    for starts, options, message in [
        ({"a": small, "b": large}, {}, "different shapes cannot be compared"),
        ({"a": small}, {"config": replace(SMALL, layers=1)}, "different shapes"),
        ({"a": {0: small}}, {"seeds": [0, 7]}, "'a' has no student for seed 7, only for 0"),
    ]:
        with pytest.raises(SernbError, match=message):
            train_folds(utterances, features, folds, starts, progress=False, **options)
    with pytest.raises(SernbError, match="a column 'emotion'"):
        train_folds(utterances.drop(columns="emotion"), features, folds, {"a": small}, progress=False)
    with pytest.raises(SernbError, match="features of 48 recordings for 47"):
        train_folds(utterances.iloc[1:], features, folds, {"a": small}, progress=False)
    strange = [replace(folds[0], test=folds[0].test.append(pd.Index(["x1", "x2"])))]
    with pytest.raises(SernbError, match="2 utterances are not among these inputs: x1, x2"):
        train_folds(utterances, features, strange, {"a": small}, progress=False)
    unknown = utterances.assign(emotion=pd.Categorical([None] * 48, EMOTIONS))
    with pytest.raises(SernbError, match="no training row has an emotion"):
        train_folds(unknown, features, folds[:1], {"a": small}, progress=False)


def test_the_papers_recipe():
    paper = place.RECIPES["paper"]
    assert (paper.epochs, paper.optimizer, paper.learning_rate, paper.falling) == (50, "adam", 1e-4, True)
    assert (paper.warm_up, paper.weight_decay, paper.clip) == (0, 0, 1)
