"""The soft-align block and MCED's loss against Eq. 1 to 4 in numpy and by hand, its settings, and padding
that must not matter."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import erf, softmax
from scipy.stats import entropy

from sernb.losses import MCEDConfig, MultiLevelLoss, SoftAlignment
from sernb.models.speech_student import SpeechStudent, StudentConfig

WORDS, STATES = (4, 2, 1), (6, 1, 3)
WORD_MASK = torch.arange(4) < torch.tensor(WORDS)[:, None]
STATE_MASK = torch.arange(6) < torch.tensor(STATES)[:, None]
TEACHER, STUDENT, LAYERS = 5, 3, (12, 6)
LENGTHS = (6, 3, 1)
MASK = torch.arange(6) < torch.tensor(LENGTHS)[:, None]


def made(config=None, teacher=TEACHER, student=STUDENT):
    torch.manual_seed(0)
    return MultiLevelLoss(config, teacher, student, *LAYERS).double()


def randn(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inputs(fill=0.0, more=0, teacher=TEACHER, student=STUDENT):
    """(student's output, teacher's logits, teacher's states, word mask), `fill` lying in padding of both
    sides."""

    def padded(x, mask):
        x = torch.where(mask[..., None], x, fill)
        return torch.cat([x, torch.full((3, more, x.shape[2]), fill, dtype=x.dtype)], 1)

    longer = torch.zeros(3, more, dtype=torch.bool)
    output = SimpleNamespace(
        logits=randn(3, 4, seed=1).requires_grad_(),
        hidden_states=tuple(
            padded(randn(3, 6, student, seed=10 + n), STATE_MASK).requires_grad_() for n in range(7)
        ),
        mask=torch.cat([STATE_MASK, longer], 1),
    )
    states = {
        n: padded(randn(3, 4, teacher, seed=30 + n), WORD_MASK).requires_grad_() for n in (6, 8, 10, 12)
    }
    return output, randn(3, 4, seed=2).requires_grad_(), states, torch.cat([WORD_MASK, longer], 1)


def gelu(x):
    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


def block(teacher=5, student=4):
    torch.manual_seed(0)
    return SoftAlignment(teacher, student).double()


def states(places=6, width=4, seed=0):
    return torch.randn(3, places, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def equation_2(one, teacher, student):
    """(words, d_t) and (states, d_s) of one utterance, without padding; W as the paper has them, to the
    right."""
    w_q, w_k, w_v = (layer.weight.detach().numpy().T for layer in (one.query, one.key, one.value))
    scores = (teacher @ w_q) @ gelu(student @ w_k).T / np.sqrt(teacher.shape[1])
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return weights @ gelu(student @ w_v), weights


def by_numpy(loss, output, logits, states):
    """Eq. 1 (minimised) and Eq. 3, utterance by utterance, without padding: {name: mean over the batch}."""
    config, parts = loss.config, {}
    p, q = (softmax(x.detach().numpy() / config.temperature, 1) for x in (logits, output.logits))
    factor = config.temperature**2 if config.squared else 1
    parts["RL"] = factor * np.mean([entropy(*pair) for pair in zip(p, q, strict=True)])
    for number, (m, n) in enumerate(config.pairs):
        found = []
        for row, (words, frames) in enumerate(zip(WORDS, STATES, strict=True)):
            theirs = states[m][row, :words].detach().numpy()
            ours = output.hidden_states[n][row, :frames].detach().numpy()
            errors = (theirs - equation_2(loss.blocks[0 if config.shared else number], theirs, ours)[0]) ** 2
            found.append(errors.mean() if config.norm == "mean" else errors.sum())
        parts[f"FL {m}→{n}"] = np.mean(found)
    return parts


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


def test_alignment_by_hand():
    """d_t = 4, √d_t = 2. The query is (2 ln 3, 0, 0, 0), the keys GELU(·) of it 1 and 0: scores ln 3 and 0,
    shares 3/4 and 1/4. The values are 8 and 0 after a GELU that leaves 8 alone: 6."""
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
def test_padding_of_speech_does_not_matter(garbage):
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


def test_alignment_takes_half_precision():
    one = SoftAlignment(5, 4)
    aligned, _ = one(states(3, 5, 1).half(), states().float(), MASK)
    assert aligned.dtype == torch.float32


def test_bad_states_are_named():
    one, theirs, ours = block(), states(3, 5, 1), states()
    none = MASK.clone()
    none[1] = False
    cases = (
        (r"teacher's states as \(batch, places, 5\).*\(3, 6, 4\)", lambda: one(ours, ours)),
        (r"student's states as \(batch, places, 4\).*\(3, 3, 5\)", lambda: one(theirs, theirs)),
        (r"got \(3, 5\)", lambda: one(theirs[0], ours)),
        ("of 2 texts, the student's of 3 sounds", lambda: one(theirs[:2], ours)),
        (r"\(3, 6\), got torch.bool \(3, 5\)", lambda: one(theirs, ours, MASK[:, :5])),
        ("got torch.float32", lambda: one(theirs, ours, MASK.float())),
        ("row 1 of the batch has no real state", lambda: one(theirs, ours, none)),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()


@pytest.mark.parametrize("norm", ["mean", "squared"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("temperature", "squared"), [(1.0, False), (2.0, False), (5.0, True)])
def test_it_is_equations_1_to_4(norm, shared, temperature, squared):
    loss = made(MCEDConfig(norm=norm, shared=shared, temperature=temperature, squared=squared))
    given = inputs()
    total, parts = loss(*given)
    expected = by_numpy(loss, *given[:3])
    assert list(parts) == ["RL", "FL 6→3", "FL 8→4", "FL 10→5", "FL 12→6"] == list(expected)
    for name, part in parts.items():
        assert part.item() == pytest.approx(expected[name], rel=1e-9) and not part.requires_grad
    weights = (1, 0.1, 0.1, 0.2, 0.3)  # the paper's λ (3.2)
    assert total.item() == pytest.approx(np.dot(weights, list(expected.values())), rel=1e-9)


def test_response_by_hand():
    """Odds of 9 to 1: softened by T = 2 they are 3 to 1, and KL from even chances .75 ln 1.5 + .25 ln .5."""
    output = SimpleNamespace(logits=torch.zeros(1, 2))
    teacher = torch.tensor([[np.log(9.0), 0.0]])
    expected = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    for squared, factor in ((False, 1), (True, 4)):
        loss = MultiLevelLoss(MCEDConfig(temperature=2, squared=squared).last(0), 1, 1, 12, 6)
        total, parts = loss(output, teacher)
        assert total.item() == pytest.approx(factor * expected, rel=1e-6) and list(parts) == ["RL"]


def test_kl_is_minimised():
    """Eq. 1's minus would drive the student away: a step down the gradient must bring it closer."""
    student, teacher = torch.zeros(1, 2, requires_grad=True), torch.tensor([[2.0, 0.0]])
    loss = MultiLevelLoss(MCEDConfig().last(0), 1, 1, 12, 6)
    loss(SimpleNamespace(logits=student), teacher)[0].backward()
    moved = student.detach() - student.grad
    assert moved[0, 0] > moved[0, 1]
    assert loss(SimpleNamespace(logits=teacher), teacher)[0] == pytest.approx(0, abs=1e-7)


def test_features_by_hand():
    """One state, whose values 8 and 16 GELU leaves alone: every word hears (8, 16). Words (0, 0) and (8, 0):
    squared errors 64, 256, 0 and 256, their mean 144, their sum 576."""
    for norm, expected in (("mean", 144), ("squared", 576)):
        config = MCEDConfig(response=False, pairs=((1, 1),), weights=(0.5,), norm=norm)
        loss = MultiLevelLoss(config, 2, 2, 1, 1)
        with torch.no_grad():
            loss.blocks[0].value.weight.copy_(torch.eye(2))
        output = SimpleNamespace(
            hidden_states=(None, torch.tensor([[[8.0, 16.0]]])), mask=torch.ones(1, 1, dtype=torch.bool)
        )
        total, parts = loss(output, None, {1: torch.tensor([[[0.0, 0.0], [8.0, 0.0]]])})
        assert parts["FL 1→1"].item() == pytest.approx(expected, rel=1e-6)
        assert total.item() == pytest.approx(0.5 * expected, rel=1e-6)


@pytest.mark.parametrize("norm", ["mean", "squared"])
@pytest.mark.parametrize("garbage", [1e30, float("inf"), float("nan")])
def test_padding_does_not_matter(norm, garbage):
    loss, results = made(MCEDConfig(norm=norm)), []
    for fill, more in ((0.0, 0), (garbage, 0), (garbage, 3)):
        output, logits, states, words = inputs(fill, more)
        loss.zero_grad()
        total, parts = loss(output, logits, states, words)
        total.backward()
        gradients = [x.grad for x in output.hidden_states if x.grad is not None]
        assert len(gradients) == 4 and not any(x[~output.mask].any() for x in gradients)
        results.append(
            [total, *parts.values(), output.logits.grad, *(x[output.mask] for x in gradients)]
            + [p.grad.clone() for p in loss.parameters()]
        )
    for clean, *spoilt in zip(*results, strict=True):
        assert clean.isfinite().all()
        for other in spoilt:
            torch.testing.assert_close(other, clean)


@pytest.mark.parametrize("norm", ["mean", "squared"])
def test_a_batch_is_the_mean_of_its_utterances(norm):
    loss, (output, logits, states, words) = made(MCEDConfig(norm=norm)), inputs()
    alone = []
    for row, (w, s) in enumerate(zip(WORDS, STATES, strict=True)):
        one = SimpleNamespace(
            logits=output.logits[row : row + 1],
            hidden_states=[x[row : row + 1, :s] for x in output.hidden_states],
            mask=output.mask[row : row + 1, :s],
        )
        theirs = {n: x[row : row + 1, :w] for n, x in states.items()}
        alone.append(loss(one, logits[row : row + 1], theirs)[0])  # without a word mask: all are real
    torch.testing.assert_close(loss(output, logits, states, words)[0], torch.stack(alone).mean())


def test_the_teacher_gets_no_gradient_and_all_that_learns_one():
    loss, (output, logits, states, words) = made(), inputs()
    loss(output, logits, states, words)[0].backward()
    assert logits.grad is None and all(x.grad is None for x in states.values())
    assert output.logits.grad.abs().sum() > 0 and all(p.grad.abs().sum() > 0 for p in loss.parameters())


def test_the_last_layers():
    config = MCEDConfig()
    assert config.last(4) == config
    assert (config.last(1).pairs, config.last(1).weights) == (((12, 6),), (0.3,))
    assert (config.last(2).pairs, config.last(2).weights) == (((10, 5), (12, 6)), (0.2, 0.3))
    assert config.last(0).pairs == config.last(0).weights == () and config.last(0).response
    whole, given = made(), inputs()
    parts = whole(*given)[1]
    for k in range(5):
        loss = made(config.last(k))
        loss.blocks.load_state_dict(whole.blocks[4 - k :].state_dict())
        assert loss(*given)[1] == {name: parts[name] for name in ["RL", *list(parts)[5 - k :]]}
    with pytest.raises(ValueError, match="last 5 pairs of layers; there are 4"):
        config.last(5)
    with pytest.raises(ValueError, match="last -1"):
        config.last(-1)


def test_features_alone_need_no_answers():
    loss, (output, _, states, words) = made(MCEDConfig(response=False)), inputs()
    output.logits = None
    total, parts = loss(output, None, states, words)
    assert "RL" not in parts and total.isfinite()


def test_one_block_a_pair_or_one_for_all():
    size = TEACHER * TEACHER + 2 * TEACHER * STUDENT
    for config, blocks in (
        (MCEDConfig(), 4),
        (MCEDConfig(shared=True), 1),
        (MCEDConfig(shared=True).last(0), 0),
    ):
        assert sum(p.numel() for p in made(config).parameters()) == blocks * size


def test_alignments_are_to_be_looked_at():
    loss, (output, _, states, words) = made(), inputs(float("nan"), 2)
    found = loss.alignments(output, states, words)
    assert list(found) == list(loss.config.pairs)
    for one in found.values():
        assert one.shape == (3, 6, 8) and not one.requires_grad
        torch.testing.assert_close(one.sum(-1), words.double())
        assert not one[~output.mask[:, None].expand_as(one)].any()
    assert (found[6, 3][1, :2, 0] == 1).all()  # of one state, each word hears that one


def test_an_utterance_without_words_adds_nothing():
    loss, (output, logits, states, words) = made(), inputs()
    words = torch.zeros_like(words)
    total, parts = loss(output, logits, states, words)
    total.backward()
    assert total.item() == pytest.approx(parts["RL"].item())
    assert all(p.grad.isfinite().all() for p in loss.parameters())


def test_constant_states_are_finite():
    loss, (output, logits, states, words) = made(), inputs()
    for value in (0.0, 3.0):
        output.hidden_states = tuple(
            torch.full_like(x, value, requires_grad=True) for x in output.hidden_states
        )
        constant = {n: torch.full_like(x, value) for n, x in states.items()}
        total, _ = loss(output, torch.zeros_like(logits), constant, words)
        total.backward()
        assert total.isfinite() and all(x.grad.isfinite().all() for x in output.hidden_states[3:])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_of_the_teacher_is_taken(dtype):
    torch.manual_seed(0)
    loss, (output, logits, states, words) = made().float(), inputs()
    output.logits, output.hidden_states = output.logits.float(), [x.float() for x in output.hidden_states]
    half = {n: x.to(dtype) for n, x in states.items()}
    total, _ = loss(output, logits.to(dtype), half, words)
    rounded = {n: x.float() for n, x in half.items()}
    assert total.dtype == torch.float32
    torch.testing.assert_close(total, loss(output, logits.to(dtype).float(), rounded, words)[0])


def test_with_a_student_whose_width_is_another():
    """From frames to the loss and back, NaN in the padding of both; a few steps make it smaller."""
    torch.manual_seed(0)
    student = SpeechStudent(
        StudentConfig(features=7, channels=(8,) * 4, width=8, layers=3, heads=2, feed_forward=16,
                      classifier=8, dropout=0.0)
    )  # fmt: skip
    config = MCEDConfig(pairs=((1, 1), (2, 3)), weights=(0.5, 0.5))
    loss = MultiLevelLoss(config, 6, 8, 2, 3)
    frames, words = (
        torch.arange(n) < torch.tensor(lengths)[:, None] for n, lengths in ((30, (30, 9, 1)), (4, WORDS))
    )
    features = torch.where(frames[..., None], randn(3, 30, 7, seed=5).float(), float("nan"))
    states = {
        n: torch.where(words[..., None], randn(3, 4, 6, seed=n).float().abs(), float("nan")) for n in (1, 2)
    }
    logits, optimizer = (
        randn(3, 5, seed=8).float(),
        torch.optim.Adam([*student.parameters(), *loss.parameters()], 0.01),
    )
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        total, parts = loss(student(features, frames), logits, states, words)
        total.backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in student.parameters())
        optimizer.step()
        values.append([total.item(), *(part.item() for part in parts.values())])
    assert all(last < 0.8 * first for first, last in zip(values[0], values[-1], strict=True))


