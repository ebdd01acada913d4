"""Pretrained encoders by name: the kit's own, or published ones from the hub, a folder or a file."""

import os
from collections.abc import Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
import transformers  # reads the code of a network when it is first named: seconds, so never at import
from torch import nn
from transformers.utils import logging

from sernb.core.errors import SernbError, some
from sernb.core.files import reading
from sernb.features.audio import RATE
from sernb.models.audio_text_regressor import KINDS
from sernb.models.vggish import PostProcess, VGGish, VGGishConfig

OWN = ("mini-bert", "mini-tinybert", "mini-vggish", "mini-hubert", "mini-distilhubert")
DROPOUTS = ("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout")

# VGGish and its PCA as H. Taylor's port of the reference released them (torchvggish v0.1, Apache 2.0); eight
# digits in a file's name begin its SHA-256.
ADDRESS = "https://github.com/harritaylor/torchvggish/releases/download/v0.1/"
WEIGHTS, PCA = "vggish-10086976.pth", "vggish_pca_params-970ea276.pth"
CONVS, LINEARS = (0, 3, 6, 8, 11, 13), (0, 2, 4)  # where weights stand in the reference's Sequentials
# The PCA was released as NumPy arrays; these rebuild arrays, no more. NumPy 2 moved the first.
ARRAYS = [
    (np._core.multiarray._reconstruct, "numpy.core.multiarray._reconstruct"),
    (np._core.multiarray._reconstruct, "numpy._core.multiarray._reconstruct"),
    *(np.ndarray, np.dtype, type(np.dtype(np.float32)), type(np.dtype(np.float64))),
]


def own_folder(name: str) -> Path:
    return Path(str(files("sernb.features") / "weights" / name.replace("-", "_")))


def text_encoder(name: str = "mini-bert", layers: int | None = None) -> tuple[nn.Module, object]:
    """A pretrained `transformers.BertModel`, from safetensors only, with its tokenizer.

    name: "mini-bert", "mini-tinybert" (the kit's own), a folder, or a name on the hub ("bert-base-uncased",
    "huawei-noah/TinyBERT_General_4L_312D"). layers: the first so many; None: all. Raises SernbError: another
    architecture, an incomplete folder, another model's tokenizer, too few layers.
    """
    where = str(own_folder(name)) if name in OWN else name
    expected = "expected config.json, model.safetensors and a tokenizer of a BERT"
    with reading(name, expected):
        if (kind := transformers.AutoConfig.from_pretrained(where).model_type) != "bert":
            raise SernbError(f"{name}: this is a {kind!r}; the text stream takes a BERT ('bert').")
        tokenizer = transformers.AutoTokenizer.from_pretrained(where)
        model = loaded(transformers.BertModel, name, where, expected, unused="pooler.")
    known = model.config.vocab_size
    if not known / 2 <= len(tokenizer) <= known:  # without its files transformers makes one that knows five
        counts = f"the tokenizer knows {len(tokenizer)} pieces and the model {known}"
        raise SernbError(f"{name}: {counts}: another model's, or tokenizer.json (vocab.txt) is missing.")
    tokenizer.model_max_length = min(tokenizer.model_max_length, model.config.max_position_embeddings)
    return (model if layers is None else first_layers(model, layers)), tokenizer


