"""The local page of `sernb explore`, and 50,000 predictions: in a real browser, with a stopwatch."""

import itertools
import statistics
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest

from sernb.explorer import explore, front
from sernb.explorer.server import make_server
from tests.browser.conftest import until
from tests.browser.material import CLASSES, predictions, utterances


@pytest.fixture
def served():
    """`served(explorer)`: the address of its page."""
    servers = []

    def start(explorer):
        server, url = make_server(explorer)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return url

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_clip_is_fetched_when_it_is_chosen(open_page, served):
    table = utterances(40)
    page = open_page("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served(explore(predictions(table), table)))
    page.wait_for_selector("[role=gridcell]")
    assert not [url for url in asked if "/clip/" in url]
    page.locator(".list .play").nth(2).click()
    until(page, "parseFloat(document.querySelector('.sound .mono')?.textContent) > 0.2")  # it plays
    assert len([url for url in asked if "/clip/" in url]) == 1


def test_the_modules_load_as_they_are(open_page):
    class Quiet(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/favicon.ico":
                return super().do_GET()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=front.FOLDER))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = open_page(f"http://127.0.0.1:{server.server_port}/explorer.css")
    assert page.evaluate("import('/main.js').then((module) => typeof module.default.render)") == "function"
    server.shutdown()
    server.server_close()


def stopwatch(page):
    """A function: the seconds that the page has worked so far; waiting for a busy machine does not count."""
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds():
        metrics = client.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "TaskDuration")

    return seconds


CHANGES = {
    "gender": """() => {
      document.querySelector('[data-filter="gender=male"]').click();
      document.body.getBoundingClientRect();
    }""",
    "text": """(number) => {
      const box = document.querySelector('[data-filter=text]');
      box.value = ['fox', 'dog', 'rain', 'sun', ''][number];
      box.dispatchEvent(new Event('input'));
      document.body.getBoundingClientRect();
    }""",
    "threshold": """(number) => {
      const box = document.querySelector('.abstain input');
      box.value = number / 8;
      box.dispatchEvent(new Event('input'));
      document.body.getBoundingClientRect();
    }""",
}


def test_50_000_predictions_open_in_two_seconds_and_filter_in_a_fifth(open_page, served):
    n, rng = 50_000, np.random.default_rng(0)
    truth = rng.integers(0, 4, n)
    index = pd.Index([f"Ses{i % 5}_{i:06d}" for i in range(n)], name="utterance")
    words = np.array(["the", "a", "small", "cat", "dog", "runs", "over", "lazy", "fox", "sad", "rain", "sun"])
    table = pd.DataFrame(
        {
            "text": [" ".join(one) for one in words[rng.integers(0, len(words), (n, 10))]],
            "speaker": [f"speaker {one}" for one in rng.integers(0, 50, n)],
            "gender": np.array(["female", "male"])[rng.integers(0, 2, n)],
            "seconds": rng.random(n) * 10,
        },
        index,
    )
    parts = []
    for name in ("A", "B"):
        chances = pd.DataFrame(rng.dirichlet(np.ones(4), n), index, [f"p_{one}" for one in CLASSES])
        said = np.array(CLASSES)[chances.to_numpy().argmax(1)]
        one = pd.DataFrame(
            {"model": name, "fold": "1", "emotion": np.array(CLASSES)[truth], "predicted": said}, index
        )
        parts.append(one.join(chances))
    started = time.process_time()
    explorer = explore(pd.concat(parts), table)
    made = time.process_time() - started
    page = open_page("about:blank")
    busy = stopwatch(page)
    page.goto(served(explorer), wait_until="commit")
    page.wait_for_selector("[role=gridcell]", timeout=60_000)
    opened = busy()

    def medians(kinds):
        """Milliseconds of a change of each kind: of five, the one in the middle."""
        times = {kind: [] for kind in kinds}
        for kind, number in itertools.product(kinds, range(5)):
            begin = busy()
            page.evaluate(CHANGES[kind], number)
            times[kind].append(1000 * (busy() - begin))
        return {kind: round(statistics.median(of_kind), 1) for kind, of_kind in times.items()}

    times = {"one model": medians(CHANGES)}
    page.locator("[data-control=other]").select_option("B")
    times["two models"] = medians(["gender", "text"])
    print(f"made in {made:.2f} s, opened in {opened:.2f} s, filtered in (ms) {times}")
    assert "50,000" in page.locator(".summary").inner_text()
    slowest = max(max(of_kind.values()) for of_kind in times.values())
    assert opened < 2 and slowest < 200, (opened, times)
