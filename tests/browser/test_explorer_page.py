"""The saved page in a browser, from the file system: click, listen, filter, compare, keyboard, export."""

import json

import pandas as pd
import pytest

from sernb.explorer import explore, read_notes
from tests.browser.conftest import expect, until
from tests.browser.material import predictions, utterances


@pytest.fixture(scope="module")
def explorer():
    table = utterances()

    def overlay(name):
        words = str(table["text"][name]).split()
        return {
            "map": [[0.0, 1.0], [-1.0, 0.5]],
            "what": "attention",
            "start": 0.0,
            "end": 2.0,
            "low": 0.0,
            "high": 4000.0,
            "words": words,
            "weights": [float(i) for i in range(len(words))],
            "words_what": "what each word brings",
        }

    return explore(predictions(table), table, title="Two made-up models", overlay=overlay)


@pytest.fixture(scope="module")
def address(explorer, tmp_path_factory):
    path = tmp_path_factory.mktemp("a folder") / "errors.html"
    explorer.save(path, cap=4_000_000, progress=False)
    return path.as_uri()


@pytest.fixture
def page(open_page, address):
    opened = open_page(address, accept_downloads=True)
    opened.wait_for_selector("[role=gridcell]")
    return opened


def rows(page):
    return page.eval_on_selector_all(".list li", "all => all.map((one) => Number(one.dataset.row))")


def ids(page, explorer):
    return [explorer.state["utterance"][row] for row in rows(page)]


def cell(page, row, column, which="model"):
    return page.locator(f'[data-which={which}][data-cell="{row},{column}"]')


def view(page):
    """What the box of "Share this view" holds, which follows the view whether it is open or not."""
    return json.loads(page.locator("[data-view]").input_value())


def playable(page):
    """The row of the first listed utterance whose clip lies in the page."""
    embedded = set(json.loads(page.locator("#sernb-data").text_content())["state"]["embedded"])
    return next(row for row in rows(page) if row in embedded)


def test_a_click_on_a_cell_lists_its_utterances(page, explorer):
    table = explorer.selected.index
    assert page.locator(".second > h3").inner_text().startswith("120 utterances")
    cell(page, 3, 1).click()  # angry taken for happy
    listed = ids(page, explorer)
    model = explorer.state["models"][0]
    classes = explorer.state["classes"]
    expected = [
        name
        for row, name in enumerate(explorer.state["utterance"])
        if classes[explorer.state["emotion"][row]] == "angry" and classes[model["predicted"][row]] == "happy"
    ]
    assert listed == expected and 0 < len(listed) < len(table)
    assert cell(page, 3, 1).get_attribute("aria-selected") == "true"
    cell(page, 0, 1).click(modifiers=["Shift"])
    assert len(rows(page)) > len(expected) and len(view(page)["cells"]) == 2


def test_the_sound_plays_and_the_cursor_moves(page):
    row = playable(page)
    page.locator(f'li[data-row="{row}"] .play').click()
    until(page, "parseFloat(document.querySelector('.stage .cursor')?.style.left) > 3")
    until(page, "parseFloat(document.querySelector('.sound .mono').textContent) > 0.2")  # seconds
    expect(page.locator(".sound .main")).to_contain_text("Pause")
    page.locator(".clip h3").click()
    page.keyboard.press("Space")
    expect(page.locator(".sound .main")).to_contain_text("Play")
    for picture in page.locator(".stage canvas").all():  # something is drawn on both
        pixels = picture.evaluate(
            "one => new Set(one.getContext('2d').getImageData(0, 0, one.width, one.height).data).size"
        )
        assert pixels > 2
    assert page.locator(".weighted > span").count() > 3 and page.locator(".bars").count() >= 1


def test_the_keyboard_alone_is_enough(page, explorer):
    cell(page, 0, 0).focus()
    page.keyboard.press("ArrowRight")
    assert view(page)["cells"] == [["neutral", "happy"]]
    cell(page, 0, 1).focus()
    page.keyboard.press("Shift+ArrowDown")
    assert view(page)["cells"] == [["neutral", "happy"], ["happy", "happy"]]
    page.locator(".list .open").first.focus()
    page.keyboard.press("ArrowDown")
    first, second = ids(page, explorer)[:2]
    assert view(page)["utterance"] in (first, second)
    page.locator(".summary").click()
    before = view(page)["utterance"]
    page.locator(".list li[aria-current=true] .open").focus()
    page.keyboard.press("n")
    after = view(page)["utterance"]
    listed = ids(page, explorer)
    assert listed.index(after) > listed.index(before)  # what has no sound is passed over
    page.locator(".list li[aria-current=true] .open").focus()
    page.keyboard.press("n")
    page.keyboard.press("p")
    assert view(page)["utterance"] == after
    page.locator(".list li[aria-current=true] .open").focus()
    page.keyboard.press("Escape")
    assert view(page)["cells"] == []


