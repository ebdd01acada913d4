"""The network: the paper's sizes, poolings against plain arithmetic, shapes, saving, bad input."""

import warnings

import numpy as np
import pytest
import torch

from sernb.models.attention_pooling import POOLINGS, BilinearPool, CNNConfig, ConvBlock, SpectrogramCNN

SMALL = {"channels": (6, 5), "max_pools": (1, 2), "filters": ((4, 2, 3), (2, 4, 3))}


@pytest.fixture
def spectrogram():
    return torch.randn(3, 32, 24, generator=torch.Generator().manual_seed(0))


def small(**changes):
    torch.manual_seed(0)
    return SpectrogramCNN(CNNConfig(**{**SMALL, **changes})).eval()


@pytest.mark.parametrize(
    ("pooling", "expected"), [("attention", 93_573), ("gap", 93_492), ("bilinear", 118_772)]
)
def test_parameter_counts_of_the_paper(pooling, expected):
    model = SpectrogramCNN(CNNConfig(pooling=pooling))
    assert sum(one.numel() for one in model.parameters()) == expected


def test_feature_maps_of_figure_1():
    model = SpectrogramCNN().eval()
    with torch.inference_mode():
        assert model.features(torch.zeros(1, 400, 200)).shape == (1, 80, 50, 25)
        other = SpectrogramCNN(CNNConfig(max_pools=(2, 3))).eval()
        assert other.features(torch.zeros(1, 400, 200)).shape == (1, 80, 100, 50)


@pytest.mark.parametrize("shape", [(10, 2), (2, 8), (3, 3), (5, 4)])
def test_padding_is_torchs_same(shape):
    x = torch.randn(2, 1, 12, 11)
    (conv,) = ConvBlock(1, ((*shape, 4),), max_pool=False).convs
    weights = conv[1] if isinstance(conv, torch.nn.Sequential) else conv
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that an even filter copies its input
        expected = torch.nn.functional.conv2d(x, weights.weight, weights.bias, padding="same")
    torch.testing.assert_close(conv(x), expected)


def test_two_filter_groups_equal_separate_norms():
    """The paper normalises each group, then concatenates; one norm over both must be the same in training
    mode."""
    torch.manual_seed(1)
    both = ConvBlock(1, ((10, 2, 8), (2, 8, 8)), max_pool=False).train()
    x = torch.randn(4, 1, 30, 20)
    parts = [torch.relu(torch.nn.BatchNorm2d(8).train()(conv(x))) for conv in both.convs]
    torch.testing.assert_close(both(x), torch.cat(parts, 1))


def test_max_pool_before_relu_equals_after():
    block = ConvBlock(1, ((3, 3, 4),), max_pool=True).train()
    x = torch.randn(2, 1, 8, 8)
    after = torch.nn.functional.max_pool2d(torch.relu(torch.nn.BatchNorm2d(4).train()(block.convs[0](x))), 2)
    torch.testing.assert_close(block(x), after)


def test_attention_is_equation_7(spectrogram):
    """score(k) = (X a_k)' softmax(X b), computed here from the weights with numpy."""
    model = small()
    out = model(spectrogram, maps=True)
    x = model.features(spectrogram).detach().numpy().reshape(3, 5, -1).transpose(0, 2, 1)  # (B, HW, C)
    a = model.pool.top_down.weight.detach().numpy()[:, :, 0, 0]
    b = model.pool.bottom_up.weight.detach().numpy()[0, :, 0, 0]
    bottom = x @ b + model.pool.bottom_up.bias.item()
    bottom = np.exp(bottom - bottom.max(1, keepdims=True))
    bottom /= bottom.sum(1, keepdims=True)
    top = x @ a.T + model.pool.top_down.bias.detach().numpy()
    expected = np.einsum("bpk,bp->bk", top, bottom)
    np.testing.assert_allclose(out.logits.detach().numpy(), expected, rtol=1e-4, atol=1e-5)


def test_maps_belong_together(spectrogram):
    out = small()(spectrogram, maps=True)
    assert out.top_down.shape == (3, 4, 8, 6) and out.bottom_up.shape == (3, 1, 8, 6)
    torch.testing.assert_close(out.bottom_up.sum((1, 2, 3)), torch.ones(3))
    torch.testing.assert_close(out.product.sum((2, 3)), out.logits)
    torch.testing.assert_close(out.top_down * out.bottom_up, out.product)


def test_average_instead_of_sum_divides_by_the_positions(spectrogram):
    torch.testing.assert_close(
        small(attention_sum=False)(spectrogram).logits * 48, small()(spectrogram).logits, rtol=1e-4, atol=1e-5
    )


def test_gap_is_the_mean(spectrogram):
    model = small(pooling="gap")
    x = model.features(spectrogram).mean((2, 3))
    torch.testing.assert_close(
        model(spectrogram).logits, x @ model.pool.classify.weight.T + model.pool.classify.bias
    )


def test_bilinear_by_hand():
    """One position with features (3, 4): X'X = (9, 12, 12, 16), length 25, then square roots."""
    pool = BilinearPool(2, CNNConfig(classes=4, pooling="bilinear")).eval()
    with torch.no_grad():
        pool.classify.weight.copy_(torch.eye(4))
        pool.classify.bias.zero_()
    logits = pool(torch.tensor([[[[3.0]], [[4.0]]]]))["logits"]
    torch.testing.assert_close(logits, torch.tensor([[9 / 25, 12 / 25, 12 / 25, 16 / 25]]).sqrt())


def test_bilinear_gradient_is_finite_at_zero():
    pool = BilinearPool(3, CNNConfig(pooling="bilinear"))
    x = torch.zeros(1, 3, 2, 2, requires_grad=True)
    pool(x)["logits"].sum().backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_single_item_and_constant_input(pooling):
    model = small(pooling=pooling)
    out = model(torch.full((1, 32, 24), -1.0), labels=torch.tensor([2]))
    assert out.logits.shape == (1, 4) and torch.isfinite(out.logits).all() and torch.isfinite(out.loss)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_batch_gives_what_single_items_give(pooling, spectrogram):
    model = small(pooling=pooling)
    alone = torch.cat([model(one[None]).logits for one in spectrogram])
    torch.testing.assert_close(model(spectrogram).logits, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_saved_and_loaded_without_a_hub(pooling, tmp_path, spectrogram):
    model = small(pooling=pooling)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    again = SpectrogramCNN.from_pretrained(tmp_path).eval()
    assert again.shape == model.shape
    torch.testing.assert_close(again(spectrogram).logits, model(spectrogram).logits)


def test_filter_study_layer_is_16_to_4():
    model = SpectrogramCNN(CNNConfig(pooling="gap", filters=((100, 2, 16),), channels=(), max_pools=()))
    assert sum(one.numel() for one in model.parameters()) == 100 * 2 * 16 + 16 + 32 + 16 * 4 + 4
    assert model.eval()(torch.zeros(1, 120, 20)).logits.shape == (1, 4)


def test_bad_input_is_named(spectrogram):
    with pytest.raises(ValueError, match=r"attention, gap, bilinear"):
        CNNConfig(pooling="max")
    with pytest.raises(ValueError, match="layer 6"):
        CNNConfig(max_pools=(6,))
    with pytest.raises(ValueError, match=r"\(32, 24\)"):
        small()(spectrogram[0])
    with pytest.raises(ValueError, match="3 bins and 24 frames"):
        small()(spectrogram[:, :3])
    with pytest.raises(ValueError, match="'gap'"):
        small(pooling="gap")(spectrogram, maps=True)
