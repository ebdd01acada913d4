"""The explorer as a live widget: in JupyterLab and in Voila, with a kernel behind it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

from tests.browser.conftest import LOOP, expect, until

ROOT = Path(__file__).parents[2]
MAKE = """from sernb.explorer import explore
from tests.browser.material import predictions, utterances
table = utterances(60)
explorer = explore(predictions(table), table, title="A live one")
explorer"""
TELL = "print('chosen:', len(explorer.selected), explorer.view['cells'], sorted(explorer.notes))"
SET = "explorer.view = {'cells': [['sad', 'sad']], 'filters': {'gender': ['female']}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("live")
    cells = [nbformat.v4.new_code_cell(one) for one in (MAKE, TELL, SET)]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    nbformat.write(notebook, made / "errors.ipynb")
    nbformat.write(nbformat.v4.new_notebook(cells=cells[:1], metadata=notebook.metadata), made / "page.ipynb")
    return made


@pytest.fixture(scope="module")
def start(folder):
    """`start("jupyterlab", options…)`: the address of a server, when it answers; ended afterwards."""
    running = []

    def started(module, *options, option="--port"):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        own = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
        own |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        own |= {"JUPYTER_PREFER_ENV_PATH": "1"}  # this environment's kernel, whatever else is installed
        with (folder / f"{module}.log").open("w") as log:
            command = [sys.executable, "-m", module, "--no-browser", f"{option}={port}", *options]
            running.append(
                subprocess.Popen(command, cwd=folder, env={**os.environ, **own}, stdout=log, stderr=log)
            )
        url = f"http://127.0.0.1:{port}/"
        for _ in range(240):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                return url
            except urllib.error.HTTPError:
                return url
            except OSError:
                time.sleep(0.25)
            assert running[-1].poll() is None, (folder / f"{module}.log").read_text()
        raise AssertionError(f"{module} does not answer: {(folder / f'{module}.log').read_text()}")

    yield started
    for process in running:
        process.terminate()
        process.wait(timeout=20)


def plays(page):
    """Waits until the clip that is open has played for a fifth of a second."""
    until(page, "parseFloat(document.querySelector('.sound .mono')?.textContent) > 0.2")


# JupyterLab's own handle (--expose-app-in-browser): it says when notebook and kernel are ready, and when a
# cell has run.
READY = """async () => {
  await jupyterapp.restored;
  const notebook = jupyterapp.shell.currentWidget;
  await notebook.context.ready;
  await notebook.sessionContext.ready;
}"""
RUN = """async (number) => {
  jupyterapp.shell.currentWidget.content.activeCellIndex = number;
  await jupyterapp.commands.execute("notebook:run-cell");
}"""


def test_in_jupyterlab(browser, start):
    url = start(
        "jupyterlab",
        "--allow-root",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        "--expose-app-in-browser",
    )
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page, sockets = context.new_page(), []
    page.set_default_timeout(90_000)
    page.add_init_script(LOOP)
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(f"{url}lab/tree/errors.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.evaluate(READY)
    page.evaluate(RUN, 0)
    widget = page.locator(".sernb-explorer")
    widget.wait_for()
    widget.locator('[data-which=model][data-cell="0,0"]').click()
    widget.locator('[data-which=model][data-cell="1,1"]').click(modifiers=["Shift"])
    # What only the page knows it tells Python.
    (kernel,) = [socket for socket in sockets if "/channels" in socket.url]
    with kernel.expect_event("framesent", lambda frame: b'"tell":"rows"' in frame and b'"text":"e"' in frame):
        widget.locator("[data-filter=text]").fill("e")
    listed = widget.locator(".list li").count()
    widget.locator(".list .play").first.click()
    plays(page)
    widget.locator(".list li[aria-current=true] .open").focus()
    cells = page.locator(".jp-CodeCell").count()
    for key in ("n", "p", "ArrowDown", "n"):  # b, say, would make a cell: JupyterLab's keys stay out of it
        page.keyboard.press(key)
    page.keyboard.press("b")
    assert page.locator(".jp-CodeCell").count() == cells
    with kernel.expect_event("framesent", lambda frame: b"breathy" in frame):
        widget.locator(".note textarea").fill("breathy")
    page.evaluate(RUN, 1)
    output = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    output.wait_for()
    assert f"chosen: {listed} [['neutral', 'neutral'], ['happy', 'happy']] ['Ses" in output.inner_text()
    page.evaluate(RUN, 2)  # shows a view from Python
    expect(widget.locator('[data-which=model][data-cell="2,2"]')).to_have_attribute("aria-selected", "true")
    expect(widget.locator(".filters summary").first).to_have_text("Filters (1)")
    context.close()


def test_in_voila(browser, start):
    url = start(
        "voila", "page.ipynb", "--VoilaConfiguration.http_keep_alive_timeout=2", "--Voila.ip=127.0.0.1"
    )
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.add_init_script(LOOP)
    page.goto(url)
    widget = page.locator(".sernb-explorer")
    widget.wait_for()
    widget.locator('[data-which=model][data-cell="0,0"]').click()
    assert widget.locator(".second > h3").inner_text().endswith("neutral → neutral")
    widget.locator(".list .play").first.click()
    plays(page)
    context.close()
