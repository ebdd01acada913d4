"""The small VGGish: the shipped one as its card says, and its making, tiny. Speaking needs the extra
"generate"."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from making.generator.knobs import Knobs
from making.pretraining import mini_vggish as module
from making.pretraining.mini_vggish import balance, main, pretrain
from making.pretraining.voices import voices, windows
from sernb.core.errors import SernbError
from sernb.corpora import load
from sernb.models.vggish import FRAMES, VGGish, VGGishConfig, examples_of

SHIPPED = Path(str(files("sernb.features") / "weights" / "mini_vggish"))


@pytest.fixture
def espeak():
    pytest.importorskip("espeakng_loader", reason='eSpeak NG is not here: pip install "sernb[generate]"')


def test_the_shipped_network_is_the_cards():
    model = VGGish.from_pretrained(SHIPPED).eval()
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert f"{sum(one.numel() for one in model.parameters()):,} parameters" in card
    assert model.shape == module.SHAPE and next(model.parameters()).dtype == torch.float32
    assert {str(one.dtype) for one in load_file(SHIPPED / "model.safetensors").values()} == {"torch.float16"}
    assert (SHIPPED / "model.safetensors").stat().st_size < 3e6


def test_the_shipped_network_is_awake_and_tells_sounds_apart():
    """The last layer has a ReLU: a network whose units died would give zeros for everything."""
    model = VGGish.from_pretrained(SHIPPED).eval()
    time = torch.arange(5 * 16000) / 16000
    voices = [
        torch.sin(2 * torch.pi * pitch * torch.arange(1, 9)[:, None] * time).mean(0) for pitch in (90, 220)
    ]
    with torch.inference_mode():
        low, high = (model(examples_of(0.3 * voice)).mean(0) for voice in voices)
    assert (low > 0).sum() > 20 and (high > 0).sum() > 20
    assert torch.cosine_similarity(low, high, dim=0) < 0.95


def test_windows_cover_each_utterance_without_overlap():
    begins, owners = windows([96, 300, 191])
    assert begins.tolist() == [0, 96, 192, 288, 396] and owners.tolist() == [0, 1, 1, 1, 2]
    for shift in (1, 50, 95):
        moved, same = windows([96, 300, 191], shift)
        assert same.tolist() == owners.tolist()
        assert (moved - begins).tolist() == [0, *[min(shift, 12)] * 3, shift]
        assert moved[3] + FRAMES <= 396 and moved[4] + FRAMES <= 587


def test_balanced_units_are_awake():
    torch.manual_seed(0)
    model = VGGish(VGGishConfig(channels=(4, 4, 8, 8, 8, 8), hidden=(16, 16), embedding=128))
    examples = torch.randn(200, 96, 64) - 2
    balance(model, examples)
    with torch.no_grad():
        found = model(examples)
    assert not (found == 0).all(0).any()
    assert 0.3 < (found == 0).float().mean() < 0.7
    assert 0.3 < found.std(0).mean() < 1  # half a normal distribution has 0.58


def test_voices_are_new_and_their_settings_known(espeak):
    told, frames = voices(40, seed=3, jobs=1)
    assert len(told) == len(frames) <= 40 and told["session"].nunique() == 4
    assert all(one.shape[1] == 64 and len(one) >= FRAMES for one in frames)
    assert told.drop(columns="session").notna().all(axis=None) and told["rate"].std() > 0.1
    with pytest.raises(SernbError, match="makes the speakers of the embedded corpus"):
        voices(40, seed=Knobs.seed)


def test_made_again_tiny(espeak, tmp_path, monkeypatch):
    few = load("embedded").groupby(["session", "emotion"], observed=True).head(2)
    monkeypatch.setattr(module, "load", lambda _: few)
    pretrain(tmp_path / "a", utterances=40, epochs=1, seed=3, jobs=1)
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
    assert sorted(one.name for one in (tmp_path / "a").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    card = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    assert "--utterances 40 --epochs 1 --seed 3" in card and not re.search(r"[{}]|nan", card)
    assert len(re.findall(r"^\| (acoustic statistics|trained|random weights) \|", card, re.M)) == 3
    with torch.inference_mode():
        assert VGGish.from_pretrained(tmp_path / "a")(torch.zeros(1, 96, 64)).shape == (1, 128)
    assert main(["--out", str(tmp_path / "a")]) == 1


def test_settings_that_make_no_network(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "b"), "--epochs", "0"]) == 1
    assert main(["--out", str(tmp_path / "b"), "--utterances", "5"]) == 1
    assert main(["--out", str(tmp_path / "b"), "--seed", "1"]) == 1
    said = capsys.readouterr().err
    assert "got 0 epochs" in said and "and 5 utterances" in said and "seed 1" in said
    assert list(tmp_path.iterdir()) == []
