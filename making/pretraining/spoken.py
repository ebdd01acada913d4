"""Speech to learn from without labels, with the phone of every 20 ms for those who ask later what was learnt.

The generator of the embedded corpus speaks: other speakers, and no sentence that the corpus says. The speech
lies in a folder, int16 samples one utterance behind the other, so that it is made once and read without
filling the memory.
"""

import json
import multiprocessing
import os
import re
import tempfile
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from making.generator.knobs import Knobs
from making.generator.plan import plan
from making.generator.synthesis import ESPEAK_RATE, PAUSE, RATE, espeak, lend_data, record
from making.generator.voices import Controls, Speaker
from sernb.core.errors import SernbError
from sernb.core.files import whole_folder
from sernb.core.ragged import Ragged
from sernb.corpora import load
from sernb.protocols import normalised

HOP, FIELD = 320, 400  # samples from frame to frame of a HuBERT, and those that one frame hears
SILENCE = "_"
DESCRIPTION = "speech.json"  # written last: a folder without it is not whole


@dataclass(frozen=True)
class Speech:
    """`table`: a row an utterance (index; speaker, session, gender, text, samples, and what the voice was
    told); `sound`: int16 (samples,) each at 16 kHz; `phones`: uint8 (frames,) each, numbers of `names`."""

    table: pd.DataFrame
    sound: Ragged
    phones: Ragged
    names: list[str]

    def waveform(self, item: int) -> np.ndarray:
        """float32 (samples,), full scale 1."""
        return self.sound[item].astype(np.float32) / 32768

    @property
    def hours(self) -> float:
        return len(self.sound.values) / RATE / 3600


def frames_of(samples: int) -> int:
    """How many frames a HuBERT makes of so many samples."""
    return max((samples - FIELD) // HOP + 1, 0)


def phone(name: str) -> str:
    """eSpeak's name of a phone without stress, length and variants: "'i:" is "i", "t#" is "t", "_:" is
    "_"."""
    bare = re.sub(r"[:#\-2]+$", "", name.lstrip("',%="))
    return bare or SILENCE


def phones_by_frame(phones: list[tuple[str, int]], samples: int) -> list[str]:
    """The phone in the middle of each frame; `phones` as `making.generator.synthesis.espeak` gives them
    (22,050 Hz, without the pause before the speech), `samples` at 16 kHz with the pauses. A glide (";")
    belongs to the phone before it."""
    heard = [(phone(name), begin) for name, begin in phones if name != ";"]
    begins = np.array([0.0, *(PAUSE + begin / ESPEAK_RATE for _, begin in heard)])
    names = [SILENCE, *(name for name, _ in heard)]
    middles = (HOP * np.arange(frames_of(samples)) + FIELD / 2) / RATE
    return [names[place] for place in np.searchsorted(begins, middles, side="right") - 1]


def speech(folder: str | Path, utterances: int, seed: int, speakers: int, jobs: int | None = None) -> Speech:
    """About so many utterances of about so many new speakers, from `folder`, or made and written there.

    The voice expresses feelings less exactly than in the embedded corpus, so that its settings vary more
    freely. Raises SernbError where the folder holds other speech or other things, for the embedded corpus's
    seed, and for fewer than 6 speakers or 2 utterances each.
    """
    folder = Path(folder)
    if seed == Knobs.seed:
        raise SernbError(f"seed {seed} makes the speakers of the embedded corpus: name another seed.")
    if speakers < 6 or utterances < 2 * speakers:
        raise SernbError(
            f"expected at least 6 speakers and 2 utterances of each, got {speakers} speakers and "
            f"{utterances} utterances."
        )
    wanted = {"utterances": utterances, "seed": seed, "speakers": speakers}
    if (folder / DESCRIPTION).is_file():
        found = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if {name: found.get(name) for name in wanted} != wanted:
            raise SernbError(f"{folder} holds other speech: {wanted} was asked for. Name another folder.")
    elif folder.exists() and any(folder.iterdir()):
        raise SernbError(f"{folder} is not empty and holds no speech: name a new folder.")
    else:
        _make(folder, wanted, jobs)
    return read(folder)


def read(folder: Path) -> Speech:
    """The speech that lies in a folder, its samples memory-mapped."""
    names = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["phones"]
    table = pd.read_csv(folder / "utterances.csv", index_col="utterance", keep_default_na=False)
    sound = np.memmap(folder / "sound.int16", np.int16, mode="r")
    phones = np.fromfile(folder / "phones.uint8", np.uint8)
    ends = [np.cumsum([0, *table["samples"]]), np.cumsum([0, *table["samples"].map(frames_of)])]
    return Speech(table, Ragged(sound, ends[0]), Ragged(phones, ends[1]), names)


def _make(folder: Path, wanted: dict, jobs: int | None) -> None:
    sessions = round(wanted["speakers"] / Knobs.speakers_per_session)
    knobs = Knobs(seed=wanted["seed"], utterances=wanted["utterances"], sessions=sessions, control_noise=0.7)
    table, cast = plan(knobs)
    known = set(load("embedded")["text"].map(normalised))
    table = table[~table["text"].map(normalised).isin(known)]
    tasks = [(number, row, cast[row.speaker]) for number, (_, row) in enumerate(table.iterrows())]
    way = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    names, samples = {SILENCE: 0}, []
    with whole_folder(folder, new=True) as beside:
        with (
            tempfile.TemporaryDirectory() as lent,
            (beside / "sound.int16").open("wb") as sound,
            (beside / "phones.uint8").open("wb") as phones,
            multiprocessing.get_context(way).Pool(jobs or os.cpu_count(), maxtasksperchild=1) as pool,
        ):
            work = pool.imap(partial(_say, data=lend_data(Path(lent)), knobs=knobs), tasks, chunksize=1)
            for waveform, said in tqdm(work, "speaking", len(tasks), unit="", disable=None):
                waveform.tofile(sound)
                np.array([names.setdefault(one, len(names)) for one in said], np.uint8).tofile(phones)
                samples.append(len(waveform))
        kept = ["speaker", "session", "gender", "text", *(one.name for one in fields(Controls))]
        table[kept].assign(samples=samples).to_csv(beside / "utterances.csv", lineterminator="\n")
        (beside / DESCRIPTION).write_text(json.dumps(wanted | {"phones": list(names)}), encoding="utf-8")


def _say(task: tuple[int, pd.Series, Speaker], data: Path, knobs: Knobs) -> tuple[np.ndarray, list[str]]:
    """One utterance, int16 (samples,) at 16 kHz, and its phones by frame."""
    number, row, speaker = task
    told = Controls(**{field.name: field.type(row[field.name]) for field in fields(Controls)})
    phones: list[tuple[str, int]] = []
    dry = espeak(row["text"], speaker, told, seed=number, data=data, phones=phones)
    heard = record(np.random.default_rng([knobs.seed, number]), dry, told.loudness, speaker.room, knobs)
    return np.rint(heard * 32767).astype(np.int16), phones_by_frame(phones, len(heard))
