import numpy as np
import pytest
from ipywidgets import VBox

from sernb.core.errors import SernbError
from sernb.notebook import microphone

SECOND = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000).astype("<f4")


def message(samples=SECOND, rate=48000):
    return {"kind": "sound", "rate": rate, "samples": len(samples)}, [memoryview(samples.tobytes())]


@pytest.fixture
def heard():
    """A button, and what its function was called with."""
    calls = []
    button = microphone.record(calls.append, seconds=2)
    button.sent = []
    button.send = lambda content, buffers=None: button.sent.append(content)
    button.calls = calls
    return button


def test_a_recording_becomes_a_waveform_at_16_khz(heard):
    heard._handle_custom_msg(*message())
    (waveform,) = heard.calls
    assert waveform is heard.waveform and waveform.dtype == np.float32 and waveform.shape == (16000,)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(waveform[500:-500], expected[500:-500], atol=1e-3)
    assert [one["text"] for one in heard.sent] == ["1.0 s recorded; at work …", "1.0 s recorded."]
    assert not any(one["problem"] for one in heard.sent)


def test_without_a_function_the_waveform_is_kept():
    button = microphone.record()
    button._handle_custom_msg(*message(SECOND[:16000], 16000))
    np.testing.assert_array_equal(button.waveform, SECOND[:16000])
    button.waveform[0] = 1.0  # it may be written to


def test_what_the_function_prints_stands_below_and_what_it_raises_is_told(heard):
    def refuses(waveform):
        raise SernbError("this model reads.")

    bundle = heard._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert isinstance(heard._whole, VBox) and heard._whole.children == (heard, heard._below)
    heard.on_sound = refuses
    heard._handle_custom_msg(*message())
    text = "Recorded, but what was to be done with it failed. this model reads."
    assert heard.sent[-1] == {"kind": "said", "problem": True, "text": text}
    heard.on_sound = lambda waveform: 1 / 0
    heard._handle_custom_msg(*message())
    assert "ZeroDivisionError: division by zero" in heard.said and heard.waveform is not None


NAN, HUGE = (np.full(100, value, "<f4") for value in (np.nan, 1e30))
WRONG = {
    "no rate": ({"kind": "sound"}, message()[1]),
    "a rate in words": ({"kind": "sound", "rate": "48000" * 1000}, message()[1]),
    "a rate of true": ({"kind": "sound", "rate": True}, message()[1]),
    "a rate that is no whole number": ({"kind": "sound", "rate": float("nan")}, message()[1]),
    "a low rate": message(rate=1),
    "a high rate": message(rate=10**9),
    "no buffer": (message()[0], []),
    "two buffers": (message()[0], message()[1] * 2),
    "buffers that are none": (message()[0], "abc"),
    "a text for a buffer": (message()[0], ["abc"]),
    "a buffer that is cut off": (message()[0], [SECOND.tobytes()[:-1]]),
    "an empty buffer": (message()[0], [b""]),
    "samples of more than was asked for": message(np.tile(SECOND, 5)),
    "NaN": message(NAN),
    "huge numbers": message(HUGE),
    "silence": message(0 * SECOND),
    "less than a sample": message(SECOND[1:2], 192000),
}


@pytest.mark.parametrize("case", WRONG, ids=list(WRONG))
def test_nothing_that_a_browser_sends_raises(heard, case):
    heard._handle_custom_msg(*WRONG[case])
    assert heard.waveform is None and not heard.calls
    (told,) = heard.sent
    assert told["problem"] and len(told["text"]) < 300


@pytest.mark.parametrize("content", [None, [], "sound", 3, {}, {"kind": "other"}, {"kind": ["sound"]}])
def test_other_messages_are_left_alone(heard, content):
    heard._received(heard, content, message()[1])
    assert heard.waveform is None and not heard.sent


def test_silence_says_what_to_look_at(heard):
    heard._handle_custom_msg(*message(0 * SECOND))
    assert "muted" in heard.said


@pytest.mark.parametrize("seconds", [0, -1, 31, float("nan")])
def test_a_length_that_cannot_be(seconds):
    with pytest.raises(SernbError, match="at most 30 seconds"):
        microphone.record(seconds=seconds)


def test_a_report_shows_a_sentence(monkeypatch):
    monkeypatch.setenv("SERNB_REPORT", "1")
    there = microphone.record(print)
    assert there.waveform is None and "JupyterLab" in repr(there) and repr(there) in there._repr_html_()


def test_the_module_is_there_and_sets_text_only_as_text():
    code = str(microphone.Microphone._esm)
    assert code.rstrip().endswith("export default { render };") and len(code.splitlines()) < 150
    assert "textContent" in code and "innerHTML" not in code and "insertAdjacent" not in code
