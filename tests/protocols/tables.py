"""Utterances made up for protocols, and what every list of folds must keep."""

import pandas as pd

EMOTIONS = ("neutral", "happy", "sad")


def utterances(speakers=6, each=12, sessions=3, emotions=EMOTIONS, **attrs):
    rows = [
        {
            "speaker": f"{speaker:02d}",
            "session": str(speaker % sessions),
            "emotion": emotions[number % len(emotions)],
        }
        for speaker in range(1, speakers + 1)
        for number in range(each)
    ]
    table = pd.DataFrame(rows, index=pd.Index([f"u{row}" for row in range(len(rows))], name="utterance"))
    table["emotion"] = pd.Categorical(table["emotion"], emotions)
    table.attrs = attrs
    return table


def scripted(speakers=6, sentences=4, each=3, column="sentence"):
    """Every speaker says every sentence in `each` emotions."""
    rows = [
        {"speaker": f"{speaker:02d}", column: f"Sentence {sentence}.", "emotion": EMOTIONS[emotion % 3]}
        for speaker in range(speakers)
        for sentence in range(sentences)
        for emotion in range(each)
    ]
    index = pd.Index([f"u{row}" for row in range(len(rows))], name="utterance")
    return pd.DataFrame(rows, index=index)


def in_sessions(speakers=10, sessions=5, each=8):
    """Speakers of a session each."""
    rows = [
        {
            "speaker": f"s{one}",
            "session": f"S{one * sessions // speakers}",
            "emotion": ("happy", "sad")[n % 2],
        }
        for one in range(speakers)
        for n in range(each)
    ]
    utterances = pd.DataFrame(rows).set_index(pd.Index([f"u{n}" for n in range(len(rows))], name="utterance"))
    utterances["emotion"] = utterances["emotion"].astype("category")
    return utterances


def speakers(table, ids):
    return set(table.loc[ids, "speaker"])


def values(table, ids, column):
    return set(table.loc[ids, column])


def check_folds(folds, table, disjoint_speakers=True):
    """Each utterance in one part of each fold, and tested once at the most; no speaker in two parts."""
    tested = []
    for fold in folds:
        parts = list(fold.parts().values())
        assert len(fold.train) and len(fold.test)
        joined = parts[0].append(parts[1:])
        assert joined.is_unique and set(joined) == set(table.index)
        if disjoint_speakers:
            train, validation, test = (speakers(table, part) for part in parts)
            assert not (train & test or train & validation or validation & test)
        tested += list(fold.test)
    assert len(tested) == len(set(tested))
    return set(tested)
