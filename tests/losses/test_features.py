"""Feature and relational losses against numpy and scipy, with padding that must not matter."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cosine, pdist

from sernb.losses import (
    FeatureCosine,
    FeatureMSE,
    RelationalDistance,
    feature_cosine,
    feature_mse,
    relational_distance,
)

LENGTHS = [5, 2, 1]
MASK = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
BOTH = pytest.mark.parametrize("loss", [feature_mse, feature_cosine])
MODULES = pytest.mark.parametrize("module", [FeatureMSE, FeatureCosine])


def states(width=6, seed=0):
    return torch.randn(3, 5, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_gradient(loss, student, teacher, mask):
    student = student.clone().requires_grad_()
    value = loss(student, teacher, mask)
    value.backward()
    return value.detach(), student.grad


def test_mse_by_hand():
    """Utterance one: errors 1, 1 at its only token; utterance two: 0, 2 and 2, 2 at its tokens."""
    student = torch.tensor([[[1.0, 1.0], [9.0, 9.0]], [[0.0, 2.0], [2.0, 2.0]]])
    mask = torch.tensor([[True, False], [True, True]])
    assert feature_mse(student, torch.zeros(2, 2, 2), mask).item() == pytest.approx((1 + 12 / 4) / 2)


def test_mse_is_equation_5():
    student, teacher = states(), states(seed=1)
    expected = np.mean(
        [((t[:n] - s[:n]).square().sum() / (n * 6)).item() for s, t, n in zip(student, teacher, LENGTHS, strict=True)]
    )  # fmt: skip
    assert feature_mse(student, teacher, MASK).item() == pytest.approx(expected, rel=1e-12)
    torch.testing.assert_close(feature_mse(student, teacher), torch.nn.functional.mse_loss(student, teacher))


def test_cosine_is_scipys():
    student, teacher = states(), states(seed=1)
    expected = np.mean(
        [np.mean([cosine(s[i], t[i]) for i in range(n)]) for s, t, n in zip(student, teacher, LENGTHS, strict=True)]
    )  # fmt: skip
    assert feature_cosine(student, teacher, MASK).item() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(
        feature_cosine(7 * student, teacher, MASK), feature_cosine(student, teacher, MASK)
    )


@BOTH
@pytest.mark.parametrize("garbage", [1e30, float("inf"), float("nan")])
def test_padding_does_not_matter(loss, garbage):
    student, teacher = states(), states(seed=1)
    value, gradient = with_gradient(loss, student, teacher, MASK)
    spoilt = [torch.where(MASK[..., None], one, garbage) for one in (student, teacher)]
    value_2, gradient_2 = with_gradient(loss, *spoilt, MASK)
    assert value.equal(value_2) and gradient.equal(gradient_2)
    assert not gradient[~MASK].any()
    longer = [
        torch.cat([one, torch.full((3, 4, 6), garbage, dtype=one.dtype)], 1) for one in (student, teacher)
    ]
    more = torch.cat([MASK, torch.zeros(3, 4, dtype=torch.bool)], 1)
    torch.testing.assert_close(loss(*longer, more), value)


@MODULES
@pytest.mark.parametrize("garbage", [float("inf"), float("nan")])
def test_padding_does_not_matter_to_a_projection(module, garbage):
    torch.manual_seed(0)
    module = module(6, 4).double()
    results = []
    for fill in (0.0, garbage):
        student = torch.where(MASK[..., None], states(), fill).requires_grad_()
        teacher = torch.where(MASK[..., None], states(4, seed=1), fill)
        module.zero_grad()
        loss = module(student, teacher, MASK)
        loss.backward()
        results.append([loss.detach(), student.grad, *(one.grad.clone() for one in module.parameters())])
    for clean, spoilt in zip(*results, strict=True):
        assert torch.isfinite(clean).all()
        torch.testing.assert_close(clean, spoilt)


@BOTH
def test_a_batch_is_the_mean_of_its_utterances(loss):
    student, teacher = states(), states(seed=1)
    alone = [loss(student[i : i + 1, :n], teacher[i : i + 1, :n]) for i, n in enumerate(LENGTHS)]
    torch.testing.assert_close(loss(student, teacher, MASK), torch.stack(alone).mean())


@BOTH
def test_one_vector_an_utterance(loss):
    student, teacher = states()[:, 0], states(seed=1)[:, 0]
    torch.testing.assert_close(loss(student, teacher), loss(student[:, None], teacher[:, None]))


@BOTH
def test_equal_constant_and_empty_utterances_are_finite(loss):
    same, gradient = with_gradient(loss, states(), states(), MASK)
    assert same.abs() < 1e-12 and gradient.abs().max() < 1e-9
    for value in (0.0, 3.0):
        got, gradient = with_gradient(loss, torch.full((1, 1, 6), value), torch.ones(1, 1, 6), None)
        assert torch.isfinite(got) and torch.isfinite(gradient).all()
    got, gradient = with_gradient(loss, states(), states(seed=1), torch.zeros_like(MASK))
    assert got == 0 and not gradient.any()


@BOTH
def test_the_teacher_gets_no_gradient(loss):
    student, teacher = states().requires_grad_(), states(seed=1).requires_grad_()
    loss(student, teacher, MASK).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


@BOTH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_full(loss, dtype):
    student, teacher = (one.to(dtype) for one in (states(), states(seed=1)))
    assert loss(student, teacher, MASK).dtype == torch.float32
    torch.testing.assert_close(loss(student, teacher, MASK), loss(student.float(), teacher.float(), MASK))


def test_modules_without_a_projection_are_the_functions():
    student, teacher = states(), states(seed=1)
    for module, loss in ((FeatureMSE, feature_mse), (FeatureCosine, feature_cosine)):
        for one in (module(), module(6, 6)):
            assert not list(one.parameters())
            assert one(student, teacher, MASK).equal(loss(student, teacher, MASK))
    assert RelationalDistance()(student[:, 0], teacher[:, 0]).equal(
        relational_distance(student[:, 0], teacher[:, 0])
    )


@MODULES
def test_a_projection_can_be_learned(module):
    """The teacher is a linear image of the student: a few steps find it, and half precision is taken too."""
    torch.manual_seed(0)
    student = torch.randn(8, 5, 6)
    teacher = student @ torch.randn(6, 3)
    module = module(6, 3)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    first = module(student, teacher).item()
    for _ in range(200):
        optimizer.zero_grad()
        module(student, teacher).backward()
        optimizer.step()
    assert module(student, teacher).item() < 0.05 * first
    assert module(student.bfloat16(), teacher.bfloat16()).dtype == torch.float32


def huber(x):
    return np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5)


@pytest.mark.parametrize("seed", range(3))
def test_relational_is_park_et_al(seed):
    student = states(seed=seed).flatten(1)
    teacher = 40 * states(4, seed=seed + 9).flatten(1) ** 3
    ours, theirs = pdist(student.numpy()), pdist(teacher.numpy())
    expected = huber(ours / ours.mean() - theirs / theirs.mean()).mean()
    assert relational_distance(student, teacher).item() == pytest.approx(expected, rel=1e-9)


def test_relational_by_hand():
    """Points at 0, 3, 9 on a line: distances 3, 9, 6 and mean 6; the teacher's are all equal."""
    student = torch.tensor([[0.0], [3.0], [9.0]])
    teacher = torch.eye(3)
    assert relational_distance(student, teacher).item() == pytest.approx((0.125 + 0.125 + 0) / 3)


