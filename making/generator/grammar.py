"""Sentences whose valence is known, because it is composed: a good or bad thing, kept or turned round.

"My landlord decided not to raise the rent" is good news made of bad words; no single word says so. What words
there are stands in lexicon.yaml, people.yaml and slots.yaml; how they are joined, in patterns.yaml.
"""

import random
import re
from dataclasses import dataclass

from making.generator.knobs import Knobs
from making.generator.verbs import gerund, past, third_person
from making.generator.words import read

SHORTEST, LONGEST = 4, 18  # words: about one and seven seconds of calm speech
VALUES = {1: "good", -1: "bad", 0: "plain"}
PLURALS = {"is": "are", "was": "were", "has": "have"}
QUESTION = re.compile(r"(did|do|does|could|is|are|have|what colour|which way)\b")


@dataclass(frozen=True)
class Sentence:
    """A sentence, its valence (-1, 0, 1) and how it was made.

    form: "small talk", "clause", "feeling", "contrast" or "both"; reversals: how often the deciding clause
    turns round the thing it is about; feeling: the kind of feeling that is named, or "".
    """

    text: str
    valence: int
    topic: str
    form: str
    reversals: int = 0
    feeling: str = ""


def inflect(pattern: str, subject: str) -> str:
    """Fill in the subject and let "{is}", "{wants}" ... agree with it."""
    plural = subject.endswith("+")
    name = subject.rstrip("+")
    text = pattern.replace("{subject}", name).replace("{object}", name)

    def agree(match: re.Match) -> str:
        verb = match[1]
        return PLURALS.get(verb, verb[:-1]) if plural else verb

    return re.sub(r"\{(is|was|has|wants|plans|keeps)\}", agree, text)


