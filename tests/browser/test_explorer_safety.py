"""Texts, ids and notes are text, whatever they hold; the page's policy allows nothing else."""

import json

import pandas as pd
import pytest

from sernb.explorer import explore
from tests.browser.material import predictions, utterances

NASTY = {
    "script": "</script><script>window.harmed = 1</script><!--<script>",
    "image": "<img src=x onerror='window.harmed = 1'>",
    "quotes": "\"'`&lt;b&gt; & ${window.harmed = 1}",
    "right-to-left": "\u202eabc\u202c שלום \u2066x",
    "nul": "a\x00b\x07c",
    "long": "word " * 2000,
    "surrogate": "broken \ud800 half",
}


@pytest.fixture
def explorer():
    table = utterances(len(NASTY))
    ids = [
        f"{name} {text}"[:200].replace("\ud800", "") for name, text in NASTY.items()
    ]  # pandas refuses these
    table.index = ids
    table["text"] = pd.Series(
        list(NASTY.values()), table.index, dtype=object
    )  # a str column refuses half surrogates
    table["speaker"] = [f"<b onclick=alert(1)>{name}</b>" for name in NASTY]
    said = predictions(table)
    said["model"] = said["model"].replace({"voice": "<i>voice</i>", "words": "</title><svg onload=alert(1)>"})
    notes = {ids[0]: {"note": NASTY["script"], "tags": [NASTY["image"]]}}
    return explore(said, table, title=NASTY["script"], notes=notes)


def test_it_all_appears_as_text(open_page, explorer, tmp_path):
    page = open_page(explorer.save(tmp_path / "nasty.html", progress=False).as_uri())
    page.wait_for_selector("[role=gridcell]")
    assert page.locator("h2").inner_text() == NASTY["script"] == page.title()
    for row in range(len(NASTY)):
        page.locator(f'li[data-row="{row}"] .open').click()
        shown = page.locator(".clip .long").first.text_content()
        text = explorer.state["text"][row]
        assert shown == text.replace("\x00", "␀").replace("\x07", "␇")
        page.locator(".clip summary").click()
        assert "<b onclick" in page.locator(".clip dl").inner_text()
    page.locator('li[data-row="0"] .open').click()
    assert page.locator(".note textarea").input_value() == NASTY["script"]
    page.locator("[data-control=other]").select_option(index=1)
    page.locator("[data-control=rows]").select_option("speaker")
    assert page.evaluate("window.harmed") is None
    inside = page.evaluate("[...document.querySelectorAll('.sernb-explorer *')].map((one) => one.tagName)")
    assert not {"SCRIPT", "IMG", "SVG", "svg", "IFRAME"} & set(inside)
    assert page.locator("li[data-row='3'] [dir=auto]").count() >= 1  # its direction does not spill over
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_the_policy_stops_what_is_not_the_pages_own(browser, explorer, tmp_path):
    path = explorer.save(tmp_path / "page.html", progress=False)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</body>", "<script>window.harmed = 1</script></body>"), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("[role=gridcell]")
    assert page.evaluate("window.harmed") is None
    refused = page.evaluate(
        """async () => {
          const attempt = async (act) => { try { await act(); return 'allowed' } catch { return 'refused' } };
          const html = await attempt(() => { document.body.innerHTML = '<b>x</b>' });
          return { html, fetch: await attempt(() => fetch('https://example.org')) } }"""
    )
    assert refused == {"html": "refused", "fetch": "refused"}
    page.close()


def test_a_saved_page_names_no_folder_of_this_machine(explorer, tmp_path):
    explorer.material.utterances["path"] = "/nowhere/secret/clip.wav"
    text = explorer.save(tmp_path / "page.html", progress=False).read_text(encoding="utf-8")
    assert "/nowhere" not in text and json.dumps(str(tmp_path)) not in text
