"""Surveys to show: of a real sample with damage, and of made-up images with names of every kind."""

from __future__ import annotations

import numpy as np

from tarlight.inspect import RunFacts, Surveyor
from tarlight.ledger import Ledger, Loss, LossReason, Note, Skip, SkipReason
from tarlight.storage import ShardSource
from tarlight.tasks import ImageBatch, ImageObject

HOSTILE = [
    "<script>window.pwned = 1</script>",
    "</script><img src=x onerror='window.pwned = 2'>",
    "\"><b onclick='window.pwned = 3'>bold</b>",
    "</style><style>body { display: none }</style>",
    "]]><!-- &lt;b&gt; &amp;amp; ${1} $title `x`",
    "nul\0 bell\x07 escape\x1b[31m delete\x7f",
    "\u202egpj.exe\u202c and \u2066isolated",
    "שלום עולם مرحبا بالعالم",
    "lone \ud800 and \udcff",
    "emoji 🦊 and combining é",
    "a\n\n  b\tc",
    "javascript:window.pwned=4",
    "x" * 5_000,
]
"""Captions and names that try to be more than text."""


def image(number=0, *, name=None, caption=None, shard="00000.tar", pixels=None, width=8, height=6):
    """An image as a run would deliver it."""
    key = f"{number:06d}" if name is None else name
    if pixels is None:
        pixels = np.full((height, width, 3), number % 256, np.uint8)
    source = ShardSource(shard, f"{key}.jpg", 512 + number * 2048, 1000 + number % 500, "v")
    metadata = {} if caption is None else {"txt": caption}
    return ImageObject(f"{shard}/{key}.jpg", key, metadata, pixels, source=source, decoder="turbo")


def survey_of(images, ledger=None, facts=None, **options):
    """The survey of these images, and of what else is in the ledger."""
    surveyor = Surveyor(**options)
    images = list(images)
    for start in range(0, len(images), 100):
        surveyor.take(ImageBatch(data=images[start : start + 100]))
    ledger = ledger or Ledger()
    ledger.saw(len(images) + len(ledger.skips))
    ledger.deliver(len(images))
    return surveyor.survey(ledger.report("finished", 1.0), facts)


def hostile_survey(texts=HOSTILE):
    """A survey in which every name, caption and reason tries to take over the page."""
    ledger = Ledger()
    for number, text in enumerate(texts):
        ledger.skip(Skip(text, text, text, 512 * number, SkipReason.TOO_LARGE, text))
        ledger.lose(Loss(text, 0, 512, LossReason.BAD_HEADER, text))
        ledger.note(Note(text, text, text))
        ledger.ignore({text: 1})
        ledger.decoded({text: 1}, {text: 1}, 48)
    images = [image(n, name=f"{n} {text}", caption=text, shard=text) for n, text in enumerate(texts)]
    facts = RunFacts(texts[0], tuple(texts), {text: text for text in texts})
    return survey_of(images, ledger, facts)
