import json
import warnings

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sernb import corpora
from sernb.cli import app
from sernb.core.errors import SernbError
from sernb.evaluation import audit
from sernb.evaluation.audit.audit import as_json, as_text
from sernb.evaluation.audit.finding import SEVERITIES, finding
from sernb.protocols import leave_one_speaker_out, random_split


def severities(findings):
    return findings.groupby("check")["severity"].agg(list).to_dict()


@pytest.fixture
def spoken(table, sound, write_corpus):
    """24 recordings of 4 speakers; angry is loud, u1 and u13 (of two speakers) are one recording."""
    t = table(
        4,
        6,
        emotions=("neutral", "angry"),
        text=[f"{chr(97 + row) * 5} {chr(98 + row) * 6} words" for row in range(24)],
    )
    waves = [sound(row, 0.7) * (1.0 if row % 2 else 0.05) for row in range(24)]
    waves[13] = 0.5 * waves[1]
    return write_corpus(t, waves), waves


def test_a_table_of_findings_gravest_first(spoken):
    utterances, waves = spoken
    folds = leave_one_speaker_out(utterances)
    found = audit.audit(utterances, folds, progress=False)
    assert list(found) == ["check", "severity", "finding", "utterances", "value"]
    places = [SEVERITIES.index(severity) for severity in found["severity"]]
    assert places == sorted(places)
    assert found["finding"].str.endswith(".").all() and (found["utterances"].map(len) <= 10).all()
    ids = {name for names in found["utterances"] for name in names}
    assert ids <= set(utterances.index)
    of = severities(found)
    assert of["duplicates"] == ["leak"] and of["speakers"] == ["fine"] and of["parts"] == ["fine"]
    assert of["loudness by class"] == ["leak"] and of["clipping by class"] == ["fine"]
    assert found.set_index("check").loc["duplicates", "utterances"] == ["u1", "u13"]
    assert found.equals(audit.audit(utterances, folds, waves, progress=False))
    assert found.attrs == {"protocol": "as given", "folds": 4}


def test_what_is_absent_is_not_checked(spoken):
    utterances, _ = spoken
    words = utterances.drop(columns="path")
    of = severities(audit.audit(words, progress=False))
    assert of["duplicates"] == of["recordings"] == of["length by class"] == ["not checked"]
    assert of["speakers"] == ["fine"]
    bare = audit.audit(utterances[["path"]], progress=False)
    of = severities(bare)
    assert bare.attrs["protocol"] == "random"
    for check in (
        "speakers",
        "balance",
        "transcripts",
        "text and label",
        "speaker and label",
        "random split",
    ):
        assert of[check] == ["not checked"], check
    assert of["recordings"] == ["fine"]
    scale = words[["text"]].assign(valence=3.0, part=["train", "test"] * 12)  # like EmoBank
    assert audit.audit(scale, progress=False).attrs["protocol"] == "fixed"


def test_one_utterance_one_class_silence(spoken):
    utterances, _ = spoken
    for few in (utterances.iloc[:1], utterances.iloc[:1].drop(columns="path"), utterances[["path"]].iloc[:1]):
        assert set(audit.audit(few, progress=False)["severity"]) <= {"fine", "not checked", "caution"}
    same = utterances.assign(emotion="sad")
    assert severities(audit.audit(same, progress=False))["length by class"] == ["not checked"]
    silent = audit.audit(utterances, waveforms=[np.zeros(16000, np.float32)] * 24, progress=False)
    of = severities(silent)
    assert of["recordings"] == ["caution"] and of["duplicates"] == ["fine"]
    assert of["loudness by class"] == of["length by class"] == ["fine"]


def test_wrong_input(spoken):
    utterances, waves = spoken
    with pytest.raises(SernbError, match="no rows"):
        audit.audit(utterances.iloc[:0])
    with pytest.raises(SernbError, match="3 waveforms for 24"):
        audit.audit(utterances, waveforms=waves[:3])
    with pytest.raises(SernbError, match="'u0' stands more than once"):
        audit.audit(pd.concat([utterances, utterances]))
    with pytest.raises(SernbError, match="the table lacks"):
        audit.audit(utterances.iloc[:20], leave_one_speaker_out(utterances))


