import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile

from sernb.core.errors import SernbError
from sernb.features.audio import read_audio, read_utterances


def table(*paths, **columns):
    index = pd.Index([path.stem for path in paths], name="utterance")
    return pd.DataFrame({"path": [str(path) for path in paths], **columns}, index=index)


def read_one(path, **columns):
    """The waveform and the repairs of one file."""
    utterances, waveforms = read_utterances(table(path, **columns), progress=False)
    return waveforms[0], utterances.attrs["repairs"]


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_plain_recordings_come_back_as_they_are(tmp_path, write_sound, ending):
    samples = write_sound(tmp_path / f"a.{ending}")
    waveform, repairs = read_one(tmp_path / f"a.{ending}")
    assert waveform.shape == (8000,) and waveform.dtype == np.float32 and repairs == {}
    np.testing.assert_allclose(waveform, samples[:, 0], atol=2**-15)


@pytest.mark.parametrize(
    "subtype, step, repairs",
    [
        ("PCM_U8", 2**-7, {"converted from PCM_U8": 1}),
        ("PCM_24", 2**-23, {"converted from PCM_24": 1}),
        ("PCM_32", 2**-24, {}),
        ("FLOAT", 2**-24, {}),
        ("DOUBLE", 2**-24, {}),
        ("ULAW", 0.02, {"converted from ULAW": 1}),
    ],
)
def test_sample_formats(tmp_path, write_sound, subtype, step, repairs):
    samples = write_sound(tmp_path / "a.wav", subtype=subtype)
    waveform, repaired = read_one(tmp_path / "a.wav")
    np.testing.assert_allclose(waveform, samples[:, 0], atol=1.5 * step)
    assert repaired == repairs


def test_stereo_is_averaged(tmp_path, write_sound):
    samples = write_sound(tmp_path / "a.wav", channels=2, subtype="FLOAT")
    waveform, repairs = read_one(tmp_path / "a.wav")
    np.testing.assert_allclose(waveform, samples.mean(axis=1), atol=1e-6)
    assert repairs == {"mixed down to mono": 1}


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 15999])
def test_other_rates_keep_a_tone_s_pitch_and_level(tmp_path, rate):
    time = np.arange(rate) / rate
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), rate, subtype="FLOAT")
    waveform, repairs = read_one(tmp_path / "a.wav")
    assert abs(len(waveform) - 16000) <= 1 and repairs == {f"resampled from {rate} Hz": 1}
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(waveform)) / 16000)
    np.testing.assert_allclose(waveform[500:-500], expected[500:-500], atol=2e-3)


def test_what_a_lower_rate_cannot_hold_is_filtered_out(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 12000 * np.arange(48000) / 48000)
    soundfile.write(tmp_path / "a.wav", tone, 48000, subtype="FLOAT")
    assert np.abs(read_audio(tmp_path / "a.wav")[500:-500]).max() < 1e-3


def test_unusual_but_accepted(tmp_path, write_sound):
    write_sound(tmp_path / "short.wav", seconds=0.1)
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 16000)
    soundfile.write(tmp_path / "loud.wav", np.full(8000, 3.0), 16000, subtype="FLOAT")
    files = [tmp_path / f"{name}.wav" for name in ("short", "silent", "loud")]
    utterances, waveforms = read_utterances(table(*files), progress=False)
    assert [len(waveform) for waveform in waveforms] == [1600, 8000, 8000]
    assert utterances.attrs["repairs"] == {
        "shorter than 0.25 s, kept": 1,
        "digital silence, kept": 1,
        "louder than full scale, kept": 1,
    }


