"""Each term of distillation against scipy, torch and numbers by hand, and the total with its weights and
settings."""

from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cosine, pdist
from scipy.special import rel_entr
from scipy.special import softmax as scipy_softmax

from sernb.losses import (
    UNLABELLED,
    Distillation,
    DistillationConfig,
    FeatureLoss,
    cross_entropy,
    feature_cosine,
    feature_mse,
    kl_divergence,
    logits_loss,
    relational_distance,
    soften,
)

LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
LENGTHS = [5, 2, 1]
MASK = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
FUNCTIONS = pytest.mark.parametrize("loss", [feature_mse, feature_cosine])
KINDS = pytest.mark.parametrize("kind", ["mse", "cosine"])
SOME_LABELS = torch.tensor([2, 0, UNLABELLED])


@pytest.fixture
def pair():
    random = torch.Generator().manual_seed(0)
    return (3 * torch.randn(6, 4, generator=random, dtype=torch.float64) for _ in range(2))


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
    """The teacher's other classes have probability 0 exactly; what is left is -log of the student's
    probability."""
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
def test_half_precision_of_logits_is_computed_in_full(pair, dtype):
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


def test_bad_logits_and_labels_are_named():
    logits, labels = torch.zeros(3, 4), torch.tensor([0, 1, 2])
    cases = (
        (r"class 4.*4 classes \(0 to 3", lambda: cross_entropy(logits, labels + 2)),
        ("class -1", lambda: cross_entropy(logits, labels - 1)),
        (r"\(3, 4\) and labels \(2,\)", lambda: cross_entropy(logits, labels[:2])),
        ("float32", lambda: cross_entropy(logits, labels.float())),
        (r"\(3, 4\) \(student\) and \(3, 7\)", lambda: kl_divergence(logits, torch.zeros(3, 7))),
        (r"and \(2, 4\) \(teacher\)", lambda: kl_divergence(logits, logits[:2])),
        (r"logits \(batch, classes\).*\(4,\)", lambda: kl_divergence(logits[0], logits)),
        (r"\(0, 4\)", lambda: kl_divergence(logits[:0], logits[:0])),
        ("temperature is 0", lambda: soften(logits, 0)),
        ("temperature is -1", lambda: kl_divergence(logits, logits, -1)),
        ("alpha is 1.5", lambda: logits_loss(logits, logits, labels, alpha=1.5)),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()


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
    rows = zip(student, teacher, LENGTHS, strict=True)
    expected = np.mean([((t[:n] - s[:n]).square().sum() / (n * 6)).item() for s, t, n in rows])
    assert feature_mse(student, teacher, MASK).item() == pytest.approx(expected, rel=1e-12)
    torch.testing.assert_close(feature_mse(student, teacher), torch.nn.functional.mse_loss(student, teacher))


def test_cosine_is_scipys():
    student, teacher = states(), states(seed=1)
    rows = zip(student, teacher, LENGTHS, strict=True)
    expected = np.mean([np.mean([cosine(s[i], t[i]) for i in range(n)]) for s, t, n in rows])
    assert feature_cosine(student, teacher, MASK).item() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(
        feature_cosine(7 * student, teacher, MASK), feature_cosine(student, teacher, MASK)
    )


@FUNCTIONS
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


@KINDS
@pytest.mark.parametrize("garbage", [float("inf"), float("nan")])
def test_padding_does_not_matter_to_a_projection(kind, garbage):
    torch.manual_seed(0)
    module = FeatureLoss(kind, 6, 4).double()
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


@FUNCTIONS
def test_a_batch_is_the_mean_of_its_utterances(loss):
    student, teacher = states(), states(seed=1)
    alone = [loss(student[i : i + 1, :n], teacher[i : i + 1, :n]) for i, n in enumerate(LENGTHS)]
    torch.testing.assert_close(loss(student, teacher, MASK), torch.stack(alone).mean())


@FUNCTIONS
def test_one_vector_an_utterance(loss):
    student, teacher = states()[:, 0], states(seed=1)[:, 0]
    torch.testing.assert_close(loss(student, teacher), loss(student[:, None], teacher[:, None]))


@FUNCTIONS
def test_equal_constant_and_empty_utterances_are_finite(loss):
    same, gradient = with_gradient(loss, states(), states(), MASK)
    assert same.abs() < 1e-12 and gradient.abs().max() < 1e-9
    for value in (0.0, 3.0):
        got, gradient = with_gradient(loss, torch.full((1, 1, 6), value), torch.ones(1, 1, 6), None)
        assert torch.isfinite(got) and torch.isfinite(gradient).all()
    got, gradient = with_gradient(loss, states(), states(seed=1), torch.zeros_like(MASK))
    assert got == 0 and not gradient.any()


@FUNCTIONS
def test_the_teacher_gets_no_gradient(loss):
    student, teacher = states().requires_grad_(), states(seed=1).requires_grad_()
    loss(student, teacher, MASK).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


@FUNCTIONS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_of_features_is_computed_in_full(loss, dtype):
    student, teacher = (one.to(dtype) for one in (states(), states(seed=1)))
    assert loss(student, teacher, MASK).dtype == torch.float32
    torch.testing.assert_close(loss(student, teacher, MASK), loss(student.float(), teacher.float(), MASK))


@KINDS
def test_equal_widths_need_no_projection(kind):
    student, teacher = states(), states(seed=1)
    function = {"mse": feature_mse, "cosine": feature_cosine}[kind]
    for module in (FeatureLoss(kind), FeatureLoss(kind, 6, 6)):
        assert not list(module.parameters())
        assert module(student, teacher, MASK).equal(function(student, teacher, MASK))


@KINDS
def test_a_projection_can_be_learned(kind):
    """The teacher is a linear image of the student: a few steps find it, and half precision is taken too."""
    torch.manual_seed(0)
    student = torch.randn(8, 5, 6)
    teacher = student @ torch.randn(6, 3)
    module = FeatureLoss(kind, 6, 3)
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


def test_bad_features_are_named():
    three = states()
    cases = (
        ("6 wide, the teacher's 4", lambda: feature_mse(three, states(4), MASK)),
        ("6 wide, the teacher's 4", lambda: FeatureLoss("cosine")(three, states(4), MASK)),
        ("width 8, got 6", lambda: FeatureLoss("mse", 8, 4)(three, states(4), MASK)),
        (r"both widths; got 8 \(student\) and None", lambda: FeatureLoss("mse", 8)),
        (r"\(3, 5, 6\) \(student\) and \(3, 4, 6\)", lambda: feature_mse(three, three[:, :4], MASK)),
        (r"\(3, 5\), got torch.bool \(3, 4\)", lambda: feature_mse(three, three, MASK[:, :4])),
        ("int64", lambda: feature_mse(three, three, MASK.long())),
        (r"\(3, 6\) \(teacher\)", lambda: feature_cosine(three, three[:, 0])),
        (r"\(2, 6\) \(teacher\)", lambda: relational_distance(three[:, 0], three[:2, 0])),
        (r"\(3, 5, 6\) \(student\)", lambda: relational_distance(three, three)),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()


def outputs(seed, width=6, fused=7):
    random = torch.Generator().manual_seed(seed)
    sizes = {"logits": (3, 4), "text_states": (3, 5, width), "fused": (3, fused)}
    return {name: torch.randn(*size, generator=random) for name, size in sizes.items()} | {"text_mask": MASK}


@pytest.fixture
def student():
    return outputs(0)


@pytest.fixture
def teacher():
    return outputs(1)


def test_the_default_is_the_authors_code(student, teacher):
    total, terms = Distillation()(student, teacher, SOME_LABELS)
    expected = logits_loss(student["logits"], teacher["logits"], SOME_LABELS) + feature_mse(
        student["text_states"], teacher["text_states"], MASK
    )
    torch.testing.assert_close(total, expected)
    assert set(terms) == {"kl", "cross_entropy", "feature"}
    assert not any(term.requires_grad for term in terms.values())


def test_every_term_and_weight(student, teacher):
    config = DistillationConfig(0.3, 4.0, False, "cosine", 2.5, "fused", 0.7)
    total, terms = Distillation(config)(student, teacher, SOME_LABELS)
    parts = {
        "kl": (0.3, kl_divergence(student["logits"], teacher["logits"], 4.0, squared=False)),
        "cross_entropy": (0.7, cross_entropy(student["logits"], SOME_LABELS)),
        "feature": (2.5, feature_cosine(student["fused"], teacher["fused"])),
        "relational": (0.7, relational_distance(student["fused"], teacher["fused"])),
    }
    assert list(terms) == list(parts)
    for name, (_, value) in parts.items():
        torch.testing.assert_close(terms[name], value)
    torch.testing.assert_close(total, sum(weight * value for weight, value in parts.values()))


def test_without_distillation_no_teacher_is_needed(student):
    config = DistillationConfig(alpha=0, feature="none")
    total, terms = Distillation(config)(student, None, SOME_LABELS)
    torch.testing.assert_close(total, cross_entropy(student["logits"], SOME_LABELS))
    assert list(terms) == ["cross_entropy"]


def test_a_weight_of_zero_leaves_its_term_out(student, teacher):
    config = DistillationConfig(alpha=1, feature_weight=0)
    total, terms = Distillation(config)(student, {"logits": teacher["logits"]}, SOME_LABELS)
    assert list(terms) == ["kl"]
    torch.testing.assert_close(total, kl_divergence(student["logits"], teacher["logits"]))


@pytest.mark.parametrize("at", ["text", "fused"])
def test_gradients_reach_the_student_alone(student, teacher, at):
    for one in (student, teacher):
        for name in ("logits", "text_states", "fused"):
            one[name].requires_grad_()
    total, _ = Distillation(DistillationConfig(at=at, relational=1.0))(student, teacher, SOME_LABELS)
    total.backward()
    assert student["logits"].grad.abs().sum() > 0 and student["fused"].grad.abs().sum() > 0
    assert (student["text_states"].grad is not None) == (at == "text")
    assert all(one.grad is None for one in teacher.values())


@pytest.mark.parametrize("feature", ["mse", "cosine"])
def test_padding_does_not_matter_to_the_total(student, teacher, feature):
    loss = Distillation(DistillationConfig(feature=feature))
    results = []
    for fill in (0.0, float("nan"), float("inf")):
        states = torch.where(MASK[..., None], student["text_states"], fill).requires_grad_()
        theirs = torch.where(MASK[..., None], teacher["text_states"], fill)
        total, _ = loss(student | {"text_states": states}, teacher | {"text_states": theirs}, SOME_LABELS)
        total.backward()
        results.append((total.detach(), states.grad))
    assert all(a.equal(b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_a_projection_where_widths_differ(student):
    teacher = outputs(1, width=9)
    loss = Distillation(student_width=6, teacher_width=9)
    assert sum(one.numel() for one in loss.parameters()) == 6 * 9 + 9
    total, _ = loss(student, teacher, SOME_LABELS)
    total.backward()
    assert all(one.grad.abs().sum() > 0 for one in loss.parameters())
    assert not list(Distillation(DistillationConfig(feature="none"), 6, 9).parameters())
    with pytest.raises(ValueError, match="6 wide, the teacher's 9"):
        Distillation()(student, teacher, SOME_LABELS)


def test_relational_takes_other_widths(student):
    config = DistillationConfig(feature="none", relational=1.0)
    assert torch.isfinite(Distillation(config)(student, outputs(1, fused=11), SOME_LABELS)[0])


def test_a_batch_of_one_without_label(student, teacher):
    student, teacher = ({name: part[:1] for name, part in one.items()} for one in (student, teacher))
    config = DistillationConfig(relational=1.0)
    total, terms = Distillation(config)(student, teacher, torch.tensor([UNLABELLED]))
    assert torch.isfinite(total) and terms["cross_entropy"] == 0 and terms["relational"] == 0


def test_half_precision_of_all(student, teacher):
    halves = [
        {name: part.bfloat16() if part.is_floating_point() else part for name, part in one.items()}
        for one in (student, teacher)
    ]
    total, terms = Distillation(DistillationConfig(relational=1.0))(*halves, SOME_LABELS)
    assert {one.dtype for one in (total, *terms.values())} == {torch.float32}


def test_settings_are_frozen_and_checked():
    config = DistillationConfig()
    assert DistillationConfig(**asdict(replace(config, temperature=4.0))).temperature == 4.0
    with pytest.raises(FrozenInstanceError):
        config.alpha = 1.0
    for message, change in (
        ("feature is 'l1'; choose one of mse, cosine, none", {"feature": "l1"}),
        ("at is 'audio'; choose one of text, fused", {"at": "audio"}),
        ("alpha is 2", {"alpha": 2}),
        ("temperature is 0", {"temperature": 0}),
        ("feature_weight is -1", {"feature_weight": -1}),
        ("relational is nan", {"relational": float("nan")}),
    ):
        with pytest.raises(ValueError, match=message):
            DistillationConfig(**change)


def test_what_does_not_fit_is_named(student, teacher):
    fewer = student["text_mask"].clone()
    fewer[0, 4] = False
    cases = (
        (r"\(3, 7\) \(teacher\)", student, teacher | {"logits": torch.zeros(3, 7)}, SOME_LABELS),
        ("class 5.*4 classes", student, teacher, SOME_LABELS.clamp(min=5)),
        (r"7 and 8 real ones, \(3, 5\)", student | {"text_mask": fewer}, teacher, SOME_LABELS),
        ("teacher's text_states", student, {"logits": teacher["logits"]}, SOME_LABELS),
        ("teacher's logits", student, None, SOME_LABELS),
    )
    for message, ours, theirs, labels in cases:
        with pytest.raises(ValueError, match=message):
            Distillation()(ours, theirs, labels)
