"""The soft-align block against Eq. 2 in numpy, by hand, and with padding that must not matter."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import erf

from sernb.models.soft_alignment import SoftAlignment

LENGTHS = (6, 3, 1)
MASK = torch.arange(6) < torch.tensor(LENGTHS)[:, None]


def block(teacher=5, student=4):
    torch.manual_seed(0)
    return SoftAlignment(teacher, student).double()


def states(places=6, width=4, seed=0):
    return torch.randn(3, places, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gelu(x):
    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


def equation_2(one, teacher, student):
    """(words, d_t) and (states, d_s) of one utterance, without padding; W as the paper has them, to the right."""
    w_q, w_k, w_v = (layer.weight.detach().numpy().T for layer in (one.query, one.key, one.value))
    scores = (teacher @ w_q) @ gelu(student @ w_k).T / np.sqrt(teacher.shape[1])
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return weights @ gelu(student @ w_v), weights


@pytest.mark.parametrize(("teacher", "student"), [(5, 4), (4, 4), (3, 8), (1, 1)])
@pytest.mark.parametrize("words", [1, 4])
def test_it_is_equation_2(teacher, student, words):
    one, theirs, ours = block(teacher, student), states(words, teacher, 1), states(width=student)
    aligned, alignment = one(theirs, ours, MASK)
    assert aligned.shape == (3, words, teacher) and alignment.shape == (3, words, 6)
    for row, length in enumerate(LENGTHS):
        expected = equation_2(one, theirs[row].numpy(), ours[row, :length].numpy())
        np.testing.assert_allclose(aligned[row].detach(), expected[0], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(alignment[row, :, :length].detach(), expected[1], rtol=1e-9)
        assert not alignment[row, :, length:].any()
    torch.testing.assert_close(alignment.sum(-1), torch.ones(3, words, dtype=torch.float64))


def test_by_hand():
    """d_t = 4, √d_t = 2. The query is (2 ln 3, 0, 0, 0), the keys GELU(·) of it 1 and 0: scores ln 3 and 0, shares 3/4
    and 1/4. The values are 8 and 0 after a GELU that leaves 8 alone: 6."""
    one = SoftAlignment(4, 2).double()
    key = brentq(lambda x: gelu(x) - 1, 1, 2)
    with torch.no_grad():
        one.query.weight.copy_(torch.eye(4))
        for layer, column in ((one.key, 0), (one.value, 1)):
            layer.weight.zero_()
            layer.weight[0, column] = 1.0
    student = torch.tensor([[[key, 8.0], [0.0, 0.0]]], dtype=torch.float64)
    teacher = torch.tensor([[[2 * np.log(3), 0, 0, 0]]], dtype=torch.float64)
    aligned, alignment = one(teacher, student)
    assert alignment.flatten().tolist() == pytest.approx([0.75, 0.25])
    assert aligned.flatten().tolist() == pytest.approx([6, 0, 0, 0])


def test_a_word_that_asks_nothing_hears_everything_alike():
    one, ours = block(), states()
    aligned, alignment = one(torch.zeros(3, 2, 5), ours, MASK)
    torch.testing.assert_close(alignment[1, 0, :3], torch.full((3,), 1 / 3, dtype=torch.float64))
    mean = torch.nn.functional.gelu(one.value(ours[1, :3])).mean(0)
    torch.testing.assert_close(aligned[1, 0], mean)


def test_of_one_state_every_word_hears_that_one():
    one, ours = block(), states()
    aligned, alignment = one(states(3, 5, 1), ours, MASK)
    assert (alignment[2, :, 0] == 1).all()
    torch.testing.assert_close(aligned[2], torch.nn.functional.gelu(one.value(ours[2, :1])).expand(3, 5))


def test_three_matrices_and_no_bias():
    one = SoftAlignment(7, 3)
    assert sorted(tuple(p.shape) for p in one.parameters()) == [(7, 3), (7, 3), (7, 7)]


def test_aligned_states_have_a_floor():
    """GELU's lowest value is -0.17, and an average of values is not below the lowest."""
    aligned, _ = block()(50 * states(3, 5, 1), 50 * states(), MASK)
    assert -0.17 < aligned.min() < 0
    assert gelu(np.linspace(-3, 3, 10001)).min() == pytest.approx(-0.17, abs=1e-4)


@pytest.mark.parametrize("garbage", [1e30, float("inf"), float("nan")])
def test_padding_does_not_matter(garbage):
    one, theirs = block(), states(3, 5, 1)
    weigh, results = states(3, 5, 2), []
    for fill, more in ((0.0, 0), (garbage, 0), (garbage, 4)):
        ours = torch.full((3, 6 + more, 4), fill, dtype=torch.float64)
        ours[:, :6][MASK] = states()[MASK]
        ours.requires_grad_()
        mask = torch.cat([MASK, torch.zeros(3, more, dtype=torch.bool)], 1)
        one.zero_grad()
        aligned, alignment = one(theirs, ours, mask)
        (aligned * weigh).sum().backward()
        assert not ours.grad[~mask].any()
        results.append(
            [aligned, alignment[..., :6], ours.grad[mask], *(p.grad.clone() for p in one.parameters())]
        )
    for clean, *spoilt in zip(*results, strict=True):
        assert clean.isfinite().all()
        for other in spoilt:
            torch.testing.assert_close(other, clean)


def test_words_do_not_hear_one_another():
    one, theirs = block(), states(3, 5, 1)
    spoilt = theirs.clone()
    spoilt[:, 2] = float("nan")
    clean, other = (one(x, states(), MASK)[0] for x in (theirs, spoilt))
    assert other[:, 2].isnan().all()
    torch.testing.assert_close(other[:, :2], clean[:, :2])


def test_half_precision_of_the_teacher_is_taken():
    one = SoftAlignment(5, 4)
    aligned, _ = one(states(3, 5, 1).half(), states().float(), MASK)
    assert aligned.dtype == torch.float32


def test_bad_input_is_named():
    one, theirs, ours = block(), states(3, 5, 1), states()
    none = MASK.clone()
    none[1] = False
    cases = (
        (r"teacher's states as \(batch, places, 5\).*\(3, 6, 4\)", lambda: one(ours, ours)),
        (r"student's states as \(batch, places, 4\).*\(3, 3, 5\)", lambda: one(theirs, theirs)),
        (r"got the shape \(3, 5\)", lambda: one(theirs[0], ours)),
        ("of 2 texts, the student's of 3 sounds", lambda: one(theirs[:2], ours)),
        (r"\(3, 6\), got torch.bool \(3, 5\)", lambda: one(theirs, ours, MASK[:, :5])),
        ("got torch.float32", lambda: one(theirs, ours, MASK.float())),
        ("row 1 of the batch has no real state", lambda: one(theirs, ours, none)),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()
