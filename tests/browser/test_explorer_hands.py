"""What hands do to the explorer: focus, scrolling, quick clicks, two tabs, leaving amid a word."""

import json
import threading

import pytest

from sernb.explorer import explore
from sernb.explorer.server import make_server
from tests.browser.conftest import expect, until
from tests.browser.material import predictions, utterances


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    table = utterances(200)
    table["speaker"] = [f"speaker {i % 40:02d}" for i in range(200)]
    ids = list(table.index)
    ids[1], ids[2], ids[3] = "__proto__", "constructor", "toString"
    table.index = ids
    path = tmp_path_factory.mktemp("hands") / "errors.html"
    explore(predictions(table), table, title="Hands").save(path, progress=False)
    return path.as_uri()


@pytest.fixture
def page(open_page, saved):
    opened = open_page(saved)
    opened.wait_for_selector("[role=gridcell]")
    return opened


def inside(page, what):
    """Whether the node that has focus (or the open item) can be seen in the box that scrolls it."""
    return page.evaluate(
        """(what) => { const node = what ? document.querySelector(what) : document.activeElement;
          const box = node.closest('ol, .scroll').getBoundingClientRect(), own = node.getBoundingClientRect();
          return own.top >= box.top - 2 && own.bottom <= box.bottom + 2
            && own.left >= box.left - 2 && own.right <= box.right + 2 }""",
        what,
    )


def focused(page):
    return page.evaluate("document.querySelector('.sernb-explorer').contains(document.activeElement)")


def test_the_list_scrolls_with_its_keys_and_stays_where_it_was_scrolled(page):
    page.locator(".list .open").first.focus()
    for _ in range(25):
        page.keyboard.press("ArrowDown")
    assert inside(page, None) and inside(page, ".list li[aria-current=true]")
    at = page.locator(".list ol").evaluate("one => one.scrollTop")
    assert at > 200
    page.locator(".list li").nth(25).locator(".open").click()
    assert abs(page.locator(".list ol").evaluate("one => one.scrollTop") - at) < 100


def test_the_matrix_scrolls_with_its_keys(page):
    page.locator("[data-control=rows]").select_option("speaker")
    page.locator('[data-which=model][data-cell="0,0"]').focus()
    for _ in range(35):
        page.keyboard.press("ArrowDown")
    assert inside(page, None)
    assert page.locator("[role=gridcell][tabindex='0']").count() == 1
    heads = page.locator(".matrix thead th").first.bounding_box()
    assert heads["y"] >= page.locator(".matrix .scroll").first.bounding_box()["y"] - 2  # they stay in sight


def test_keys_go_on_after_whatever_was_clicked(page):
    page.locator(".list .play:not(:disabled)").first.click()
    page.locator(".sound .main").wait_for()
    page.locator(".clip > h3").click()
    assert focused(page)
    expect(page.locator(".sound .main")).to_contain_text("Pause")
    page.keyboard.press("Space")
    expect(page.locator(".sound .main")).to_contain_text("Play")
    assert page.evaluate("window.heard.paused")
    before = page.locator(".list li[aria-current=true]").get_attribute("data-row")
    page.locator(".sound .main").focus()
    for _ in range(2):
        page.keyboard.press("n")
        assert focused(page)
        page.locator(".clip .stage").wait_for()
        assert focused(page)
    assert page.locator(".list li[aria-current=true]").get_attribute("data-row") != before
    page.locator("[data-control=other]").select_option("words")
    page.locator("[data-outcome=only_a]").click()
    assert focused(page)


def test_space_plays_the_item_that_has_focus(page):
    item = page.locator(".list li:has(.play:not(:disabled))").nth(1)
    item.locator(".open").focus()
    page.keyboard.press("Space")
    page.locator(".sound .main").wait_for()
    assert item.get_attribute("aria-current") == "true"
    page.locator('[data-which=model][data-cell="1,0"]').focus()
    page.keyboard.press("Space")
    assert page.locator('[data-which=model][data-cell="1,0"]').get_attribute("aria-selected") == "true"


