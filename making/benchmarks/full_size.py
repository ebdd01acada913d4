"""Encoders of full size, saved and loaded without a hub, and one step of each network made of them.

What `python -m making.benchmarks.distillation_cost --prove` runs. Weights are random; each network has a
process of its own.
"""

import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from sernb.features.encoders import audio_encoder, text_encoder
from sernb.models.three_m_ser import ThreeMSERConfig, assemble
from sernb.models.vggish import VGGish, VGGishConfig
from sernb.studies.recipes import THREE_M_SER, Stage, TwoStages
from sernb.studies.three_m_inputs import outputs, prepare
from sernb.studies.three_m_ser import train_two_stages

CLASSES = ("neutral", "happy", "sad", "angry")


def prove(text: BertConfig, audio: VGGishConfig, students=(6, 4, 2), threads: int = 2) -> pd.DataFrame:
    """Encoders saved and loaded by their folders; a row for the teacher and each student, after one step of
    16."""
    torch.manual_seed(0)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *(f"word{number}" for number in range(text.vocab_size - len(special)))]
    teacher, rows = None, []
    with tempfile.TemporaryDirectory() as folder:
        BertModel(text).save_pretrained(f"{folder}/text")
        BertTokenizer(vocab={one: n for n, one in enumerate(pieces)}).save_pretrained(f"{folder}/text")
        VGGish(audio).save_pretrained(f"{folder}/audio")
        for layers in (None, *students):
            with ProcessPoolExecutor(1, get_context("spawn")) as executor:  # one each: its own peak of memory
                row, said = executor.submit(one_step, folder, layers, teacher, threads).result()
            teacher = teacher or said
            rows.append(row)
    return pd.DataFrame(rows).set_index("network")


def one_step(folder, layers, teacher, threads):
    """(a row of `prove`, what a teacher says); one step includes the start of a training."""
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    seconds = rng.gamma(2.2, 4.5 / 2.2, 16)
    texts = [" ".join(f"word{n}" for n in rng.integers(0, 80, 1 + int(3.5 * one))) for one in seconds]
    emotions = pd.Categorical([CLASSES[number % 4] for number in range(16)], CLASSES)
    utterances = pd.DataFrame({"text": texts, "emotion": emotions}, [f"u{number}" for number in range(16)])
    waveforms = [0.1 * rng.standard_normal(1 + int(16000 * one)).astype(np.float32) for one in seconds]
    began = time.perf_counter()
    text, tokenizer = text_encoder(f"{folder}/text", layers)
    model = assemble(text, audio_encoder(f"{folder}/audio"), ThreeMSERConfig(CLASSES))
    loaded = time.perf_counter()
    inputs = prepare(utterances, waveforms, tokenizer, model.audio, progress=False)
    said = None if teacher else outputs(model, inputs, progress=False)
    encoded = time.perf_counter()
    recipe = replace(THREE_M_SER["paper"].transfer.recipe, epochs=1, batch_size=16)
    stage = Stage(recipe, train_text=True, distil=teacher is not None)
    curve = train_two_stages(model, inputs, np.arange(16), (), TwoStages(None, stage), teacher)
    row = {
        "network": f"BERT{model.text.config.num_hidden_layers} + VGGish" + ("" if teacher else ", teacher"),
        "parameters": sum(one.numel() for one in model.parameters()),
        "loading, s": loaded - began,
        "encoding, s": encoded - loaded,
        "one step, s": time.perf_counter() - encoded,
        "loss": curve["loss"].iloc[-1],
        "peak memory, GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,  # KiB on Linux
    }
    return row, said