@pytest.mark.filterwarnings("ignore:.*both trained on and tested")
def test_shared_speakers_are_measured_against_speakers_apart(spoken):
    utterances, waves = spoken
    found = audit.audit(utterances, random_split(utterances, 0.25), waves, progress=False).set_index("check")
    assert found.loc["speakers", "severity"] == "leak"
    assert "with speakers apart" in found.loc["random split", "finding"]


def test_of_one_speaker_nobody_is_kept_apart(spoken):
    utterances, waves = spoken
    found = audit.audit(utterances.assign(speaker="ann"), None, waves, progress=False).set_index("check")
    assert found.loc["random split", "severity"] == "not checked"
    assert "one speaker only" in found.loc["random split", "finding"]


def test_one_unknown_speaker_does_not_switch_off_the_measurement(spoken):
    utterances, waves = spoken
    some = utterances.copy()
    some.loc[["u0", "u7"], "speaker"] = None
    folds = leave_one_speaker_out(utterances)
    found = audit.audit(some, folds, waves, progress=False).set_index("check")
    assert found.loc["random split", "severity"] in ("fine", "caution")
    for check in ("random split", "loudness by class"):
        assert "2 utterances of unknown speakers left out" in found.loc[check, "finding"]
    assert "a sample of" not in found.loc["random split", "finding"]
    whole = audit.audit(utterances, folds, waves, progress=False)["finding"]
    assert not whole.str.contains("left out").any()
    one = audit.audit(some.assign(speaker=["ann", *[None] * 23]), folds, waves, progress=False)
    assert "one speaker only" in one.set_index("check").loc["random split", "finding"]


def test_folds_apart_hold_known_speakers_only(table):
    t = table(4, 6)
    folds = leave_one_speaker_out(t)
    assert audit.speakers_apart(t, folds) is folds
    t.loc[["u0", "u9"], "speaker"] = None
    for given in (folds, random_folds(t)):
        apart = audit.speakers_apart(t, given)
        assert len(apart) == 4
        for fold in apart:
            assert not {"u0", "u9"} & {*fold.train, *fold.validation, *fold.test}
            assert not set(t.loc[fold.train, "speaker"]) & set(t.loc[fold.test, "speaker"])
    t.loc[t.index[18:], "speaker"] = None  # nobody known is tested in the last fold, which is left out
    assert [fold.name for fold in audit.speakers_apart(t, folds)] == [fold.name for fold in folds[:3]]
    assert (
        len(audit.speakers_apart(t, folds[3:])) == 3
    )  # and where no fold is left, speakers are divided anew


def random_folds(table):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return random_split(table, 0.25, 0.25)


def test_a_random_split_that_cannot_be_measured_is_said_not_to_be_checked(spoken):
    utterances, waves = spoken
    folds = leave_one_speaker_out(utterances)
    for table, sounds, why in (
        (utterances, [wave[:1500] for wave in waves], "None of the labelled recordings"),
        (utterances[["speaker", "emotion"]], None, "Neither recordings nor words"),
        (utterances.drop(columns="speaker"), waves, "No speaker is known"),
        (utterances.drop(columns="emotion"), waves, "Needs two classes"),
    ):
        row = audit.audit(table, folds, sounds, progress=False).set_index("check").loc["random split"]
        assert row["severity"] == "not checked" and row["finding"].startswith(why)


def test_text_and_json():
    rows = [finding("speakers", "leak", "Two are heard.", ["u1", "u1", "u2"], 0.5)]
    rows += [finding(check, "not checked", "No recordings.") for check in ("length", "loudness")]
    table = pd.DataFrame(rows)
    table.attrs = {"protocol": "fixed", "folds": 1}
    text = as_text(table, "mine")
    assert text.splitlines() == [
        "mine: fixed, 1 fold", "", "LEAK: speakers", "  Two are heard.", "  Listen to: u1, u2", "",
        "NOT CHECKED: length, loudness", "  No recordings.", "",
        "In all: leak 1, caution 0, not checked 2, fine 0.",
    ]  # fmt: skip
    read = json.loads(as_json(table, corpus="mine"), parse_constant=lambda word: pytest.fail(word))
    assert read["corpus"] == "mine" and read["folds"] == 1
    assert [row["value"] for row in read["findings"]] == [0.5, None, None]