def test_a_click_right_after_typing_counts(page):
    page.locator(".list .open").first.click()
    page.locator(".note textarea").fill("something")
    target = page.locator(".list li").nth(2).locator(".open")
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    until(page, "Object.values(localStorage).some((one) => one.includes('something'))")  # kept meanwhile
    page.mouse.up()
    assert page.locator(".list li").nth(2).get_attribute("aria-current") == "true"
    assert page.locator(".list li").first.locator(".noted").is_visible()


def test_the_quiz_plays_its_own_clip(page):
    page.locator("[data-tab=quiz]").click()
    page.locator(".quiz .main").click()
    page.locator(".quiz .stage").wait_for()
    page.locator("[data-tab=matrix]").click()
    page.locator(".list .play:not(:disabled)").first.click()
    page.locator(".sound .stage").first.wait_for()
    page.locator("[data-tab=quiz]").click()
    page.locator(".quiz .stage").wait_for()
    page.locator(".quiz h3").focus()
    page.keyboard.press("Space")
    expect(page.locator(".quiz .main").first).to_contain_text("Pause")


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString"])
def test_ids_that_javascript_has_a_meaning_for(page, name):
    item = page.locator(".list li", has=page.locator(f".id:text-is('{name}')"))
    assert item.locator(".noted").is_hidden()
    item.locator(".open").click()
    assert page.locator(".clip > h3").inner_text() == name
    assert page.locator(".note textarea").input_value() == ""
    page.locator(".note textarea").fill("odd")
    assert item.locator(".noted").is_visible()
    page.locator(".list li").nth(5).locator(".open").click()
    assert page.locator(".note textarea").input_value() == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"filters": {"speaker": "03"}}', '{"filters": {"confidence": 5}}', '{"filters": {"nothing": []}}',
        '{"cells": null}',
        '{"model": "typo"}', '{"show": "nope"}', '{"colour": 1}', "[1]", "null", "{",
    ],
)  # fmt: skip
def test_a_view_that_is_none_changes_nothing(page, text):
    page.locator('[data-which=model][data-cell="2,2"]').click()
    page.locator(".sharing > summary").click()
    page.locator("[data-view]").fill(text)
    page.locator("button", has_text="Show the view").click()
    assert "This is no view" in page.locator(".sharing [role=status]").inner_text()
    assert page.locator('[data-which=model][data-cell="2,2"]').get_attribute("aria-selected") == "true"
    page.locator('[data-which=model][data-cell="1,1"]').click()  # it still works
    assert page.locator('[data-which=model][data-cell="1,1"]').get_attribute("aria-selected") == "true"


def test_two_tabs_keep_each_others_notes_and_leaving_keeps_the_last_word(open_page):
    table = utterances(20)
    explorer, kept, changed = explore(predictions(table), table), [], threading.Condition()

    def keep(one):
        with changed:
            kept.append(json.loads(json.dumps(one.notes)))
            changed.notify_all()

    def wait_for(notes):
        with changed:
            assert changed.wait_for(lambda: kept and kept[-1] == notes, timeout=20), kept

    server, url = make_server(explorer, keep=keep)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    pages, notes = [open_page(url), open_page(url)], {}
    for number, page in enumerate(pages):
        page.wait_for_selector("[role=gridcell]")
        page.locator(".list .open").nth(number).click()
        page.locator(".note textarea").press_sequentially(f"note {number}")  # the box is not left
        notes[table.index[number]] = {"note": f"note {number}", "tags": []}
        wait_for(notes)
    pages[1].locator(".note input").press_sequentially("late")
    pages[1].goto("about:blank")
    notes[table.index[1]]["tags"] = ["late"]
    wait_for(notes)
    assert explorer.notes == notes
    pages[0].reload()
    pages[0].wait_for_selector("[role=gridcell]")
    assert pages[0].locator(".list .noted:visible").count() == 2
    server.shutdown()
    server.server_close()
