"""Feelings, annotators and the plan of the corpus: counts that are promised, ratings that scatter as the
knobs say."""

from dataclasses import replace

import numpy as np
import pytest

from making.generator.affect import CLASSES, MEANS, annotate, counts, felt, plurality
from making.generator.knobs import Knobs
from making.generator.plan import plan


@pytest.fixture(scope="module")
def planned():
    return plan(Knobs(utterances=300, seed=9))


def test_counts_follow_iemocap_and_sum_up():
    assert counts(Knobs(utterances=5531)) == {"neutral": 1708, "happy": 1636, "sad": 1084, "angry": 1103}
    for total in (1, 17, 1100):
        assert sum(counts(Knobs(utterances=total)).values()) == total


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        (["sad"] * 4, "sad"),
        (["sad", "sad", "angry", "neutral"], "sad"),
        (["sad", "sad", "angry", "angry"], None),
        (["sad", "happy", "angry", "neutral"], None),
        (["happy"], "happy"),
    ],
)
def test_a_tie_gives_no_label(votes, label):
    assert plurality(votes) == label


def test_feelings_lie_around_their_class():
    rng = np.random.default_rng(0)
    drawn = np.array([felt(rng, "angry", Knobs()) for _ in range(2000)])
    assert np.allclose(drawn.mean(0), MEANS[CLASSES.index("angry")], atol=0.05)
    assert np.abs(drawn).max() <= 1


def test_annotators_without_error_agree_and_are_right():
    exact = Knobs(annotator_noise=0.0)
    for name, mean in zip(CLASSES, MEANS, strict=True):
        ratings, votes = annotate(np.random.default_rng(0), mean, np.zeros((4, 3)), exact)
        assert votes == [name] * 4
        assert (ratings == np.rint(3 + 2 * mean)).all()


def test_annotators_disagree_more_with_more_noise():
    def spread(noise):
        rng, knobs = np.random.default_rng(0), Knobs(annotator_noise=noise)
        bias = np.zeros((knobs.annotators, 3))
        return np.mean([annotate(rng, MEANS[1], bias, knobs)[0].std(0).mean() for _ in range(300)])

    assert spread(0.05) < spread(0.2) < spread(0.5)


def test_the_plan_keeps_its_promises(planned):
    table, cast = planned
    assert len(table) == 300 and len(cast) == 15 and table.index.is_unique
    assert table["emotion"].value_counts().to_dict() == counts(Knobs(utterances=300))
    assert not table.isna().any().any()


def test_ratings_are_means_of_the_annotators(planned):
    table, _ = planned
    for name in ("valence", "arousal", "dominance"):
        single = table[[f"{name}_{rater}" for rater in (1, 2, 3, 4)]]
        assert np.allclose(table[name], single.mean(axis=1))
        assert single.isin([1, 2, 3, 4, 5]).all().all()
        assert np.corrcoef(table[name], table[f"{name}_true"])[0, 1] > 0.9


def test_labels_are_the_plurality_of_the_votes(planned):
    table, _ = planned
    for _, row in table.iterrows():
        assert plurality([row[f"emotion_{rater}"] for rater in (1, 2, 3, 4)]) == row["emotion"]


def test_lines_are_shared_within_a_session_only(planned):
    table, _ = planned
    assert (table.groupby("text")["session"].nunique() == 1).all()
    assert (table.groupby("text")["speaker"].nunique() == table.groupby("text").size()).all()
    assert 0.02 < table["repeated"].mean() < 0.14
    alone, _ = plan(Knobs(utterances=200, repeated_lines=0.0))
    assert alone["text"].is_unique


def test_the_plan_depends_on_the_seed_alone(planned):
    again, _ = plan(Knobs(utterances=300, seed=9))
    assert again.equals(planned[0])
    other, _ = plan(Knobs(utterances=300, seed=10))
    assert not other["text"].equals(again["text"])


def test_words_carry_valence_and_text_noise_blurs_it():
    def agreement(noise):
        table, _ = plan(replace(Knobs(utterances=300), text_noise=noise))
        return np.corrcoef(table["valence_of_words"], table["valence_true"])[0, 1]

    assert agreement(0.0) > 0.88 and agreement(0.0) > agreement(0.5) + 0.1
