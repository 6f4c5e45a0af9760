"""`peek`: the first records of a dataset, out of the beginning of its first shards.

Strategy: shards are read through the parser and left as soon as enough records are complete. What cannot be
read is shown, not raised: a peek is how people find out what they have.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tarlight.argument import check_bool, check_int, check_text
from tarlight.decode import Caps, Refusal, read_facts
from tarlight.errors import ShardChangedError, ShardReadError
from tarlight.inspect.peeking.first import FirstShards, first_shards
from tarlight.stages.image.io.option import normal_extensions
from tarlight.storage import as_extensions, open_store
from tarlight.tar import Damage, Member, iter_members
from tarlight.tar.name import is_apple_double, split_name

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tarlight.storage import ShardStat, Store

MAX_RECORDS = 1_000
"""More is a job for `load`."""
MAX_CAPTION_BYTES = 64 << 10
"""Longer texts are no captions, and are not parsed for one."""
_TEXTS = ("txt", "text", "caption")
_CAPTION_NAMES = ("caption", "text", "prompt", "title", "description")
_SIDEWAYS = 5
"""From this EXIF orientation on, width and height change places."""


@dataclass(frozen=True, slots=True)
class PeekedRecord:
    """One record."""

    key: str
    shard: str
    """Path or URL of its shard."""
    sizes: Mapping[str, int]
    """Field -> bytes, in tar order."""
    width: int | None = None
    """Of its first image, upright; None without one, or when its header is bad."""
    height: int | None = None
    trouble: str = ""
    """What is wrong with its first image, by its header."""
    caption: str = ""
    """The text beside it: of a text file, else of a field such as `caption` in its JSON."""
    image: bytes | None = None
    """The first image as stored, where images were asked for."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The first records of a dataset."""

    records: tuple[PeekedRecord, ...]
    shards: tuple[str, ...]
    """Shards that were looked into, in order."""
    num_shards: int
    """Shards that the listing showed."""
    is_all: bool
    """False where only the first page of the listing was taken, in the store's order."""
    bytes_read: int
    """Bytes that came from the store."""
    troubles: tuple[str, ...] = ()
    """Damage met on the way, for people."""


def peek(
    path: str | os.PathLike[str],
    *,
    num_records: int = 10,
    with_images: bool = False,
    file_extensions: str | Collection[str] = (".tar",),
    extensions: Sequence[str] = (".jpg", ".jpeg"),
    storage_options: Mapping[str, Any] | None = None,
    store: Store | None = None,
) -> Glimpse:
    """Look at the first records of a dataset, reading no more than it takes.

    Args:
        path: A folder, shard, glob or range; of a folder in a bucket only the first page of the listing is
            taken.
        num_records: How many, at most 1,000.
        with_images: Keep the encoded bytes of each record's first image.
        file_extensions: Which files of folders and globs are shards.
        extensions: Last extensions that make a member an image; JPEG only.
        storage_options: Options of the store.
        store: Reads `path`, instead of the store that its URL names.

    Raises:
        InputMissingError: Nothing is there.
        InputDeniedError: It may not be read or listed.
        ArgumentError: A value is not allowed.
        ArgumentTypeError: A value has the wrong type.
    """
    text = check_text("path", str(path) if hasattr(path, "__fspath__") else path)
    check_int("num_records", num_records, minimum=1)
    reader = store or open_store(text, storage_options)
    first = first_shards(reader, text, as_extensions(file_extensions))
    looking = _Looking(
        reader,
        min(num_records, MAX_RECORDS),
        normal_extensions(extensions),
        with_images=check_bool("with_images", with_images),
    )
    return looking.look(first)


@dataclass(slots=True)
class _Draft:
    """A record that is being read."""

    key: str
    shard: str
    sizes: dict[str, int] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def finish(self) -> PeekedRecord:
        caption = next((self.texts[name] for name in (*_TEXTS, "json") if name in self.texts), "")
        return PeekedRecord(self.key, self.shard, self.sizes, caption=caption, **self.found)


class _Looking:
    """Reads shards until there are enough records. Use once."""

    def __init__(
        self, store: Store, num_records: int, extensions: tuple[str, ...], *, with_images: bool
    ) -> None:
        self._store = store
        self._num_records = num_records
        self._extensions = extensions
        self._with_images = with_images
        self._records: list[PeekedRecord] = []
        self._troubles: list[str] = []
        self._bytes_read = 0

    def look(self, first: FirstShards) -> Glimpse:
        shards = []
        for shard in first.shards:
            shards.append(shard.path)
            self._read(shard)
            if len(self._records) >= self._num_records:
                break
        return Glimpse(
            tuple(self._records),
            tuple(shards),
            len(first.shards),
            first.is_all,
            self._bytes_read,
            tuple(self._troubles),
        )

    def _read(self, shard: ShardStat) -> None:
        draft: _Draft | None = None
        with closing(self._store.chunks(shard)) as chunks:
            stream = iter_members(
                self._counted(chunks, shard), shard=shard.path, size=shard.size, wanted=self._wants
            )
            for item in stream:
                if isinstance(item, Damage):
                    what = f"{item.reason}: {item.detail}" if item.detail else str(item.reason)
                    self._troubles.append(f"{shard.path}: bytes {item.start:,} to {item.end:,}: {what}")
                    continue
                key, name = split_name(item.name)
                if item.kind != "file" or not name or is_apple_double(item.name):
                    continue
                if draft is not None and key != draft.key:
                    self._records.append(draft.finish())
                    draft = None
                    if len(self._records) >= self._num_records:
                        return
                draft = draft or _Draft(key, shard.path)
                self._take(draft, name, item)
        if draft is not None:
            self._records.append(draft.finish())

    def _counted(self, chunks: Iterator[bytes], shard: ShardStat) -> Iterator[bytes]:
        try:
            for chunk in chunks:
                self._bytes_read += len(chunk)
                yield chunk
        except (ShardReadError, ShardChangedError) as error:
            self._troubles.append(str(error) or f"{shard.path}: reading failed")

    def _wants(self, name: str) -> bool:
        return name.lower().endswith((*self._extensions, ".json", *(f".{text}" for text in _TEXTS)))

    def _take(self, draft: _Draft, name: str, member: Member) -> None:
        draft.sizes.setdefault(name, member.size)
        if member.name.lower().endswith(self._extensions):
            if not draft.found:
                draft.found = self._facts(member)
        elif member.data is not None and member.size <= MAX_CAPTION_BYTES:
            text = _caption(name.lower(), bytes(member.data))
            if text:
                draft.texts.setdefault(name.lower(), text)

    def _facts(self, member: Member) -> dict[str, Any]:
        if member.data is None:
            return {"trouble": member.detail or str(member.flaw or "no data")}
        data = bytes(member.data)
        kept = {"image": data} if self._with_images else {}
        facts = read_facts(data, Caps())
        if isinstance(facts, Refusal):
            return {"trouble": f"{facts.reason}: {facts.detail}"}
        width, height = facts.width, facts.height
        if facts.orientation >= _SIDEWAYS:
            width, height = height, width
        return {"width": width, "height": height, **kept}


def _caption(name: str, data: bytes) -> str:
    text = data.decode("utf-8", "backslashreplace")
    if name in _TEXTS:
        return text
    if name != "json":
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    texts = value if isinstance(value, dict) else {}
    return next((texts[key] for key in _CAPTION_NAMES if isinstance(texts.get(key), str)), "")
