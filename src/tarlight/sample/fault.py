"""A dataset with one fault of each kind, and a manifest of what was planted where.

Strategy: numbered shards of four records, all sound to begin with; each fault is planted into a shard of its
own, at a place that is known from how the shard was built and not from reading it again. So the manifest can
judge whoever reads the dataset.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
from typing import TYPE_CHECKING, NamedTuple

from tarlight.sample.flaw import bomb, empty, garble, mislabel, shorten, twelve_bit
from tarlight.sample.shard import MADE_AT, Member, record, replacing, tar_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tarlight.sample.scene import Scene

MANIFEST = "manifest.json"
"""Name of the file that says what was planted where."""

BLOCK = 512
RECORDS = 4
"""Records of a shard."""


class Plant(NamedTuple):
    """One fault, and where it is."""

    kind: str
    """One of the kinds of `tarlight check`."""
    shard: str
    """File name of the shard."""
    member: str = ""
    """Name of the member; empty where the shard itself is at fault."""
    offset: int | None = None
    """First byte of that member's header, or of the damage; None for the whole shard."""


class Built(NamedTuple):
    """A faulty shard."""

    data: bytes
    member: str = ""
    offset: int | None = None


def write_faults(folder: Path, scenes: Sequence[Scene]) -> list[Plant]:
    """Write the dataset and its manifest into `folder`; return what was planted."""
    folder.mkdir(parents=True, exist_ok=True)
    plants = []
    for number, (kind, build) in enumerate(_BUILDERS):
        name = f"{number:05}.tar"
        if kind == "missing_shard":
            plants.append(Plant(kind, name))
            continue
        built = build(_members(number, scenes))
        with replacing(folder / name) as partial:
            partial.write_bytes(built.data)
        if kind:
            plants.append(Plant(kind, name, built.member, built.offset))
    with replacing(folder / MANIFEST) as partial:
        partial.write_text(_manifest(plants), encoding="utf-8")
    return plants


def _manifest(plants: Sequence[Plant]) -> str:
    return json.dumps({"planted": [plant._asdict() for plant in plants]}, indent=1) + "\n"


def _members(number: int, scenes: Sequence[Scene]) -> list[Member]:
    first = number * 1000
    chosen = (scenes[(RECORDS * number + index) % len(scenes)] for index in range(RECORDS))
    return [member for index, scene in enumerate(chosen) for member in record(f"{first + index:09}", scene)]


def _sound(members: list[Member]) -> Built:
    return Built(tar_bytes(members))


def _at(members: list[Member], name: str, nth: int = 0) -> Built:
    """Pack members; the fault is the `nth` member of that name."""
    data = tar_bytes(members)
    return Built(data, name, _offsets(data, name)[nth] - BLOCK)