def speech_encoder(
    name: str = "mini-hubert", layers: int | None = None, dropout: float = 0.1
) -> tuple[nn.Module, bool]:
    """A pretrained HuBERT, DistilHuBERT or wav2vec 2.0, and whether it wants waveforms of mean 0, variance 1.

    name: "mini-hubert", "mini-distilhubert" (the kit's own), a folder, or a name on the hub
    ("ntu-spml/distilhubert", "facebook/hubert-base-ls960", "facebook/wav2vec2-large-robust", whose first 12
    layers are the paper's w2v2-L-robust(p)). layers: the first so many; None: all. dropout: throughout; no
    layer is dropped and no frame masked in training.

    Raises SernbError: another architecture, an incomplete folder, another rate than 16 kHz, too few layers.
    """
    where = str(own_folder(name)) if name in OWN else name
    expected = "expected config.json, preprocessor_config.json, model.safetensors of a HuBERT or wav2vec 2.0"
    with reading(name, expected):
        config = transformers.AutoConfig.from_pretrained(where)
        if (kind := config.model_type) not in KINDS:
            raise SernbError(f"{name}: this is a {kind!r}; a speech encoder is a HuBERT or wav2vec 2.0.")
        if getattr(config, "conv_pos_batch_norm", False):
            raise SernbError(f"{name}: conv_pos_batch_norm is true: padding would count. Choose another.")
        extractor = transformers.AutoFeatureExtractor.from_pretrained(where)
        if (rate := extractor.sampling_rate) != RATE:
            raise SernbError(f"{name}: its preprocessor says {rate} Hz; speech is given at {RATE} Hz.")

        settings = dict.fromkeys(DROPOUTS, dropout) | {"layerdrop": 0.0, "apply_spec_augment": False}
        network = getattr(transformers, KINDS[kind])
        model = loaded(network, name, where, expected, unused="masked_spec_embed", **settings)
    return (model if layers is None else first_layers(model, layers)), bool(extractor.do_normalize)


def speech_encoders(
    names: Sequence[str], dropout: float = 0.1, device: torch.device | str = "cpu"
) -> dict[str, tuple[nn.Module, bool]]:
    """Several of `speech_encoder` as {label: what it returns}; "mini-hubert:3" is its first 3 layers.

    The label is the name without its folders ("mini-hubert, 3 layers"), with them where two would be alike.
    """
    encoders = {}
    for name in names:
        whole, _, count = name.rpartition(":") if name.rpartition(":")[2].isdigit() else (name, "", "")
        network, normalise = speech_encoder(whole, int(count) if count else None, dropout)
        layers = f", {count} layers" if count else ""
        label = Path(whole).name + layers
        encoders[label if label not in encoders else whole + layers] = network.to(device), normalise
    return encoders


