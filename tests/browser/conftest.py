"""A real browser: Debian's chromium (or Chrome), driven by Playwright. Without one, tests are skipped."""

import os
import shutil

import pytest

try:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)
except ImportError:
    expect = sync_playwright = None  # the fixture `browser` says so

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium reaches for its maker's hosts at every start; sound plays without a click in a test.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


# A page's sounds never end by themselves, and the last one that was played can be asked for: window.heard.
LOOP = """{
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    this.loop = true;
    window.heard = this;
    return play.call(this);
  };
}"""


def until(page, condition, arg=None):
    """Waits for a JavaScript condition, frame by frame (Playwright's way is eval, which a policy may
    forbid)."""
    page.evaluate(
        """(arg) => new Promise((done, failed) => {
          const end = performance.now() + 20000;
          const look = () => {
            if (CONDITION) done();
            else if (performance.now() > end) failed(new Error("after 20 s it is still not so"));
            else requestAnimationFrame(look);
          };
          look();
        })""".replace("CONDITION", condition),
        arg,
    )


def missing(why):
    """Skips, with the reason; an error where SERNB_NEEDS_BROWSER is set, as in CI."""
    if os.environ.get("SERNB_NEEDS_BROWSER"):
        pytest.fail(f"SERNB_NEEDS_BROWSER is set, and {why}")
    pytest.skip(why)


@pytest.fixture(scope="module")  # while it is open, nothing else in this process can run an asyncio loop
def browser():
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing(f"there is no browser here (looked for {', '.join(NAMES)})")
    if sync_playwright is None:
        missing("playwright is not installed: pip install playwright")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """`open_page(url, width=…, dark=…)`: a page of its own; the test fails on any error that it reports."""
    contexts, problems = [], []

    def opened(url, width=1200, height=900, dark=False, **context):
        made = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **context
        )
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(20_000)
        page.add_init_script(LOOP)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console", lambda one: problems.append(one.text) if one.type == "error" else None
        )  # a refusal by the content-security-policy, say
        page.problems = problems
        page.goto(url)
        return page

    yield opened
    for made in contexts:
        made.close()
    assert problems == []
