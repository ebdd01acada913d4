"""The recording button in a real browser, whose microphone is Chromium's own: it beeps twice a second."""

import base64
import os
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from sernb.notebook import microphone

NEEDED = bool(os.environ.get("SERNB_NEEDS_BROWSER"))  # there a browser that is missing is a failure
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PAGE = """<!doctype html><meta charset="utf-8"><div id="here"></div><script type="module">
import widget from "./microphone.js";
window.sent = [];
window.listeners = {};
const model = {
  get: () => window.longest ?? 2, // seconds
  on: (event, call) => { window.listeners[event] = call; },
  off: (event) => { delete window.listeners[event]; },
  send: async (content, callbacks, buffers) => {
    const url = await new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.readAsDataURL(new Blob(buffers));
    });
    window.sent.push({ content, data: url.split(",")[1] });
  },
};
// What was to be seen, however short: the texts, and the loudest that the meter showed.
const here = document.getElementById("here");
window.seen = { texts: [], loudest: 0 };
new MutationObserver(() => {
  window.seen.texts.push(...["[role=status]", "button"].map((one) => here.querySelector(one)?.textContent));
  window.seen.loudest = Math.max(window.seen.loudest, here.querySelector("meter")?.value ?? 0);
}).observe(here, { attributes: true, characterData: true, childList: true, subtree: true });
window.leave = widget.render({ model, el: document.getElementById("here") });
</script>"""
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def lacking():
    """Why there is no browser here, or None."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    return None if CHROMIUM else "no Chromium was found (the variable CHROMIUM may name one)"


pytestmark = pytest.mark.skipif(not NEEDED and lacking() is not None, reason=lacking() or "")


@pytest.fixture
def server(tmp_path):
    """The port of a server of this machine with the page and the module."""
    (tmp_path / "index.html").write_text(PAGE)
    shutil.copy(Path(microphone.__file__).with_name("microphone.js"), tmp_path)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *given):
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_port
    made.shutdown()
    made.server_close()


@pytest.fixture
def opened(server):
    """A function that opens the page in a browser with further switches; errors of the page fail the test."""
    from playwright.sync_api import sync_playwright

    errors = []
    with sync_playwright() as play:
        browsers = []

        def open_page(*switches, host="localhost", scheme="light"):
            browser = play.chromium.launch(
                executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu", *switches]
            )
            browsers.append(browser)
            page = browser.new_page(color_scheme=scheme)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(f"http://{host}:{server}/")
            page.wait_for_selector("button")
            return page

        yield open_page
        for browser in browsers:
            browser.close()
    assert not errors


def told(page, words):
    """Waits until the status has said so."""
    page.wait_for_function("words => seen.texts.some((text) => text?.includes(words))", arg=words)
    return page.text_content("[role=status]")


def test_what_the_microphone_hears_arrives_in_python(opened):
    page = opened(*MICROPHONE)
    button = page.get_by_role("button")
    assert button.text_content() == "Record" and page.get_by_role("meter").count() == 1
    button.focus()
    page.keyboard.press("Enter")  # no mouse is needed
    page.wait_for_function("() => window.sent.length === 1")  # it stops by itself, after two seconds
    told(page, "Recording")
    assert page.evaluate("seen.loudest") > 0.05  # a beep moves the meter
    texts = page.evaluate("seen.texts")
    assert any(re.fullmatch(r"Stop \([12] s\)", text) for text in texts if text)
    assert "recorded" in page.text_content("[role=status]") and button.text_content() == "Record"
    assert page.locator("audio").get_attribute("src").startswith("blob:") and button.is_enabled()

    (message,) = page.evaluate("window.sent")
    content, data = message["content"], base64.b64decode(message["data"])
    assert content == {"kind": "sound", "rate": 48000, "samples": len(data) // 4}
    waveform = microphone.waveform_of(content, [data], 2)
    seconds = len(waveform) / 16000
    assert waveform.dtype == np.float32 and 1.5 < seconds < 2 + microphone.SPARE
    onsets = np.flatnonzero(np.diff((np.abs(waveform) > 0.5).astype(int)) == 1) / 16000
    beeps = onsets[np.diff(onsets, prepend=-1) > 0.1]
    assert len(beeps) >= 2 and 0.4 < np.median(np.diff(beeps)) < 0.6, (
        beeps
    )  # the device's beeps, silence between
    assert np.median(np.abs(waveform)) < 0.01


def test_it_can_be_stopped_and_used_again(opened):
    page = opened(*MICROPHONE)
    page.evaluate("window.longest = 600")
    for count in (1, 2):
        page.evaluate("seen.texts = []")
        page.get_by_role("button").click()
        told(page, "Stop (599 s)")  # a second of it
        page.get_by_role("button").click()
        page.wait_for_function("count => window.sent.length === count", arg=count)
    assert all(0.5 < one["content"]["samples"] / 48000 < 300 for one in page.evaluate("window.sent"))


def test_what_python_says_is_shown_as_text(opened):
    page = opened(*MICROPHONE)
    page.evaluate("listeners['msg:custom']({kind: 'said', text: '<b>Only</b> silence', problem: true})")
    assert told(page, "silence") == "<b>Only</b> silence"
    assert page.locator("p.problem").count() == 1


def test_the_microphone_is_released_when_the_view_goes(opened):
    page = opened(*MICROPHONE)
    page.evaluate(
        """() => {
          const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
          devices.getUserMedia = async (what) => (window.stream = await ask(what));
          const decode = OfflineAudioContext.prototype.decodeAudioData;
          OfflineAudioContext.prototype.decodeAudioData = function (bytes) {
            return (window.decoded = decode.call(this, bytes));
          };
        }"""
    )
    page.evaluate("window.longest = 600")
    page.get_by_role("button").click()
    told(page, "Stop (599 s)")  # a second of it
    page.evaluate("window.leave()")
    assert page.evaluate("window.stream.getTracks().map((track) => track.readyState)") == ["ended"]
    page.wait_for_function("() => Boolean(window.decoded)")  # what was recorded is read back, and not sent
    page.evaluate("window.decoded.catch(() => null).then(() => new Promise((done) => setTimeout(done)))")
    assert page.evaluate("[window.sent.length, Object.keys(listeners).length]") == [0, 0]


def test_a_refusal_is_told_in_words(opened):
    page = opened("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    page.get_by_role("button").click()
    assert "did not allow the microphone" in told(page, "allow")
    assert page.get_by_role("button").is_enabled()


def test_a_page_over_plain_http_says_so(opened):
    page = opened(*MICROPHONE, "--host-resolver-rules=MAP far.test 127.0.0.1", host="far.test")
    page.get_by_role("button").click()
    assert "only on https or localhost" in told(page, "plain http")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_takes_the_colours_of_the_page(opened, scheme):
    page = opened(*MICROPHONE, scheme=scheme)
    page.evaluate("document.body.style.color = 'rgb(1, 2, 3)'")
    style = page.evaluate("(() => { const s = getComputedStyle(document.querySelector('button'));"
                          " return [s.color, s.backgroundColor]; })()")  # fmt: skip
    assert style == ["rgb(1, 2, 3)", "rgba(0, 0, 0, 0)"]
