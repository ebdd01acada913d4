"""The published weights of VGGish and of its PCA, as the package torchvggish released them.

Source: H. Taylor's port of the reference, github.com/harritaylor/torchvggish, release v0.1 (Apache 2.0). The eight hex
digits in a file's name are the beginning of its SHA-256.
"""

import os
import re
from pathlib import Path

import numpy as np
import torch

from sernb.core.errors import SernbError, some
from sernb.corpora import expected_folders
from sernb.corpora.download import check, download
from sernb.models.vggish import PostProcess, VGGish, VGGishConfig

ADDRESS = "https://github.com/harritaylor/torchvggish/releases/download/v0.1/"
WEIGHTS, PCA = "vggish-10086976.pth", "vggish_pca_params-970ea276.pth"
CONVS, LINEARS = (
    (0, 3, 6, 8, 11, 13),
    (0, 2, 4),
)  # places of the layers with weights in the reference's Sequentials
# The PCA was released as NumPy arrays; these rebuild arrays and do nothing else. NumPy 2 moved the first of them.
ARRAYS = [
    (np._core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
    (np._core.multiarray._reconstruct, "numpy._core.multiarray._reconstruct"),
    np.ndarray,
    np.dtype,
    type(np.dtype(np.float32)),
    type(np.dtype(np.float64)),
]


def published_vggish(
    path: str | Path | None = None, sha256: str | None = None, config: VGGishConfig | None = None
) -> VGGish:
    """VGGish with the published weights, from the file `path`, or downloaded once (288 MB) where there is none.

    The download goes on where it was cut off and lies in `$SERNB_CORPORA/vggish`, else in `./corpora/vggish`. A file
    under its published name must have the SHA-256 that the name tells of; `sha256` is a full sum that you know.
    `config`: the shape expected, for weights of your own under the reference's names.

    Raises SernbError: no such file, a wrong sum, a failed download, and a file that does not hold these weights.
    """
    file = _file(path, WEIGHTS, sha256)
    with torch.device("meta"):  # no random weights, only to be thrown away
        model = VGGish(config)
    names = {f"features.{place}": f"convs.{number}" for number, place in enumerate(CONVS)}
    names |= {f"embeddings.{place}": f"linears.{number}" for number, place in enumerate(LINEARS)}
    names = {
        f"{theirs}.{kind}": f"{ours}.{kind}" for theirs, ours in names.items() for kind in ("weight", "bias")
    }
    expected = {theirs: tuple(model.get_parameter(ours).shape) for theirs, ours in names.items()}
    saved = _read(file, expected, "the weights of VGGish")
    model.load_state_dict({ours: saved[theirs] for theirs, ours in names.items()}, assign=True)
    return model.eval()


def published_pca(path: str | Path | None = None, sha256: str | None = None) -> PostProcess:
    """The post-processing with the published PCA, from the file `path` or downloaded; as `published_vggish`."""
    expected = {"pca_eigen_vectors": (128, 128), "pca_means": (128,)}
    saved = _read(_file(path, PCA, sha256), expected, "the PCA of VGGish")
    return PostProcess(saved["pca_eigen_vectors"], saved["pca_means"])


def _file(path: str | Path | None, name: str, sha256: str | None) -> Path:
    """The file, its sum checked; downloaded where no `path` is given and none is here yet."""
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise SernbError(f"sha256 must be 64 hexadecimal digits, got {sha256!r}.")
    if path is not None:
        path = Path(path).expanduser()
        if not path.is_file():
            raise SernbError(f"{path}: there is no such file; expected {name} from {ADDRESS}{name}.")
        _check(path, path.name, sha256)
        return path
    places = [folder / name for folder in expected_folders("vggish")]
    here = next((place for place in places if place.is_file()), None)
    if here is None:
        here = places[0]
        unchecked = here.with_name(f"{name}.unchecked")
        download(f"{ADDRESS}{name}", unchecked, sha256)
        try:
            _check(unchecked, name, sha256)
        except SernbError:
            unchecked.unlink()
            raise
        os.replace(unchecked, here)
    else:
        _check(here, name, sha256)
    return here


def _check(path: Path, name: str, sha256: str | None) -> None:
    """SernbError where the file's SHA-256 is not `sha256`, or does not begin as a published `name` says."""
    try:
        found = check(path, sha256)
    except SernbError as problem:
        raise SernbError(f"{path}: {problem} Is this another file, or cut off? Fetch it again.") from problem
    except OSError as problem:
        raise SernbError(f"{path}: cannot be read ({problem.strerror}).") from problem
    begin = name.removesuffix(".pth").rpartition("-")[2]
    if name in (WEIGHTS, PCA) and not found.startswith(begin):
        raise SernbError(
            f"{path}: its SHA-256 is {found}, expected one that begins with {begin}, as the published file's does. It is "
            f"damaged or another file; fetch it again from {ADDRESS}{name}."
        )


def _read(path: Path, expected: dict[str, tuple], what: str) -> dict[str, torch.Tensor]:
    """Float32 tensors by the names and shapes `expected`; nothing in the file is run."""
    wanted = f"expected {what}: a torch file with {some(expected, 2)}"
    try:
        with torch.serialization.safe_globals(ARRAYS):
            saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # a foreign file can break the reader in any way
        why = str(problem).strip().split("\n")[0] or type(problem).__name__
        raise SernbError(
            f"{path}: is no file of weights, is cut off, or holds more than weights ({why}); {wanted}."
        ) from problem
    if not isinstance(saved, dict):
        raise SernbError(f"{path}: holds a {type(saved).__name__}; {wanted}.")
    saved = {name: value for name, value in saved.items() if not str(name).startswith("pproc.")}
    if saved.keys() != expected.keys():
        lacks = some(expected.keys() - saved.keys()) or "nothing"
        more = some(map(str, saved.keys() - expected.keys())) or "nothing"
        raise SernbError(
            f"{path}: the weights of another model: lacks {lacks}, has besides {more}; {wanted}."
        )
    tensors = {}
    for name, shape in expected.items():
        if not isinstance(saved[name], (torch.Tensor, np.ndarray)) or saved[name].dtype == object:
            raise SernbError(f"{path}: {name} is a {type(saved[name]).__name__}, expected numbers {shape}.")
        value = torch.as_tensor(saved[name])
        if value.dim() == 2 and len(shape) == 1 and value.shape[1] == 1:
            value = value[:, 0]  # the means, where they are saved as a column
        if tuple(value.shape) != shape:
            raise SernbError(f"{path}: {name} has the shape {tuple(value.shape)}, expected {shape}.")
        tensors[name] = value.float()
        if not torch.isfinite(tensors[name]).all():
            raise SernbError(f"{path}: {name} holds NaN or infinity; the file is damaged, fetch it again.")
    return tensors
