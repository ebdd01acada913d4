"""Pictures of the explorer for figures/: `python -m tests.browser.screenshots PAGE.html FOLDER` (or `make
screenshots`).

PAGE.html is what notebook 08 saves as errors.html, with the models "the voice" and "the words";
dimensions.html lies beside it.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, NAMES

WAYS = {
    "08_explorer": {"width": 1250, "height": 1240},
    "08_explorer_phone_dark": {"width": 400, "height": 1600, "dark": True},
    "08_dimensions": {"width": 1250, "height": 1240},
    "08_quiz": {"width": 800, "height": 900},
}


def heard(page, place=".list"):
    """Opens the first listed utterance whose sound lies in the page, and lets it play for a second."""
    page.locator(f"{place} .play:not(:disabled)").first.click()
    page.locator(".clip .stage").wait_for()
    page.wait_for_timeout(1200)


def matrix(page):
    page.locator("[data-control=other]").select_option(
        "the words"
    )  # the cell that is chosen: the largest confusion
    heard(page)


def phone(page):
    heard(page)
    page.evaluate("window.scrollTo(0, 0)")


def dimensions(page):
    page.locator("[data-tab=dimensions]").click()
    heard(page)


def quiz(page):
    page.locator("[data-tab=quiz]").click()
    page.locator(".quiz input").first.fill("5")
    page.locator(".quiz .main").click()
    page.locator(".quiz .stage").wait_for()
    page.locator(".quiz h3").focus()
    page.keyboard.press("2")
    page.wait_for_timeout(1200)


STEPS = {
    "08_explorer": matrix,
    "08_explorer_phone_dark": phone,
    "08_dimensions": dimensions,
    "08_quiz": quiz,
}


def main(page_file, folder):
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        sys.exit(f"There is no browser here (looked for {', '.join(NAMES)}): apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, way in WAYS.items():
            size = {"width": way["width"], "height": way["height"]}
            page = browser.new_page(viewport=size, color_scheme="dark" if way.get("dark") else "light")
            file = (
                Path(page_file).with_name("dimensions.html") if name == "08_dimensions" else Path(page_file)
            )
            page.goto(file.resolve().as_uri())
            page.wait_for_selector(".sernb-explorer .summary")
            STEPS[name](page)
            page.mouse.move(0, 0)
            page.screenshot(path=Path(folder) / f"{name}.png")
            page.close()
            print(Path(folder) / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
