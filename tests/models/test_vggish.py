"""VGGish: front end and network against the package torchvggish, post-processing against numpy, bad input."""

import copy

import numpy as np
import pytest
import torch

from sernb.models.vggish import SHORTEST, PostProcess, VGGish, VGGishConfig, examples_of

SMALL = VGGishConfig(channels=(3, 4, 5, 5, 6, 7), hidden=(9, 8), embedding=6)


def sound(samples, rate=16000, seed=0):
    """A gliding tone in noise: every band gets something to hear."""
    time = np.arange(samples) / rate
    tone = 0.3 * np.sin(2 * np.pi * (200 + 900 * time) * time)
    return tone + 0.05 * np.random.default_rng(seed).standard_normal(samples)


def small(seed=0):
    torch.manual_seed(seed)
    return VGGish(SMALL).eval()


@pytest.fixture
def examples():
    return torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("samples", [SHORTEST, SHORTEST + 15_359, SHORTEST + 15_360, 80_000, 163_841])
def test_the_front_end_is_the_references(samples):
    reference = pytest.importorskip("torchvggish.vggish_input", reason="pip install torchvggish")
    waveform = sound(samples)
    expected = reference.waveform_to_examples(waveform, 16000)[:, 0].detach()
    found = examples_of(waveform)
    assert found.dtype == torch.float32 and found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-5)


def test_the_network_is_the_references_at_full_size():
    reference = pytest.importorskip("torchvggish.torchvggish", reason="pip install torchvggish")
    torch.manual_seed(0)
    model, other = VGGish().eval(), reference.VGG(reference.make_layers(), postprocess=False).eval()
    assert sum(one.numel() for one in model.parameters()) == 72_141_184
    with torch.no_grad():
        for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
            ours.mul_(2.4 if ours.dim() > 1 else 1)  # about He's size, so that the sound reaches the end
            theirs.copy_(ours)
        found = examples_of(sound(50_000))
        expected = other(found[:, None])
        assert expected.std() > 0.1
        torch.testing.assert_close(model(found), expected, rtol=1e-4, atol=1e-5)


def test_the_post_processing_is_the_references(monkeypatch):
    reference = pytest.importorskip("torchvggish.torchvggish", reason="pip install torchvggish")
    rng = np.random.default_rng(0)
    saved = {"pca_eigen_vectors": rng.normal(0, 0.3, (128, 128)), "pca_means": rng.random((128, 1))}
    monkeypatch.setattr(reference.hub, "load_state_dict_from_url", lambda *_: saved)
    embeddings = torch.from_numpy(rng.random((7, 128))).float()
    ours = PostProcess(saved["pca_eigen_vectors"], saved["pca_means"][:, 0])
    assert torch.equal(ours(embeddings), reference.Postprocessor().postprocess(embeddings))


def test_post_processing_against_numpy():
    rng = np.random.default_rng(1)
    vectors, means, x = rng.normal(0, 1, (5, 5)), rng.random(5), rng.normal(0, 1, (2, 4, 5))
    components = np.einsum("ij,bnj->bni", vectors, x - means)
    expected = np.round((np.minimum(np.maximum(components, -2), 2) + 2) * 255 / 4)
    found = PostProcess(vectors, means)(torch.from_numpy(x).float())
    np.testing.assert_array_equal(found.numpy(), expected)
    assert found.min() == 0 and found.max() == 255


def test_no_gradient_passes_the_rounding():
    x = torch.rand(3, 128, requires_grad=True)
    PostProcess()(x).sum().backward()
    assert x.grad.abs().max() == 0


def test_post_processing_names_wrong_shapes():
    with pytest.raises(ValueError, match=r"got \(4, 5\) and \(5,\)"):
        PostProcess(torch.zeros(4, 5), torch.zeros(5))
    with pytest.raises(ValueError, match=r"embeddings \(\.\.\., 128\), got the shape \(2, 5\)"):
        PostProcess()(torch.zeros(2, 5))


