"""Clips: sound comes back as it was, pictures have known numbers, and only the corpus's files are opened."""

import base64
import io
import json
import os

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from sernb.explorer.clips import KEPT, Clips, clip, sound_file


def table(paths, root=None, **columns):
    made = pd.DataFrame({"path": paths, **columns})
    made.index = pd.Index([f"u{i}" for i in range(len(made))], name="utterance")
    if root is not None:
        made.attrs["root"] = str(root)
    return made


def sound_of(found):
    kind, code = found["audio"].split(",")
    assert kind in ("data:audio/flac;base64", "data:audio/mpeg;base64")
    return soundfile.read(io.BytesIO(base64.b64decode(code)))


def picture_of(found):
    picture = found["spectrogram"]
    data = np.frombuffer(base64.b64decode(picture["data"]), np.uint8)
    return data.reshape(picture["bands"], picture["frames"])


def write(path, samples, rate=16000):
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return str(path)


def test_the_sound_comes_as_flac_16_khz(tmp_path, write_sound):
    samples = write_sound(tmp_path / "a.wav", seconds=0.5)
    found = clip(table([str(tmp_path / "a.wav")]), "u0")
    heard, rate = sound_of(found)
    assert found["audio"].startswith("data:audio/flac")
    assert rate == 16000 and found["seconds"] == 0.5 and found["problem"] is None and "cut" not in found
    np.testing.assert_allclose(heard, samples[:, 0], atol=2 / 32768)
    json.dumps(found, allow_nan=False)


def test_a_small_clip_is_mp3_that_starts_when_it_should(tmp_path):
    if "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile writes no MP3: install one of 1.1 or later")
    time = np.arange(32000) / 16000
    samples = 0.5 * np.sin(2 * np.pi * (200 + 400 * time) * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    u = table([write(tmp_path / "a.wav", samples)])
    whole, small = clip(u, "u0"), clip(u, "u0", small=True)
    heard, rate = sound_of(small)
    assert small["audio"].startswith("data:audio/mpeg") and rate == 16000 and len(heard) == 32000
    match = np.correlate(heard, samples, "full")
    assert abs(match.argmax() - (len(samples) - 1)) <= 16  # 1 ms
    assert np.corrcoef(heard, samples)[0, 1] > 0.99
    assert len(small["audio"]) * 3 / 4 / 2 < 7000  # 48 kbit/s and a little
    assert (whole["spectrogram"]["frames"], small["spectrogram"]["frames"]) == (201, 101)
    assert abs(picture_of(small)[:, 50].astype(int) - picture_of(whole)[:, 100]).max() <= 1
    for name in ("seconds", "peaks", "peak", "problem"):
        assert small[name] == whole[name]
    for length in (3, 16000 * 10):
        u = table([write(tmp_path / "b.wav", np.ones(length) * 0.1)])
        assert len(sound_of(clip(u, "u0", small=True))[0]) == length
    assert 350 < clip(u, "u0", small=True)["spectrogram"]["frames"] <= 400


def test_where_there_is_no_mp3_a_small_clip_is_flac(tmp_path, write_sound, monkeypatch):
    write_sound(tmp_path / "a.wav", seconds=0.5)
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"FLAC": "FLAC"})
    found = clip(table([str(tmp_path / "a.wav")]), "u0", small=True)
    assert found["audio"].startswith("data:audio/flac") and len(sound_of(found)[0]) == 8000


def test_stereo_at_another_rate_and_louder_than_full_scale(tmp_path):
    loud = np.full((44100, 2), [2.0, 1.0])
    found = clip(table([write(tmp_path / "a.wav", loud, 44100)]), "u0")
    heard, rate = sound_of(found)
    assert (rate, len(heard)) == (16000, 16000)
    assert 0.99 < heard[8000] <= 1.0


def test_part_of_a_file(tmp_path):
    samples = np.concatenate([np.zeros(16000), np.full(8000, 0.5), np.zeros(16000)])
    found = clip(table([write(tmp_path / "a.wav", samples)], start=[1.0], end=[1.5]), "u0")
    heard, _ = sound_of(found)
    assert found["seconds"] == 0.5 and heard.min() == pytest.approx(0.5, abs=1e-4)