@pytest.fixture
def manifest(spoken, tmp_path):
    utterances, _ = spoken
    table = utterances.assign(path=[f"{name}.wav" for name in utterances.index])
    table.rename(columns={"path": "file"}).to_csv(tmp_path / "mine.csv")
    return str(tmp_path)


def call(*words):
    return CliRunner().invoke(app, ["audit", *words])


def test_the_command_prints_json_and_strict_gives_one(manifest):
    words = ("--corpus", "manifest", "--root", manifest)
    result = call(*words, "--json", "--protocol", "loso")
    assert result.exit_code == 0
    read = json.loads(result.stdout, parse_constant=lambda word: pytest.fail(word))
    assert (read["corpus"], read["protocol"], read["folds"], read["utterances"]) == (
        "manifest",
        "loso",
        4,
        24,
    )
    assert any(
        row["check"] == "duplicates" and row["utterances"] == ["u1", "u13"] for row in read["findings"]
    )
    auto = json.loads(call(*words, "--json", "--protocol", "auto").stdout)
    assert (auto["protocol"], auto["folds"], auto["options"]) == ("leave-one-speaker-out", 4, {})
    result = call(*words, "--strict")
    assert result.exit_code == 1 and "LEAK: duplicates" in result.stdout


def test_options_of_the_corpus_reach_its_loader(manifest, monkeypatch):
    words = ("--corpus", "manifest", "--root", manifest, "--json")
    given = ("-p", "labels", "{neutral: calm}", "-p", "emotions=calm, angry")
    read = json.loads(call(*words, *given).stdout)
    assert read["options"] == {"labels": {"neutral": "calm"}, "emotions": ["calm", "angry"]}
    assert read["utterances"] == 24
    seen = []
    monkeypatch.setattr("sernb.corpora.load", lambda *args, **options: seen.append(options) or refuse())
    given = ("-p", "classes", "all", "-p", "excited_is_happy", "false", "-p", "recordings", "none")
    assert call("--corpus", "iemocap", "--root", manifest, *given).exit_code == 2
    options = {"classes": "all", "excited_is_happy": False, "recordings": None, "on_bad": "raise"}
    assert seen == [options]


def refuse():
    raise SernbError("enough seen")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--corpus", "embedded", "-p", "classes", "all"], "no parameter classes. Parameters: emotions"),
        (
            ["--corpus", "iemocap", "--root", ".", "-p", "excited_is_happy", "no way"],
            "excited_is_happy takes bool",
        ),
        (["--corpus", "iemocap", "--root", ".", "-p", "on_bad", "skip"], "no parameter on_bad"),
        (["--corpus", "emo"], "There is no corpus 'emo'"),
        (["--corpus", "embedded", "--root", "nowhere"], "--root nowhere does not exist"),
        (["--corpus", "embedded", "--protocol", "lso"], "unknown protocol 'lso'"),
        (["--corpus", "embedded", "--protocol", "fixed"], "needs a column 'part'"),
        (["--corpus", "embedded", "--on-bad", "no"], "on_bad must be"),
        (["--corpus", "embedded", "--jobs", "0"], "jobs"),
        ([], "corpus"),
    ],
)
def test_a_wrong_argument_is_told(words, expected):
    result = call(*words)
    assert result.exit_code == 2 and expected in " ".join(result.output.split())


def test_ravdess_duplicates_are_a_leak_where_they_are_divided(real_corpus):
    table = corpora.load("ravdess", real_corpus("ravdess"))
    table = table[table["speaker"].isin(["01", "07"])]
    apart = severities(audit.audit(table, leave_one_speaker_out(table), progress=False))
    assert apart["duplicates"] == ["caution"] and apart["transcripts"] == ["caution"]
