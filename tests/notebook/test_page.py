import re

import nbformat
from bs4 import BeautifulSoup

from sernb.notebook import page


def loaded_from_elsewhere(text):
    """Addresses that a browser would fetch to draw the page."""
    soup = BeautifulSoup(text, "html.parser")
    found = [
        tag.get("src") or tag.get("href")
        for tag in soup.select("script[src], img[src], iframe[src], link[href], source[src]")
    ]
    found += re.findall(r"(?:@import|url\()\s*['\"]?(https?:[^'\")]+)", text)
    found += re.findall(r"\bimport\(?\s*['\"](https?:[^'\"]+)", text)
    return [address for address in found if address.startswith(("http", "//"))]


def test_pages_load_nothing_from_elsewhere(report):
    _, out, _ = report
    for path in out.glob("*.html"):
        assert loaded_from_elsewhere(path.read_text()) == []


def test_plotly_lies_once_beside_the_pages_that_use_it(report):
    _, out, _ = report
    assert (out / "plotly.min.js").stat().st_size > 1e6
    good, failed = (out / "01_good.html").read_text(), (out / "02_fails.html").read_text()
    assert '<script src="plotly.min.js">' in good and "Plotly.newPlot" in good
    assert len(good) < 300_000
    assert "plotly" not in failed


def test_the_index_shows_each_notebook_and_escapes_what_it_shows(report):
    _, out, _ = report
    text = (out / "index.html").read_text()
    soup = BeautifulSoup(text, "html.parser")
    assert not soup.select("script")
    words = soup.get_text()
    assert "<script>alert(1)</script>" in words and "A <script>title</script>" in words
    assert "0.250 [0.200, –]" in " ".join(
        words.split()
    ) and "3 of 4 notebooks did not run to their end" in " ".join(words.split())
    assert "no <b>such</b> thing" in words and "SystemExit: 0" in words
    assert all(image["alt"] for image in soup.select("img"))
    for link in soup.select("a[href]"):
        assert (out / link["href"].split("#")[0]).is_file()


def test_a_failed_page_leads_to_its_cell(report):
    _, out, _ = report
    soup = BeautifulSoup((out / "02_fails.html").read_text(), "html.parser")
    anchor = soup.select_one(".banner a")["href"]
    assert "ValueError" in soup.find(id=anchor[1:]).get_text()


def test_pages_fit_narrow_and_dark_screens(report):
    _, out, _ = report
    for path in out.glob("*.html"):
        text = path.read_text()
        assert 'name="viewport"' in text and "prefers-color-scheme: dark" in text and 'lang="en"' in text


def test_pictures_have_a_text_and_formulas_are_drawn(report):
    _, out, _ = report
    soup = BeautifulSoup((out / "01_good.html").read_text(), "html.parser")
    assert [image["alt"] for image in soup.select("img")] == ["Figure 1: A <script>title</script>"]
    assert soup.select("math mfrac")


def test_a_formula_that_cannot_be_read_is_shown_as_written():
    assert page.mathml("a<b^c^d") == "<code>a&lt;b^c^d</code>"


def output(data):
    return nbformat.v4.new_output("display_data", data)


def test_the_index_picture_is_the_tagged_one_or_the_last():
    cells = [
        nbformat.v4.new_code_cell("", outputs=[output({"image/png": text})])
        for text in ("AAAA", "BBBB", "CCCC")
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert page.picture(notebook) == b"\x08\x20\x82"  # CCCC
    cells[1].metadata["tags"] = ["picture"]
    assert page.picture(notebook) == b"\x04\x10\x41"  # BBBB
    assert page.picture(nbformat.v4.new_notebook()) is None


def test_a_widget_is_replaced_by_a_hint():
    data = {page.WIDGET: {"model_id": "x"}, "text/plain": "FloatSlider()"}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output(data)])])
    assert page.offline(notebook).cells[0].outputs[0].data == {"text/html": page.NEEDS_WIDGET}


def test_the_state_of_widgets_stays_out_of_the_page():
    state = {"state": {"x": {"state": {"options": ["<!--<script>"]}}}, "version_major": 2, "version_minor": 0}
    widgets = {"application/vnd.jupyter.widget-state+json": state}
    notebook = nbformat.v4.new_notebook(
        metadata={"widgets": widgets}, cells=[nbformat.v4.new_markdown_cell("x")]
    )
    entry = {"title": "x", "error": None}
    text = page.page(notebook, entry, ".")
    assert "<!--<script>" not in text and "widget-state" not in text
    assert notebook.metadata.widgets  # the executed notebook keeps it


def test_progress_bars_are_left_out_and_warnings_are_kept():
    bar = "epochs:  50%|#####     | 1/2 [00:01<00:01]"
    outputs = [
        output({page.WIDGET: {"model_id": "x"}, "text/plain": bar}),
        nbformat.v4.new_output("stream", name="stderr", text=f"\r{bar}\r{bar}\n"),
        nbformat.v4.new_output("stream", name="stderr", text=f"{bar}\nUserWarning: mind this"),
        nbformat.v4.new_output("stream", name="stdout", text="50%|x|"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    assert page.offline(notebook).cells[0].outputs == outputs[2:]