def test_a_recording_shorter_than_an_example_is_padded_with_silence():
    short = sound(9000)
    padded = np.concatenate([short, np.zeros(SHORTEST - 9000)])
    assert torch.equal(examples_of(short), examples_of(padded))
    assert examples_of(short[:1]).shape == (1, 96, 64)


def test_silence_is_the_logarithm_of_the_offset():
    torch.testing.assert_close(examples_of(np.zeros(16000)), torch.full((1, 96, 64), np.log(0.01)).float())


def test_a_partial_example_at_the_end_is_dropped():
    whole = sound(SHORTEST)
    assert torch.equal(examples_of(np.concatenate([whole, sound(15_000)])), examples_of(whole))


def test_other_rates_are_resampled():
    time = np.arange(2 * 48000) / 48000
    tone = 0.3 * np.sin(2 * np.pi * 1000 * time)
    found, expected = examples_of(tone, rate=48000), examples_of(tone[::3])  # 1 kHz: nothing to alias
    assert found.shape == expected.shape == (2, 96, 64)
    torch.testing.assert_close(found[:, 1:-1], expected[:, 1:-1], rtol=0, atol=0.05)


@pytest.mark.parametrize(
    ("waveform", "options", "message"),
    [
        (np.zeros(0), {}, r"not empty, got the shape \(0,\)"),
        (np.zeros((2, 16000)), {}, r"one channel .*got the shape \(2, 16000\)"),
        (np.array(0.5), {}, r"got the shape \(\)"),
        (np.array([0.1, np.nan]), {}, "NaN or infinity"),
        (np.array([0.1, -np.inf]), {}, "NaN or infinity"),
        (np.zeros(16000, np.int16), {}, r"torch.int16; divide 16-bit samples by 32768"),
        (np.zeros(16000), {"rate": 0}, "positive whole number, got 0"),
        (np.zeros(16000), {"rate": 44.1}, "positive whole number, got 44.1"),
    ],
)
def test_recordings_that_cannot_be_used_are_named(waveform, options, message):
    with pytest.raises(ValueError, match=message):
        examples_of(waveform, **options)


def test_any_leading_shape(examples):
    model = small()
    together = model(examples)
    assert together.shape == (2, 3, 6) and (together >= 0).all()
    torch.testing.assert_close(model(examples[1, 2]), together[1, 2], rtol=1e-4, atol=1e-6)
    assert model(examples[:0]).shape == (0, 3, 6)
    with pytest.raises(ValueError, match=r"\(\.\.\., 96, 64\), got the shape \(2, 3, 64, 96\)"):
        model(examples.transpose(2, 3))


def test_max_pool_before_relu_leaves_the_gradients_as_they_are(examples):
    """The network pools first, for speed; the reference's order must train it alike."""
    model = small()
    other = copy.deepcopy(model)
    model(examples).sum().backward()
    x = examples.flatten(0, 1)[:, None]
    for number, conv in enumerate(other.convs, start=1):
        x = torch.relu(conv(x))
        x = torch.nn.functional.max_pool2d(x, 2) if number in (1, 2, 4, 6) else x
    x = x.permute(0, 2, 3, 1).flatten(1)
    for linear in other.linears:
        x = torch.relu(linear(x))
    x.sum().backward()
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5)


def test_saved_and_loaded_without_a_hub(tmp_path, examples):
    model = small()
    model.save_pretrained(tmp_path)
    again = VGGish.from_pretrained(tmp_path).eval()
    assert again.shape == model.shape
    assert torch.equal(again(examples), model(examples))


def test_shapes_that_make_no_network_are_named():
    with pytest.raises(ValueError, match=r"six channels.*got channels \(8, 8\)"):
        VGGishConfig(channels=(8, 8))
    with pytest.raises(ValueError, match=r"hidden \(0, 4\)"):
        VGGishConfig(hidden=(0, 4))
