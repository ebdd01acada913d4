"""Who says what, how, and how it is judged: the whole corpus as a table, before a sound is made."""

import random
from dataclasses import asdict

import numpy as np
import pandas as pd

from making.generator import affect as feelings
from making.generator.grammar import Grammar
from making.generator.knobs import Knobs
from making.generator.voices import Speaker, controls, speakers

DIMENSIONS = ("valence", "arousal", "dominance")


def plan(knobs: Knobs) -> tuple[pd.DataFrame, dict[str, Speaker]]:
    """The table of utterances (in the order they are spoken) and the speakers by name."""
    rng, grammar = np.random.default_rng(knobs.seed), Grammar(random.Random(knobs.seed), knobs)
    cast = speakers(rng, knobs)
    labels = np.repeat(list(feelings.counts(knobs)), list(feelings.counts(knobs).values()))
    shares = np.array_split(rng.permutation(labels), len(cast))
    bias = feelings.biases(rng, knobs)
    rows, said = [], set()
    for speaker, wanted in zip(cast, shares, strict=True):
        lines = [row for row in rows if row["session"] == speaker.session and not row["repeated"]]
        for number, label in enumerate(wanted, start=1):
            row = {"utterance": f"{speaker.name}_{number:03d}", "speaker": speaker.name}
            row |= {"gender": speaker.gender, "session": speaker.session}
            affect, judged = judged_as(rng, label, bias, knobs)
            row |= line(rng, grammar, affect, lines, said, knobs) | judged
            row |= dict(zip((f"{name}_true" for name in DIMENSIONS), affect.round(3), strict=True))
            row |= asdict(controls(rng, affect, speaker, knobs))
            rows.append(row)
    return pd.DataFrame(rows).set_index("utterance"), {speaker.name: speaker for speaker in cast}


def judged_as(
    rng: np.random.Generator, label: str, bias: np.ndarray, knobs: Knobs
) -> tuple[np.ndarray, dict]:
    """Draw feelings until the annotators agree on this label; return the affect and what each annotator
    said."""
    names = list(feelings.CLASSES)
    prior = np.array([feelings.PROPORTIONS[name] for name in names], dtype=float)
    while True:
        emotion = names[rng.choice(len(names), p=prior / prior.sum())]
        affect = feelings.felt(rng, emotion, knobs)
        ratings, votes = feelings.annotate(rng, affect, bias, knobs)
        if feelings.plurality(votes) == label:
            break
    judged = {"emotion": str(label)}
    judged |= dict(zip(DIMENSIONS, ratings.mean(0).round(4), strict=True))
    for rater, (numbers, vote) in enumerate(zip(ratings, votes, strict=True), start=1):
        judged |= {f"emotion_{rater}": vote}
        judged |= {f"{name}_{rater}": number for name, number in zip(DIMENSIONS, numbers, strict=True)}
    return affect, judged | {"emotion_true": emotion}


def line(rng, grammar: Grammar, affect: np.ndarray, lines: list[dict], said: set[str], knobs: Knobs) -> dict:
    """Words for a feeling: a new sentence, or now and then one that another speaker of the session says
    too."""
    valence = affect[0] + rng.normal(0, knobs.text_noise)
    wanted = 0 if abs(valence) < knobs.neutral_zone else int(np.sign(valence))
    others = [row for row in lines if row["valence_of_words"] == wanted]
    if others and rng.random() < knobs.repeated_lines * knobs.speakers_per_session / (
        knobs.speakers_per_session - 1
    ):
        earlier = others[rng.integers(len(others))]
        lines.remove(earlier)  # a line is shared by two speakers, not by more
        return {key: earlier[key] for key in ("text", "valence_of_words", "form", "reversals")} | {
            "repeated": True
        }
    while (sentence := grammar.sentence(wanted, affect[1])).text in said:
        pass
    said.add(sentence.text)
    made = {"text": sentence.text, "valence_of_words": wanted, "form": sentence.form}
    return made | {"reversals": sentence.reversals, "repeated": False}
