"""The report page in a real browser: what people do with it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        ("phone", "dark"),
        ("desk", "light"),
        pytest.param("phone", "light", marks=pytest.mark.soak),
        pytest.param("desk", "dark", marks=pytest.mark.soak),
    ],
)
def test_it_opens_without_complaint_and_fits(open_page, page_file, shots, size, scheme) -> None:
    """The page loads nothing, logs nothing, and is no wider than a phone or a desk's window."""
    with open_page(page_file, size=size, scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for label in page.locator("nav a, .chip, .badge, .figures b").all():
            assert label.bounding_box()["height"] < 44  # one line
        for tile in page.locator(".tile:visible").all():
            tile.scroll_into_view_if_needed()  # pictures load when they come into view
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=shots / f"{size}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_every_plot_is_drawn(open_page, page_file, found, size) -> None:
    """Each of the seven plots shows shapes with an area, inside its card, that count every image."""
    with open_page(page_file, size=size) as page:
        assert page.locator(".plot").count() == 7
        for plot in page.locator(".plot").all():
            card = plot.bounding_box()
            marks = plot.locator(".bar, .cell")
            assert marks.count() >= 3
            for mark in marks.all():
                box = mark.bounding_box()
                assert box["width"] > 1
                assert box["height"] > 1
                assert card["x"] <= box["x"]
                assert box["x"] + box["width"] <= card["x"] + card["width"]
            tips = plot.locator("[data-tip]").evaluate_all("all => all.map(one => one.dataset.tip)")
            counted = [int(re.search(r": ([\d,]+) (image|caption)", tip)[1].replace(",", "")) for tip in tips]
            assert sum(counted) in {found.report.images_delivered, found.captions.count}


def test_labels_of_an_axis_do_not_overlap(open_page, page_file) -> None:
    """On a phone no two labels below an axis touch."""
    with open_page(page_file, size="phone") as page:
        for plot in page.locator(".plot").all():
            boxes = [tick.bounding_box() for tick in plot.locator("text.tick.middle").all()]
            ends = [(box["x"], box["x"] + box["width"]) for box in sorted(boxes, key=lambda box: box["x"])]
            assert all(end < start for (_, end), (start, _) in pairwise(ends))


def test_a_bar_tells_its_numbers(open_page, page_file) -> None:
    """Pointing at a bar shows its range and count as text."""
    with open_page(page_file) as page:
        bar = page.locator(".plot .hit").first
        bar.scroll_into_view_if_needed()
        bar.hover()
        assert page.locator("#tip").text_content() == bar.get_attribute("data-tip")
        page.mouse.move(1, 1)
        assert page.locator("#tip").is_hidden()


def test_a_picture_is_enlarged_by_mouse(open_page, page_file, shots) -> None:
    """A click opens the dialog with the picture, larger, and its key, size and caption; another closes it."""
    with open_page(page_file) as page:
        tile = page.locator("#sheet .tile").nth(2)
        small = tile.bounding_box()["width"]
        tile.click()
        assert page.locator("#viewer").is_visible()
        for part in ("name", "facts", "text", "place"):
            shown = page.locator(f"#viewer-{part}").text_content()
            assert shown == tile.get_attribute(f"data-{part}") != ""
        picture = page.locator("#viewer-image")
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        assert picture.bounding_box()["width"] > 2 * small
        page.screenshot(path=shots / "viewer.png")
        page.locator("#viewer-close").click()
        assert page.locator("#viewer").is_hidden()


def test_a_picture_is_enlarged_by_keyboard(open_page, page_file) -> None:
    """Enter opens, arrows go on and back and around, Esc closes and gives the focus back."""
    with open_page(page_file, size="phone") as page:
        tiles = page.locator("#sheet li:not([hidden]) .tile")
        names = tiles.evaluate_all("all => all.map(one => one.dataset.name)")
        tiles.nth(0).focus()
        page.keyboard.press("Enter")
        shown = page.locator("#viewer-name")
        for key, expected in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowLeft", 0)):
            page.keyboard.press(key)
            assert shown.text_content() == names[expected]
        page.keyboard.press("ArrowLeft")
        assert shown.text_content() == names[-1]
        page.keyboard.press("Escape")
        assert page.locator("#viewer").is_hidden()
        assert page.evaluate("document.activeElement.dataset.name") == names[0]


def test_a_button_shows_the_rest_of_the_pictures(open_page, page_file, found) -> None:
    """First some pictures are shown, and all of them on demand; the focus goes to the first new one."""
    with open_page(page_file) as page:
        shown = page.locator("#sheet > li:visible")
        assert shown.count() == 28
        page.get_by_role("button", name="Show all").first.click()
        assert shown.count() == len(found.pictures) > 28
        assert page.evaluate("document.activeElement.dataset.name") == found.pictures[28].key


def test_problems_are_filtered_by_reason(open_page, page_file, found) -> None:
    """Each button leaves the problems of its reason, says how many there are, and is the only one pressed."""
    with open_page(page_file) as page:
        cards = page.locator("#problems > li:visible")
        assert cards.count() == len(found.problems)
        for reason, number in found.problem_counts.items():
            chip = page.locator(f".chip[data-reason={reason}]")
            chip.click()
            assert chip.text_content() == f"{reason.replace('_', ' ')} {number}"
            assert {card.get_attribute("data-reason") for card in cards.all()} == {reason}
            assert cards.count() == min(number, 9)
            assert (
                page.locator("#problem-status")
                .text_content()
                .startswith(f"Showing {min(number, 9)} of {number} ")
            )
            assert page.locator(".chip[aria-pressed=true]").count() == 1
        page.locator(".chip").first.click()
        assert cards.count() == len(found.problems)


def test_arrows_stay_among_the_problems_that_are_shown(open_page, page_file) -> None:
    """In a filtered list of problems, enlarging goes through its pictures only."""
    with open_page(page_file) as page:
        page.locator(".chip[data-reason=truncated]").click()
        tiles = page.locator("#problems > li:visible .tile")
        tiles.first.click()
        assert 0 < tiles.count() < page.locator("#problems .tile").count()
        assert page.locator("#viewer-count").text_content() == f"1 of {tiles.count()}"


@BOTH
def test_colours_follow_the_system_and_the_button(open_page, page_file, scheme) -> None:
    """The page begins in the system's colours, and the button turns them around and back."""
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with open_page(page_file, scheme=scheme) as page:
        button = page.get_by_role("button", name="Dark colours")
        seen = []
        for _ in range(3):
            seen.append((button.get_attribute("aria-pressed"), page.evaluate(ground)))
            button.click()
        dark, light = ("true", "rgb(16, 19, 23)"), ("false", "rgb(247, 247, 245)")
        assert seen == ([dark, light, dark] if scheme == "dark" else [light, dark, light])


def test_hostile_text_is_text(open_page, hostile_file, shots) -> None:
    """Names and captions with markup in them run nothing, make no element, and are shown letter by letter."""
    with open_page(hostile_file, size="phone") as page:
        page.wait_for_timeout(200)
        assert page.evaluate("typeof window.pwned") == "undefined"
        assert page.locator("script").count() == 1
        assert page.locator("style").count() == 1
        assert page.locator("main b[onclick], img[onerror], [src=x]").count() == 0
        text = page.locator("#sheet").text_content()
        for shown in (
            "<script>window.pwned = 1</script>",
            "</script><img src=x onerror='window.pwned = 2'>",
            "]]><!-- &lt;b&gt; &amp;amp; ${1} $title `x`",
            r"nul\x00 bell\x07 escape\x1b[31m delete\x7f",
            r"\u202egpj.exe\u202c and \u2066isolated",
            "שלום עולם مرحبا بالعالم",
            r"lone \ud800 and \xff",
            "a b c",
        ):
            assert shown in text
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator("#sheet .tile").first.click()
        assert "<script>" in page.locator("#viewer-text").text_content()
        page.keyboard.press("Escape")
        page.screenshot(path=shots / "hostile.png", full_page=True)


def test_without_scripts_everything_is_there(open_page, page_file, found) -> None:
    """With scripts turned off all pictures, plots, problems and shards are shown."""
    with open_page(page_file, java_script_enabled=False) as page:
        assert page.locator("#sheet > li:visible").count() == len(found.pictures)
        assert page.locator("#problems > li:visible").count() == len(found.problems)
        assert page.locator("#shards > li:visible").count() == len(found.shards)


def test_on_paper_there_are_no_buttons(open_page, page_file, shots) -> None:
    """Printed, the page is light and has neither navigation nor filter."""
    with open_page(page_file, scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.locator("nav, .chips, .more").all()
        assert not any(part.is_visible() for part in page.locator("nav, .chips, .more, #theme").all())
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        page.screenshot(path=shots / "print.png", full_page=True)
