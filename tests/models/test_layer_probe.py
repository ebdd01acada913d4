"""The probe over layers: its weights, both kinds of states, and what layer normalisation changes."""

import pytest
import torch

from sernb.models.layer_probe import LayerProbe


def states(batch=5, layers=4, frames=6, width=3):
    return torch.randn(batch, layers, frames, width, generator=torch.Generator().manual_seed(0))


def test_it_begins_with_the_plain_mean_of_the_layers():
    torch.manual_seed(0)
    probe, x = LayerProbe(4, 3).eval(), states().mean(2)
    torch.testing.assert_close(probe.layer_weights, torch.full((4,), 0.25))
    torch.testing.assert_close(probe(x), probe.head(x.mean(1)))


def test_a_weighted_sum_by_hand():
    probe = LayerProbe(2, 2).eval()
    probe.head = torch.nn.Identity()
    with torch.no_grad():
        probe.layer_logits.copy_(torch.tensor([0.75, 0.25]).log())
    x = torch.tensor([[[4.0, 0.0], [0.0, 8.0]]])
    torch.testing.assert_close(probe(x), torch.tensor([[3.0, 2.0]]))


def test_padding_and_order_of_a_batch_change_nothing():
    torch.manual_seed(0)
    probe, x = LayerProbe(4, 3, 2).eval(), states()
    mask = torch.arange(6) < torch.tensor([6, 2, 4, 1, 5])[:, None]
    found = probe(x, mask)
    changed = x.masked_fill(~mask[:, None, :, None], 99.0)
    torch.testing.assert_close(probe(changed, mask), found)
    torch.testing.assert_close(probe(x[1:2, :, :2], mask[1:2, :2]), found[1:2])
    torch.testing.assert_close(probe(x.flip(0), mask.flip(0)), found.flip(0))


def test_the_scale_of_a_layer_matters_only_without_normalisation():
    x = states().mean(2)
    large = x.clone()
    large[:, 1] *= 100
    for normalise, same in (("none", False), ("layer", True)):
        torch.manual_seed(0)
        probe = LayerProbe(4, 3, normalise=normalise).eval()
        assert torch.allclose(probe(x), probe(large), atol=1e-3) is same


def test_it_finds_the_layer_that_tells():
    torch.manual_seed(0)
    x = torch.randn(256, 4, 8)
    y = x[:, 2, :1]
    probe = LayerProbe(4, 8, dropout=0.0)
    optimizer = torch.optim.Adam(probe.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        (probe(x) - y).square().mean().backward()
        optimizer.step()
    assert probe.layer_weights.argmax() == 2
    assert probe.layer_weights[2] > 0.6


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="normalise is 'batch'"):
        LayerProbe(4, 3, normalise="batch")
    with pytest.raises(ValueError, match=r"expected \(batch, 4 layers"):
        LayerProbe(4, 3)(torch.randn(2, 5, 3))
    with pytest.raises(ValueError, match="need a mask"):
        LayerProbe(4, 3)(states())
