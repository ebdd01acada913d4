"""Fifteen invented speakers, and how what they feel changes the way they speak."""

from dataclasses import dataclass

import numpy as np

from making.generator.knobs import Knobs

ACCENTS = ("en", "en-us", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp")
LOWEST, HIGHEST = 3, 97  # of eSpeak's 0 to 100 for pitch and range; beyond them it clips the contour


@dataclass(frozen=True)
class Speaker:
    """One voice: an accent of eSpeak's, a vocal tract, a pitch, and habits of speaking."""

    name: str
    session: str
    gender: str
    accent: str
    pitch: int
    """Lowest pitch of calm speech, Hz."""
    tract: float
    """Formant frequencies relative to eSpeak's male voice."""
    rate: float
    """Habitual rate relative to the mean of all."""
    pitch_habit: float
    range_habit: float
    voicing: int
    flutter: int
    room: float
    """Reverberation time of the room that the speaker sits in, seconds."""


@dataclass(frozen=True)
class Controls:
    """What the synthesiser is told for one utterance."""

    rate: int
    """Words a minute."""
    pitch: int
    """eSpeak's 0 to 100; 50 is the speaker's own."""
    pitch_range: int
    """eSpeak's 0 to 100; 50 is the speaker's own."""
    loudness: float
    """dB relative to the speaker's calm voice."""
    roughness: int
    """eSpeak's 0 to 7."""
    breath: int
    """eSpeak's 0 to 100, lowest formant."""


def speakers(rng: np.random.Generator, knobs: Knobs) -> list[Speaker]:
    """The speakers in order of session; in each session both genders, in turns one more of the one or the
    other."""
    made = []
    for session in range(1, knobs.sessions + 1):
        numbers = {"female": 0, "male": 0}
        for place in range(knobs.speakers_per_session):
            gender = ("female", "male")[(session + place) % 2]
            numbers[gender] += 1
            spread = rng.normal(0, knobs.speaker_spread, 6).clip(-2, 2)
            female = gender == "female"
            made.append(
                Speaker(
                    name=f"Ses{session:02d}{gender[0].upper()}{numbers[gender]}",
                    session=f"Ses{session:02d}",
                    gender=gender,
                    accent=ACCENTS[len(made) % len(ACCENTS)],
                    pitch=round((138 if female else 80) * 1.08 ** spread[0]),
                    tract=(1.14 if female else 0.99) * 1.03 ** spread[1],
                    rate=1.07 ** spread[2],
                    pitch_habit=4 * spread[3],
                    range_habit=8 * spread[4],
                    voicing=int(rng.integers(80, 121)),
                    flutter=int(rng.integers(2, 12)),
                    room=float(rng.uniform(0.12, 0.35)),
                )
            )
    return made


def controls(rng: np.random.Generator, affect: np.ndarray, speaker: Speaker, knobs: Knobs) -> Controls:
    """Turn affect (valence, arousal, dominance) into prosody, with noise of each control's own.

    Arousal makes speech faster, higher, livelier and louder, dominance lower and louder; good feelings lift
    and widen the melody a little, bad ones roughen the voice, and a weak, weary one is breathy.
    """
    valence, arousal, dominance = np.asarray(affect) * knobs.prosody
    valence = valence * knobs.valence_leak
    error = rng.normal(0, knobs.control_noise, 6) * knobs.prosody
    rate = 172 * speaker.rate * np.exp(0.34 * (arousal + error[0]) - 0.06 * dominance)
    pitch = 48 + speaker.pitch_habit + 24 * (arousal + error[1]) - 12 * dominance + 20 * valence
    wide = 50 + speaker.range_habit + 34 * (arousal + error[2]) + 40 * valence - 6 * dominance
    loudness = 5.0 * (arousal + error[3]) + 2.5 * dominance
    roughness = 1.5 + 2.5 * (dominance + error[4]) + 1.5 * arousal - 5 * valence
    breath = 14 - 22 * (arousal + error[5]) - 14 * dominance - 10 * valence
    return Controls(
        rate=int(np.clip(rate, 100, 280)),
        pitch=int(np.clip(pitch, LOWEST, HIGHEST)),
        pitch_range=int(np.clip(wide, LOWEST, HIGHEST)),
        loudness=float(np.round(np.clip(loudness, -9, 9), 2)),
        roughness=int(np.clip(np.rint(roughness), 0, 7)),
        breath=int(np.clip(np.rint(breath), 0, 70)),
    )


def variant(speaker: Speaker, roughness: int, breath: int) -> str:
    """The speaker's voice as a voice-variant file of eSpeak's."""
    tract = round(100 * speaker.tract)
    upper = round(100 * (1 + 0.6 * (speaker.tract - 1)))
    lines = ["language variant", "name speaker", f"gender {speaker.gender}"]
    lines += [f"pitch {speaker.pitch} {round(speaker.pitch * 1.45)}", f"flutter {speaker.flutter}"]
    lines += [f"roughness {roughness}", f"voicing {speaker.voicing}"]
    lines += [
        f"formant {n} {tract if n in (1, 2, 3) else upper} 100 {110 if tract > 105 else 100}"
        for n in range(9)
    ]
    if breath:
        lines += ["breath " + " ".join(str(round(breath * s)) for s in (1, 1, 0.7, 0.5, 0.2, 0.15))]
        lines += ["breathw 150 150 200 200 400 400"]
    return "\n".join(lines) + "\n"