def test_the_envelope_is_lowest_and_highest_of_each_part(tmp_path):
    samples = np.zeros(1200)
    samples[2], samples[3], samples[-1] = 0.25, -0.5, 0.1  # the second pair of samples, and the last
    found = clip(table([write(tmp_path / "a.wav", samples)]), "u0")
    peaks = np.array(found["peaks"]).reshape(-1, 2)
    assert len(peaks) == 600 and found["peak"] == 0.5
    assert peaks[1].tolist() == [-127, 64]  # 0.25 is half of the loudest: 63.5
    assert peaks[-1].tolist() == [0, 25]
    assert not peaks[2:-1].any()


def test_a_tone_lights_its_band_and_silence_none(tmp_path):
    time = np.arange(16000) / 16000
    tone = np.where(time < 0.5, np.sin(2 * np.pi * 1000 * time), 0)
    picture = picture_of(clip(table([write(tmp_path / "a.wav", tone)]), "u0"))
    assert picture.shape == (64, 101)
    assert picture.max() == 255
    mel = 2595 * np.log10(1 + 1000 / 700) / (2595 * np.log10(1 + 8000 / 700)) * 65 - 1
    assert abs(picture[:, 20].argmax() - mel) < 1
    assert not picture[:, 80:].any()
    silence = clip(table([write(tmp_path / "s.wav", np.zeros(8000))]), "u0")
    assert not picture_of(silence).any() and not any(silence["peaks"]) and silence["problem"] is None


def test_very_short_and_very_long_clips(tmp_path):
    short = clip(table([write(tmp_path / "a.wav", np.ones(3) * 0.1)]), "u0")
    assert short["problem"] is None and len(short["peaks"]) == 6 and short["spectrogram"]["frames"] == 1
    eight = clip(table([write(tmp_path / "b.wav", np.ones(8 * 16000) * 0.1)]), "u0")
    assert eight["spectrogram"]["frames"] == 800
    long = clip(table([write(tmp_path / "c.wav", np.ones(70 * 16000, np.float32) * 0.1)]), "u0")
    assert long["cut"] is True and long["seconds"] == 60.0 and len(sound_of(long)[0]) == 60 * 16000
    assert 700 < long["spectrogram"]["frames"] <= 800 and len(long["peaks"]) == 1200
    part = clip(table([str(tmp_path / "c.wav")], start=[20.0], end=[30.0]), "u0")
    assert "cut" not in part and part["seconds"] == 10.0


