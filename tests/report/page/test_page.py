"""The report page as text."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.ledger import Ledger, Loss, LossReason, Skip, SkipReason
from tarlight.report.label import printable
from tarlight.report.page import render_page
from tarlight.report.page.markup import element, flowing, without_secrets
from tests.report.page.surveys import HOSTILE, hostile_survey, image, survey_of
from tests.soak import repetitions


class _Page(HTMLParser):
    """Counts elements, and collects the text of captions."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements = {}
        self.captions = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        self._inside = ("class", "caption") in attrs
        if self._inside:
            self.captions.append("")

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.captions[-1] += data


_TEXT = st.one_of(st.text(min_size=1), st.sampled_from(HOSTILE), st.text("<>&'\"/= abc\0\ud800", min_size=1))


@given(st.lists(_TEXT, min_size=1, max_size=3))
def test_whatever_a_caption_is_it_makes_no_element(captions) -> None:
    """The page of any captions has the elements of plain ones, and each caption is there letter by letter."""
    plain = _Page(render_page(survey_of(image(n, caption="plain") for n in range(len(captions)))))
    page = _Page(render_page(survey_of(image(n, caption=text) for n, text in enumerate(captions))))
    wanted = [text for caption in captions if (text := printable(flowing(caption.strip()[:600])))]
    assert [text for text in page.captions if text] == wanted
    for tag in ("script", "style", "img", "button", "section", "dialog"):
        assert page.elements.get(tag) == plain.elements.get(tag)


@given(_TEXT)
def test_attributes_hold_any_text(text) -> None:
    """An attribute of any text reads back as that text, with what nobody should see as escapes."""
    attributes = {}
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, attrs: attributes.update(attrs)
    parser.feed(element("p", text, title=text))
    assert attributes == {"title": printable(text)}


def test_the_page_is_a_function_of_the_survey() -> None:
    """The same survey gives the same text, and every hostile name is in it without its markup."""
    survey = hostile_survey()
    text = render_page(survey)
    assert text == render_page(survey)
    assert "<script>window" not in text
    assert text.isprintable() or not set(map(ord, text)) & {0, 7, 27, 127, 0x202E}
    text.encode("utf-8")


def test_the_policy_names_the_one_style_and_the_one_script() -> None:
    """The policy allows nothing but inline pictures, and the style and the script by their hashes."""
    text = render_page(survey_of([image()]))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert not re.search(r'\s(style|on\w+)="', text)
    assert not re.search(r'(src|href)="(?!data:|#)', text)


def test_an_empty_dataset_has_a_page() -> None:
    """A run that delivered nothing says so in every section."""
    text = render_page(survey_of([]))
    assert "No image was delivered." in text
    assert "Nothing was skipped and nothing was lost." in text
    assert "No shard was read." in text


def test_problems_are_counted_exactly_and_shown_fairly() -> None:
    """Of 10,050 problems of one reason the page shows nine, and says how many there are."""
    ledger = Ledger()
    for number in range(10_050):
        ledger.skip(Skip(f"{number}", "a.tar", f"{number}.jpg", 512 * number, SkipReason.EMPTY))
    survey = survey_of([image()], ledger)
    assert survey.problem_counts == {"empty": 10_050}
    assert [problem.reason for problem in survey.problems] == ["empty"] * 9
    assert len({int(problem.key) // 2_000 for problem in survey.problems}) > 2
    assert "Showing 9 of 10,050 problems, a fair sample" in render_page(survey)


def test_a_page_claims_nothing_of_sizes_that_nobody_told() -> None:
    """Where a shard of unknown size was lost, the page says so, and not that every byte is accounted for."""
    ledger = Ledger()
    ledger.withhold(Loss("a.tar", 0, 0, LossReason.READ_FAILED, "HTTP 500", is_sized=False))
    text = render_page(survey_of([image()], ledger))
    assert "1 shard of unknown size lost" in text
    assert "every image and byte accounted for" not in text
    assert "every image and byte accounted for" in render_page(survey_of([image()]))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("https://user:secret@host/a/b.tar?signature=secret#x", "https://host/a/b.tar"),
        ("s3://bucket/a.tar", "s3://bucket/a.tar"),
        ("/data/what?/a@b.tar", "/data/what?/a@b.tar"),
    ],
)
def test_a_page_tells_no_secrets(path: str, shown: str) -> None:
    """Users, passwords and signatures of URLs do not get onto a page that is passed around."""
    assert without_secrets(path) == shown
    survey = survey_of([image(shard=path)])
    assert "secret" not in render_page(survey)


def test_a_page_of_very_many_images_and_shards_is_small() -> None:
    """A page about 10,000 shards of noisy images with long captions is below 10 MB, its counts exact."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
    shards, each = 10_000, repetitions(2, 100)
    images = (
        image(n, shard=f"/data/set/{n // each:05}.tar", caption="word " * 200, pixels=noise)
        for n in range(shards * each)
    )
    ledger = Ledger()
    for number in range(0, shards, 7):
        ledger.skip(Skip("k", f"/data/set/{number:05}.tar", "k.jpg", 512, SkipReason.TOO_LARGE, "d" * 1000))
    survey = survey_of(images, ledger)
    text = render_page(survey)
    assert len(text.encode()) < 10_000_000
    assert survey.aspect.count == shards * each
    assert (len(survey.shards), survey.folded.shards) == (200, shards - 200)
    assert sum(row.delivered for row in survey.shards) + survey.folded.delivered == shards * each
    assert sum(row.skipped for row in survey.shards) + survey.folded.skipped == len(range(0, shards, 7))
    pictures = [b64decode(data) for data in re.findall(r"data:image/jpeg;base64,([^\"]+)", text)]
    assert len(pictures) == 84
    assert max(map(len, pictures)) <= 64 * 1024
