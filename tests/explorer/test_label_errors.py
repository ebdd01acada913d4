"""Likely label errors: planted ones are found, and where none can be found a sentence says why."""

import importlib.util
import sys

import numpy as np
import pytest

from sernb.explorer.label_errors import NEEDS, likely_label_errors

needs_cleanlab = pytest.mark.skipif(
    importlib.util.find_spec("cleanlab") is None, reason='cleanlab is not here: pip install "sernb[labels]"'
)


def sure(labels, classes, confidence=0.9):
    p = np.full((len(labels), classes), (1 - confidence) / (classes - 1))
    p[np.arange(len(labels)), labels] = confidence
    return p


@needs_cleanlab
def test_planted_errors_are_found_worst_first(capfd):
    truth = np.arange(60) % 3
    p = sure(truth, 3)
    p[7] = [0.01, 0.01, 0.98]
    labels = truth.copy()
    labels[[7, 20]] = [1, 0]  # 7 truly is 1, but the model is sure of 2; 20 truly is 2
    found, why = likely_label_errors(labels, p)
    assert why is None
    assert found["row"].tolist() == [7, 20]
    np.testing.assert_allclose(found["score"], [0.01, 0.05])
    assert capfd.readouterr() == ("", "")


@needs_cleanlab
def test_no_errors_is_an_empty_table():
    truth = np.arange(20) % 2
    found, why = likely_label_errors(truth, sure(truth, 2))
    assert why is None and len(found) == 0


@needs_cleanlab
def test_rows_without_truth_or_probabilities_are_left_out():
    truth = np.arange(60) % 2
    p, labels = sure(truth, 2), truth.copy()
    labels[[4, 6, 8]] = 1 - labels[[4, 6, 8]]
    p[4], labels[6] = np.nan, -1
    found, _ = likely_label_errors(labels, p)
    assert found["row"].tolist() == [8]


@needs_cleanlab
def test_classes_that_the_model_or_the_truth_does_not_know():
    truth = np.arange(40) % 2 * 2  # classes 0 and 2 of four; the model knows no class 3
    p = np.column_stack([sure(truth, 3), np.full(40, np.nan)])
    labels = truth.copy()
    labels[[5, 9]] = [3, 0]  # 3 has no probabilities: no score
    found, why = likely_label_errors(labels, p)
    assert why is None
    assert found["row"].tolist() == [9]


def test_too_few_classes_or_rows():
    one = np.zeros(20, int)
    assert likely_label_errors(one, sure(one, 2))[0] is None
    few = np.array([0] * 20 + [1] * 4)
    found, why = likely_label_errors(few, sure(few, 2))
    assert found is None and "at least 5" in why and "the smallest with 4" in why
    found, why = likely_label_errors(np.full(3, -1), np.full((3, 2), np.nan))
    assert found is None and "none" in why


def test_without_cleanlab_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    truth = np.arange(20) % 2
    assert likely_label_errors(truth, sure(truth, 2)) == (None, NEEDS)
    assert "sernb[labels]" in NEEDS
