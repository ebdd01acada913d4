"""The concordance loss against Lin's formula, by hand and by NumPy."""

import numpy as np
import pytest
import torch

from sernb.losses import concordance, concordance_loss


def lin(x, y):
    """Written from Lin (1989), without a look at the loss: with Pearson's correlation."""
    rho = np.corrcoef(x, y)[0, 1]
    return 2 * rho * np.std(x) * np.std(y) / (np.var(x) + np.var(y) + (np.mean(x) - np.mean(y)) ** 2)


def drawn(rows=20, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(0.5, 0.2, (rows, 3))
    return torch.tensor(0.6 * y + rng.normal(0.1, 0.1, y.shape)), torch.tensor(y)


def test_agrees_with_lins_formula():
    x, y = drawn()
    expected = [lin(x[:, i].numpy(), y[:, i].numpy()) for i in range(3)]
    np.testing.assert_allclose(concordance(x, y), expected, rtol=1e-10)
    np.testing.assert_allclose(concordance_loss(x, y), 1 - np.mean(expected), rtol=1e-10)


def test_by_hand():
    # means 2 and 3, variances 2/3 each, covariance 2/3: 2 * (2/3) / (2/3 + 2/3 + 1) = 4/7
    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[2.0], [3.0], [4.0]])
    assert concordance(x, y).item() == pytest.approx(4 / 7)
    assert concordance(y, y).item() == pytest.approx(1)
    assert concordance(-y, y).item() == pytest.approx(-2 * (2 / 3) / (4 / 3 + 36))


def test_population_moments():
    """Two points: with n - 1 the result would be 4 / 6 instead."""
    x, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    assert concordance(x, y).item() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0, 2, 3], [2.0, 2, 2]),  # the targets are constant
        ([2.0, 2, 2], [1.0, 2, 3]),  # the predictions are
        ([2.0, 2, 2], [3.0, 3, 3]),  # both are, and differ
        ([2.0, 2, 2], [2.0, 2, 2]),  # both are, and agree: 0 / 0
        ([1.0], [2.0]),
        ([1.0], [1.0]),
    ],
)
def test_constant_and_single_items_give_zero_and_a_finite_gradient(x, y):
    x = torch.tensor(x)[:, None].requires_grad_()
    y = torch.tensor(y)[:, None]
    assert concordance(x, y).item() == 0
    concordance_loss(x, y).backward()
    assert x.grad.isfinite().all()


def test_a_single_row_teaches_nothing():
    x = torch.rand(1, 3, requires_grad=True)
    loss = concordance_loss(x, torch.rand(1, 3))
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.any()


def test_unknown_targets_are_left_out_of_their_column_alone():
    x, y = drawn()
    y[3, 1] = torch.nan
    kept = [i for i in range(len(x)) if i != 3]
    found = concordance(x, y)
    torch.testing.assert_close(found[1], concordance(x[kept], y[kept])[1])
    torch.testing.assert_close(found[0], concordance(x, torch.nan_to_num(y))[0])
    y[:, 2] = torch.nan
    np.testing.assert_allclose(concordance_loss(x, y), 1 - found[:2].mean())
    x.requires_grad_()
    concordance_loss(x, y).backward()
    assert x.grad.isfinite().all()
    assert not x.grad[:, 2].any()
    assert not x.grad[3, 1]


def test_nothing_known_is_a_loss_of_zero():
    x = torch.rand(4, 3, requires_grad=True)
    concordance_loss(x, torch.full((4, 3), torch.nan)).backward()
    assert not x.grad.any()


def test_half_precision_is_computed_in_full():
    x, y = drawn(64)
    near = concordance(x.to(torch.bfloat16), y.float())
    assert near.dtype == torch.float32
    torch.testing.assert_close(near, concordance(x.to(torch.bfloat16).float(), y.float()))


def test_gradient_is_right():
    x, y = drawn(6)
    assert torch.autograd.gradcheck(lambda one: concordance_loss(one, y), (x.requires_grad_(),))


@pytest.mark.parametrize("target", [torch.rand(4, 2), torch.rand(3, 3), torch.rand(4)])
def test_shapes_are_named(target):
    with pytest.raises(ValueError, match=r"predicted is \(4, 3\)"):
        concordance(torch.rand(4, 3), target)


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_predictions_that_are_not_finite_are_seen(wrong):
    """A model that has diverged must not look like one that has not learnt."""
    x, y = drawn()
    x[2, 1] = wrong
    found = concordance(x, y)
    assert found.isfinite().tolist() == [True, False, True]
    assert not concordance_loss(x, y).isfinite()
    y[2, 1] = torch.nan  # of an unknown target nothing is asked
    assert concordance(x, y).isfinite().all()


def test_constant_predictions_are_drawn_towards_targets_that_vary():
    x, y = torch.full((4, 1), 0.3, requires_grad=True), torch.tensor([[0.1], [0.2], [0.6], [0.9]])
    concordance_loss(x, y).backward()
    assert (x.grad[:, 0] * (y - y.mean())[:, 0] < 0).all()
