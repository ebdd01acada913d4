"""The speech student: sizes, padding that must not matter, every setting, what a folder keeps."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from sernb.models.speech_student import (
    LAPTOP_STUDENT,
    MaskedConv,
    SpeechStudent,
    StudentConfig,
    positions,
)

SMALL = {
    "features": 7,
    "channels": (8, 8, 8, 8),
    "width": 8,
    "layers": 2,
    "heads": 2,
    "feed_forward": 12,
    "classifier": 6,
}
SETTINGS = {
    "paper": {},
    "pre-norm": {"norm_first": True},
    "gelu": {"activation": "gelu"},
    "no conv norm": {"conv_norm": "none"},
    "another width": {"channels": (6, 10, 4, 5)},
    "even kernels": {"kernels": (2, 4, 3, 6), "strides": (2, 1, 3, 2)},
    "one convolution": {"channels": (8,), "kernels": (1,), "strides": (1,)},
    "odd width, one head": {"width": 9, "heads": 1},
}  # fmt: skip
EACH = pytest.mark.parametrize("given", SETTINGS.values(), ids=SETTINGS)
LENGTHS = (60, 17, 5, 3, 2, 1)
CLOSE = {"atol": 1e-5, "rtol": 0}


def student(**given):
    torch.manual_seed(0)
    return SpeechStudent(StudentConfig(**{**SMALL, **given})).eval()


def batch(fill=0.0, pad=0):
    """Six utterances, longest first; what lies in the padding is `fill`."""
    rng = torch.Generator().manual_seed(1)
    features = torch.full((len(LENGTHS), max(LENGTHS) + pad, 7), fill)
    for row, length in enumerate(LENGTHS):
        features[row, :length] = torch.randn(length, 7, generator=rng)
    return features, torch.arange(features.shape[1]) < torch.tensor(LENGTHS)[:, None]


def count(module):
    return sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize(
    ("config", "parameters"),
    [(StudentConfig(), 23_450_629), (StudentConfig(feed_forward=512), 14_004_229), (LAPTOP_STUDENT, 309_125)],
)
def test_sizes_by_arithmetic(config, parameters):
    w, f, c = config.width, config.feed_forward, config.classifier
    layer = 4 * (w * w + w) + (w * f + f) + (f * w + w) + 2 * 2 * w
    conv = (5 * 130 * w + w + 2 * w) + 3 * (5 * w * w + w + 2 * w)
    assert conv + 6 * layer + (w * c + c) + (c * 5 + 5) == parameters
    with torch.device("meta"):
        made = SpeechStudent(config)
    assert count(made) == parameters
    assert made.shape.stride == (8 if config is LAPTOP_STUDENT else 4)


@EACH
@pytest.mark.parametrize("gradient", [True, False])
def test_a_batch_says_what_single_utterances_say(given, gradient):
    """With gradient and without it torch takes different paths; NaN lies in the padding."""
    one = student(**given)
    features, mask = batch(float("nan"), pad=23)
    with torch.inference_mode(not gradient):
        together = one(features, mask)
        assert len(together.hidden_states) == 3
        for row, length in enumerate(LENGTHS):
            alone = one(features[row : row + 1, :length])
            states = alone.mask.shape[1]
            assert together.mask[row].sum() == states and alone.mask.all()
            torch.testing.assert_close(together.logits[row], alone.logits[0], **CLOSE)
            torch.testing.assert_close(together.pooled[row], alone.pooled[0], **CLOSE)
            for ours, theirs in zip(together.hidden_states, alone.hidden_states, strict=True):
                torch.testing.assert_close(ours[row, :states], theirs[0], **CLOSE)


@EACH
def test_padding_changes_no_gradient(given):
    one, results = student(**given), []
    for fill, pad in ((0.0, 0), (float("nan"), 11), (float("inf"), 3)):
        features, mask = batch(fill, pad)
        features.requires_grad_()
        one.zero_grad()
        one(features, mask).logits.square().sum().backward()
        assert not features.grad[~mask].any()
        assert features.grad[mask].abs().sum() > 0
        results.append([features.grad[mask], *(p.grad.clone() for p in one.parameters())])
    for clean, *spoilt in zip(*results, strict=True):
        assert torch.isfinite(clean).all()
        for other in spoilt:
            torch.testing.assert_close(other, clean, atol=1e-5, rtol=1e-4)


def test_training_meets_no_nan():
    one = student(dropout=0.3, attention_dropout=0.3).train()
    loss = one(*batch(float("nan"), 9)).logits.sum()
    loss.backward()
    assert loss.isfinite() and all(p.grad.isfinite().all() for p in one.parameters())


@EACH
def test_one_path_is_the_other(given):
    """Without gradient torch may take a fused path; it must say the same."""
    one, (features, mask) = student(**given), batch()
    with torch.inference_mode():
        fused = one(features, mask)
    plain = one(features, mask)
    torch.testing.assert_close(fused.logits, plain.logits.detach(), **CLOSE)


@pytest.mark.parametrize(("kernel", "stride"), [(5, 1), (5, 2), (4, 2), (1, 3), (2, 1)])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_convolution_by_numpy(kernel, stride, frames):
    torch.manual_seed(0)
    conv = MaskedConv(3, 4, kernel, stride, StudentConfig(conv_norm="none", dropout=0.0))
    x = torch.randn(1, frames, 3)
    got, mask = conv(x, torch.ones(1, frames, dtype=torch.bool))
    weight, bias = conv.conv.weight.detach().numpy(), conv.conv.bias.detach().numpy()  # (out, in, kernel)
    around = np.zeros((frames + 2 * kernel, 3))
    around[kernel : kernel + frames] = x[0].numpy()
    expected = []
    for middle in range(0, frames, stride):
        first = kernel + middle - (kernel - 1) // 2
        expected.append(np.einsum("oik,ki->o", weight, around[first : first + kernel]) + bias)
    np.testing.assert_allclose(got[0].detach().numpy(), np.maximum(expected, 0), atol=1e-6)
    assert mask.shape == (1, -(-frames // stride)) and mask.all()


def test_a_state_stands_where_its_frames_stood():
    """Of a student whose convolutions reach one frame only: state t is that of frame t · stride."""
    one = student(kernels=(1, 1, 1, 1), layers=1)
    features, _ = batch()
    moved = features.clone()
    moved[0, 12] += 1.0
    with torch.inference_mode():
        before, after = (one(x[:1]).hidden_states[0][0] for x in (features, moved))
    assert one.shape.stride == 4
    assert (before != after).any(1).nonzero().flatten().tolist() == [3]


@pytest.mark.parametrize(("states", "width"), [(1, 8), (500, 8), (6, 5), (3, 1)])
def test_positions_are_those_of_vaswani(states, width):
    expected = np.zeros((states, width))
    for p in range(states):
        for i in range(width):
            angle = p / 10000 ** (2 * (i // 2) / width)
            expected[p, i] = np.sin(angle) if i % 2 == 0 else np.cos(angle)
    np.testing.assert_allclose(positions(states, width).numpy(), expected, atol=1e-4)


@EACH
def test_what_is_pooled_and_what_is_said(given):
    one, (features, mask) = student(**given), batch()
    with torch.inference_mode():
        out = one(features, mask)
        last = one.norm(out.hidden_states[-1])
        for row in range(len(LENGTHS)):
            torch.testing.assert_close(out.pooled[row], last[row][out.mask[row]].amax(0))
        torch.testing.assert_close(out.logits, one.classifier(out.pooled))
    assert sum(isinstance(part, nn.Linear) for part in one.classifier) == 2


def test_after_its_last_norm_a_layer_is_normalised():
    """Post-norm (Vaswani et al.): mean 0 and variance 1 over the width; pre-norm: not until the end."""
    for given, normalised in (({}, True), ({"norm_first": True}, False)):
        with torch.inference_mode():
            last = student(**given)(batch()[0]).hidden_states[-1]
        assert (last.mean(-1).abs().max() < 1e-5) == normalised


def test_the_order_of_a_batch_and_a_mask_of_ones_change_nothing():
    one, (features, mask), turned = student(), batch(), [3, 0, 5, 1, 4, 2]
    with torch.inference_mode():
        torch.testing.assert_close(
            one(features, mask).logits[turned], one(features[turned], mask[turned]).logits, **CLOSE
        )
        torch.testing.assert_close(one(features).logits, one(features, torch.ones_like(mask)).logits)


def test_the_order_of_time_is_heard():
    one, features = student(), batch()[0][:1]
    with torch.inference_mode():
        assert not torch.allclose(one(features).logits, one(features.flip(1)).logits, atol=1e-3)


def test_attention_weights_are_dropped_only_when_asked():
    assert {layer.self_attn.dropout for layer in student().layers} == {0.0}
    assert {layer.self_attn.dropout for layer in student(attention_dropout=0.2).layers} == {0.2}


def test_it_can_learn():
    """Six utterances, told apart by heart."""
    one, (features, mask), labels = student(dropout=0.0).train(), batch(), torch.tensor([0, 1, 2, 3, 4, 0])
    optimizer = torch.optim.Adam(one.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(one(features, mask).logits, labels).backward()
        optimizer.step()
    assert (one(features, mask).logits.argmax(1) == labels).all()


def test_new_classes_on_the_same_body(tmp_path):
    one = student().train()
    other = one.with_classes(["joy", "anger"])
    assert other.shape.classes == ("joy", "anger") and one.shape.classes[0] == "neutral" and other.training
    features, mask = batch()
    with torch.inference_mode():
        ours, theirs = one.eval()(features, mask), other.eval()(features, mask)
    assert theirs.logits.shape == (len(LENGTHS), 2)
    torch.testing.assert_close(ours.pooled, theirs.pooled)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    with torch.inference_mode():
        torch.testing.assert_close(
            one(features, mask).logits, ours.logits
        )  # a copy: the first stays as it was
    other.save_pretrained(tmp_path)
    assert SpeechStudent.from_pretrained(tmp_path).shape.classes == ("joy", "anger")


@EACH
def test_it_goes_through_a_folder(given, tmp_path):
    one, (features, mask) = student(**given), batch()
    one.save_pretrained(tmp_path)
    assert {"model.safetensors", "config.json"} <= {path.name for path in tmp_path.iterdir()}
    json.loads((tmp_path / "config.json").read_text())
    again = SpeechStudent.from_pretrained(tmp_path).eval()
    assert again.shape == one.shape
    with torch.inference_mode():
        assert one(features, mask).logits.equal(again(features, mask).logits)


def test_bad_input_is_named():
    one, (features, mask) = student(), batch()
    empty, hole = mask.clone(), mask.clone()
    empty[2] = False
    hole[1, 30] = True
    cases = (
        (r"\(batch, frames, 7\).*\(6, 60, 8\)", lambda: one(torch.zeros(6, 60, 8))),
        (r"got the shape \(60, 7\)", lambda: one(features[0])),
        (r"one frame at least.*\(6, 0, 7\)", lambda: one(features[:, :0])),
        (r"\(6, 60\), got torch.bool \(6, 59\)", lambda: one(features, mask[:, :59])),
        ("got torch.int64", lambda: one(features, mask.long())),
        ("row 2 of the batch is padding throughout", lambda: one(features, empty)),
        ("row 1 of the batch has a real frame after padding", lambda: one(features, hole)),
        (r"\(4, 3, 4\) numbers", lambda: StudentConfig(kernels=(5, 5, 5))),
        (r"strides is \(1, 0, 1, 1\)", lambda: StudentConfig(strides=(1, 0, 1, 1))),
        ("layers is 0", lambda: StudentConfig(layers=0)),
        ("width is 100, which 3 heads", lambda: StudentConfig(width=100, heads=3)),
        ("activation is 'tanh'; choose one of relu, gelu", lambda: StudentConfig(activation="tanh")),
        ("conv_norm is 'batch'", lambda: StudentConfig(conv_norm="batch")),
        ("classes is empty", lambda: StudentConfig(classes=())),
    )
    for message, wrong in cases:
        with pytest.raises(ValueError, match=message):
            wrong()
