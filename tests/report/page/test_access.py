"""The report page for people who use a keyboard, a screen reader, or need contrast."""

from __future__ import annotations

from itertools import pairwise

import pytest

_CONTRAST = """
() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(srgb") ? [...numbers.slice(0, 3).map((x) => x * 255), numbers[3] ?? 1]
      : [...numbers.slice(0, 3), numbers[3] ?? 1];
  };
  const over = (top, below) => top.slice(0, 3).map((x, i) => x * top[3] + below[i] * (1 - top[3]));
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = (colour) => {
    const linear = (x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map((x) => linear(x / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  let looked = 0;
  for (const node of document.querySelectorAll("body *")) {
    const words = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!words || !node.checkVisibility() || ["SCRIPT", "STYLE"].includes(node.tagName)) continue;
    looked += 1;
    const style = getComputedStyle(node);
    const below = ground(node);
    const colour = over(parse(node instanceof SVGElement ? style.fill : style.color), below);
    const [high, low] = [light(colour), light(below)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.7 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push([node.outerHTML.slice(0, 80), ratio]);
  }
  return { poor, looked };
}
"""
"""Contrast of every text with what is behind it, by the formula of WCAG 2."""

_NAMELESS = """
() => [...document.querySelectorAll("button, a, img, svg[role], [role=group], details, dialog, nav, section")]
  .filter((node) => {
    const by = document.getElementById(node.getAttribute("aria-labelledby"));
    const own = node.getAttribute("aria-label") || by || node.getAttribute("alt");
    const inside = node.textContent.trim() || [...node.querySelectorAll("img")].some((image) => image.alt);
    const isHidden = node.closest("#viewer") && node.tagName === "IMG";
    return !own && !isHidden && (["IMG", "svg", "NAV", "SECTION"].includes(node.tagName) || !inside);
  })
  .map((node) => node.outerHTML.slice(0, 100))
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_text_has_contrast(open_page, page_file, size, scheme) -> None:
    """Every text stands out from its ground by 4.5 to 1, large ones by 3 to 1, in both colour schemes."""
    with open_page(page_file, size=size, scheme=scheme) as page:
        result = page.evaluate(_CONTRAST)
        assert result["looked"] > 200
        assert result["poor"] == []
        page.locator(".tile").first.click()
        assert page.evaluate(_CONTRAST)["poor"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_have_contrast(open_page, page_file, scheme) -> None:
    """Bars, and what was skipped or lost in a strip, stand out from their ground by 3 to 1."""
    with open_page(page_file, scheme=scheme) as page:
        for mark, ground in (
            ("--delivered", "--card"),
            ("--skipped", "--card"),
            ("--lost", "--card"),
            ("--link", "--paper"),
        ):
            ratio = page.evaluate(_RATIO, [mark, ground])
            assert ratio >= 3, (mark, ground, ratio)


_RATIO = """
(names) => {
  const probe = document.body.appendChild(document.createElement("i"));
  const lights = names.map((name) => {
    probe.style.color = `var(${name})`;
    const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255);
    const [r, g, b] = parts.map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }).sort((a, b) => b - a);
  probe.remove();
  return (lights[0] + 0.05) / (lights[1] + 0.05);
}
"""


def test_everything_has_a_name(open_page, page_file) -> None:
    """Buttons, links, pictures, drawings and regions have a name for a screen reader."""
    with open_page(page_file) as page:
        assert page.evaluate(_NAMELESS) == []


def test_ids_and_references_hold(open_page, page_file) -> None:
    """No id is there twice, and whatever refers to an id finds it."""
    with open_page(page_file) as page:
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
        assert len(ids) == len(set(ids))
        wanted = page.evaluate(
            "[...document.querySelectorAll('[aria-controls],[aria-labelledby],[href]')].map((node) =>"
            " node.getAttribute('aria-controls') || node.getAttribute('aria-labelledby')"
            " || node.getAttribute('href').slice(1))"
        )
        assert wanted
        assert set(wanted) <= set(ids)


def test_headings_and_landmarks_make_an_outline(open_page, page_file) -> None:
    """There is one h1, no heading skips a level, and header, navigation, main part and footer are marked."""
    with open_page(page_file) as page:
        levels = page.evaluate(
            "[...document.querySelectorAll('body > :not(dialog) :is(h1, h2, h3, h4)')]"
            ".map((node) => Number(node.tagName[1]))"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        for role in ("banner", "navigation", "main", "contentinfo"):
            assert page.get_by_role(role).count() == 1
        assert page.get_by_role("region").count() == 5
        assert page.locator("html").get_attribute("lang") == "en"


def test_the_keyboard_reaches_the_content_first(open_page, page_file) -> None:
    """The first Tab shows a link that leads past the navigation, and focus can be seen."""
    with open_page(page_file) as page:
        page.keyboard.press("Tab")
        link = page.locator(".skip-link")
        assert link.evaluate("node => node === document.activeElement")
        assert link.bounding_box()["y"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"{style}.outlineStyle") == "solid"
        assert page.evaluate(f"parseFloat({style}.outlineWidth)") >= 2


def test_fingers_find_the_buttons(open_page, page_file) -> None:
    """On a phone every button is at least 24 pixels wide and high."""
    with open_page(page_file, size="phone") as page:
        for button in page.locator("button:visible, summary:visible").all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 24, button.text_content()


def test_nothing_moves_for_those_who_asked(open_page, page_file) -> None:
    """With reduced motion there are no transitions and no smooth scrolling."""
    with open_page(page_file, reduced_motion="reduce") as page:
        moving = page.evaluate(
            "[...document.querySelectorAll('*')].map((node) => getComputedStyle(node)).filter((style) =>"
            " style.transitionDuration !== '0s' || style.animationName !== 'none').length"
        )
        assert moving == 0
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
