"""Every number that the embedded corpus depends on, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Knobs:
    """The settings of a corpus. Affect (valence, arousal, dominance) is on a scale of -1 to 1 throughout.

    docs/embedded_corpus.md shows what moving the main ones does to the baselines.
    """

    # --- how much of what
    seed: int = 1
    utterances: int = 1100
    sessions: int = 5
    speakers_per_session: int = 3
    repeated_lines: float = 0.08
    """Share of utterances whose line another speaker of the same session says too, as in a scripted
    dialogue."""

    # --- what is felt
    affect_spread: float = 0.22
    """Standard deviation of valence, arousal and dominance around the mean of their class."""

    # --- what the annotators make of it
    annotators: int = 4
    annotator_bias: float = 0.10
    """Standard deviation of an annotator's own shift of each scale."""
    annotator_noise: float = 0.24
    """Standard deviation of an annotator's error on one utterance."""

    # --- informativeness of the words
    text_noise: float = 0.10
    """Standard deviation of the error between the valence that is felt and the one that is put into words."""
    neutral_zone: float = 0.33
    """Below this absolute valence (noise included) the words are small talk."""
    emotion_words: float = 0.36
    """Share of sentences with valence that name a feeling ("I am so glad that ...")."""
    denied_emotions: float = 0.3
    """Share of those that name the opposite feeling and deny it ("I was ready to cry, but ...")."""
    telling_verbs: float = 0.6
    """Share of clauses whose verb alone gives the valence away ("we were spared ...", "we have to put up with
    ...")."""
    reversals: float = 0.5
    """Share of clauses that turn a good thing into bad news or the other way round ("refused to")."""
    double_negatives: float = 0.12
    """Share of clauses that negate twice ("nobody called off ...")."""
    contrasts: float = 0.16
    """Share of sentences that weigh bad against good ("although ..., ...")."""
    words_of_arousal: float = 0.60
    """How often the choice of feeling and of topic follows arousal (blame or loss, thrill or relief); else
    chance."""

    # --- informativeness of the voice
    prosody: float = 1.0
    """Scale of all that arousal and dominance do to rate, pitch, range and loudness."""
    valence_leak: float = 0.40
    """How much valence is heard in the voice, as a share of what arousal does."""
    control_noise: float = 0.42
    """Standard deviation of the error between what is felt and what the voice expresses."""
    speaker_spread: float = 1.0
    """Scale of the differences between speakers in rate, pitch, range and habitual feeling."""

    # --- the recording
    snr: tuple[float, float] = (15.0, 35.0)
    """Lowest and highest signal-to-noise ratio, dB."""
    room: float = 1.0
    """Scale of the reverberation; 0 leaves the voice dry."""
    gain_spread: float = 3.0
    """Largest random change of the recording level, dB either way."""