class Grammar:
    """Draws sentences. Everything random comes from the one generator that is given."""

    def __init__(self, rng: random.Random, knobs: Knobs):
        self.rng, self.knobs = rng, knobs
        self.lexicon, self.people = read("lexicon"), read("people")
        self.patterns, self.slots = read("patterns"), read("slots")

    def sentence(self, valence: int, arousal: float = 0.0) -> Sentence:
        """A sentence of this valence (-1 bad, 0 plain, 1 good); arousal (-1 to 1) may colour the choice of
        words."""
        while True:
            made = self.plain() if valence == 0 else self.valent(valence, arousal)
            if SHORTEST <= len(made.text.split()) <= LONGEST:
                return made

    # --- whole sentences

    def plain(self) -> Sentence:
        topic, draw = self.rng.choice(list(self.lexicon)), self.rng.random()
        if draw < 0.65:
            text = self.rng.choice(self.lexicon[topic]["plain"])
            if draw < 0.1 and not QUESTION.match(text):
                text = self.rng.choice(self.patterns["plain_frames"]).replace("{clause}", text)
        else:
            text, _ = self.clause(topic, self.rng.choice(["acts", "acts", "events"]), 0)
            if draw > 0.97:
                text = self.rng.choice(self.patterns["feelings"]["plain"]).replace("{clause}", text)
            elif draw > 0.85:
                text = self.frame(text, "plain_frames")
        return Sentence(self.finish(text, news=False), 0, topic, "small talk")

    def valent(self, valence: int, arousal: float) -> Sentence:
        topic = self.rng.choice(list(self.lexicon))
        follows = self.rng.random() < self.knobs.words_of_arousal
        high = arousal > 0 if follows else self.rng.random() < 0.5
        kinds = self.kinds(valence, high) if follows else self.kinds()
        kind, other = kinds[0], next(kind for kind in kinds if kind != kinds[0])
        text, reversals = self.clause(topic, kind, valence)
        draw = self.rng.random()
        if draw < self.knobs.emotion_words:
            feeling = self.feeling(valence, high)
            text = self.rng.choice(self.patterns["feelings"][feeling]).replace("{clause}", text)
            return Sentence(self.finish(text), valence, topic, "feeling", reversals, feeling)
        draw -= self.knobs.emotion_words
        if draw < self.knobs.contrasts:
            weak, _ = self.clause(topic, other, -valence)
            text = (
                self.rng.choice(self.patterns["contrasts"]).replace("{weak}", weak).replace("{strong}", text)
            )
            return Sentence(self.finish(text), valence, topic, "contrast", reversals)
        if draw < self.knobs.contrasts + 0.08:
            first, _ = self.clause(topic, other, valence)
            text = self.rng.choice(self.patterns["both"]).replace("{first}", first).replace("{second}", text)
            return Sentence(self.finish(text), valence, topic, "both", reversals)
        draw = self.rng.random()
        if draw < 0.12:
            text, reversals = self.clause(topic, kind, -valence, plainly=True)
            text = self.rng.choice(self.patterns["reverse_frames"]).replace("{clause}", text)
            reversals += 1
        elif draw < 0.42:
            text = self.frame(text)
        return Sentence(self.finish(text), valence, topic, "clause", reversals)

    def frame(self, text: str, more: str = "") -> str:
        """Put a clause into a frame that leaves it as it is; nobody hears by the way what they did
        themselves."""
        frames = self.patterns["keep_frames"] + self.patterns.get(more, [])
        if not re.match(r"(I|they) ", text):
            frames = frames + self.patterns["hearsay_frames"]
        return self.rng.choice(frames).replace("{clause}", text)

    def kinds(self, valence: int = 0, high: bool = False) -> list[str]:
        """The kinds of clause in random order; blame and deeds first for high arousal, loss and states for
        low."""
        deeds, states = ["acts", "acts", "self"], ["conditions", "events", "amounts", "qualities", "outcomes"]
        self.rng.shuffle(deeds)
        self.rng.shuffle(states)
        if valence < 0:
            return deeds + states if high else states + deeds
        mixed = deeds + states
        self.rng.shuffle(mixed)
        return mixed

    def feeling(self, valence: int, high: bool) -> str:
        if self.rng.random() < self.knobs.denied_emotions:
            return "not_unhappy" if valence > 0 else "not_happy"
        if valence > 0:
            return "happy_high" if high else "happy_low"
        return "angry" if high else "sad"

    # --- clauses

    def clause(self, topic: str, kind: str, valence: int, plainly: bool = False) -> tuple[str, int]:
        """A clause of this valence and its number of reversals; `plainly` leaves out double negatives and
        times."""
        draw = self.rng.random()
        doubles = 0.0 if plainly or valence == 0 else self.knobs.double_negatives
        if draw < doubles:
            way, thing, reversals = "double", valence, 2
        elif self.rng.random() < (self.knobs.reversals if valence else 0.3) and kind != "outcomes":
            way, thing, reversals = "reverse", -valence, 1
        else:
            way, thing, reversals = "keep", valence, 0
        value = VALUES[thing]
        words, operators = self.lexicon[topic], self.patterns[kind][way]
        telling = value in operators and self.rng.random() < self.knobs.telling_verbs
        allowed = operators[value] if telling or "any" not in operators or not valence else operators["any"]
        if plainly:  # "it is not true that nobody ..." is hard to follow
            allowed = [
                operator
                for operator in allowed
                if not operator.startswith(("nobody", "at least", "there is no"))
            ]
        subject, fills = "", {}
        if kind == "acts":
            group = self.rng.choice(self.people[topic])
            subject, act = self.rng.choice(group["agents"]), self.rng.choice(group[value])
            verb, _, rest = act.partition(" ")
            if group.get("animal"):
                allowed = operators["animal"]
            elif valence and not telling and verb in self.patterns["habits"]:
                allowed = allowed + operators.get("habitual", [])
            now = verb if subject.endswith("+") else third_person(verb)
            forms = {"do": verb, "did": past(verb), "doing": gerund(verb), "does_it": now}
            fills = {name: f"{form} {rest}" for name, form in forms.items()}
        elif kind == "self":
            fills = {"do": self.rng.choice(words["self"][value])}
        elif kind in ("conditions", "events", "outcomes"):
            subject = self.rng.choice(words[kind][value])
        elif kind == "amounts":
            place = self.rng.choice(list(words["amounts"]))
            fills = {"place": place, "thing": self.rng.choice(words["amounts"][place][thing < 0])}
        elif kind == "qualities":
            subject = self.rng.choice(list(words["qualities"]))
            fills = {"adjective": self.rng.choice(words["qualities"][subject][thing < 0])}
        text = inflect(self.rng.choice(allowed), subject)
        for name, words_of_it in fills.items():
            text = text.replace("{" + name + "}", words_of_it.strip())
        when = self.rng.choice(self.patterns["when_past"]) if not plainly and self.rng.random() < 0.3 else ""
        return text.replace(" {when}", f" {when}" if when else ""), reversals

    # --- the last touches

    def finish(self, text: str, news: bool = True) -> str:
        """Fill the slots, add at most one opener or closer, capitals and a full stop or question mark."""
        chosen = {}
        for slot in re.findall(r"\{(\w+)\}", text):
            words = [word for word in self.slots[slot.rstrip("2")] if word not in chosen.values()]
            chosen[slot] = self.rng.choice(words)
            text = text.replace("{" + slot + "}", chosen[slot])
        question = bool(QUESTION.match(text))
        draw = self.rng.random()
        opens_already = re.match(r"[\w' ]{,22}, ", text)  # "hurray, ...", "as it turns out, ..."
        if draw < 0.25 and not opens_already:
            openers = self.patterns["openers"] + self.patterns["openers_of_news"] * news
            text = f"{self.rng.choice(openers)}, {text}"
        elif draw > 0.94 and not question and "," not in text and ". " not in text:
            text = f"{text}, {self.rng.choice(self.patterns['closers'])}"
        text = re.sub(r"(^|\. )(\w)", lambda match: match[1] + match[2].upper(), text)
        return text + ("?" if question else ".")
