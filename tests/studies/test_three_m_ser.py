from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config

from sernb.core.errors import SernbError
from sernb.core.tables import check_predictions
from sernb.losses import DistillationConfig
from sernb.models.three_m_ser import ThreeMSERConfig
from sernb.protocols import by_name, with_validation
from sernb.studies.multimodal import fingerprint_of, prepare
from sernb.studies.saved import save
from sernb.studies.three_m_ser import (
    ALONE,
    TAUGHT,
    Encoders,
    Way,
    predict,
    saved_teachers,
    teacher_outputs,
    train_students,
    train_teachers,
)
from sernb.studies.two_stages import Stage, TwoStages
from tests.studies.two_streams import corpus, encoders

pytestmark = pytest.mark.filterwarnings("ignore:.*shares its voices")
QUICK = Stage(epochs=2, batch_size=8, optimizer="adamw", learning_rate=3e-3, drop_every=0)
RECIPE = TwoStages(QUICK, replace(QUICK, train_text=True, distil=True))


@pytest.fixture(scope="module")
def study():
    utterances, waveforms, tokenizer = corpus()
    text, audio = encoders(layers=3)
    inputs = prepare(utterances, waveforms, tokenizer, audio, progress=False)
    with pytest.warns(UserWarning, match="shares its voices"):
        folds = with_validation(by_name("loso", utterances), utterances)[:2]
    own = Encoders(text, audio, ThreeMSERConfig(dropout=0.1))
    told = train_teachers(utterances, inputs, folds, own, RECIPE, progress=False)
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
        utterances, inputs, folds, own, teachers, [1], ways, RECIPE, seeds=[0, 1], progress=False
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
        again, _, _ = train_teachers(utterances, inputs, folds, own, RECIPE, progress=False)
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
    _, _, models = train_teachers(known, words, [fold], own, RECIPE, progress=False)
    teachers = teacher_outputs(models, words, progress=False)
    ways = {"KD": TAUGHT, "KD and sentences": replace(TAUGHT, sentences=True)}
    predictions, curves = train_students(
        known, words, [fold], own, teachers, [1], ways, RECIPE, sentences=more, progress=False
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
    """A tokenizer that can be saved and read again, as `sernb.studies.checkpoints` wants it."""

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
