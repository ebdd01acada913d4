"""Published weights: the reference's names, sums, downloads from a server on this machine, files that are none."""

import hashlib
import os
import pickle
import threading

import numpy as np
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.features import vggish_weights as module
from sernb.features.vggish_weights import CONVS, LINEARS, published_pca, published_vggish
from sernb.models.vggish import PostProcess, VGGish, VGGishConfig
from tests.corpora.server import Server

SMALL = VGGishConfig(channels=(3, 4, 5, 5, 6, 7), hidden=(9, 8), embedding=6)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VGGish(SMALL).eval()


@pytest.fixture
def pca():
    rng = np.random.default_rng(0)
    return {"pca_eigen_vectors": rng.normal(0, 0.1, (128, 128)), "pca_means": rng.random((128, 1))}


def as_the_reference(model):
    """The weights under the names that the package torchvggish gives them."""
    layers = [
        *zip((f"features.{n}" for n in CONVS), model.convs, strict=True),
        *zip((f"embeddings.{n}" for n in LINEARS), model.linears, strict=True),
    ]
    return {
        f"{name}.{kind}": getattr(layer, kind).detach().clone()
        for name, layer in layers
        for kind in ("weight", "bias")
    }


def save(content, path, **options):
    torch.save(content, path, **options)
    return path


def test_names_and_shapes_are_the_references():
    reference = pytest.importorskip("torchvggish.torchvggish", reason="pip install torchvggish")
    with torch.device("meta"):
        theirs, ours = reference.VGG(reference.make_layers(), postprocess=False), VGGish()
    expected = {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    assert {name: tuple(value.shape) for name, value in as_the_reference(ours).items()} == expected


@pytest.mark.parametrize(
    "zipped", [True, False]
)  # torch before 1.6, of which the release is, had another format
def test_weights_under_the_references_names(model, tmp_path, zipped):
    path = save(as_the_reference(model), tmp_path / "own.pth", _use_new_zipfile_serialization=zipped)
    found = published_vggish(path, config=SMALL)
    x = torch.randn(2, 96, 64)
    assert not found.training and torch.equal(found(x), model(x))
    assert all(one.requires_grad for one in found.parameters())


@pytest.mark.parametrize("kind", ["arrays", "tensors"])
def test_the_pca(pca, tmp_path, kind):
    saved = pca if kind == "arrays" else {name: torch.from_numpy(value) for name, value in pca.items()}
    found = published_pca(save(saved, tmp_path / "pca.pth"))
    x = torch.rand(3, 128)
    expected = PostProcess(pca["pca_eigen_vectors"], pca["pca_means"][:, 0])
    assert torch.equal(found(x), expected(x))


def test_arrays_that_an_older_numpy_saved(pca, tmp_path):
    path = save(pca, tmp_path / "new.pth", _use_new_zipfile_serialization=False)
    content = path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert content != path.read_bytes()
    path.write_bytes(content)
    assert published_pca(path).means.shape == (128,)


def test_a_file_that_runs_code_is_refused(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "was here"),)

    for path in (save({"features.0.weight": Attack()}, tmp_path / "a.pth"), tmp_path / "b.pth"):
        if not path.exists():
            path.write_bytes(pickle.dumps(Attack(), protocol=2))
        with pytest.raises(SernbError, match="holds more than weights"):
            published_vggish(path, config=SMALL)
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_file(model, tmp_path, zipped):
    path = save(as_the_reference(model), tmp_path / "own.pth", _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(SernbError, match=r"own.pth: .*cut off.*expected the weights of VGGish"):
            published_vggish(path, config=SMALL)


def test_files_of_something_else(model, pca, tmp_path):
    path = tmp_path / "other.pth"
    path.write_text("<html>Sign in</html>")
    with pytest.raises(SernbError, match="is no file of weights"):
        published_vggish(path, config=SMALL)
    with pytest.raises(SernbError, match="holds a Tensor; expected the PCA"):
        published_pca(save(torch.zeros(3), path))
    with pytest.raises(SernbError, match=r"another model: lacks .*features.* has besides pca_"):
        published_vggish(save(pca, path), config=SMALL)
    with pytest.raises(
        SernbError, match=r"features.0.weight has the shape \(3, 1, 3, 3\), expected \(64, 1, 3, 3\)"
    ):
        published_vggish(save(as_the_reference(model), path))
    with pytest.raises(SernbError, match="pca_means is a list, expected numbers"):
        published_pca(save(pca | {"pca_means": [0.0] * 128}, path))
    with pytest.raises(SernbError, match="pca_means holds NaN"):
        published_pca(save(pca | {"pca_means": np.full(128, np.nan)}, path))


def test_sums_of_local_files(pca, tmp_path):
    path = save(pca, tmp_path / "pca.pth")
    published_pca(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest().upper())
    with pytest.raises(SernbError, match=r"pca.pth: the SHA-256 of pca.pth is \w+, expected 000"):
        published_pca(path, sha256="0" * 64)
    with pytest.raises(SernbError, match="64 hexadecimal digits, got 'abc'"):
        published_pca(path, sha256="abc")
    renamed = path.rename(tmp_path / module.PCA)
    with pytest.raises(SernbError, match="expected one that begins with 970ea276"):
        published_pca(renamed)
    with pytest.raises(SernbError, match=r"nowhere.pth: there is no such file; expected vggish-10086976.pth"):
        published_vggish(tmp_path / "nowhere.pth")


@pytest.fixture
def published(pca, tmp_path, monkeypatch):
    """A server on this machine that publishes a PCA of ours, and an empty folder for downloads."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    content = save(pca, tmp_path / "pca.pth").read_bytes()
    (tmp_path / "pca.pth").unlink()
    name = f"vggish_pca_params-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[f"/{name}"] = content
    monkeypatch.setattr(module, "ADDRESS", f"{server.url}/")
    monkeypatch.setattr(module, "PCA", name)
    monkeypatch.setenv("SERNB_CORPORA", str(tmp_path))
    yield server, tmp_path / "vggish" / name
    server.shutdown()
    server.server_close()


def test_downloaded_once(published, pca):
    server, path = published
    first, second = published_pca(), published_pca()
    assert [asked for asked, _ in server.asked] == [f"/{path.name}"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert torch.equal(first.means, second.means)
    np.testing.assert_allclose(first.means, pca["pca_means"][:, 0], rtol=1e-6)


def test_a_download_that_is_another_file_leaves_nothing(published):
    server, path = published
    server.files[f"/{path.name}"] = b"<html>Sign in</html>"
    with pytest.raises(SernbError, match="expected one that begins with"):
        published_pca()
    with pytest.raises(SernbError, match="expected 000"):
        published_pca(sha256="0" * 64)
    assert list(path.parent.iterdir()) == []


def test_a_download_that_was_damaged_later_is_told(published):
    _, path = published
    published_pca()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SernbError, match=f"{path.name}: its SHA-256 is .*damaged or another file"):
        published_pca()
