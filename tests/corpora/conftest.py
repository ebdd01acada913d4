"""Small corpora in the published layouts: a few samples in each file, all the names."""

import threading
from itertools import islice, product
from pathlib import Path

import pytest

from tests.corpora.server import Server

EMODB_SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
EMODB_SENTENCES = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
EMODB_LETTERS = {"W": 127, "L": 81, "N": 79, "F": 71, "A": 69, "T": 62, "E": 46}
CREMAD_SENTENCES = ("IEO", "TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
CREMAD_EMOTIONS = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")


@pytest.fixture
def fill(write_sound):
    """Copy one tiny recording to many names: writing each with soundfile would be slow."""

    def write(paths: list[Path]) -> None:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        for ending in {path.suffix for path in paths}:
            same = [path for path in paths if path.suffix == ending]
            write_sound(same[0], seconds=0.01)
            content = same[0].read_bytes()
            for path in same[1:]:
                path.write_bytes(content)

    return write


@pytest.fixture
def emodb_tree(tmp_path, fill) -> Path:
    """wav/03a01Fa.wav …: 535 files with the published counts."""
    names = [
        f"{speaker}{sentence}{letter}{version}"
        for letter, count in EMODB_LETTERS.items()
        for version, sentence, speaker in islice(product("abc", EMODB_SENTENCES, EMODB_SPEAKERS), count)
    ]
    fill([tmp_path / "emodb" / "wav" / f"{name}.wav" for name in names])
    return tmp_path / "emodb"


@pytest.fixture
def ravdess_tree(tmp_path, fill) -> Path:
    """Actor_01/03-01-01-01-01-01-01.wav …: 1440 files."""
    paths = []
    for actor, emotion, intensity, sentence, repetition in product(
        range(1, 25), range(1, 9), (1, 2), (1, 2), (1, 2)
    ):
        if emotion == 1 and intensity == 2:
            continue  # neutral is spoken at one intensity
        name = f"03-01-{emotion:02d}-{intensity:02d}-{sentence:02d}-{repetition:02d}-{actor:02d}.wav"
        paths.append(tmp_path / "ravdess" / f"Actor_{actor:02d}" / name)
    fill(paths)
    return tmp_path / "ravdess"


@pytest.fixture
def cremad_tree(tmp_path, fill) -> Path:
    """AudioWAV/1001_DFA_ANG_XX.wav …: 7442 names, with the published counts, the odd name 1040_ITH_SAD_X
    included."""
    names = []
    for actor, sentence, emotion in product(range(1001, 1092), CREMAD_SENTENCES, CREMAD_EMOTIONS):
        graded = sentence == "IEO" and emotion != "NEU"
        names += [
            f"{actor}_{sentence}_{emotion}_{grade}" for grade in (("LO", "MD", "HI") if graded else ("XX",))
        ]
    for emotion in CREMAD_EMOTIONS:  # the full grid has a few more than were published
        surplus = [name for name in names if f"_{emotion}_" in name and name.startswith("1091")]
        full = sum(f"_{emotion}_" in name for name in names)
        for name in surplus[: full - (1087 if emotion == "NEU" else 1271)]:
            names.remove(name)
    names[names.index("1040_ITH_SAD_XX")] = "1040_ITH_SAD_X"
    fill([tmp_path / "cremad" / "AudioWAV" / f"{name}.wav" for name in names])
    return tmp_path / "cremad"


@pytest.fixture
def meld_tree(tmp_path) -> Path:
    """The three tables, a few rows each, with what the published ones have: curly quotes, commas, two kinds
    of time."""
    header = (
        "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
    )
    rows = {
        "train": [
            "1,You must’ve had your hands full.,The Interviewer,neutral,neutral,0,0,8,21,"
            '"00:16:21,940","00:16:23,442"',
            '2,"No, ""really""?",Chandler,surprise,positive,0,1,8,21,"00:16:48,800","00:16:54,514"',
            '5,"Oh my God!",Phoebe,joy,positive,1,0,9,3,"0:06:45,489","0:06:47,28"',
        ],
        "dev": ['1,"Oh, he’s lost it.",Phoebe,sadness,negative,0,0,4,7,"00:20:57,256","00:21:00,049"'],
        "test": [
            '1,"Why do all",Mark,anger,negative,0,0,3,19,"00:14:38,127","00:14:40,378"',
            '2,"null",Monica and Rachel,disgust,negative,0,1,3,19,"0:12:32,632","0:12:32,632"',
        ],
    }
    (tmp_path / "meld").mkdir()
    for part, lines in rows.items():
        (tmp_path / "meld" / f"{part}_sent_emo.csv").write_text(
            "\n".join([header, *lines]) + "\n", encoding="utf-8"
        )
    return tmp_path / "meld"


@pytest.fixture
def emobank_tree(tmp_path) -> Path:
    """corpus/emobank.csv and corpus/meta.tsv, a few rows each."""
    place = tmp_path / "emobank" / "corpus"
    place.mkdir(parents=True)
    (place / "emobank.csv").write_text(
        "id,split,V,A,D,text\n"
        '110CYL068_1036_1079,train,3.0,3.0,3.2,"Remember what she said in my last letter? """\n'
        "110CYL068_1079_1110,test,2.8,3.1,2.8,If I wasn't working here.\n"
        'SemEval_1,dev,1.2,4.2,3.8,"“NO”, he said"\n',
        encoding="utf-8",
    )
    (place / "meta.tsv").write_text(
        "id\tdocument\tcategory\tsubcategory\n"
        "110CYL068_1036_1079\t110CYL068\tletters\tphilanthropic-fundraising\n"
        "110CYL068_1079_1110\t110CYL068\tletters\t\n"
        "SemEval_1\tSemEval\tSemEval\t\n"
        "not_rated\tSemEval\tSemEval\t\n",
        encoding="utf-8",
    )
    return tmp_path / "emobank"


@pytest.fixture
def msp_tree(tmp_path, fill) -> Path:
    """Labels, Audios and Transcripts of seven turns, with what releases have: Unknown, no agreement,
    withdrawn sounds."""
    root = tmp_path / "msp"
    rows = [
        "MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1",
        "MSP-PODCAST_0001_0009.wav,A,5.777778,1.555556,5.777778,39,Female,Train",
        "MSP-PODCAST_0002_0001.wav,H,5.0,6.5,4.0,Unknown,Unknown,Train",
        "MSP-PODCAST_0003_0001_0002.wav,X,4.125,4.75,4.0,41,Male,Development",
        "MSP-PODCAST_0004_0001.wav,C,3.0,2.0,5.0,42,Female,Test2",
        "MSP-PODCAST_0005_0001.wav,O,3.0,3.75,3.166667,43,Male,Test3",
        "MSP-PODCAST_0005_0002.wav,U,7.0,1,3.2,43,Male,Train",
    ]
    (root / "Labels").mkdir(parents=True)
    header = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"
    (root / "Labels" / "labels_consensus.csv").write_text("\n".join([header, *rows]) + "\n")
    names = [row.split(".wav")[0] for row in rows]
    withdrawn = root / "Previous_releases_information" / "files_removed_from_prev_versions"
    fill([*(root / "Audios" / f"{name}.wav" for name in names), withdrawn / f"{names[0]}.wav"])
    (root / "Transcripts").mkdir()
    for name in names[:-1]:
        (root / "Transcripts" / f"{name}.txt").write_text(f"These are\r\nthe words of {name[-9:]}.\n")
    return root


@pytest.fixture
def server(monkeypatch):
    """A running `Server`: server.url, and what it is to do."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