def test_settings_go_through_json():
    config = MCEDConfig(norm="squared").last(2)
    lists = json.loads(json.dumps(asdict(config)))
    assert MCEDConfig(**lists) == config


def test_bad_input_is_named():
    config = MCEDConfig()
    loss, (output, logits, states, words) = made(), inputs()
    less = {n: x for n, x in states.items() if n != 10}
    shallow = SimpleNamespace(logits=output.logits, hidden_states=output.hidden_states[:5], mask=output.mask)
    cases = (
        ("layer 12 of the teacher, .*to 4", lambda: MultiLevelLoss(config.last(1), 5, 3, 4, 6)),
        ("pair 8→4 names layer 4 of the student, which.*to 3", lambda: MultiLevelLoss(config, 5, 3, 12, 3)),
        ("pair -1→1 names layer -1", lambda: made(replace(config, pairs=((-1, 1),), weights=(1,)))),
        ("4 pairs of layers and 3 weights", lambda: replace(config, weights=(1, 1, 1))),
        ("none may be below 0", lambda: replace(config, weights=(1, 1, 1, -1))),
        ("each pair once", lambda: replace(config, pairs=((6, 3),) * 4)),
        ("each pair once", lambda: replace(config, pairs=((6, 3, 1),), weights=(1,))),
        ("nothing is left", lambda: MCEDConfig(response=False).last(0)),
        ("temperature is 0", lambda: MCEDConfig(temperature=0)),
        ("norm is 'l1'; choose one of mean, squared", lambda: MCEDConfig(norm="l1")),
        ("the teacher's logits, and there are none", lambda: loss(output, None, states, words)),
        (r"\(3, 4\) \(student\) and \(3, 3\)", lambda: loss(output, logits[:, :3], states, words)),
        ("layer 10 of the teacher.*given are: 6, 8, 12", lambda: loss(output, logits, less, words)),
        ("layers given are: none", lambda: loss(output, logits)),
        ("layer 5 of the student.*the layers 0 to 4", lambda: loss(shallow, logits, states, words)),
        (r"\(3, 4\), got torch.bool \(3, 3\)", lambda: loss(output, logits, states, words[:, :3])),
        ("got torch.int64", lambda: loss(output, logits, states, words.long())),
        (r"teacher's states as \(batch, places, 4\)", lambda: made(teacher=4)(output, logits, states, words)),
        (r"student's states as \(batch, places, 2\)", lambda: made(student=2)(output, logits, states, words)),
    )  # fmt: skip
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()
