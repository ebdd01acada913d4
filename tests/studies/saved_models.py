"""Small networks of every kind, saved as the notebooks do, and recordings for them: what two tests share."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import soundfile
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from sernb.features.frames import Scaling, frame_features
from sernb.features.spectrogram import SpectrogramConfig
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.models.audio_text_regressor import assemble as assemble_regressor
from sernb.models.speech_student import SpeechStudent, StudentConfig
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.studies.saved import save
from tests.studies import rated_speech, two_streams

CLASSES = ["happy", "sad", "angry"]
LENGTHS = {"one.wav": 0.7, "two.wav": 2.5, "three.wav": 4.1}
TEXTS = {"one.wav": "good and bad", "two.wav": "bad", "three.wav": "so good so good so"}
FRONT_END = SpectrogramConfig(scaling="log", dft=640, shift=0.02)


def recordings(folder):
    """The utterances of three files of noise, of different lengths, rates and channels, that this writes."""
    rng = np.random.default_rng(0)
    for (name, seconds), rate in zip(LENGTHS.items(), (16000, 44100, 8000), strict=True):
        noise = 0.1 * rng.standard_normal((int(seconds * rate), 2 if rate == 44100 else 1))
        soundfile.write(folder / name, noise, rate)
    columns = {
        "path": [str(folder / name) for name in LENGTHS],
        "text": list(TEXTS.values()),
        "emotion": pd.Categorical(CLASSES, CLASSES),
    }
    return pd.DataFrame(columns, pd.Index(list(LENGTHS), name="utterance"))


def tokenizer():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "so", "and"]
    made = Tokenizer(models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", model_max_length=128
    )


def spectrogram_network(folder):
    """As of notebook 07."""
    torch.manual_seed(0)
    small = CNNConfig(classes=3, filters=((4, 2, 2), (2, 4, 2)), channels=(4, 4, 4, 8))
    model = SpectrogramCNN(small).eval()
    with torch.no_grad():  # so that recordings differ in what is said of them
        model.pool.top_down.weight *= 100
    save(model, folder, {"corpus": "embedded", "classes": CLASSES, "spectrogram": asdict(FRONT_END)})
    return model


def student(folder, waveforms):
    """As of notebook 04: (student, scaling)."""
    torch.manual_seed(0)
    config = StudentConfig(
        tuple(CLASSES), channels=(8,) * 4, width=8, layers=2, heads=2, feed_forward=8, classifier=8
    )
    frames = frame_features(waveforms, list(LENGTHS), progress=False)
    model, scaling = SpeechStudent(config).eval(), Scaling.fitted(frames, [0, 1, 2])
    save(model, folder, {"corpus": "manifest", "features": "log-mel"}, scaling=scaling)
    return model, scaling


def three_m_ser(folder, streams=("text", "audio")):
    """As of notebook 02."""
    bert, vggish = two_streams.encoders()
    parts = (bert if "text" in streams else None, vggish if "audio" in streams else None)
    model = assemble(*parts, ThreeMSERConfig(classes=tuple(CLASSES))).eval()
    save(model, folder, {"corpus": "embedded", "learnt_from": ["u1"]}, tokenizer())
    return model


def regressor(folder, text=True, about=None):
    """As of notebook 06."""
    speech, bert = rated_speech.encoders()
    model = assemble_regressor(speech, bert if text else None).eval()
    model.standardise(torch.tensor([[0.2, 0.4, 0.6], [0.3, 0.8, 0.4], [0.9, 0.6, 0.5]]))
    about = about or {"corpus": "embedded", "scale": (1.0, 5.0), "standardised": True}
    save(model, folder, about, tokenizer())
    return model
