"""Draws the README's picture of a report page from a real run: `python docs/images/draw_report.py`.

It needs Chromium (tests/browser/setup.sh installs it) and Playwright, which `make setup` installs.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tarlight.inspect import survey, write_report
from tarlight.sample import write_sample

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1180, 1290
"""Of one half, in pixels of the page."""
SCALE = 0.8
"""What is kept of each half's pixels."""


def main() -> None:
    """Write a sample with damage, report on it, and keep two views side by side: light, and dark."""
    with tempfile.TemporaryDirectory() as folder:
        dataset, page = Path(folder) / "paintings", Path(folder) / "report.html"
        write_sample(dataset, num_images=1200, num_shards=8, damage=True)
        write_report(survey(dataset), page)
        with sync_playwright() as playwright:
            program = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            halves = [view(browser, page, "light", "body"), view(browser, page, "dark", "#measures-title")]
            browser.close()
    picture = Image.new("RGB", (halves[0].width * 2, halves[0].height))
    for number, half in enumerate(halves):
        picture.paste(half, (number * half.width, 0))
    picture.save(HERE / "report.webp", quality=82, method=6)


def view(browser: Browser, page: Path, scheme: str, part: str) -> Image.Image:
    """What a window shows of the page, scrolled to a part of it."""
    window = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
    )
    window.goto(page.as_uri())
    window.evaluate("part => document.querySelector(part).scrollIntoView()", part)
    window.wait_for_timeout(500)  # until the pictures are decoded
    shot = Image.open(io.BytesIO(window.screenshot())).convert("RGB")
    window.close()
    return shot.resize((round(WIDTH * SCALE), round(HEIGHT * SCALE)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