def damage(path, how):
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(content[: len(content) * 6 // 10])
    elif how == "cut by one sample":
        path.write_bytes(content[:-2])
    elif how == "header only":
        path.write_bytes(content[:44])
    elif how == "text":
        path.write_bytes(b"404: not found\n" * 100)
    elif how == "no samples":
        soundfile.write(path, np.zeros(0), 16000)
    elif how == "zeros inside":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes(400) + content[middle + 400 :])


@pytest.mark.parametrize(
    "ending, how, says",
    [
        ("wav", "gone", "no such recording"),
        ("wav", "empty", "the file is empty"),
        ("wav", "cut", "truncated: it holds 9582 of the 16000 bytes"),
        ("wav", "cut by one sample", "truncated"),
        ("wav", "header only", "truncated"),
        ("wav", "text", "cannot be decoded"),
        ("wav", "no samples", "the recording has no samples"),
        ("flac", "empty", "the file is empty"),
        ("flac", "cut", "cannot be decoded|truncated"),
        ("flac", "header only", "cannot be decoded|truncated"),
        ("flac", "zeros inside", "cannot be decoded|truncated"),
        ("flac", "text", "cannot be decoded"),
        ("flac", "no samples", "the file is empty"),
    ],
)
def test_damaged_files_are_refused(tmp_path, write_sound, ending, how, says):
    path = tmp_path / f"a.{ending}"
    write_sound(path)
    damage(path, how)
    with pytest.raises(SernbError, match=says) as error:
        read_audio(path)
    assert str(error.value).startswith(str(path))
    with pytest.raises(SernbError, match=f"1 of 1 recordings cannot be used:\n  a \\({path}\\): ({says})"):
        read_one(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(tmp_path, value):
    samples = np.zeros(8000)
    samples[100] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(SernbError, match=r"a\.wav: 1 samples are NaN or infinite"):
        read_audio(tmp_path / "a.wav")


@pytest.mark.skipif("MP3" not in soundfile.available_formats(), reason="this libsndfile cannot write mp3")
def test_a_decoder_that_stops_early_is_noticed(tmp_path):
    soundfile.write(tmp_path / "a.mp3", 0.1 * np.random.default_rng(0).standard_normal(48000), 16000)
    damage(tmp_path / "a.mp3", "cut")
    with pytest.raises(SernbError, match=r"a\.mp3: truncated: 1\.\d\d s of 3\.\d\d s decoded"):
        read_audio(tmp_path / "a.mp3")


def test_streamed_wav_without_a_length_is_read(tmp_path, write_sound):
    samples = write_sound(tmp_path / "a.wav")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_audio(tmp_path / "a.wav")) == len(samples)


def test_streamed_flac_without_a_length_is_refused(tmp_path, write_sound):
    write_sound(tmp_path / "a.flac")
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # the 36 bits of STREAMINFO that hold the number of samples
    (tmp_path / "a.flac").write_bytes(content)
    with pytest.raises(SernbError, match=r"a\.flac: the header does not say how long it is"):
        read_audio(tmp_path / "a.flac")


def test_parts_in_seconds(tmp_path, write_sound):
    samples = write_sound(tmp_path / "a.wav", seconds=1)[:, 0]
    part = read_audio(tmp_path / "a.wav", 0.25, 0.5)
    np.testing.assert_allclose(part, samples[4000:8000], atol=2**-15)
    assert len(read_audio(tmp_path / "a.wav", start=0.75)) == 4000
    assert len(read_audio(tmp_path / "a.wav", end=np.nan)) == 16000
    assert len(read_audio(tmp_path / "a.wav", 0, 1 / 16000)) == 1
    waveform, repairs = read_one(tmp_path / "a.wav", start=[np.nan], end=[1.005])
    assert len(waveform) == 16000 and repairs == {"end cut to the end of the file (rounding)": 1}


@pytest.mark.parametrize("start, end", [(0.5, 1.5), (1.5, None), (-0.1, 0.5), (0.5, 0.5), (1.0, None)])
def test_parts_beyond_the_file(tmp_path, write_sound, start, end):
    write_sound(tmp_path / "a.wav", seconds=1)
    with pytest.raises(SernbError, match=r"the recording lasts 1.000 s; expected 0 <= start < end"):
        read_audio(tmp_path / "a.wav", start, end)
    with pytest.raises(SernbError, match="1 of 1 recordings cannot be used:\n  a "):
        read_one(tmp_path / "a.wav", start=[start], end=[np.nan if end is None else end])


def test_all_bad_files_are_named_together_and_skipped_only_when_told(tmp_path, write_sound):
    paths = [tmp_path / f"{number:04d}.wav" for number in range(100)]
    write_sound(paths[0], seconds=0.02)
    for path in paths[1:]:
        path.write_bytes(paths[0].read_bytes())
    for number, how in ((7, "empty"), (50, "cut"), (99, "text")):
        damage(paths[number], how)
    utterances = table(*paths)
    utterances.attrs["skipped"] = [{"utterance": "x", "path": "x.wav", "why": "skipped when loading"}]
    with pytest.raises(SernbError, match="3 of 100 recordings cannot be used") as error:
        read_utterances(utterances, progress=False)
    assert all(f"{number:04d}.wav" in str(error.value) for number in (7, 50, 99))
    with pytest.warns(UserWarning, match="3 of 100 recordings"):
        kept, waveforms = read_utterances(utterances, on_bad="skip", progress=False)
    assert len(kept) == len(waveforms) == 97
    assert [one["utterance"] for one in kept.attrs["skipped"]] == ["x", "0007", "0050", "0099"]
    assert len(utterances) == 100 and len(utterances.attrs["skipped"]) == 1  # the caller's table is untouched


def test_a_class_without_a_readable_recording_is_no_class(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(b"")
    utterances = table(tmp_path / "a.wav", tmp_path / "b.wav").assign(
        emotion=pd.Categorical(["sad", "happy"])
    )
    with pytest.warns(UserWarning, match="1 of 2"):
        kept, _ = read_utterances(utterances, on_bad="skip", progress=False)
    assert list(kept["emotion"].cat.categories) == ["sad"]


def test_many_bad_files_are_counted(tmp_path):
    paths = [tmp_path / f"{number}.wav" for number in range(30)]
    with pytest.raises(SernbError, match="30 of 30 recordings") as error:
        read_utterances(table(*paths), on_bad="skip", progress=False)  # all bad: nothing to go on with
    assert str(error.value).count("no such recording") == 10 and "and 20 more" in str(error.value)


def test_wrong_calls(tmp_path, write_sound):
    write_sound(tmp_path / "a.wav")
    with pytest.raises(SernbError, match="on_bad must be"):
        read_utterances(table(tmp_path / "a.wav"), on_bad="drop")
    with pytest.raises(SernbError, match="only words"):
        read_utterances(pd.DataFrame({"text": ["hello"]}, index=["a"]))


@pytest.mark.parametrize("name", ["emodb", "ravdess"])
def test_real(real_corpus, name):
    from sernb import corpora

    utterances = corpora.load(name, real_corpus(name)).iloc[::10]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read, waveforms = read_utterances(utterances, progress=False)
    assert read.attrs["repairs"] == {} and len(waveforms) == len(utterances)
    assert all(1 < len(waveform) / 16000 < 10 for waveform in waveforms)
