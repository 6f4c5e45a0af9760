"""Datasets with what can go wrong at the borders of batches and shards, and what runs give of them."""

from __future__ import annotations

import json
from pathlib import Path

from tarlight.ledger import Note
from tests.reader.dataset import jpeg, pipeline, write_tar

KINDS = ("good", "empty", "broken", "again", "other")
"""What a member may be: an image; one of 0 bytes; one cut short; one with an earlier name; no image at
all."""

OF_A_RUN = ("checkpoint", "cluster", "resources", "worker_lost")
"""Kinds of notes that are about a run and not about its dataset."""

_GOOD = {seed: jpeg(seed) for seed in range(8)}


def write(folder, shards):
    """Write a dataset: for each shard its ending (`.tar`, `.tar.gz`) and the kinds of its members."""
    for number, (ending, kinds) in enumerate(shards):
        path = write_tar(Path(folder) / f"{number:03d}{ending}", list(_members(number, kinds)))
        if ending == ".cut.tar":
            data = Path(path).read_bytes()
            Path(path).write_bytes(data[: max(600, len(data) // 2)])
        if ending == ".hit.tar":
            data = bytearray(Path(path).read_bytes())
            data[512 * (len(data) // 1024) :][:1] = b"\xff"
            at = 512 * (len(data) // 1024)
            data[at : at + 300] = b"\xff" * 300
            Path(path).write_bytes(bytes(data))
    return str(folder)


def _members(shard, kinds):
    good = _GOOD[shard % 8]
    for index, kind in enumerate(kinds):
        name = f"{shard}-{0 if kind == 'again' else index:04d}"
        if kind == "other":
            yield f"{name}.bin", b"x" * 700
        else:
            yield f"{name}.jpg", {"empty": b"", "broken": good[: len(good) // 2]}.get(kind, good)
            yield f"{name}.txt", f"caption {name}".encode()


def stream(folder, **options):
    """A stream over a dataset, gzip shards included."""
    return make(folder, **options).stream()


def make(folder, **options):
    """The documented pipeline over a dataset, gzip shards included."""
    made = pipeline(folder, **options)
    made.stages[0].file_extensions = (".tar", ".tar.gz")
    return made


def ids(batch):
    """Shard and name of each image of a batch: unique in a dataset without duplicates."""
    return [image.image_path for image in batch.data]


def books(report):
    """All of a report that must not depend on interruptions: everything but its times and its outcome."""
    plain = json.loads(json.dumps(report.to_dict()))
    of_a_run = ("seconds", "times", "outcome", "workers", "decoder_choice")
    for name in of_a_run:
        del plain[name]
    plain["notes"] = [note for note in plain["notes"] if Note(**note).kind not in OF_A_RUN]
    plain["num_notes"] = len(plain["notes"])
    return plain


def unordered(report):
    """Books whose entries come in no particular order."""
    plain = books(report)
    return plain | {name: sorted(map(str, plain[name])) for name in ("skips", "losses", "notes")}