def loaded(network, name: str, where: str, expected: str, unused: str = "", **settings) -> nn.Module:
    """`network.from_pretrained(where)` in float32; SernbError for missing weights but those of `unused`."""
    settings |= {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
    with quietly():
        model, report = network.from_pretrained(where, **settings)
    missing = sorted(key for key in report["missing_keys"] if not unused or not key.startswith(unused))
    if missing:
        raise SernbError(f"{name}: {len(missing)} weights are missing, {missing[0]} among them; {expected}.")
    return model


def first_layers(encoder: nn.Module, layers: int) -> nn.Module:
    """A copy of a BERT, HuBERT or wav2vec 2.0 that ends after `layers` layers; a final norm stays."""
    name, depth = encoder.name_or_path, encoder.config.num_hidden_layers
    if not 1 <= layers <= depth:
        raise SernbError(f"{name}: asked for the first {layers} layers of an encoder that has {depth}.")
    config = type(encoder.config)(**{**encoder.config.to_dict(), "num_hidden_layers": layers})
    options = {"add_pooling_layer": False} if getattr(encoder, "pooler", True) is None else {}
    short = type(encoder)(config, **options)
    kept = short.state_dict().keys()
    short.load_state_dict({name: value for name, value in encoder.state_dict().items() if name in kept})
    return short


def audio_encoder(name: str = "mini-vggish") -> VGGish:
    """A pretrained VGGish.

    name: "mini-vggish" (the kit's own), "vggish" (published, downloaded once), a .pth file with the published
    weights, or what `VGGish.save_pretrained` wrote. SernbError for anything else.
    """
    if name == "vggish" or str(name).endswith(".pth"):
        return published_vggish(None if name == "vggish" else Path(name))
    folder = own_folder(name) if name in OWN else Path(name)
    expected = "expected mini-vggish, vggish, a .pth file, or a folder that VGGish.save_pretrained wrote"
    for file in ("config.json", "model.safetensors"):
        if not (folder / file).is_file():
            raise SernbError(f"{name}: there is no {folder / file}; {expected}.")
    with reading(name, expected):  # strict, or what is missing would stay random
        return VGGish.from_pretrained(str(folder), strict=True).float()


@contextmanager
def quietly():
    """Without transformers' bar and its table of missing weights, which are looked at here."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def published_vggish(path: str | Path | None = None, config: VGGishConfig | None = None) -> VGGish:
    """VGGish with the published weights, from the file `path`, or downloaded once (288 MB).

    The download lies in `$SERNB_CORPORA/vggish`, else in `./corpora/vggish`. `config`: the shape of your own
    weights. Raises SernbError: no such file, a wrong sum, a failed download, other weights.
    """
    path, what = _published(path, WEIGHTS), "the weights of VGGish"
    with torch.device("meta"):  # no random weights, only to be thrown away
        model = VGGish(config)
    layers = {f"features.{place}": f"convs.{number}" for number, place in enumerate(CONVS)}
    layers |= {f"embeddings.{place}": f"linears.{number}" for number, place in enumerate(LINEARS)}
    pairs = layers.items()
    names = {f"{theirs}.{kind}": f"{ours}.{kind}" for theirs, ours in pairs for kind in ("weight", "bias")}
    own = {names[name]: value for name, value in _numbers(path, list(names), what).items()}
    with reading(path, f"expected {what}"):
        model.load_state_dict(own, assign=True)
    return model.eval()


def published_pca(path: str | Path | None = None) -> PostProcess:
    """The post-processing with the published PCA; as `published_vggish`."""
    path, what = _published(path, PCA), "the PCA of VGGish"
    numbers = _numbers(path, ("pca_eigen_vectors", "pca_means"), what)
    with reading(path, f"expected {what}"):  # the means are saved as a column
        return PostProcess(numbers["pca_eigen_vectors"], numbers["pca_means"].flatten())


def _published(path: str | Path | None, name: str) -> Path:
    """The file, its sum checked; downloaded where no `path` is given and none is here yet."""
    from sernb.corpora import expected_folders  # for published weights alone
    from sernb.corpora.download import check, download

    if path is None:
        places = [folder / name for folder in expected_folders("vggish")]
        path = next((place for place in places if place.is_file()), places[0])
        file = path if path.is_file() else path.with_name(f"{name}.unchecked")
        if file != path:
            download(f"{ADDRESS}{name}", file)
    else:
        path = file = Path(path).expanduser()
        if not path.is_file():
            raise SernbError(f"{path}: there is no such file; expected {name} from {ADDRESS}{name}.")

    begin = path.stem.rpartition("-")[2]
    if path.name in (WEIGHTS, PCA) and not (sha256 := check(file)).startswith(begin):
        if file != path:
            file.unlink()
        why = f"its SHA-256 is {sha256}, expected one that begins with {begin}: damaged, or another"
        raise SernbError(f"{file}: {why}. Fetch it again from {ADDRESS}{name}.")
    if file != path:
        os.replace(file, path)
    return path


def _numbers(path: Path, names, what: str) -> dict[str, torch.Tensor]:
    """Float32 tensors of the `names` in a file; nothing in it is run."""
    wanted = f"expected {what}: a torch file with {some(names, 2)}"
    try:
        with torch.serialization.safe_globals(ARRAYS):
            saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as problem:  # a foreign file can break the reader in any way
        why = str(problem).strip().split("\n")[0] or type(problem).__name__
        what = f"is no file of weights, is cut off, or holds more than weights ({why})"
        raise SernbError(f"{path}: {what}; {wanted}.") from problem
    if not isinstance(saved, dict) or (lacking := [name for name in names if name not in saved]):
        why = f"lacks {some(lacking)}" if isinstance(saved, dict) else f"holds a {type(saved).__name__}"
        raise SernbError(f"{path}: {why}; {wanted}.")
    with reading(path, wanted):
        numbers = {name: torch.as_tensor(saved[name]).float() for name in names}
    if broken := [name for name, value in numbers.items() if not torch.isfinite(value).all()]:
        raise SernbError(f"{path}: {broken[0]} holds NaN or infinity; the file is damaged, fetch it again.")
    return numbers