def test_what_cannot_be_heard_is_said(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound at all")
    os.mkfifo(tmp_path / "pipe.wav")
    u = table(
        [str(tmp_path / "none.wav"), str(tmp_path / "empty.wav"), str(tmp_path / "text.wav"), None, 3,
         "a\0b", "",
         str(tmp_path), str(tmp_path / "pipe.wav")]
    )  # fmt: skip
    words = ["no such file", "0 bytes", "cannot be decoded", "names no recording", "no path",
             "no path", "no path",
             "not a file", "not a file"]  # fmt: skip
    for name, word in zip(u.index, words, strict=True):
        found = clip(u, name)
        assert word in found["problem"], name
        assert "audio" not in found
    assert "predictions only" in clip(None, "u0")["problem"]
    assert "not in the utterances" in clip(u, "../../etc/passwd")["problem"]
    assert "only words" in clip(u.drop(columns="path"), "u0")["problem"]


def test_files_outside_the_corpus_are_not_opened(tmp_path, write_sound):
    corpus = tmp_path / "corpus"
    write_sound(corpus / "in.wav", seconds=0.1)
    write_sound(tmp_path / "out.wav", seconds=0.1)
    write_sound(tmp_path / "corpus2" / "near.wav", seconds=0.1)
    (corpus / "link.wav").symlink_to(tmp_path / "out.wav")
    (corpus / "folder").symlink_to(tmp_path)
    (corpus / "own.wav").symlink_to(corpus / "in.wav")
    outside = [
        str(tmp_path / "out.wav"),
        str(corpus / ".." / "out.wav"),
        "../out.wav",
        str(corpus / "link.wav"),
        str(corpus / "folder" / "out.wav"),
        str(tmp_path / "corpus2" / "near.wav"),
    ]
    u = table(outside, root=corpus)
    for name in u.index:
        found = clip(u, name)
        assert "lies outside the corpus's folder" in found["problem"] and "audio" not in found
    inside = table([str(corpus / "in.wav"), "in.wav", str(corpus / "own.wav")], root=corpus)
    assert [clip(inside, name)["problem"] for name in inside.index] == [None] * 3
    assert clip(u, "u0", root=tmp_path)["problem"] is None  # who calls it may name another folder
    assert clip(table(outside[:1]), "u0")["problem"] is None  # a table of one's own, without a corpus


def test_the_folder_of_a_manifest(tmp_path, write_sound):
    write_sound(tmp_path / "c" / "a.wav", seconds=0.1)
    write_sound(tmp_path / "b.wav", seconds=0.1)
    manifest = tmp_path / "c" / "list.csv"
    manifest.write_text("file\na.wav\n")
    u = table([str(tmp_path / "c" / "a.wav"), str(tmp_path / "b.wav")], root=manifest)
    assert clip(u, "u0")["problem"] is None
    assert "outside" in clip(u, "u1")["problem"]
    assert sound_file("a.wav", manifest) == (tmp_path / "c" / "a.wav").resolve()


def test_an_overlay_is_scaled_by_its_largest_value(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav", seconds=0.5)
    u, asked = table([str(tmp_path / "a.wav")]), []

    def overlay(name):
        asked.append(name)
        return {
            "map": torch.tensor([[0.0, 1.0], [-2.0, 0.5]], requires_grad=True),
            "what": "attention",
            "end": 0.4,
            "high": 4000,
            "words": ["not", "bad"],
            "weights": [0.25, -1],
            "words_what": "pushes",
        }

    found = clip(u, "u0", overlay=overlay)
    assert asked == ["u0"]
    data = np.frombuffer(base64.b64decode(found["map"].pop("data")), np.int8)
    assert data.tolist() == [0, 64, -127, 32]
    assert found["map"] == {
        "what": "attention", "bands": 2, "frames": 2, "start": 0.0, "end": 0.4, "low": 0.0, "high": 4000.0,
        "signed": True,
    }  # fmt: skip
    assert found["words"] == {"what": "pushes", "words": ["not", "bad"], "weights": [0.25, -1.0]}
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    "overlay, words",
    [
        (lambda name: 1 / 0, "ZeroDivisionError"),
        (lambda name: [1], "expected a mapping"),
        (lambda name: {"map": [1.0, 2.0]}, "shape (2,)"),
        (lambda name: {"map": [[np.nan]]}, "finite numbers"),
        (lambda name: {"map": np.zeros((0, 3))}, "shape (0, 3)"),
        (lambda name: {"map": [[1.0]], "start": 2, "end": 1}, "start < end"),
        (lambda name: {"map": [[1.0]], "high": float("inf")}, "low < high"),
        (lambda name: {"words": ["a", "b"], "weights": [1.0]}, "each of the 2 words"),
        (lambda name: {"words": ["a"]}, "each of the 1 words"),
        (lambda name: {"words": ["a"], "weights": ["x"]}, "ValueError"),
        (lambda name: (_ for _ in ()).throw(RuntimeError("x" * 10_000)), "RuntimeError"),
    ],
)
def test_a_bad_overlay_does_not_take_the_sound_away(tmp_path, write_sound, overlay, words):
    write_sound(tmp_path / "a.wav", seconds=0.1)
    found = clip(table([str(tmp_path / "a.wav")]), "u0", overlay=overlay)
    assert words in found["overlay_problem"] and len(found["overlay_problem"]) <= 500
    assert found["problem"] is None and found["audio"] and found["map"] is None and found["words"] is None


def test_an_overlay_may_say_nothing_and_words_need_no_sound():
    assert "overlay_problem" not in clip(None, "u0", overlay=lambda name: None)
    found = clip(None, "u0", overlay=lambda name: {"words": ["a"], "weights": [1]})
    assert found["words"]["words"] == ["a"] and found["problem"]


def test_clips_by_row_are_kept_and_bad_rows_answered(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav", seconds=0.1)
    asked = []
    ids = [f"u{i}" for i in range(KEPT + 2)]
    u = table([str(tmp_path / "a.wav")] * len(ids))
    clips = Clips(ids, u, overlay=asked.append)
    assert clips.of(3)["row"] == 3 and clips.of(3)["utterance"] == "u3"
    assert asked == ["u3"]
    for row in range(len(ids)):
        clips.of(row)
    assert clips.of(len(ids) - 1) and len(asked) == len(ids)  # the last are still there
    clips.of(0)
    assert len(asked) == len(ids) + 1  # the first is not
    for row in (-1, len(ids), None, "3", 2.0, True, [1], {}, float("nan"), 10**30):
        found = clips.of(row)
        assert found["row"] == -1 and found["problem"]