def test_relational_is_blind_to_place_turn_and_size():
    student = states()[:, 0]
    turn = torch.linalg.qr(states()[0, :, :5].T @ states()[1, :, :5] + torch.eye(5)).Q
    moved = 5 * student[:, :5] @ turn + 3
    assert relational_distance(student[:, :5], moved) < 1e-12


@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_relational_of_few_or_equal_utterances_is_finite(batch, value):
    student = torch.full((batch, 6), value, requires_grad=True)
    teacher = torch.randn(batch, 6, generator=torch.Generator().manual_seed(0))
    loss = relational_distance(student, teacher)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(student.grad).all()
    assert batch > 1 or loss == 0
    assert relational_distance(student, torch.zeros(batch, 6)) == 0


def test_relational_gives_the_student_alone_a_gradient_and_takes_half_precision():
    student, teacher = states()[:, 0].requires_grad_(), states(seed=1)[:, 0].requires_grad_()
    relational_distance(student, teacher).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None
    half = student.detach().bfloat16(), teacher.detach().bfloat16()
    torch.testing.assert_close(
        relational_distance(*half), relational_distance(*(one.float() for one in half))
    )


def test_bad_input_is_named():
    three = states()
    cases = (
        ("6 wide, the teacher's 4", lambda: feature_mse(three, states(4), MASK)),
        ("6 wide, the teacher's 4", lambda: FeatureCosine()(three, states(4), MASK)),
        ("width 8, got 6", lambda: FeatureMSE(8, 4)(three, states(4), MASK)),
        (r"both widths; got 8 \(student\) and None", lambda: FeatureMSE(8)),
        (r"\(3, 5, 6\), the teacher's \(3, 4, 6\)", lambda: feature_mse(three, three[:, :4], MASK)),
        (r"mask \(3, 4\)", lambda: feature_mse(three, three, MASK[:, :4])),
        ("int64", lambda: feature_mse(three, three, MASK.long())),
        (r"\(3, 6\) \(teacher\)", lambda: feature_cosine(three, three[:, 0])),
        (r"\(2, 6\) \(teacher\)", lambda: relational_distance(three[:, 0], three[:2, 0])),
        (r"\(3, 5, 6\) \(student\)", lambda: relational_distance(three, three)),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()