def _offsets(data: bytes, name: str) -> list[int]:
    """Return where the payloads of the members of a name begin, by the standard library's reader."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [entry.offset_data for entry in archive if entry.name == name]


def _flip_header(members: list[Member]) -> Built:
    data, name = tar_bytes(members), members[3][0]
    header = _offsets(data, name)[0] - BLOCK
    at = header + 130  # in the size field
    return Built(data[:at] + bytes([data[at] ^ 0x04]) + data[at + 1 :], offset=header)


def _cut(members: list[Member]) -> Built:
    data = tar_bytes(members)
    begin = _offsets(data, members[9][0])[0]
    return Built(data[: begin + 1000], offset=begin)


def _jpeg_itself(members: list[Member]) -> Built:
    return Built(members[0][1], offset=0)


def _pack_xz(members: list[Member]) -> Built:
    return Built(lzma.compress(tar_bytes(members), preset=0), offset=0)


def _nothing(_members: list[Member]) -> Built:
    return Built(b"")


def _break_long_name(members: list[Member]) -> Built:
    """Put a PAX header with a record whose length is wrong before an image."""
    name = members[3][0]
    broken = tarfile.TarInfo("long/name")
    broken.type, broken.size, broken.mtime = tarfile.XHDTYPE, BLOCK, MADE_AT
    header = broken.tobuf(tarfile.USTAR_FORMAT) + b"99 path=too-short\n".ljust(BLOCK, b"\0")
    data = tar_bytes(members)
    at = _offsets(data, name)[0] - BLOCK
    return Built(data[:at] + header + data[at:], name, at + len(header))


def _with(flaw: Callable[[bytes], bytes], nth: int = 3) -> Callable[[list[Member]], Built]:
    """Return a builder that puts a flaw into the `nth` member."""

    def build(members: list[Member]) -> Built:
        name, payload = members[nth]
        return _at([*members[:nth], (name, flaw(payload)), *members[nth + 1 :]], name)

    return build


def _link_image(members: list[Member]) -> Built:
    """Turn an image into a symbolic link."""
    name = members[3][0]
    data = tar_bytes(members)
    begin = _offsets(data, name)[0]
    link = tarfile.TarInfo(name)
    link.type, link.linkname, link.mtime = tarfile.SYMTYPE, members[0][0], MADE_AT
    padded = -(-len(members[3][1]) // BLOCK) * BLOCK
    whole = data[: begin - BLOCK] + link.tobuf(tarfile.USTAR_FORMAT) + data[begin + padded :]
    return Built(whole, name, begin - BLOCK)


def _twice(members: list[Member]) -> Built:
    return _at([*members[:4], members[3], *members[4:]], members[3][0], nth=1)


def _known_key(members: list[Member]) -> Built:
    """Give the first record the key of the first shard's first record."""
    renamed = [(f"{0:09}{name[9:]}", payload) for name, payload in members[:3]]
    return _at([*renamed, *members[3:]], renamed[0][0])


def _split(members: list[Member]) -> Built:
    """Move the caption and the facts of the first record to the end."""
    return _at([members[0], *members[3:], *members[1:3]], members[1][0])


def _no_image(members: list[Member]) -> Built:
    return _at([*members[:3], *members[4:]], members[4][0])


def _no_caption(members: list[Member]) -> Built:
    return _at([*members[:4], *members[5:]], members[3][0])


def _one_less(members: list[Member]) -> Built:
    return _sound(members[3:])


def _wrong_checksum(members: list[Member]) -> Built:
    data = gzip.compress(tar_bytes(members), 1, mtime=0)
    return Built(data[:-8] + bytes([data[-8] ^ 1]) + data[-7:])


def _no_end(members: list[Member]) -> Built:
    data, (name, payload) = tar_bytes(members), members[-1]
    return Built(data[: _offsets(data, name)[0] + -(-len(payload) // BLOCK) * BLOCK])


def _early_end(members: list[Member]) -> Built:
    data = tar_bytes(members)
    at = _offsets(data, members[6][0])[0] - BLOCK
    return Built(data[:at] + bytes(2 * BLOCK) + data[at:])


def _trailing(members: list[Member]) -> Built:
    return Built(tar_bytes(members) + b"left over by something else\n".ljust(BLOCK, b"."))


_BUILDERS: tuple[tuple[str, Callable[[list[Member]], Built]], ...] = (
    ("", _sound),
    ("not_a_tar", _jpeg_itself),
    ("truncated_shard", _cut),
    ("damaged_shard", _flip_header),
    ("unreadable_shard", _pack_xz),
    ("empty_shard", _nothing),
    ("name_lost", _break_long_name),
    ("truncated_image", _with(shorten)),
    ("corrupt_image", _with(garble)),
    ("mislabelled_image", _with(mislabel)),
    ("empty_image", _with(empty)),
    ("unsupported_image", _with(twelve_bit)),
    ("too_large_image", _with(bomb)),
    ("linked_image", _link_image),
    ("duplicate_in_shard", _twice),
    ("missing_shard", _sound),
    ("duplicate_across_shards", _known_key),
    ("split_record", _split),
    ("record_without_image", _no_image),
    ("missing_sidecar", _no_caption),
    ("broken_sidecar", _with(lambda facts: facts[: len(facts) // 2], nth=5)),
    ("uneven_shard", _one_less),
    ("wrong_gzip_checksum", _wrong_checksum),
    ("missing_end_mark", _no_end),
    ("stray_end_mark", _early_end),
    ("trailing_bytes", _trailing),
    ("", _sound),
)
"""What is planted into each shard, in their order; nothing into the first and the last."""
