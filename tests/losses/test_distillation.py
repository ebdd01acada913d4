"""The total: its terms with their weights, settings, and what does not fit together."""

from dataclasses import FrozenInstanceError, asdict, replace
from types import SimpleNamespace

import pytest
import torch

from sernb.losses import (
    UNLABELLED,
    Distillation,
    DistillationConfig,
    cross_entropy,
    feature_cosine,
    feature_mse,
    kl_divergence,
    logits_loss,
    relational_distance,
)

MASK = torch.arange(5) < torch.tensor([5, 2, 1])[:, None]
LABELS = torch.tensor([2, 0, UNLABELLED])


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
    total, terms = Distillation()(student, teacher, LABELS)
    expected = logits_loss(student["logits"], teacher["logits"], LABELS) + feature_mse(
        student["text_states"], teacher["text_states"], MASK
    )
    torch.testing.assert_close(total, expected)
    assert set(terms) == {"kl", "cross_entropy", "feature"}
    assert not any(term.requires_grad for term in terms.values())


def test_every_term_and_weight(student, teacher):
    config = DistillationConfig(0.3, 4.0, False, "cosine", 2.5, "fused", 0.7)
    total, terms = Distillation(config)(student, teacher, LABELS)
    parts = {
        "kl": (0.3, kl_divergence(student["logits"], teacher["logits"], 4.0, squared=False)),
        "cross_entropy": (0.7, cross_entropy(student["logits"], LABELS)),
        "feature": (2.5, feature_cosine(student["fused"], teacher["fused"])),
        "relational": (0.7, relational_distance(student["fused"], teacher["fused"])),
    }
    assert list(terms) == list(parts)
    for name, (_, value) in parts.items():
        torch.testing.assert_close(terms[name], value)
    torch.testing.assert_close(total, sum(weight * value for weight, value in parts.values()))


def test_outputs_may_be_objects(student, teacher):
    as_objects = [SimpleNamespace(**one) for one in (student, teacher)]
    assert Distillation()(*as_objects, LABELS)[0].equal(Distillation()(student, teacher, LABELS)[0])


def test_without_distillation_no_teacher_is_needed(student):
    config = DistillationConfig(alpha=0, feature="none")
    assert not config.needs_teacher and DistillationConfig().needs_teacher
    total, terms = Distillation(config)(student, None, LABELS)
    torch.testing.assert_close(total, cross_entropy(student["logits"], LABELS))
    assert list(terms) == ["cross_entropy"]


def test_a_weight_of_zero_leaves_its_term_out(student, teacher):
    config = DistillationConfig(alpha=1, feature_weight=0)
    total, terms = Distillation(config)(student, {"logits": teacher["logits"]}, LABELS)
    assert list(terms) == ["kl"]
    torch.testing.assert_close(total, kl_divergence(student["logits"], teacher["logits"]))


@pytest.mark.parametrize("at", ["text", "fused"])
def test_gradients_reach_the_student_alone(student, teacher, at):
    for one in (student, teacher):
        for name in ("logits", "text_states", "fused"):
            one[name].requires_grad_()
    total, _ = Distillation(DistillationConfig(at=at, relational=1.0))(student, teacher, LABELS)
    total.backward()
    assert student["logits"].grad.abs().sum() > 0 and student["fused"].grad.abs().sum() > 0
    assert (student["text_states"].grad is not None) == (at == "text")
    assert all(one.grad is None for one in teacher.values())


@pytest.mark.parametrize("feature", ["mse", "cosine"])
def test_padding_does_not_matter(student, teacher, feature):
    loss = Distillation(DistillationConfig(feature=feature))
    results = []
    for fill in (0.0, float("nan"), float("inf")):
        states = torch.where(MASK[..., None], student["text_states"], fill).requires_grad_()
        theirs = torch.where(MASK[..., None], teacher["text_states"], fill)
        total, _ = loss(student | {"text_states": states}, teacher | {"text_states": theirs}, LABELS)
        total.backward()
        results.append((total.detach(), states.grad))
    assert all(a.equal(b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_a_projection_where_widths_differ(student):
    teacher = outputs(1, width=9)
    loss = Distillation(student_width=6, teacher_width=9)
    assert sum(one.numel() for one in loss.parameters()) == 6 * 9 + 9
    total, _ = loss(student, teacher, LABELS)
    total.backward()
    assert all(one.grad.abs().sum() > 0 for one in loss.parameters())
    assert not list(Distillation(DistillationConfig(feature="none"), 6, 9).parameters())
    with pytest.raises(ValueError, match="6 wide, the teacher's 9"):
        Distillation()(student, teacher, LABELS)


def test_relational_takes_other_widths(student):
    config = DistillationConfig(feature="none", relational=1.0)
    assert torch.isfinite(Distillation(config)(student, outputs(1, fused=11), LABELS)[0])


def test_a_batch_of_one_without_label(student, teacher):
    student, teacher = ({name: part[:1] for name, part in one.items()} for one in (student, teacher))
    config = DistillationConfig(relational=1.0)
    total, terms = Distillation(config)(student, teacher, torch.tensor([UNLABELLED]))
    assert torch.isfinite(total) and terms["cross_entropy"] == 0 and terms["relational"] == 0


def test_half_precision(student, teacher):
    halves = [
        {name: part.bfloat16() if part.is_floating_point() else part for name, part in one.items()}
        for one in (student, teacher)
    ]
    total, terms = Distillation(DistillationConfig(relational=1.0))(*halves, LABELS)
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
        ("4 classes, the teacher's 7", student, teacher | {"logits": torch.zeros(3, 7)}, LABELS),
        ("class 5.*4 classes", student, teacher, LABELS.clamp(min=5)),
        (r"7 real ones.*8 in \(3, 5\)", student | {"text_mask": fewer}, teacher, LABELS),
        ("teacher's text_states", student, {"logits": teacher["logits"]}, LABELS),
        ("teacher's logits", student, None, LABELS),
    )
    for message, ours, theirs, labels in cases:
        with pytest.raises(ValueError, match=message):
            Distillation()(ours, theirs, labels)