def test_everything_that_works_can_be_reached_by_tab(page):
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "(document.activeElement.dataset.control ?? document.activeElement.dataset.cell ?? "
                "document.activeElement.className) || document.activeElement.tagName"
            )
        )
    assert {
        "model",
        "other",
        "rows",
        "columns",
        "show",
        "order",
        "list",
        "sort",
        "0,0",
        "open",
    } <= seen


def test_filters_recompute_the_matrix(page, explorer):
    page.locator(".filters summary").first.click()
    page.locator(".choice summary", has_text="gender").click()
    page.locator('[data-filter="gender=female"]').check()
    expected = int((utterances()["gender"] == "female").sum())
    assert page.locator("tfoot .sum").last.inner_text() == str(expected)
    page.locator('[data-filter="text"]').fill("the")
    texts = utterances().query("gender == 'female'")
    hits = texts["text"].str.lower().str.contains("the") | texts.index.str.lower().str.contains("the")
    assert page.locator("tfoot .sum").last.inner_text() == str(int(hits.sum()))
    page.locator("button", has_text="Clear filters").click()
    assert page.locator("tfoot .sum").last.inner_text() == "120"
    assert f"of {explorer.state['n']} utterances" in page.locator(".summary").inner_text()


def test_two_models_side_by_side(page):
    page.locator("[data-control=other]").select_option("words")
    assert page.locator("figure.matrix").count() == 3
    counts = {
        key: int(page.locator(f"[data-outcome={key}] b").inner_text())
        for key in ("both", "only_a", "only_b", "neither")
    }
    table = predictions(utterances())
    right = (table["emotion"] == table["predicted"]).groupby(table["model"]).agg(list)
    pairs = list(zip(right["voice"], right["words"], strict=True))
    assert counts == {
        "both": pairs.count((True, True)),
        "only_a": pairs.count((True, False)),
        "only_b": pairs.count((False, True)),
        "neither": pairs.count((False, False)),
    }
    page.locator("[data-outcome=only_a]").click()
    assert page.locator(".second > h3").inner_text().startswith(f"{counts['only_a']} utterance")


def test_the_threshold_abstains(page, explorer):
    page.locator(".abstain input").evaluate(
        "one => { one.value = 0.7; one.dispatchEvent(new Event('input')) }"
    )
    sure = [p for p in explorer.state["models"][0]["confidence"] if p >= 0.7]
    assert page.locator("tfoot .sum").last.inner_text() == str(len(sure))
    assert f"answers {100 * len(sure) / 120:.0f} %" in page.locator("output").inner_text()


def test_notes_are_kept_and_exported(page, explorer, address, open_page, tmp_path):
    page.locator(".list .open").first.click()
    page.locator(".note textarea").fill('She says "no", then\nlaughs')
    page.locator(".note input").fill("noisy; two speakers")
    page.locator(".clip h3").click()
    page.locator(".sharing > summary").click()
    with page.expect_download() as download:
        page.locator("button", has_text="Save notes").click()
    download.value.save_as(tmp_path / "notes.csv")
    notes = read_notes(tmp_path / "notes.csv")
    assert notes.index.tolist() == [explorer.state["utterance"][0]]
    assert notes["note"].iloc[0] == 'She says "no", then\nlaughs'
    page.reload()
    page.locator("[data-control=list]").select_option("noted")
    assert len(rows(page)) == 1  # kept by the browser
    again = explore(predictions(utterances()), utterances(), notes=tmp_path / "notes.csv")
    assert again.notes_table()["tags"].iloc[0] is not None


def test_a_view_is_shared_as_text(page):
    cell(page, 2, 0).click()
    shared = view(page)
    cell(page, 2, 0).click()
    assert view(page)["cells"] == []
    page.locator(".sharing > summary").click()
    page.locator("[data-view]").fill(json.dumps(shared))
    page.locator("button", has_text="Show the view").click()
    assert cell(page, 2, 0).get_attribute("aria-selected") == "true"
    page.locator("[data-view]").fill("{ no")
    page.locator("button", has_text="Show the view").click()
    assert "This is no view" in page.locator(".sharing [role=status]").inner_text()


