"""Shards to read: written by Python's own tarfile, in three dialects, with names that need each of them."""

from __future__ import annotations

import io
import random
import tarfile
from collections import Counter
from dataclasses import dataclass, field

from tarlight.ledger import Ledger, Loss, Report
from tarlight.tar import Damage, ImageRecord, Member, TarStream, iter_members, read_records

BLOCK = 512
EXTENSIONS = (".jpg", ".jpeg")
DIALECTS = {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}

_DEEP = "photographs/of/a/long/journey/through/many/valleys/and/over/mountains/in/the/summer/of/the/year/"
_NAMES = {
    "ustar": ["000000", "train/000001", "train/v1.2/000002", "d" * 90 + "/" + "e" * 60 + "/000003"],
    "pax": ["000000", _DEEP + "by/rail/000001", "train/höhe/000002", _DEEP + "größer/als/alles/zuvor/000003"],
    "gnu": ["000000", _DEEP + "by/rail/000001", "train/höhe/000002", _DEEP + "größer/als/alles/zuvor/000003"],
}


@dataclass
class Shard:
    """A sound shard, and what is in it."""

    data: bytes
    entries: list[tuple[str, bytes]]
    payloads: list[range] = field(default_factory=list)

    @property
    def images(self) -> dict[str, bytes]:
        """Name -> bytes of every image."""
        return {name: data for name, data in self.entries if name.endswith(EXTENSIONS)}

    @property
    def frame(self) -> list[int]:
        """Offsets of every byte that is no member's payload: headers, PAX and long names, padding, end."""
        inside = set().union(*self.payloads)
        return [offset for offset in range(len(self.data)) if offset not in inside]


def jpeg_like(size: int, seed: int = 0) -> bytes:
    """Bytes that begin and end as a JPEG does and are random between."""
    return b"\xff\xd8\xff\xe0" + random.Random(seed).randbytes(size - 6) + b"\xff\xd9"


def write_shard(dialect: str, entries: list[tuple[str, bytes]]) -> Shard:
    """A sound shard with these members, with the two zero blocks of its end mark and no more."""
    buffer = io.BytesIO()
    payloads = []
    with tarfile.open(fileobj=buffer, mode="w", format=DIALECTS[dialect], encoding="utf-8") as tar:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            start = tar.offset - len(data) - (-len(data) % BLOCK)
            payloads.append(range(start, start + len(data)))
        end = tar.offset + 2 * BLOCK
    return Shard(buffer.getvalue()[:end], entries, payloads)


def four_records(dialect: str) -> Shard:
    """Four records of an image and its caption; in PAX and GNU shards three of them need a longer name."""
    entries = []
    for number, name in enumerate(_NAMES[dialect]):
        entries.append((f"{name}.jpg", jpeg_like(700 + 300 * number, number)))
        entries.append((f"{name}.txt", f"caption {number}".encode()))
    return write_shard(dialect, entries)


def raw_header(name: bytes, size: int, flag: bytes = b"0", **fields: bytes) -> bytes:
    """One header block with a true checksum; `fields` replaces raw bytes: size_field, magic, prefix."""
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\0" * 3
    block[124:136] = fields.get("size_field", b"%011o\0" % max(size, 0))
    block[136:148] = b"0" * 11 + b"\0"
    block[156:157] = flag
    block[257:265] = fields.get("magic", b"ustar\00000")
    block[345 : 345 + len(fields.get("prefix", b""))] = fields.get("prefix", b"")
    return seal(block)


def seal(block: bytes) -> bytes:
    """The block with its checksum made true."""
    total = sum(block[:148]) + sum(block[156:]) + 8 * 32
    return bytes(block[:148]) + b"%06o\0 " % total + bytes(block[156:])


def raw_member(name: bytes, data: bytes, flag: bytes = b"0", **fields: bytes) -> bytes:
    """A member: header, payload, padding."""
    return raw_header(name, len(data), flag, **fields) + pad(data)


def pad(data: bytes) -> bytes:
    """The data, filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def pax_records(**values: str | bytes) -> bytes:
    """The payload of a PAX header."""
    payload = b""
    for key, value in values.items():
        body = b" %s=%s\n" % (key.encode(), value if isinstance(value, bytes) else value.encode())
        length = len(body)
        while length != len(body) + len(str(length)):
            length = len(body) + len(str(length))
        payload += str(length).encode() + body
    return payload


def split(data: bytes, step: int) -> list[bytes]:
    """The data in chunks of `step` bytes."""
    return [data[start : start + step] for start in range(0, len(data), step)]


def members(data: bytes, **options) -> tuple[list[Member], list[Damage], TarStream]:
    """Everything that the parser yields for one chunk of bytes."""
    stream = iter_members([data], **{"size": len(data), **options})
    items = list(stream)
    found = [item for item in items if isinstance(item, Member)]
    return found, [item for item in items if isinstance(item, Damage)], stream


def records(data: bytes, **options) -> tuple[list[ImageRecord], Report]:
    """Every image of one chunk of bytes, and the books about it."""
    ledger = Ledger()
    found = list(
        read_records([data], shard="s.tar", size=len(data), ledger=ledger, extensions=EXTENSIONS, **options)
    )
    for loss in (item for item in found if isinstance(item, Loss)):  # the reader stage does this, in order
        ledger.lose(loss)
    return [item for item in found if isinstance(item, ImageRecord)], ledger.report("finished", 0.0)


def notes_by_kind(report: Report | TarStream) -> Counter[str]:
    """How many notes of each kind there are."""
    return Counter(note.kind for note in report.notes)
