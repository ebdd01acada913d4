"""Softened probabilities, KL, cross-entropy and their mix against scipy, torch and numbers by hand."""

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from scipy.special import softmax as scipy_softmax

from sernb.losses import (
    UNLABELLED,
    KLDivergence,
    LogitsLoss,
    Soften,
    cross_entropy,
    kl_divergence,
    logits_loss,
    soften,
)


@pytest.fixture
def pair():
    random = torch.Generator().manual_seed(0)
    return (3 * torch.randn(6, 4, generator=random, dtype=torch.float64) for _ in range(2))


LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def test_softened_by_hand():
    """Logits ln 16 and 0: odds of 16 at temperature 1, of 4 at temperature 2."""
    logits = torch.tensor([[np.log(16.0), 0.0]])
    torch.testing.assert_close(soften(logits, 1), torch.tensor([[16 / 17, 1 / 17]], dtype=torch.float64))
    torch.testing.assert_close(soften(logits), torch.tensor([[4 / 5, 1 / 5]], dtype=torch.float64))
    torch.testing.assert_close(soften(logits, 1e9), torch.tensor([[0.5, 0.5]], dtype=torch.float64))


@pytest.mark.parametrize("temperature", [0.5, 1, 2, 20])
def test_kl_is_scipys(pair, temperature):
    student, teacher = pair
    p, q = (scipy_softmax(one.numpy() / temperature, axis=1) for one in (teacher, student))
    expected = rel_entr(p, q).sum(1).mean()
    ours = kl_divergence(student, teacher, temperature, squared=False)
    assert ours.item() == pytest.approx(expected, rel=1e-9)
    assert kl_divergence(student, teacher, temperature).item() == pytest.approx(expected * temperature**2)


def test_kl_is_of_the_teacher_from_the_student(pair):
    student, teacher = pair
    assert not torch.isclose(kl_divergence(student, teacher), kl_divergence(teacher, student))
    assert kl_divergence(teacher, teacher).abs() < 1e-12


def test_kl_of_a_teacher_that_is_certain():
    """The teacher's other classes have probability 0 exactly; what is left is -log of the student's probability."""
    student, teacher = torch.zeros(1, 4, requires_grad=True), torch.tensor([[1e4, 0.0, 0.0, 0.0]])
    loss = kl_divergence(student, teacher, temperature=1)
    loss.backward()
    assert loss.item() == pytest.approx(np.log(4)) and torch.isfinite(student.grad).all()


def test_temperature_squared_keeps_the_gradients_size(pair):
    student, teacher = (0.3 * one for one in pair)

    def size(temperature, squared):
        logits = student.clone().requires_grad_()
        kl_divergence(logits, teacher, temperature, squared).backward()
        return logits.grad.norm().item()

    assert size(20, True) / size(2, True) == pytest.approx(1, abs=0.15)
    assert size(20, False) / size(2, False) == pytest.approx(0.01, rel=0.15)


def test_cross_entropy_is_torchs(pair):
    student, _ = pair
    torch.testing.assert_close(
        cross_entropy(student, LABELS), torch.nn.functional.cross_entropy(student, LABELS)
    )


def test_unlabelled_rows_count_in_the_kl_alone(pair):
    student, teacher = pair
    labels = torch.where(torch.arange(6) < 4, LABELS, UNLABELLED)
    expected = 0.5 * kl_divergence(student, teacher) + 0.5 * torch.nn.functional.cross_entropy(
        student[:4], LABELS[:4]
    )
    torch.testing.assert_close(logits_loss(student, teacher, labels), expected)


def test_a_batch_without_labels():
    student = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    teacher, none = torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([UNLABELLED])
    assert cross_entropy(student, none).item() == 0
    loss = logits_loss(student, teacher, none, alpha=0.3)
    loss.backward()
    torch.testing.assert_close(loss, 0.3 * kl_divergence(student, teacher))
    assert torch.isfinite(student.grad).all()


@pytest.mark.parametrize("squared", [True, False])
def test_the_ends_of_alpha(pair, squared):
    student, teacher = pair
    torch.testing.assert_close(
        logits_loss(student, teacher, LABELS, alpha=0, squared=squared), cross_entropy(student, LABELS)
    )
    torch.testing.assert_close(
        logits_loss(student, teacher, LABELS, alpha=1, squared=squared),
        kl_divergence(student, teacher, squared=squared),
    )


def test_the_gradient_by_hand_and_none_for_the_teacher(pair):
    """alpha · T · (q - p) + (1 - alpha) · (softmax - one hot), over the batch."""
    student, teacher = (one.requires_grad_() for one in pair)
    logits_loss(student, teacher, LABELS, alpha=0.3, temperature=3).backward()
    s, t = student.detach().numpy(), teacher.detach().numpy()
    kl = 3 * (scipy_softmax(s / 3, axis=1) - scipy_softmax(t / 3, axis=1))
    ce = scipy_softmax(s, axis=1) - np.eye(4)[LABELS]
    np.testing.assert_allclose(student.grad.numpy(), (0.3 * kl + 0.7 * ce) / 6, atol=1e-12)
    assert teacher.grad is None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_full(pair, dtype):
    student, teacher = (one.to(dtype) for one in pair)
    loss = logits_loss(student, teacher, LABELS)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, logits_loss(student.float(), teacher.float(), LABELS))
    assert soften(student).dtype == torch.float32


def test_single_and_constant_items():
    constant = torch.full((1, 4), 7.0, requires_grad=True)
    loss = logits_loss(constant, torch.full((1, 4), -2.0), torch.tensor([1]))
    loss.backward()
    assert loss.item() == pytest.approx(0.5 * np.log(4), rel=1e-6) and torch.isfinite(constant.grad).all()


def test_modules_are_the_functions(pair):
    student, teacher = pair
    assert Soften()(student).equal(soften(student)) and Soften(5)(student).equal(soften(student, 5))
    assert KLDivergence()(student, teacher).equal(kl_divergence(student, teacher))
    assert KLDivergence(4, False)(student, teacher).equal(kl_divergence(student, teacher, 4, False))
    assert LogitsLoss()(student, teacher, LABELS).equal(logits_loss(student, teacher, LABELS))
    assert LogitsLoss(0.2, 4, False)(student, teacher, LABELS).equal(
        logits_loss(student, teacher, LABELS, 0.2, 4, False)
    )


def test_bad_input_is_named():
    logits, labels = torch.zeros(3, 4), torch.tensor([0, 1, 2])
    cases = (
        (r"class 4.*4 classes \(0 to 3", lambda: cross_entropy(logits, labels + 2)),
        ("class -1", lambda: cross_entropy(logits, labels - 1)),
        (r"\(3,\), got \(2,\)", lambda: cross_entropy(logits, labels[:2])),
        ("float32", lambda: cross_entropy(logits, labels.float())),
        ("4 classes, the teacher's 7", lambda: kl_divergence(logits, torch.zeros(3, 7))),
        ("3 rows, the teacher's 2", lambda: kl_divergence(logits, logits[:2])),
        (r"student logits \(batch, classes\).*\(4,\)", lambda: kl_divergence(logits[0], logits)),
        (r"\(0, 4\)", lambda: kl_divergence(logits[:0], logits[:0])),
        ("temperature is 0", lambda: soften(logits, 0)),
        ("temperature is -1", lambda: KLDivergence(-1)),
        ("alpha is 1.5", lambda: logits_loss(logits, logits, labels, alpha=1.5)),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()