def test_a_view_that_somebody_put_into_the_box_is_not_overwritten(page):
    mine, box = view(page), page.locator("[data-view]")
    theirs = json.dumps({"model": "words"})
    # At once after the click: its `toggle` event comes later than the paste.
    page.evaluate(
        """(theirs) => { document.querySelector(".sharing > summary").click();
          const box = document.querySelector("[data-view]");
          box.value = theirs;
          box.dispatchEvent(new InputEvent("input", { bubbles: true })) }""",
        theirs,
    )
    page.wait_for_selector(".sharing[open]")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")  # `toggle` has come
    cell(page, 1, 1).click()  # another view of one's own
    page.locator(".sharing > summary").click()
    page.locator(".sharing > summary").click()
    assert box.input_value() == theirs
    box.fill("")
    box.blur()
    assert view(page) == mine | {"cells": [["happy", "happy"]]}  # an empty box has one's own again
    box.fill(theirs)
    page.locator("button", has_text="Show the view").click()
    assert view(page)["model"] == "words"
    cell(page, 1, 1).click()
    assert view(page)["cells"] == []  # what was shown is one's own from now on


def test_dimensions(page, explorer):
    page.locator("[data-tab=dimensions]").click()
    truth = pd.Series(explorer.state["dimensions"][0]["truth"])
    said = pd.Series(explorer.state["models"][0]["dimensions"]["arousal"])
    ccc = (
        2
        * truth.cov(said, ddof=0)
        / (truth.var(ddof=0) + said.var(ddof=0) + (truth.mean() - said.mean()) ** 2)
    )
    assert f"CCC {ccc:.3f}" in page.locator(".dimensions p").first.inner_text()
    off = (said - truth).abs()
    assert rows(page)[0] == off.idxmax()  # the largest residual first
    page.locator('[data-filter="residual:0"]').fill("0.5")
    page.locator('[data-filter="residual:0"]').press("Enter")
    assert page.locator(".second > h3").inner_text().startswith(f"{int(((said - truth) >= 0.5).sum())} ")
    page.locator('[data-filter="residual:0"]').fill("")
    page.locator('[data-filter="residual:0"]').press("Enter")
    box = page.locator(".scatter canvas").first.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 200)
    page.mouse.up()
    assert 0 < len(rows(page)) < 100 and view(page)["box"]["plane"] is False


def test_the_listening_quiz(page, explorer):
    page.locator("[data-tab=quiz]").click()
    page.locator(".quiz input").first.fill("3")
    page.locator(".quiz .main").click()
    seen = []
    for _ in range(3):
        until(page, "parseFloat(document.querySelector('.quiz .mono')?.textContent) > 0")
        assert page.locator(".quiz .verdict").count() == 0  # the label is not told before the guess
        page.locator(".quiz h3").focus()
        page.keyboard.press("2")
        assert "says" in page.locator(".quiz .verdict").inner_text()
        assert page.locator(".quiz .raters").inner_text().startswith("Raters:")
        seen.append(" ".join(page.locator(".quiz .verdict").inner_text().split()))
        page.locator(".quiz h3").focus()
        page.keyboard.press("n")
    assert page.locator(".quiz figure.matrix").count() == 2
    right = sum(one.startswith("true happy") for one in seen)
    assert f"you: {right} of 3 right" in page.locator(".quiz b").first.inner_text()
    with page.expect_download() as download:
        page.locator("button", has_text="Save my answers").click()
    assert pd.read_csv(download.value.path())["guess"].tolist() == ["happy"] * 3


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_in_light_and_dark(open_page, address, dark):
    page = open_page(address, width=400, dark=dark)
    page.wait_for_selector("[role=gridcell]")
    page.locator(".list .open").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator(".sernb-explorer").get_attribute("data-theme") == ("dark" if dark else "light")
    colors = page.evaluate(
        """() => [...document.querySelectorAll('.sernb-explorer *')].filter((one) => one.checkVisibility()
            && [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim())
            && !one.disabled && !one.closest('.stage'))
          .map((one) => {
            const ground = (node) => getComputedStyle(node).backgroundColor;
            let under = one;
            while (under && /rgba\\(.*, 0\\)/.test(ground(under))) under = under.parentElement;
            const ink = getComputedStyle(one).color;
            return [one.textContent.slice(0, 30), ink, ground(under ?? document.body)];
          })"""
    )
    assert len(colors) > 50
    for text, ink, ground in colors:
        assert contrast(ink, ground) >= 4.5, (text, ink, ground)  # WCAG AA


def contrast(*colors):
    lights = []
    for color in colors:
        parts = [float(one) for one in color[color.index("(") + 1 : -1].split(",")]
        if len(parts) == 4 and parts[3] < 1:
            return 99.0  # see-through: measured by eye
        linear = [
            one / 255 / 12.92 if one / 255 <= 0.03928 else ((one / 255 + 0.055) / 1.055) ** 2.4
            for one in parts[:3]
        ]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)
