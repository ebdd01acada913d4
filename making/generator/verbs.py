"""Forms of the verbs that the grammar needs; the irregular ones stand in verbs.yaml."""

import re

from making.generator.words import read


def past(verb: str) -> str:
    irregular = read("verbs")["past"]
    if verb in irregular:
        return irregular[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def gerund(verb: str) -> str:
    if verb == "lie":
        return "lying"
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def third_person(verb: str) -> str:
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if re.search(r"(s|sh|ch|x|o)$", verb) else "s")


def _doubled(verb: str) -> str:
    return verb + (verb[-1] if verb in read("verbs")["doubled"] else "")
